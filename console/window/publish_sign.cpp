// SPDX-License-Identifier: Apache-2.0
#include "publish_sign.h"

#include "admin/audit_log.h"
#include "admin/manifest.h"
#include "admin/release_work.h"
#include "admin/signing.h"
#include "key_chooser.h"
#include "page.h"
#include "words.h"

#include <QFileDialog>
#include <QPlainTextEdit>
#include <QPushButton>

namespace starling::window {

PublishSign::PublishSign(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Sign"));
    QVBoxLayout* const layout = column(this, 0, 14);
    QWidget* const shown = card(tr("What is signed"));
    auto* const text = static_cast<QVBoxLayout*>(shown->layout());
    text->addWidget(label(tr("This, exactly, is what your signature covers"), "heading"));
    m_manifest = verbatim(tr("Manifest"));
    text->addWidget(m_manifest, 1);
    layout->addWidget(shown, 1);

    QWidget* const key = card(tr("Signing key"));
    auto* const below = static_cast<QVBoxLayout*>(key->layout());
    below->addWidget(m_progress = label({}, "heading"));
    below->addWidget(m_key = new KeyChooser);
    below->addWidget(m_others = makeOthers());
    layout->addWidget(key);

    auto* const buttons = new QHBoxLayout;
    m_back = named(new QPushButton(tr("Back")), tr("Back to what is published"));
    m_sign = named(new QPushButton(tr("Sign")), tr("Sign the manifest"), "primary");
    buttons->addStretch();
    buttons->addWidget(m_back);
    buttons->addWidget(m_sign);
    layout->addLayout(buttons);
    connect(m_sign, &QPushButton::clicked, this, &PublishSign::sign);
    connect(m_key, &KeyChooser::entered, this, &PublishSign::sign);
    connect(m_key, &KeyChooser::failed, this, &PublishSign::failed);
    connect(m_back, &QPushButton::clicked, this, &PublishSign::backWanted);
}

PublishSign::~PublishSign() = default;

QWidget* PublishSign::makeOthers()
{
    auto* const part = named(new QWidget, tr("Signatures by others"));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    auto* const words = label(tr("Others sign by file, without a network:"), "muted");
    auto* const write =
        named(new QPushButton(tr("Write request…")), tr("Write a signing request for others"));
    auto* const read = named(new QPushButton(tr("Take signatures…")), tr("Take signatures from a request"));
    row->addWidget(words);
    row->addWidget(write);
    row->addWidget(read);
    row->addStretch();
    connect(write, &QPushButton::clicked, this,
            [this] { askWhere(true, [this](const QString& path) { writeRequest(path); }); });
    connect(read, &QPushButton::clicked, this,
            [this] { askWhere(false, [this](const QString& path) { readRequest(path); }); });
    return part;
}

void PublishSign::askWhere(bool isWritten, std::function<void(const QString&)> then)
{
    auto* const dialog = new QFileDialog(
        this, isWritten ? tr("Write a signing request") : tr("Take signatures from a request"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setNameFilters({tr("Signing requests (*.request)"), tr("All files (*)")});
    dialog->setFileMode(isWritten ? QFileDialog::AnyFile : QFileDialog::ExistingFile);
    if (isWritten) {
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setOption(QFileDialog::DontConfirmOverwrite); // nothing else is overwritten
        dialog->selectFile(QString::fromStdString(m_torrent->info.name) + QStringLiteral(".request"));
    }
    connect(dialog, &QFileDialog::fileSelected, this, std::move(then));
    dialog->open();
}

void PublishSign::writeRequest(const QString& path)
{
    if (auto written = console::writeRequest(path.toStdString(),
                                             release::SigningRequest::of(m_trust->fleet(), *m_torrent));
        !written)
        return Q_EMIT failed(tr("The request was not written."), written.error());
    showProgress();
    m_progress->setText(m_progress->text()
                        + tr(" · request written: %1").arg(plain(path.toStdString(), 300)));
    m_progress->setAccessibleName(m_progress->text());
    Q_EMIT othersAsked();
}

void PublishSign::readRequest(const QString& path)
{
    const auto request = console::readRequest(path.toStdString());
    if (!request)
        return Q_EMIT failed(tr("No signature was taken."), request.error());
    merge(*request);
}

bool PublishSign::isAbout(const release::SigningRequest& request) const
{
    return m_torrent && m_trust && request.fleet == m_trust->fleet()
        && request.payload == m_torrent->infoBytes;
}

void PublishSign::merge(const release::SigningRequest& request)
{
    auto own = release::SigningRequest::of(m_trust->fleet(), *m_torrent);
    if (const auto taken = console::merge(own, request, *m_trust); !taken)
        return Q_EMIT failed(tr("No signature was taken."), taken.error());
    m_torrent->signatures = own.signatures;
    settle();
}

void PublishSign::begin(release::TorrentFile torrent, std::shared_ptr<const trust::TrustSet> trust,
                        const QString& directory)
{
    m_torrent = std::move(torrent);
    m_trust = std::move(trust);
    m_directory = directory;
    const auto manifest = console::manifestOf(*m_torrent);
    m_manifest->setPlainText(manifest ? plainLines(*manifest) : QString());
    m_sign->setEnabled(manifest.has_value());
    if (!manifest)
        Q_EMIT failed(tr("The manifest cannot be shown, so it is not signed."), manifest.error());
    m_key->offer(directory, scope() != nullptr ? scope()->role.keys : std::set<KeyId>());
    showProgress();
    m_key->focusPassphrase();
}

void PublishSign::forget()
{
    m_key->forget();
}

const trust::Scope* PublishSign::scope() const
{
    return m_trust && m_torrent ? m_trust->root().scopeFor(m_torrent->info.update.uri) : nullptr;
}

void PublishSign::sign()
{
    if (m_key->isOpening() || !m_torrent)
        return;
    m_key->open([this](Result<KeyChooser::OpenedKey> key) { take(std::move(key)); });
    if (!m_key->isOpening())
        return;
    m_sign->setEnabled(false);
    m_progress->setText(tr("Opening the key…"));
}

void PublishSign::take(Result<KeyChooser::OpenedKey> key)
{
    m_sign->setEnabled(true);
    m_key->focusPassphrase();
    const Status done =
        key ? console::signRelease(*m_torrent, *m_trust, **key) : Status(tl::unexpected(key.error()));
    showProgress();
    if (!done)
        return Q_EMIT failed(tr("Nothing was signed."), done.error());
    const release::UpdateInfo& update = m_torrent->info.update;
    if (const auto noted = console::AuditLog().record(
            console::Act::ReleaseSigned, update.uri.text() + " " + trust::toString(update.revision),
            "key " + (*key)->id().hex() + ", info-hash " + m_torrent->infoHash.hex());
        !noted)
        Q_EMIT failed(tr("It is signed, and the audit log does not say so."), noted.error());
    settle();
}

void PublishSign::settle()
{
    m_key->offer(m_directory, scope() != nullptr ? scope()->role.keys : std::set<KeyId>());
    for (const auto& [key, signature] : m_torrent->signatures)
        m_key->drop(key);
    showProgress();
    // As every device will: the signatures against the root, nothing else.
    const auto verified = release::verifyRelease(*m_torrent, *m_trust);
    if (verified)
        return Q_EMIT signedWell();
    if (verified.error().code != Errc::BelowThreshold)
        Q_EMIT failed(tr("Signed, and devices would still refuse it."), verified.error());
}

void PublishSign::showProgress()
{
    const std::size_t needed = scope() != nullptr ? scope()->role.threshold : 1;
    m_others->setVisible(needed > 1);
    m_progress->setText(tr("One signature is needed"));
    if (needed > 1)
        if (const auto counts =
                console::countSignatures(release::SigningRequest::of(m_trust->fleet(), *m_torrent), *m_trust))
            m_progress->setText(plain(console::textOf(counts->front()), 1'200));
    m_progress->setAccessibleName(m_progress->text());
}

} // namespace starling::window
