// SPDX-License-Identifier: Apache-2.0
#include "keys_page.h"

#include "aside.h"
#include "error_card.h"
#include "read_only.h"
#include "words.h"

#include <QClipboard>
#include <QDateTime>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>

namespace starling::window {

namespace {

constexpr std::uint64_t kWarnBefore = 30 * 86'400; ///< s: "key <30 d" (console specification)

QString dayOf(std::uint64_t seconds)
{
    return QLocale().toString(QDateTime::fromSecsSinceEpoch(static_cast<qint64>(seconds)).date(),
                              QStringLiteral("yyyy-MM-dd"));
}

QString roleWord(const console::KeyDuty& duty)
{
    if (duty.role == "root")
        return KeysPage::tr("Root: says which keys may do what");
    if (duty.role == "release")
        return KeysPage::tr("Release: signs updates below %1").arg(plain(duty.scope));
    if (duty.role == "admit")
        return KeysPage::tr("Admit: lets devices in, and takes them out");
    if (duty.role == "observe")
        return KeysPage::tr("Observe: says who collects receipts");
    return KeysPage::tr("Beacon: says what is newest");
}

QString aboutRoot(const console::FleetKeys& keys, std::uint64_t now)
{
    QString text = KeysPage::tr("Root %1").arg(keys.rootNumber);
    if (keys.rootCreated)
        text += KeysPage::tr(", made on %1").arg(dayOf(*keys.rootCreated));
    if (!keys.rootExpires)
        text += KeysPage::tr(", without an end");
    else if (*keys.rootExpires <= now)
        text += KeysPage::tr(", to be renewed since %1: make the next one").arg(dayOf(*keys.rootExpires));
    else if (*keys.rootExpires - now < kWarnBefore)
        text += KeysPage::tr(", to be renewed soon, by %1").arg(dayOf(*keys.rootExpires));
    else
        text += KeysPage::tr(", to be renewed by %1").arg(dayOf(*keys.rootExpires));
    return text
        + (keys.isFromAgent
               ? KeysPage::tr("; as the agent holds it")
               : KeysPage::tr("; from the fleet's directory, since the agent does not tell it: %1")
                     .arg(plain(keys.trouble, 160)));
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

KeysPage::KeysPage(QString socket)
    : m_socket(std::move(socket))
{
    QVBoxLayout* const layout = column(this, 24, 12);
    auto* const row = new QHBoxLayout;
    auto* const words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_about = label(tr("Not read yet."), "heading"));
    words->addWidget(m_holders = label({}, "muted"));
    m_about->setWordWrap(true);
    row->addLayout(words, 1);
    m_reload = named(new QPushButton(tr("Read again")), tr("Read root and key files again"));
    auto* const open =
        named(new QPushButton(tr("Sign for others…")), tr("Open a signing request of somebody else"));
    connect(open, &QPushButton::clicked, this, &KeysPage::choiceWanted);
    row->addWidget(open, 0, Qt::AlignTop);
    row->addWidget(m_reload, 0, Qt::AlignTop);
    layout->addLayout(row);
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(m_done = label({}));
    m_done->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_done->setWordWrap(true);
    m_done->hide();
    m_empty = label(tr("Keys are made with a fleet: there is none yet."), "muted");
    m_firstSteps = named(new QPushButton(tr("First steps…")), tr("Begin a fleet or join one"), "primary");
    layout->addWidget(m_empty);
    layout->addWidget(m_firstSteps, 0, Qt::AlignLeft);
    m_empty->hide();
    m_firstSteps->hide();
    m_area = named(new QScrollArea, tr("Keys by role"));
    m_area->setWidgetResizable(true);
    m_area->setFocusPolicy(Qt::NoFocus);
    layout->addWidget(m_area, 1);
    connect(m_reload, &QPushButton::clicked, this, &KeysPage::reload);
    connect(m_firstSteps, &QPushButton::clicked, this, &KeysPage::firstStepsWanted);
}

void KeysPage::setFleet(const QString& socket, const QString& directory)
{
    m_socket = socket;
    m_directory = directory;
    m_keys.reset();
    m_askedForRoot.reset();
    if (isVisible())
        reload();
}

void KeysPage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    if (!m_keys)
        return reload();
    showHolders();
    showTrusting();
}

void KeysPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    if (isVisible() && m_keys && m_askedForRoot && *m_askedForRoot != snapshot->status.rootNumber)
        reload();
    if (!isVisible() && snapshot->picture->devices.size() > Aside::kFew)
        return; // nobody sees it, and showEvent() tells then
    showHolders();
    showTrusting();
}

