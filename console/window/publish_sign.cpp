// SPDX-License-Identifier: Apache-2.0
#include "publish_sign.h"

#include "admin/audit_log.h"
#include "admin/manifest.h"
#include "admin/release_work.h"
#include "page.h"
#include "passphrase_field.h"
#include "words.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFontDatabase>
#include <QPlainTextEdit>
#include <QPushButton>

namespace starling::window {

using OpenedKey = std::shared_ptr<crypto::SecretKey>;

namespace {

/// Text of others, line by line as it stands.
QString plainLines(const std::string& text)
{
    QStringList lines;
    for (const QString& line : QString::fromStdString(text).split(QLatin1Char('\n')))
        lines += plain(line.toStdString(), 1'200);
    return lines.join(QLatin1Char('\n'));
}

} // namespace

PublishSign::PublishSign(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Sign"));
    QVBoxLayout* const layout = column(this, 0, 14);
    QWidget* const shown = card(tr("What is signed"));
    auto* const text = static_cast<QVBoxLayout*>(shown->layout());
    text->addWidget(label(tr("This, exactly, is what your signature covers"), "heading"));
    m_manifest = named(new QPlainTextEdit, tr("Manifest"));
    m_manifest->setReadOnly(true);
    m_manifest->setTabChangesFocus(true);
    m_manifest->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_manifest->setStyleSheet(QStringLiteral("font-family: \"%1\";")
                                  .arg(QFontDatabase::systemFont(QFontDatabase::FixedFont).family()));
    text->addWidget(m_manifest, 1);
    layout->addWidget(shown, 1);

    QWidget* const key = card(tr("Signing key"));
    auto* const below = static_cast<QVBoxLayout*>(key->layout());
    below->addWidget(m_progress = label({}, "heading"));
    auto* const row = new QHBoxLayout;
    row->setSpacing(12);
    m_keys = named(new QComboBox, tr("Key"));
    auto* const other = named(new QPushButton(tr("Another key…")), tr("Choose another key file"));
    m_passphrase = named(new PassphraseField, tr("Passphrase of the key"));
    m_passphrase->setPlaceholderText(tr("Passphrase of the key"));
    row->addWidget(m_keys, 3);
    row->addWidget(other);
    row->addWidget(m_passphrase, 3);
    below->addLayout(row);
    layout->addWidget(key);

    auto* const buttons = new QHBoxLayout;
    m_back = named(new QPushButton(tr("Back")), tr("Back to what is published"));
    m_sign = named(new QPushButton(tr("Sign")), tr("Sign the manifest"), "primary");
    buttons->addStretch();
    buttons->addWidget(m_back);
    buttons->addWidget(m_sign);
    layout->addLayout(buttons);
    connect(other, &QPushButton::clicked, this, &PublishSign::browse);
    connect(m_sign, &QPushButton::clicked, this, &PublishSign::sign);
    connect(m_passphrase, &QLineEdit::returnPressed, this, &PublishSign::sign);
    connect(m_back, &QPushButton::clicked, this, &PublishSign::backWanted);
}

PublishSign::~PublishSign() = default;

void PublishSign::begin(release::TorrentFile torrent, std::shared_ptr<const trust::TrustSet> trust,
                        const QString& directory)
{
    m_torrent = std::move(torrent);
    m_trust = std::move(trust);
    const auto manifest = console::manifestOf(*m_torrent);
    m_manifest->setPlainText(manifest ? plainLines(*manifest) : QString());
    m_sign->setEnabled(manifest.has_value());
    if (!manifest)
        Q_EMIT failed(tr("The manifest cannot be shown, so it is not signed."), manifest.error());
    offer(directory);
    showProgress();
    m_passphrase->setFocus();
}

void PublishSign::forget()
{
    m_passphrase->forget();
}

const trust::Scope* PublishSign::scope() const
{
    return m_trust && m_torrent ? m_trust->root().scopeFor(m_torrent->info.update.uri) : nullptr;
}

void PublishSign::addKey(const console::KeyFile& key)
{
    const QString file = QString::fromStdString(key.file.string());
    if (m_keys->findData(file) >= 0)
        return;
    m_keys->addItem(tr("%1  (%2)").arg(plain(key.file.filename().string()), plain(key.header.id.shortHex())),
                    file);
    m_keys->setItemData(m_keys->count() - 1, file, Qt::ToolTipRole);
}

void PublishSign::offer(const QString& directory)
{
    m_keys->clear();
    if (directory.isEmpty() || scope() == nullptr)
        return;
    for (const QString& place : {directory + QStringLiteral("/keys"), directory})
        if (const auto files = console::listKeyFiles(place.toStdString()))
            for (const auto& [file, key] : *files)
                if (key && key->header.isSealed && scope()->role.keys.contains(key->header.id))
                    addKey(*key);
}

void PublishSign::browse()
{
    auto* const dialog = new QFileDialog(this, tr("Choose a key file"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Keys (*.key)"), tr("All files (*)")});
    if (m_keys->currentIndex() >= 0)
        dialog->setDirectory(QFileInfo(m_keys->currentData().toString()).path());
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        const auto key = console::inspectKeyFile(path.toStdString());
        if (!key)
            return Q_EMIT failed(tr("This key cannot be used."), key.error());
        addKey(*key);
        m_keys->setCurrentIndex(m_keys->findData(path));
        m_passphrase->setFocus();
    });
    dialog->open();
}

void PublishSign::sign()
{
    if (m_opening.isRunning() || !m_torrent)
        return;
    if (m_keys->currentIndex() < 0)
        return Q_EMIT failed(
            tr("There is no key to sign with."),
            Error{Errc::KeyUnreadable,
                  "no key file that may sign this was found; choose one with 'Another key…'"});
    const std::filesystem::path file = m_keys->currentData().toString().toStdString();
    // Shared, because what is copied with the work must not copy the secret.
    const auto secret = std::make_shared<crypto::SecretText>(m_passphrase->take());
    m_sign->setEnabled(false);
    m_progress->setText(tr("Opening the key…"));
    m_opening.start<OpenedKey>(
        [file, secret](Job::Ticket&) -> Result<OpenedKey> {
            auto key = console::openSealedKey(file, *secret);
            if (!key)
                return tl::unexpected<Error>(key.error());
            return std::make_shared<crypto::SecretKey>(std::move(*key));
        },
        [this](Result<OpenedKey> key) { take(std::move(key)); });
}

void PublishSign::take(Result<OpenedKey> key)
{
    m_sign->setEnabled(true);
    m_passphrase->setFocus();
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
    // As every device will: the signatures against the root, nothing else.
    const auto verified = release::verifyRelease(*m_torrent, *m_trust);
    if (verified)
        return Q_EMIT signedWell();
    if (verified.error().code != Errc::BelowThreshold)
        return Q_EMIT failed(tr("Signed, and devices would still refuse it."), verified.error());
    m_keys->removeItem(m_keys->currentIndex());
}

void PublishSign::showProgress()
{
    const std::size_t needed = scope() != nullptr ? scope()->role.threshold : 1;
    const std::size_t held = m_torrent ? m_torrent->signatures.size() : 0;
    m_progress->setText(needed == 1 ? tr("One signature is needed")
                                    : tr("%1 of %2 signatures").arg(held).arg(needed));
    m_progress->setAccessibleName(m_progress->text());
}

} // namespace starling::window
