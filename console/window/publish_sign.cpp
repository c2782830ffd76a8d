// SPDX-License-Identifier: Apache-2.0
#include "publish_sign.h"

#include "admin/audit_log.h"
#include "admin/manifest.h"
#include "admin/release_work.h"
#include "key_chooser.h"
#include "page.h"
#include "words.h"

#include <QFontDatabase>
#include <QPlainTextEdit>
#include <QPushButton>

namespace starling::window {

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
    below->addWidget(m_key = new KeyChooser);
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
    // As every device will: the signatures against the root, nothing else.
    const auto verified = release::verifyRelease(*m_torrent, *m_trust);
    if (verified)
        return Q_EMIT signedWell();
    if (verified.error().code != Errc::BelowThreshold)
        return Q_EMIT failed(tr("Signed, and devices would still refuse it."), verified.error());
    m_key->dropCurrent();
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