void KeysPage::reload()
{
    m_askedForRoot = m_snapshot ? std::optional(m_snapshot->status.rootNumber) : std::nullopt;
    m_reading.start<console::FleetKeys>(
        [socket = m_socket, directory = m_directory.toStdString()](Job::Ticket&) {
            return console::readFleetKeys(socket, directory);
        },
        [this](Result<console::FleetKeys> keys) {
            const bool isNone = !keys && keys.error().code == Errc::NotFound;
            m_empty->setVisible(isNone);
            m_firstSteps->setVisible(isNone);
            m_area->setVisible(keys.has_value());
            m_error->hide();
            if (keys)
                return show(*keys);
            m_keys.reset();
            showHolders();
            setText(m_about, isNone ? tr("No keys") : tr("The keys are not known"));
            if (!isNone)
                m_error->tell(tr("The fleet's root cannot be read."), keys.error());
        });
}

void KeysPage::show(const console::FleetKeys& keys)
{
    m_keys = keys;
    m_empty->hide();
    m_firstSteps->hide();
    m_area->show();
    setText(m_about, aboutRoot(keys, static_cast<std::uint64_t>(QDateTime::currentSecsSinceEpoch())));
    build();
    showHolders();
}

std::vector<std::uint64_t> KeysPage::rootsOfDevices() const
{
    std::vector<std::uint64_t> roots;
    if (m_snapshot)
        for (const fleetview::DevicePtr& device : m_snapshot->picture->devices)
            roots.push_back(device->receipt.rootNumber);
    return roots;
}

void KeysPage::showTrusting()
{
    const auto devices = rootsOfDevices();
    for (const auto& [text, roots] : m_trusting) {
        text->setVisible(!devices.empty() && !roots.empty());
        const console::Holders holders = console::holdersOf(devices, roots);
        setText(text,
                tr("Trusted by %1 of %2 devices%3")
                    .arg(QLocale().toString(static_cast<qulonglong>(holders.trusting)),
                         QLocale().toString(static_cast<qulonglong>(holders.devices)),
                         roots.empty() || *roots.begin() == 1 ? QString()
                                                              : tr(", since root %1").arg(*roots.begin())));
    }
}

void KeysPage::showHolders()
{
    m_holders->setVisible(m_keys.has_value());
    if (!m_keys || !m_snapshot || m_snapshot->picture->devices.empty())
        return setText(m_holders, tr("How many devices hold this root is not known: no receipt tells."));
    const auto& devices = m_snapshot->picture->devices;
    const auto holders = std::count_if(devices.begin(), devices.end(), [this](const auto& device) {
        return device->receipt.rootNumber >= m_keys->rootNumber;
    });
    setText(m_holders,
            tr("%1 of %2 devices hold it, by their signed receipts")
                .arg(QLocale().toString(static_cast<qlonglong>(holders)),
                     QLocale().toString(static_cast<qulonglong>(devices.size()))));
}

void KeysPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    if (m_keys)
        build();
}

void KeysPage::build()
{
    auto* const body = named(new QWidget, tr("Keys by role"), "page");
    QVBoxLayout* const layout = column(body, 0, 12);
    m_trusting.clear();
    std::vector<console::KeyDuty> shown;
    for (const console::FleetKey& key : m_keys->keys)
        for (const console::KeyDuty& duty : key.duties)
            if (std::find(shown.begin(), shown.end(), duty) == shown.end()) {
                shown.push_back(duty);
                layout->addWidget(roleCard(duty));
            }
    if (!m_keys->strangers.empty() || !m_keys->unreadable.empty())
        layout->addWidget(otherFiles());
    layout->addStretch();
    m_area->setWidget(body);
    showTrusting();
}

QWidget* KeysPage::roleCard(const console::KeyDuty& duty)
{
    QWidget* const box = card(roleWord(duty));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    auto* const row = new QHBoxLayout;
    row->addWidget(label(roleWord(duty), "heading"), 1);
    row->addWidget(label(duty.keys == 1 ? tr("one key, which signs alone")
                                        : tr("%1 of %2 keys must sign").arg(duty.threshold).arg(duty.keys),
                         "muted"));
    layout->addLayout(row);
    for (const console::FleetKey& key : m_keys->keys)
        if (std::find(key.duties.begin(), key.duties.end(), duty) != key.duties.end())
            layout->addWidget(keyRow(key));
    return box;
}

