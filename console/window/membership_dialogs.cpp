// SPDX-License-Identifier: Apache-2.0
#include "membership_dialogs.h"

#include "admin/admission.h"
#include "admin/audit_log.h"
#include "error_card.h"
#include "node/config.h"
#include "page.h"
#include "words.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDateTime>
#include <QFormLayout>
#include <QGuiApplication>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSpinBox>

namespace starling::window {

namespace {

constexpr std::chrono::seconds kPatience(30); ///< as the command line's
constexpr int kMaxDays = 3'650, kMaxHours = 24; ///< as starling device admit, starling token create

QLabel* sentence(const QString& text, const char* style = nullptr)
{
    QLabel* const made = label(text, style);
    made->setWordWrap(true);
    made->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return made;
}

Status note(console::Act act, const std::string& scope, const std::string& detail)
{
    if (auto noted = console::AuditLog().record(act, scope, detail); !noted)
        return fail(std::move(noted.error()), "it is done, and not in the audit log");
    return {};
}

} // namespace

AdmitDialog::AdmitDialog(const Applicant& applicant, const QString& directory, const QString& socket,
                         QWidget* parent)
    : SigningDialog(tr("Let %1 in").arg(applicant.name), tr("Let it in"),
                    tr("Sign its certificate and hand it over"), socket, parent)
    , m_applicant(applicant)
{
    content()->addWidget(sentence(applicant.words, "heading"));
    content()->addWidget(sentence(tr(
        "These words stand for the device's key. It shows them where it waits (starling status there, or its "
        "log). If they differ, it is another device.")));
    QStringList labels;
    for (const auto& [name, value] : applicant.request.labels)
        labels += plain(name + " = " + value);
    if (!labels.isEmpty())
        content()->addWidget(sentence(tr("Labels: %1").arg(labels.join(QStringLiteral(", ")))));
    content()->addWidget(m_compared = named(new QCheckBox(tr("The device shows the same words")),
                                            tr("The device shows the same words")));
    auto* const row = new QHBoxLayout;
    row->addWidget(label(tr("Certificate good for")));
    row->addWidget(m_days = named(new QSpinBox, tr("Days that the certificate is good for")));
    row->addStretch();
    content()->addLayout(row);
    m_days->setRange(0, kMaxDays);
    m_days->setSpecialValueText(tr("ever"));
    m_days->setSuffix(tr(" days"));
    m_days->setButtonSymbols(QAbstractSpinBox::NoButtons);
    connect(m_compared, &QCheckBox::toggled, this, [this](bool isSame) { setReady(isSame); });
    offerAdmitKeys(directory);
    setReady(false);
}

SigningDialog::Work AdmitDialog::work() const
{
    std::optional<std::uint64_t> end;
    if (m_days->value() > 0)
        end = static_cast<std::uint64_t>(
            QDateTime::currentDateTimeUtc().addDays(m_days->value()).toSecsSinceEpoch());
    return [end, request = m_applicant.request, name = m_applicant.name](
               control::Client& agent, const crypto::SecretKey& key) -> Result<QString> {
        if (auto admitted = console::admit(agent, request, end, key, kPatience); !admitted)
            return tl::unexpected<Error>(admitted.error());
        if (auto noted = note(console::Act::DeviceAdmitted, request.name + " " + request.node.hex(),
                              "key " + key.id().hex());
            !noted)
            return tl::unexpected<Error>(noted.error());
        return tr("%1 is let in. It gets its certificate when it asks next.").arg(name);
    };
}

DenyDialog::DenyDialog(const fleetview::Device& device, const QString& directory, const QString& socket,
                       QWidget* parent)
    : SigningDialog(tr("Take %1 out of the fleet").arg(plain(device.name, 64)), tr("Take it out"),
                    tr("Sign and spread a deny list that names the device"), socket, parent)
    , m_node(device.node)
    , m_name(plain(device.name, 64))
{
    content()->addWidget(sentence(
        tr("Its links are cut wherever the list arrives, and nobody takes anything from it. It keeps what is "
           "installed. This is not taken back: it would need a new key, and to be let in with that.")));
    content()->addWidget(sentence(QString::fromStdString(device.node.hex()), "muted"));
    content()->addWidget(label(tr("Type its name to go on: %1").arg(m_name)));
    content()->addWidget(m_typed = named(new QLineEdit, tr("Name of the device, typed")));
    connect(m_typed, &QLineEdit::textChanged, this,
            [this](const QString& text) { setReady(text.trimmed() == m_name); });
    offerAdmitKeys(directory);
    setReady(false);
}

SigningDialog::Work DenyDialog::work() const
{
    return [node = m_node, name = m_name](control::Client& agent,
                                          const crypto::SecretKey& key) -> Result<QString> {
        const auto denied = console::deny(agent, {node}, key, kPatience);
        if (!denied)
            return tl::unexpected<Error>(denied.error());
        if (denied->envelope.empty())
            return tr("%1 was taken out before, with this key.").arg(name);
        if (auto noted = note(console::Act::DevicesDenied, node.hex(), "key " + key.id().hex()); !noted)
            return tl::unexpected<Error>(noted.error());
        return tr("%1 is taken out. The agent has the list, and spreads it now.").arg(name);
    };
}

TokenDialog::TokenDialog(const QString& socket, QWidget* parent)
    : QDialog(parent)
    , m_socket(socket)
{
    setWindowTitle(tr("Add a device"));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(label(tr("Add a device"), "title"));
    layout->addWidget(sentence(
        tr("One device can join with a token: put the line into the file that token_file names in its "
           "configuration, or into the first steps of a console there. If the agent holds an admit key, the "
           "device is let in at once; otherwise it waits, and is shown under “Needs you”.")));
    auto* const rows = new QFormLayout;
    m_hours = named(new QSpinBox, tr("Hours that the token is good for"));
    m_hours->setRange(1, kMaxHours);
    m_hours->setValue(kMaxHours);
    m_hours->setSuffix(tr(" h"));
    m_address = named(new QLineEdit, tr("Address of the agent, as devices reach it"));
    m_address->setPlaceholderText(tr("ADDRESS:PORT; empty: where the agent listens"));
    rows->addRow(label(tr("Good for")), m_hours);
    rows->addRow(label(tr("Address of the agent")), m_address);
    layout->addLayout(rows);
    m_isForConsole = named(new QCheckBox(tr("Also for a console that only administers")),
                           tr("The token is also for a console"));
    m_isForConsole->setToolTip(tr(
        "A console is neither updated nor counted. With another token it waits until somebody lets it in."));
    layout->addWidget(m_isForConsole);
    layout->addWidget(m_token = named(new QLineEdit, tr("The token")));
    m_token->setReadOnly(true);
    m_token->hide();
    layout->addWidget(m_said = sentence({}));
    m_said->hide();
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    auto* const buttons = new QHBoxLayout;
    m_close = named(new QPushButton(tr("Close")), tr("Close"));
    m_copy = named(new QPushButton(tr("Copy")), tr("Copy the token"));
    m_copy->hide();
    m_make = named(new QPushButton(tr("Make a token")), tr("Make a token"), "primary");
    buttons->addStretch();
    buttons->addWidget(m_close);
    buttons->addWidget(m_copy);
    buttons->addWidget(m_make);
    layout->addLayout(buttons);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_make, &QPushButton::clicked, this, &TokenDialog::make);
    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_token->text()); });
    setMinimumWidth(560);
}

