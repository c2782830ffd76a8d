// SPDX-License-Identifier: Apache-2.0
#include "withdraw_dialog.h"

#include "admin/audit_log.h"
#include "admin/withdrawing.h"
#include "error_card.h"
#include "key_chooser.h"
#include "page.h"
#include "words.h"

#include <QLocale>
#include <QPushButton>

namespace starling::window {

using fleetview::Standing;

namespace {

constexpr std::chrono::seconds kPatience(30); ///< as the command line's

} // namespace

WithdrawDialog::WithdrawDialog(const fleetview::Release& release, const QString& directory,
                               const QString& socket, QWidget* parent)
    : QDialog(parent)
    , m_release(release)
    , m_socket(socket)
{
    const QString name = releaseName(release.uri, release.revision);
    setWindowTitle(tr("Withdraw %1").arg(name));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(label(tr("Withdraw %1?").arg(name), "title"));
    layout->addWidget(m_said = label(consequences()));
    m_said->setWordWrap(true);
    layout->addWidget(m_key = new KeyChooser);
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    auto* const buttons = new QHBoxLayout;
    m_close = named(new QPushButton(tr("Cancel")), tr("Close without withdrawing"));
    m_withdraw = named(new QPushButton(tr("Withdraw")), tr("Sign and spread the withdrawal"), "primary");
    // Return types the passphrase in, and withdraws nothing by itself.
    m_withdraw->setAutoDefault(false);
    m_close->setDefault(true);
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_withdraw);
    layout->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_withdraw, &QPushButton::clicked, this, &WithdrawDialog::withdraw);
    connect(m_key, &KeyChooser::failed, this, &WithdrawDialog::tell);
    offerKeys(directory);
    setMinimumWidth(640);
}

WithdrawDialog::~WithdrawDialog() = default;

QString WithdrawDialog::consequences() const
{
    const auto count = [this](std::initializer_list<Standing> standings) {
        std::size_t sum = 0;
        for (const Standing standing : standings)
            sum += m_release.count(standing);
        return QLocale().toString(static_cast<qulonglong>(sum));
    };
    QStringList lines{
        tr("Devices on their way to it: %1. Those that do not deploy it yet stop.")
            .arg(count({Standing::Waiting, Standing::Downloading, Standing::Installing, Standing::Stalled})),
        tr("Devices that have it in place: %1. They keep it until a later version.")
            .arg(count({Standing::Healthy})),
        tr("Nobody serves it any more. This cannot be taken back: to go on, push a later version.")};
    return lines.join(QLatin1Char('\n'));
}

void WithdrawDialog::offerKeys(const QString& directory)
{
    const auto trust = console::readRoot((directory + QStringLiteral("/root.envelope")).toStdString());
    const trust::Scope* scope = trust ? trust->root().scopeFor(m_release.uri) : nullptr;
    m_key->offer(directory, scope != nullptr ? scope->role.keys : std::set<KeyId>());
    m_key->focusPassphrase();
}

void WithdrawDialog::withdraw()
{
    if (m_sending.isRunning() || m_key->isOpening())
        return;
    m_error->hide();
    m_key->open([this](Result<KeyChooser::OpenedKey> key) {
        if (!key) {
            m_withdraw->setEnabled(true);
            return tell(tr("Nothing was signed."), key.error());
        }
        send(*key);
    });
    if (m_key->isOpening())
        m_withdraw->setEnabled(false);
}

void WithdrawDialog::send(std::shared_ptr<crypto::SecretKey> key)
{
    const trust::Withdrawal withdrawal{m_release.uri, m_release.revision, m_release.infoHash};
    m_sending.start<bool>(
        [withdrawal, key, socket = m_socket](Job::Ticket&) -> Result<bool> {
            auto agent = control::Client::connect(socket);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            const auto done = console::withdraw(*agent, withdrawal, *key, kPatience);
            if (!done)
                return tl::unexpected<Error>(done.error());
            if (!done->isNew)
                return false;
            if (auto noted = console::AuditLog().record(
                    console::Act::ReleaseWithdrawn,
                    withdrawal.uri.text() + " " + trust::toString(withdrawal.revision),
                    "key " + key->id().hex() + ", info-hash " + withdrawal.infoHash.hex());
                !noted)
                return fail(std::move(noted.error()), "it is withdrawn, and the audit log does not say so");
            return true;
        },
        [this](Result<bool> isNew) {
            if (isNew)
                return finish(*isNew);
            m_withdraw->setEnabled(true);
            tell(tr("That did not go as it should."), isNew.error());
        });
}

void WithdrawDialog::finish(bool isNew)
{
    m_key->hide();
    m_withdraw->hide();
    m_said->setText(isNew ? tr("It is withdrawn. The agent has it, and spreads it now.")
                          : tr("It was withdrawn already, or a later version has taken its place."));
    m_close->setText(tr("Close"));
    m_close->setAccessibleName(tr("Close"));
    m_close->setFocus();
}

void WithdrawDialog::tell(const QString& what, const Error& error)
{
    m_error->tell(what, error);
    m_error->show();
    m_key->focusPassphrase();
}

} // namespace starling::window
