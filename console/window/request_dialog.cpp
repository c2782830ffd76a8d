// SPDX-License-Identifier: Apache-2.0
#include "request_dialog.h"

#include "admin/audit_log.h"
#include "admin/root_change.h"
#include "admin/root_pushing.h"
#include "admin/signing.h"
#include "error_card.h"
#include "key_chooser.h"
#include "page.h"
#include "words.h"

#include <QPlainTextEdit>
#include <QPushButton>

namespace starling::window {

namespace {

constexpr std::chrono::seconds kPatience(30); ///< as the command line's

QString titleOf(const release::SigningRequest& request)
{
    if (request.kind == trust::Kind::Root) {
        const auto root = trust::RootDocument::parse(request.payload);
        return root ? RequestDialog::tr("Sign root %1?").arg(root->number) : QString();
    }
    const auto info = release::ReleaseInfo::parse(request.payload);
    return info ? RequestDialog::tr("Sign %1?").arg(releaseName(info->update.uri, info->update.revision))
                : QString();
}

} // namespace

RequestDialog::RequestDialog(const QString& file, const QString& directory, const QString& socket,
                             QWidget* parent)
    : QDialog(parent)
    , m_file(file)
    , m_directory(directory)
    , m_socket(socket)
{
    setWindowTitle(tr("Signing request"));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(m_title = label({}, "title"));
    layout->addWidget(label(tr("This, exactly, is what your signature covers"), "heading"));
    m_content = verbatim(tr("What is signed"));
    layout->addWidget(m_content, 1);
    layout->addWidget(m_standing = label({}));
    m_standing->setWordWrap(true);
    m_standing->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(m_key = new KeyChooser);
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    layout->addWidget(makeButtons());
    connect(m_key, &KeyChooser::failed, this, &RequestDialog::tell);
    resize(820, 640);
    read();
}

RequestDialog::~RequestDialog() = default;

bool RequestDialog::isRequest(const QString& file)
{
    return console::readRequest(file.toStdString()).has_value();
}

QWidget* RequestDialog::makeButtons()
{
    auto* const part = named(new QWidget, tr("What to do"));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    m_close = named(new QPushButton(tr("Close")), tr("Close the request"));
    m_goOn = named(new QPushButton, tr("Go on with enough signatures"));
    m_sign = named(new QPushButton(tr("Sign and save")), tr("Sign the request and save it"), "primary");
    // Return types the passphrase in, and signs nothing by itself.
    for (QPushButton* const button : {m_goOn, m_sign})
        button->setAutoDefault(false);
    m_close->setDefault(true);
    m_goOn->hide();
    row->addStretch();
    row->addWidget(m_close);
    row->addWidget(m_goOn);
    row->addWidget(m_sign);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_goOn, &QPushButton::clicked, this, &RequestDialog::goOn);
    connect(m_sign, &QPushButton::clicked, this, &RequestDialog::sign);
    return part;
}

void RequestDialog::read()
{
    auto request = console::readRequest(m_file.toStdString());
    auto trust = console::readRoot(console::rootFile(m_directory.toStdString(), 1));
    const auto content = request && trust
        ? console::contentOf(*request, *trust)
        : Result<std::string>(tl::unexpected(request ? trust.error() : request.error()));
    m_sign->setEnabled(content.has_value());
    if (!content) {
        m_title->setText(tr("This request cannot be signed"));
        return tell(tr("It is not shown, so it is not signed."), content.error());
    }
    m_request = std::move(*request);
    m_trust = std::move(*trust);
    m_title->setText(titleOf(*m_request));
    m_content->setPlainText(plainLines(*content));
    for (QLabel* const text : {m_title})
        text->setAccessibleName(text->text());
    offerKeys();
    showStanding();
    m_key->focusPassphrase();
}

void RequestDialog::offerKeys()
{
    std::set<KeyId> keys;
    if (const auto counts = console::countSignatures(*m_request, *m_trust))
        for (const console::RoleCount& count : *counts)
            keys.insert(count.missing.begin(), count.missing.end());
    m_key->offer(m_directory, keys);
}

void RequestDialog::showStanding()
{
    const auto counts = console::countSignatures(*m_request, *m_trust);
    if (!counts)
        return;
    QStringList lines;
    for (const std::string& line : console::textOf(*counts))
        lines += plain(line, 1'200);
    m_standing->setText(lines.join(QLatin1Char('\n')));
    m_standing->setAccessibleName(m_standing->text());
    const bool isEnough = console::isEnough(*counts);
    m_goOn->setText(m_request->kind == trust::Kind::Root ? tr("Push this root…") : tr("Go on to pushing"));
    m_goOn->setVisible(isEnough);
    m_key->setVisible(!isEnough);
    m_sign->setVisible(!isEnough);
}

void RequestDialog::sign()
{
    if (m_key->isOpening() || !m_request)
        return;
    m_error->hide();
    m_key->open([this](Result<KeyChooser::OpenedKey> key) {
        m_sign->setEnabled(true);
        if (!key)
            return tell(tr("Nothing was signed."), key.error());
        take(*key);
    });
    if (m_key->isOpening())
        m_sign->setEnabled(false);
}

void RequestDialog::take(std::shared_ptr<crypto::SecretKey> key)
{
    release::SigningRequest grown = *m_request;
    Status done = console::sign(grown, *m_trust, *key);
    if (done)
        done = console::writeRequest(m_file.toStdString(), grown);
    if (!done)
        return tell(tr("Nothing was signed."), done.error());
    m_request = std::move(grown);
    const bool isRoot = m_request->kind == trust::Kind::Root;
    if (const auto noted = console::AuditLog().record(
            isRoot ? console::Act::RootSigned : console::Act::ReleaseSigned, console::subjectOf(*m_request),
            "key " + key->id().hex() + ", SHA-256 " + m_request->payloadHash().hex());
        !noted)
        tell(tr("It is signed, and the audit log does not say so."), noted.error());
    offerKeys();
    showStanding();
    m_close->setText(tr("Saved: close"));
    m_close->setFocus();
}

void RequestDialog::goOn()
{
    if (m_request->kind == trust::Kind::Root)
        return pushRoot();
    Q_EMIT completed(*m_request);
    accept();
}

void RequestDialog::pushRoot()
{
    trust::Envelope root{trust::Kind::Root, m_request->payload, m_request->signatures};
    m_goOn->setEnabled(false);
    m_pushing.start<bool>(
        [root = std::move(root), socket = m_socket,
         directory = m_directory.toStdString()](Job::Ticket&) -> Result<bool> {
            if (auto kept = console::keepRoot(root, directory); !kept)
                return tl::unexpected<Error>(kept.error());
            auto agent = control::Client::connect(socket);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            return console::pushRoot(*agent, root, kPatience);
        },
        [this](Result<bool> isNew) {
            m_goOn->setEnabled(true);
            if (!isNew)
                return tell(tr("The root was not pushed."), isNew.error());
            m_goOn->hide();
            m_standing->setText(*isNew ? tr("The agent has the root, and spreads it now.")
                                       : tr("The agent holds this root already."));
            m_standing->setAccessibleName(m_standing->text());
            Q_EMIT rootPushed();
        });
}

void RequestDialog::tell(const QString& what, const Error& error)
{
    m_error->tell(what, error);
    m_error->show();
}

} // namespace starling::window