TokenDialog::~TokenDialog() = default;

void TokenDialog::make()
{
    m_error->hide();
    control::TokenRequest request;
    request.validSeconds = static_cast<std::uint64_t>(m_hours->value()) * 3'600;
    request.isForConsole = m_isForConsole->isChecked();
    if (const QString address = m_address->text().trimmed(); !address.isEmpty()) {
        const auto endpoint = node::parseEndpoint(address.toStdString());
        if (!endpoint) {
            m_error->tell(tr("No token was made."), {Errc::Usage, endpoint.error().context});
            return m_error->show();
        }
        request.address = *endpoint;
    }
    m_make->setEnabled(false);
    m_asking.start<control::TokenReply>(
        [request, socket = m_socket](Job::Ticket&) -> Result<control::TokenReply> {
            auto agent = control::Client::connect(socket);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            auto reply = agent->ask<control::TokenReply>(request, kPatience);
            if (reply && request.isForConsole && !reply->isForConsole)
                return fail(Errc::UnsupportedFormat,
                            "the agent is of an older version, whose tokens are for any device");
            if (reply)
                if (auto noted = note(console::Act::TokenIssued,
                                      request.isForConsole ? "one device or console" : "one device",
                                      "agent " + socket.toStdString());
                    !noted)
                    return tl::unexpected<Error>(noted.error());
            return reply;
        },
        [this](Result<control::TokenReply> reply) {
            m_make->setEnabled(true);
            if (!reply) {
                m_error->tell(tr("No token was made."), reply.error());
                return m_error->show();
            }
            m_token->setText(QString::fromStdString(reply->token));
            m_token->setCursorPosition(0);
            m_token->show();
            m_copy->show();
            const auto end = QDateTime::fromSecsSinceEpoch(static_cast<qint64>(reply->expires));
            m_said->setText((reply->isForConsole ? tr("Good for one device or console until %1.")
                                                 : tr("Good for one device until %1."))
                                .arg(QLocale().toString(end, QStringLiteral("yyyy-MM-dd HH:mm"))));
            m_said->setAccessibleName(m_said->text());
            m_said->show();
        });
}

} // namespace starling::window
