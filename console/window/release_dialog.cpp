// SPDX-License-Identifier: Apache-2.0
#include "release_dialog.h"

#include "admin/keys.h"
#include "admin/release_work.h"
#include "admin/root_change.h"
#include "error_card.h"
#include "page.h"
#include "words.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QPlainTextEdit>
#include <QPushButton>

namespace starling::window {

using fleetview::Standing;

namespace {

constexpr int kGlyph = 32;
constexpr std::chrono::milliseconds kTick{200}; ///< guess: progress is seen to go on
constexpr qsizetype kLine = 1'200;

QString signerText(const console::SignatureLook& signature)
{
    using Worth = console::SignatureLook::Worth;
    const QString key = plain(signature.key.shortHex());
    switch (signature.worth) {
    case Worth::Counts:
        return ReleaseDialog::tr("Key %1 signed it, and may.").arg(key);
    case Worth::Invalid:
        return ReleaseDialog::tr("Key %1 signed something else: the file was changed after it.").arg(key);
    case Worth::OtherRole:
        return ReleaseDialog::tr("Key %1 is of this fleet, and does not sign for this resource.").arg(key);
    case Worth::Unknown:
        return ReleaseDialog::tr("Key %1 is none of a fleet that is known here.").arg(key);
    }
    return {};
}

struct Verdict
{
    Standing glyph;
    QString text;
};

/// Of a file whose signatures hold: whether devices still want it.
Verdict verdictOn(const release::TorrentFile& torrent, const SnapshotPtr& snapshot)
{
    const release::UpdateInfo& update = torrent.info.update;
    for (std::size_t i = 0; snapshot && i < snapshot->picture->releases.size(); ++i) {
        const fleetview::Release& known = snapshot->picture->releases[i];
        if (known.uri != update.uri || !known.isNewest)
            continue;
        if (known.infoHash == torrent.infoHash)
            return {Standing::Healthy,
                    ReleaseDialog::tr("Its signatures hold, and the fleet has this very release.")};
        if (known.revision >= update.revision)
            return {
                Standing::Held,
                ReleaseDialog::tr("Its signatures hold. But devices know version %1, and take only what is "
                                  "higher than that.")
                    .arg(plain(trust::toString(known.revision)))};
    }
    return {Standing::Healthy,
            ReleaseDialog::tr(
                "Its signatures hold: devices let it pass, and those that it is meant for take it.")};
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

ReleaseDialog::ReleaseDialog(const QString& file, const QString& directory, const SnapshotPtr& snapshot,
                             const Theme& theme, QWidget* parent)
    : QDialog(parent)
    , m_file(file)
{
    setWindowTitle(tr("Release file"));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 12);
    layout->addWidget(m_title = label({}, "title"));
    auto* const row = new QHBoxLayout;
    row->setSpacing(12);
    m_glyph = named(new QLabel, tr("Whether devices take it"));
    m_glyph->setFixedSize(kGlyph, kGlyph);
    row->addWidget(m_glyph, 0, Qt::AlignTop);
    row->addWidget(m_verdict = label({}, "heading"), 1);
    layout->addLayout(row);
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(m_signers = label({}));
    for (QLabel* const text : {m_verdict, m_signers}) {
        text->setWordWrap(true);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    m_content = verbatim(tr("What the file says"));
    layout->addWidget(m_content, 1);
    layout->addWidget(m_compared = label({}));
    m_compared->setWordWrap(true);
    m_compared->hide();
    layout->addWidget(makeButtons());
    m_tick.setInterval(kTick);
    connect(&m_tick, &QTimer::timeout, this, &ReleaseDialog::showProgress);
    resize(820, 640);
    read(directory, snapshot, theme);
}

ReleaseDialog::~ReleaseDialog() = default;

bool ReleaseDialog::isRelease(const QString& file)
{
    return QFileInfo(file).isFile()
        && (QFileInfo(file).suffix() == QLatin1String("torrent") || console::readRelease(file.toStdString()));
}

QWidget* ReleaseDialog::makeButtons()
{
    auto* const part = named(new QWidget, tr("What to do"));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    m_compare =
        named(new QPushButton(tr("Compare with a payload…")), tr("Compare a payload with what was signed"));
    m_close = named(new QPushButton(tr("Close")), tr("Close the release file"));
    m_compare->setAutoDefault(false);
    m_close->setDefault(true);
    row->addWidget(m_compare);
    row->addStretch();
    row->addWidget(m_close);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_compare, &QPushButton::clicked, this, &ReleaseDialog::askForPayload);
    return part;
}

void ReleaseDialog::read(const QString& directory, const SnapshotPtr& snapshot, const Theme& theme)
{
    const auto trust = directory.isEmpty()
        ? Result<trust::TrustSet>(fail(Errc::NotFound, "no fleet is known here"))
        : console::readRoot(console::rootFile(directory.toStdString(), 1));
    auto look = console::lookAtRelease(m_file.toStdString(), trust ? &*trust : nullptr);
    m_compare->setEnabled(look.has_value());
    if (!look) {
        setText(m_title, plain(QFileInfo(m_file).fileName().toStdString()));
        setText(m_verdict, tr("This is no release file."));
        m_glyph->setPixmap(theme.glyph(Standing::Failed, kGlyph, devicePixelRatioF()));
        m_signers->hide();
        m_content->hide();
        return m_error->tell(tr("It could not be read as one."), look.error());
    }
    m_look = std::move(*look);
    const release::UpdateInfo& update = m_look->torrent.info.update;
    setText(m_title, releaseName(update.uri, update.revision));
    Verdict verdict{Standing::Unknown,
                    tr("Nothing was verified: no fleet is known here whose root says who may sign it.")};
    if (m_look->refusal)
        verdict = {Standing::Failed, tr("Devices of this fleet refuse it.")};
    else if (trust)
        verdict = verdictOn(m_look->torrent, snapshot);
    setText(m_verdict, verdict.text);
    m_glyph->setPixmap(theme.glyph(verdict.glyph, kGlyph, devicePixelRatioF()));
    showRefusal();
    QStringList signers;
    for (const console::SignatureLook& signature : m_look->signatures)
        signers += signerText(signature);
    if (signers.isEmpty())
        signers += tr("Nobody has signed it.");
    for (const std::string& line : console::textOf(m_look->counts))
        signers += plain(line, kLine);
    if (trust)
        signers += tr("Judged by root %1 of the fleet in %2.")
                       .arg(QString::number(trust->root().number), plain(directory.toStdString(), kLine));
    setText(m_signers, signers.join(QLatin1Char('\n')));
    m_content->setPlainText(plainLines(m_look->manifest));
}

void ReleaseDialog::showRefusal()
{
    if (m_look->refusal)
        m_error->tell(tr("Its signatures do not suffice."), *m_look->refusal);
}

void ReleaseDialog::askForPayload()
{
    if (m_comparing.isRunning())
        return m_comparing.cancel();
    auto* const dialog = new QFileDialog(this, tr("The payload of this release"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(m_look->torrent.info.isSingleFile ? QFileDialog::ExistingFile
                                                          : QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, this, &ReleaseDialog::compareWith);
    dialog->open();
}

void ReleaseDialog::compareWith(const QString& payload)
{
    if (!m_look || m_comparing.isRunning())
        return;
    m_error->hide();
    m_comparing.start<bool>(
        [torrent = m_look->torrent, payload = payload.toStdString()](Job::Ticket& ticket) -> Result<bool> {
            ticket.expect(torrent.info.payloadBytes());
            const Status compared = console::verifyPayload(
                torrent, payload, [&ticket](std::uint64_t done) { return ticket.tell(done); });
            if (!compared)
                return tl::unexpected<Error>(compared.error());
            return true;
        },
        [this](const Result<bool>& compared) {
            finish(compared ? Status() : Status(tl::unexpected<Error>(compared.error())));
        });
    m_compare->setText(tr("Cancel"));
    m_compare->setAccessibleName(tr("Stop comparing the payload"));
    m_tick.start();
    showProgress();
}

void ReleaseDialog::showProgress()
{
    setText(m_compared, tr("Reading the payload. %1").arg(m_comparing.progressText()));
    m_compared->show();
}

void ReleaseDialog::finish(const Status& compared)
{
    m_tick.stop();
    m_compare->setText(tr("Compare with a payload…"));
    m_compare->setAccessibleName(tr("Compare a payload with what was signed"));
    showRefusal();
    if (compared)
        return setText(m_compared, tr("The payload is what was signed, byte for byte."));
    if (compared.error().code == Errc::Cancelled)
        return setText(m_compared, tr("Stopped: the payload was not compared."));
    m_compared->hide();
    m_error->tell(tr("This is not the payload that was signed."), compared.error());
}

} // namespace starling::window