QWidget* KeysPage::keyRow(const console::FleetKey& key)
{
    const QString id = plain(key.id.shortHex());
    auto* const part = named(new QWidget, tr("Key %1").arg(id));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    auto* const text = new QVBoxLayout;
    text->setSpacing(1);
    auto* const words = label(plain(key.words));
    words->setTextInteractionFlags(Qt::TextSelectableByMouse);
    words->setWordWrap(true);
    text->addWidget(words);
    const QString place = key.file ? tr("%1 · %2 in %3")
                                         .arg(id, key.file->header.isSealed ? tr("sealed") : tr("not sealed"),
                                              plain(key.file->file.filename().string()))
                                   : tr("%1 · not here: its file is elsewhere").arg(id);
    auto* const where = label(place, "muted");
    where->setToolTip((plain(key.id.hex())
                       + (key.file ? QLatin1Char('\n') + plain(key.file->file.string(), 500) : QString()))
                          .toHtmlEscaped());
    text->addWidget(where);
    auto* const trusting = label({}, "muted");
    text->addWidget(trusting);
    m_trusting.emplace_back(trusting, key.roots);
    row->addLayout(text, 1);
    const auto button = [&](const QString& title, const QString& name, auto run) {
        auto* const push = named(new QPushButton(title), name.arg(id));
        connect(push, &QPushButton::clicked, this, [this, key, run] { (this->*run)(key); });
        row->addWidget(push);
    };
    button(tr("Copy fingerprint"), tr("Copy the fingerprint of key %1"), &KeysPage::copyWords);
    button(tr("Export public…"), tr("Export the public half of key %1"), &KeysPage::exportPublic);
    if (key.file && key.file->header.isSealed)
        button(tr("Back up…"), tr("Copy the sealed file of key %1"), &KeysPage::backUp);
    row->addWidget(changeButton(key));
    return part;
}

QPushButton* KeysPage::changeButton(const console::FleetKey& key)
{
    auto* const push = named(new QPushButton(tr("Change")),
                             tr("Rotate, retire or revoke key %1").arg(plain(key.id.shortHex())), "menu");
    auto* const menu = named(new QMenu(push), push->accessibleName());
    const auto add = [&](const QString& text, KeyStep step) {
        connect(menu->addAction(text), &QAction::triggered, this,
                [this, id = key.id, step] { change(id, step); });
    };
    add(tr("Rotate: another key joins…"), KeyStep::Rotate);
    add(tr("Retire: its successor goes on alone…"), KeyStep::Retire);
    add(tr("Revoke: it is lost or stolen…"), KeyStep::Revoke);
    push->setMenu(menu);
    push->setEnabled(!m_directory.isEmpty());
    return push;
}

void KeysPage::change(const KeyId& key, KeyStep step)
{
    if (!mayChange(this))
        return;
    auto* const dialog =
        new KeyChangeDialog(step, key, m_directory, m_keys->strangers, rootsOfDevices(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &KeyChangeDialog::drafted, this, &KeysPage::requestWanted);
    dialog->open();
}

QWidget* KeysPage::otherFiles()
{
    QWidget* const box = card(tr("Other key files here"));
    box->layout()->addWidget(label(tr("Other key files here"), "heading"));
    for (const console::KeyFile& stranger : m_keys->strangers)
        box->layout()->addWidget(
            label(tr("%1 · %2: the root does not name this key")
                      .arg(plain(stranger.file.filename().string()), plain(stranger.header.id.shortHex()))));
    for (const auto& [file, error] : m_keys->unreadable) {
        auto* const line = label(tr("%1: %2 · %3")
                                     .arg(plain(file.filename().string()), plain(error.context, 300),
                                          QString::fromStdString(codeName(error.code))));
        line->setWordWrap(true);
        box->layout()->addWidget(line);
    }
    return box;
}

void KeysPage::tell(const QString& text)
{
    m_error->hide();
    setText(m_done, text);
    m_done->show();
}

void KeysPage::copyWords(const console::FleetKey& key)
{
    QGuiApplication::clipboard()->setText(
        QStringLiteral("%1\n%2").arg(plain(key.words), plain(key.id.hex())));
    tell(tr("Copied: the words of key %1, and its id.").arg(plain(key.id.shortHex())));
}

void KeysPage::askWhere(const QString& title, const QString& proposed,
                        std::function<void(const QString&)> then)
{
    auto* const dialog = new QFileDialog(this, title);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setFileMode(QFileDialog::AnyFile);
    dialog->setOption(QFileDialog::DontConfirmOverwrite); // nothing is overwritten
    dialog->selectFile(proposed);
    connect(dialog, &QFileDialog::fileSelected, this, std::move(then));
    dialog->open();
}

void KeysPage::exportPublic(const console::FleetKey& key)
{
    askWhere(tr("Export the public half"), plain(key.id.shortHex()) + QStringLiteral(".pub"),
             [this, key, fleet = m_keys->fleet](const QString& path) {
                 if (const auto done = console::exportPublic(key, fleet, path.toStdString()); !done)
                     return m_error->tell(tr("Nothing was exported."), done.error());
                 tell(tr("Written: %1. Nothing in it is secret.").arg(plain(path.toStdString(), 500)));
             });
}

void KeysPage::backUp(const console::FleetKey& key)
{
    askWhere(tr("Back up a sealed key"), plain(key.file->file.filename().string()),
             [this, key](const QString& path) {
                 if (const auto done = console::backUpKey(key.file->file, path.toStdString()); !done)
                     return m_error->tell(tr("There is no backup."), done.error());
                 tell(tr("Copied, still sealed, to %1, and read back. It opens with the same passphrase.")
                          .arg(plain(path.toStdString(), 500)));
             });
}

} // namespace starling::window
