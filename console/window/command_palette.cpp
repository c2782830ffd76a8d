// SPDX-License-Identifier: Apache-2.0
#include "command_palette.h"

#include "page.h"
#include "words.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>

namespace starling::window {

namespace {

constexpr int kMaxDevices = 12; ///< guess: what fits beside the actions
constexpr int kDeviceRole = Qt::UserRole, kActionRole = Qt::UserRole + 1;

} // namespace

CommandPalette::CommandPalette(QList<QAction*> actions, fleetview::PicturePtr picture, QWidget* parent)
    : QDialog(parent)
    , m_actions(std::move(actions))
    , m_picture(std::move(picture))
{
    setWindowTitle(tr("Commands"));
    setAccessibleName(windowTitle());
    resize(560, 380);
    QVBoxLayout* const layout = column(this, 14, 10);
    m_text = named(new QLineEdit, tr("Command or device"));
    m_text->setPlaceholderText(tr("What to do, or the name of a device"));
    m_list = named(new QListWidget, tr("Commands and devices that match"));
    m_list->setFocusPolicy(Qt::NoFocus);
    layout->addWidget(m_text);
    layout->addWidget(m_list, 1);
    m_text->installEventFilter(this);
    connect(m_text, &QLineEdit::textChanged, this, &CommandPalette::fill);
    connect(m_text, &QLineEdit::returnPressed, this, &CommandPalette::run);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::run);
    fill();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
        if (step != 0 && m_list->count() > 0) {
            m_list->setCurrentRow((m_list->currentRow() + step + m_list->count()) % m_list->count());
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void CommandPalette::fill()
{
    m_list->clear();
    const QString wanted = m_text->text().trimmed();
    for (int i = 0; i < m_actions.size(); ++i) {
        const QString name = m_actions[i]->text();
        if (!m_actions[i]->isEnabled() || !name.contains(wanted, Qt::CaseInsensitive))
            continue;
        const QString keys = m_actions[i]->shortcut().toString(QKeySequence::NativeText);
        auto* const item =
            new QListWidgetItem(keys.isEmpty() ? name : QStringLiteral("%1    %2").arg(name, keys), m_list);
        item->setData(kActionRole, i);
    }
    int devices = 0;
    for (std::size_t i = 0; m_picture && !wanted.isEmpty() && i < m_picture->devices.size(); ++i) {
        const fleetview::Device& device = *m_picture->devices[i];
        if (!plain(device.name).contains(wanted, Qt::CaseInsensitive))
            continue;
        auto* const item = new QListWidgetItem(
            tr("Device %1, %2").arg(plain(device.name), standingWord(device.standing).toLower()), m_list);
        item->setData(kDeviceRole, static_cast<qulonglong>(i));
        if (++devices == kMaxDevices)
            break;
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::run()
{
    const QListWidgetItem* const item = m_list->currentItem();
    if (item == nullptr)
        return;
    accept();
    if (const QVariant device = item->data(kDeviceRole); device.isValid())
        Q_EMIT deviceChosen(m_picture->devices[device.toULongLong()]->node);
    else
        m_actions[item->data(kActionRole).toInt()]->trigger();
}

} // namespace starling::window
