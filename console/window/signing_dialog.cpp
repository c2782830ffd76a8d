// SPDX-License-Identifier: Apache-2.0
#include "signing_dialog.h"

#include "admin/keys.h"
#include "error_card.h"
#include "key_chooser.h"
#include "page.h"

#include <QPushButton>

namespace starling::window {

SigningDialog::SigningDialog(const QString& title, const QString& verb, const QString& act,
                             const QString& socket, QWidget* parent)
    : QDialog(parent)
    , m_socket(socket)
{
    setWindowTitle(title);
    setAccessibleName(title);
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(label(title, "title"));
    m_content = new QVBoxLayout;
    m_content->setSpacing(8);
    layout->addLayout(m_content);
    layout->addWidget(m_said = label({}));
    m_said->setWordWrap(true);
    m_said->hide();
    layout->addWidget(m_key = new KeyChooser);
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    auto* const buttons = new QHBoxLayout;
    m_close = named(new QPushButton(tr("Cancel")), tr("Close without signing"));
    m_sign = named(new QPushButton(verb), act, "primary");
    m_sign->setAutoDefault(false);
    m_close->setDefault(true);
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_sign);
    layout->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_sign, &QPushButton::clicked, this, &SigningDialog::begin);
    connect(m_key, &KeyChooser::failed, this, &SigningDialog::tell);
    setMinimumWidth(640);
}

SigningDialog::~SigningDialog() = default;

void SigningDialog::offerAdmitKeys(const QString& directory)
{
    const auto trust = console::readRoot((directory + QStringLiteral("/root.envelope")).toStdString());
    m_key->offer(directory, trust ? trust->root().admit.keys : std::set<KeyId>());
}

void SigningDialog::offerObserveKeys(const QString& directory)
{
    const auto trust = console::readRoot((directory + QStringLiteral("/root.envelope")).toStdString());
    const bool hasRole = trust && trust->root().observe;
    m_key->offer(directory, hasRole ? trust->root().observe->keys : std::set<KeyId>());
    m_key->focusPassphrase(); // all else is filled in
}

void SigningDialog::setReady(bool isReady)
{
    m_isReady = isReady;
    m_sign->setEnabled(m_isReady && !m_sending.isRunning() && !m_key->isOpening());
}

/// From top to bottom, as it is read: the key was made before what stands above it.
void SigningDialog::orderTabs()
{
    QList<QWidget*> order;
    const auto add = [&order](QWidget* part) {
        for (QWidget* const each : QList<QWidget*>{part} + part->findChildren<QWidget*>())
            if ((each->focusPolicy() & Qt::TabFocus) != 0 && each->focusProxy() == nullptr)
                order += each;
    };
    for (int i = 0; i < m_content->count(); ++i)
        if (QWidget* const part = m_content->itemAt(i)->widget(); part != nullptr)
            add(part);
    for (QWidget* const part : std::initializer_list<QWidget*>{m_key, m_error, m_close, m_sign})
        add(part);
    for (qsizetype i = 1; i < order.size(); ++i)
        setTabOrder(order[i - 1], order[i]);
}

/// What is to be compared or filled in is never cut off, whatever else takes room.
void SigningDialog::showEvent(QShowEvent* event)
{
    QDialog::showEvent(event);
    orderTabs();
    for (int i = 0; i < m_content->count(); ++i) {
        QWidget* const part = m_content->itemAt(i)->widget();
        if (part == nullptr)
            continue;
        part->ensurePolished(); // its font is the style's
        const auto* const text = qobject_cast<QLabel*>(part);
        const bool isWrapped = text != nullptr && text->wordWrap();
        part->setMinimumHeight(isWrapped ? text->heightForWidth(m_content->geometry().width())
                                         : part->sizeHint().height());
    }
}

void SigningDialog::begin()
{
    if (m_sending.isRunning() || m_key->isOpening())
        return;
    m_error->hide();
    m_key->open([this](Result<KeyChooser::OpenedKey> key) {
        if (!key) {
            setReady(m_isReady);
            return tell(tr("Nothing was signed."), key.error());
        }
        send(*key);
    });
    if (m_key->isOpening())
        m_sign->setEnabled(false);
}

void SigningDialog::send(std::shared_ptr<crypto::SecretKey> key)
{
    m_sign->setEnabled(false);
    m_sending.start<QString>(
        [work = work(), key, socket = m_socket](Job::Ticket&) -> Result<QString> {
            auto agent = control::Client::connect(socket);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            return work(*agent, *key);
        },
        [this](Result<QString> said) {
            if (said)
                return finish(*said);
            setReady(m_isReady);
            tell(tr("That did not go as it should."), said.error());
        });
}

void SigningDialog::finish(const QString& said)
{
    m_key->hide();
    m_sign->hide();
    m_said->setText(said);
    m_said->setAccessibleName(said);
    m_said->show();
    m_close->setText(tr("Close"));
    m_close->setAccessibleName(tr("Close"));
    m_close->setFocus();
}

void SigningDialog::tell(const QString& what, const Error& error)
{
    m_error->tell(what, error);
    m_error->show();
    // Sentences that are wrapped need more height than they say at least: nothing is pressed together.
    layout()->activate();
    resize(width(), std::max(height(), layout()->totalHeightForWidth(width())));
    m_key->focusPassphrase();
}

} // namespace starling::window
