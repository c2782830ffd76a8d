// SPDX-License-Identifier: Apache-2.0
#include "publish_send.h"

#include "admin/audit_log.h"
#include "admin/pushing.h"
#include "base/size.h"
#include "page.h"
#include "preferences.h"
#include "words.h"

#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QTextBrowser>

namespace starling::window {

using fleetview::Confirmation;
using fleetview::Prospect;

namespace {

constexpr int kNamesShown = 8; ///< of each reason; guess: enough to recognise which ones
constexpr std::size_t kReasonsShown = 20;
constexpr std::chrono::milliseconds kPollEvery{100}; ///< of a progress bar

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

struct Reason
{
    std::size_t devices = 0;
    QStringList names;
};

void count(Reason& reason, const fleetview::Device& device)
{
    if (++reason.devices <= static_cast<std::size_t>(kNamesShown))
        reason.names += plain(device.name, 64).toHtmlEscaped();
}

QString namesOf(const Reason& reason)
{
    QString text = reason.names.join(QStringLiteral(", "));
    if (reason.devices > static_cast<std::size_t>(kNamesShown))
        text += PublishSend::tr(" and %1 more")
                    .arg(number(reason.devices - static_cast<std::size_t>(kNamesShown)));
    return text;
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

PublishSend::PublishSend(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Push"));
    QVBoxLayout* const layout = column(this, 0, 14);
    layout->addWidget(m_preview = makePreview(), 1);
    layout->addWidget(m_spread = makeSpread());
    layout->addStretch();
    m_spread->hide();
    connect(&m_poll, &QTimer::timeout, this, [this] {
        m_sent->setValue(
            m_sending.total() == 0 ? 0 : static_cast<int>(m_sending.done() * 100 / m_sending.total()));
        m_sent->setFormat(m_sending.progressText());
    });
}

QWidget* PublishSend::makePreview()
{
    QWidget* const box = card(tr("Who will take it"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(m_what = label({}, "verdict"));
    layout->addWidget(m_verified = label({}, "muted"));
    m_verified->setWordWrap(true);
    m_verified->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_outlook = named(new QTextBrowser, tr("Who will take it, and who not and why"));
    m_outlook->setOpenLinks(false);
    layout->addWidget(m_outlook, 1);
    layout->addWidget(m_vantage = label({}, "muted"));
    m_vantage->setWordWrap(true);
    auto* const row = new QHBoxLayout;
    row->setSpacing(12);
    row->addWidget(m_ask = label({}), 1);
    m_typed = named(new QLineEdit, tr("Type to confirm"));
    m_typed->setFixedWidth(260);
    row->addWidget(m_typed);
    m_push = named(new QPushButton, tr("Push"), "primary");
    row->addWidget(m_push);
    layout->addLayout(row);
    connect(m_typed, &QLineEdit::textChanged, this, &PublishSend::showConfirmation);
    connect(m_push, &QPushButton::clicked, this,
            &PublishSend::push); // a click or Space; Enter pushes nothing
    return box;
}

QWidget* PublishSend::makeSpread()
{
    QWidget* const box = card(tr("How it spreads"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(m_safe = label({}, "verdict"));
    layout->addWidget(m_counts = label({}, "subtitle"));
    layout->addWidget(m_sent = named(new QProgressBar, tr("Sent to the agent")));
    layout->addWidget(m_holders = named(new QProgressBar, tr("Devices that hold the verified payload")));
    auto* const row = new QHBoxLayout;
    m_cancel = named(new QPushButton(tr("Stop sending")), tr("Stop sending"));
    m_devices = named(new QPushButton(tr("Show the devices")), tr("Show the devices of this release"));
    m_another = named(new QPushButton(tr("Another release")), tr("Begin another release"));
    row->addStretch();
    row->addWidget(m_cancel);
    row->addWidget(m_devices);
    row->addWidget(m_another);
    layout->addLayout(row);
    connect(m_cancel, &QPushButton::clicked, this, [this] { m_sending.cancel(); });
    connect(m_another, &QPushButton::clicked, this, &PublishSend::anotherWanted);
    connect(m_devices, &QPushButton::clicked, this, [this] {
        const release::UpdateInfo& update = m_torrent->info.update;
        Q_EMIT devicesWanted(QStringLiteral("uri=%1 and version=%2")
                                 .arg(plain(update.uri.text()), plain(trust::toString(update.revision))));
    });
    return box;
}

void PublishSend::begin(std::shared_ptr<const release::TorrentFile> torrent, const QString& payload,
                        const QString& socket, const QString& keptAs)
{
    m_torrent = std::move(torrent);
    m_payload = payload;
    m_socket = socket;
    m_isPushed = false;
    m_typed->clear();
    m_preview->show();
    m_spread->hide();
    setText(
        m_verified,
        tr("Signed and verified as a device does it: enough signatures (%1) by keys of the scope. Kept as %2")
            .arg(m_torrent->signatures.size())
            .arg(plain(keptAs.toStdString(), 300)));
    foresee();
    m_push->setFocus();
}

void PublishSend::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    if (!m_torrent)
        return;
    if (m_isPushed)
        showSpread();
    else if (!m_sending.isRunning())
        foresee();
}

void PublishSend::foresee()
{
    const release::UpdateInfo& update = m_torrent->info.update;
    m_forecast = m_snapshot
        ? fleetview::forecastOf(*m_snapshot->picture, update.uri, update.revision, update.requirements)
        : fleetview::Forecast{};
    setText(m_what,
            tr("%1, %2, to %3 of %4 devices")
                .arg(releaseName(update.uri, update.revision),
                     QString::fromStdString(toString(ByteCount{m_torrent->info.payloadBytes()})),
                     number(m_forecast.takes), number(m_forecast.devices.size())));
    Reason takes;
    std::map<std::string, Reason> others;
    for (const fleetview::Outlook& outlook : m_forecast.devices)
        count(outlook.prospect == Prospect::Takes ? takes : others[outlook.why], *outlook.device);
    QString html = tr("<p><b>%1 will take it</b><br>%2</p>").arg(number(takes.devices), namesOf(takes));
    std::size_t shown = 0;
    for (const auto& [why, reason] : others)
        if (++shown <= kReasonsShown)
            html += tr("<p><b>%1 will not: %2</b><br>%3</p>")
                        .arg(number(reason.devices), plain(why).toHtmlEscaped(), namesOf(reason));
    if (others.size() > kReasonsShown)
        html += tr("<p>and %1 more reasons</p>").arg(number(others.size() - kReasonsShown));
    if (m_outlook->property("html").toString() != html) { // what did not change does not scroll
        m_outlook->setProperty("html", html);
        m_outlook->setHtml(html);
    }
    const bool isObserver = m_snapshot && m_snapshot->status.isObserver;
    setText(
        m_vantage,
        m_snapshot && m_snapshot->reading ? tr("%1. They are counted here before the release can be pushed.")
                                                .arg(readingWords(*m_snapshot->reading))
            : isObserver
            ? tr("By receipts and by the labels of certificates; a device itself goes by its own "
                 "configuration. Devices that never reported are not counted.")
            : tr("This agent collects no receipts and knows itself alone: others will take the "
                 "release, too, and are not counted here. Ctrl+K, “Collect receipts here”, changes that."));
    showConfirmation();
}

QString PublishSend::confirmationText() const
{
    const Confirmation usual = fleetview::confirmationFor(m_forecast.takes, m_forecast.devices.size());
    switch (usual == Confirmation::Press && Preferences::load().alwaysTypesCount ? Confirmation::TypeCount
                                                                                 : usual) {
    case Confirmation::Press:
        return {};
    case Confirmation::TypeCount:
        return QString::number(m_forecast.takes);
    case Confirmation::TypeAll:
        return tr("%1 to %2")
            .arg(plain(trust::toString(m_torrent->info.update.revision)))
            .arg(m_forecast.takes);
    }
    return {};
}

void PublishSend::showConfirmation()
{
    const QString wanted = confirmationText();
    m_typed->setVisible(!wanted.isEmpty());
    m_typed->setPlaceholderText(wanted);
    setText(m_ask,
            m_forecast.takes == 0  ? tr("No device that is known would take it.")
                : wanted.isEmpty() ? tr("Devices begin at once, and none of this can be called back.")
                                   : tr("A large step. To push, type: %1").arg(wanted));
    m_push->setText(m_forecast.takes == 1 ? tr("Push to 1 device")
                                          : tr("Push to %1 devices").arg(number(m_forecast.takes)));
    m_push->setEnabled(m_snapshot != nullptr && !m_snapshot->reading
                       && (wanted.isEmpty() || m_typed->text().trimmed() == wanted));
}

void PublishSend::push()
{
    if (m_sending.isRunning() || m_isPushed)
        return;
    m_preview->hide();
    m_spread->show();
    m_sent->show();
    m_cancel->show();
    m_holders->hide();
    m_devices->hide();
    m_another->hide();
    m_sent->setValue(0);
    setText(m_safe, tr("Sending to the agent: keep this window open"));
    setText(m_counts, tr("Nothing is announced to the fleet before the agent has all of it, verified."));
    m_poll.start(kPollEvery);
    const auto torrent = m_torrent;
    m_sending.start<console::Pushed>(
        [torrent, socket = m_socket,
         payload = m_payload.toStdString()](Job::Ticket& ticket) -> Result<console::Pushed> {
            ticket.expect(torrent->info.payloadBytes());
            auto agent = control::Client::connect(socket);
            if (!agent)
                return tl::unexpected<Error>(agent.error());
            agent->interruptBy([&ticket] { return ticket.isCancelled(); });
            return console::push(*agent, *torrent, {payload, {}},
                                 [&ticket](std::uint64_t sent) { return ticket.tell(sent); });
        },
        [this](Result<console::Pushed> pushed) {
            m_poll.stop();
            note(pushed);
            if (!pushed) {
                m_spread->hide();
                m_preview->show();
                const bool isSure = m_sending.done() < m_sending.total();
                return Q_EMIT failed(isSure
                                         ? tr("It was not pushed, and no device hears of it.")
                                         : tr("The agent did not confirm the push: see whether it is among "
                                              "the releases before you push again."),
                                     pushed.error());
            }
            m_isPushed = true;
            m_sent->hide();
            m_cancel->hide();
            m_holders->show();
            m_devices->show();
            m_another->show();
            m_devices->setFocus();
            showSpread();
            Q_EMIT this->pushed();
        });
}

void PublishSend::note(const Result<console::Pushed>& pushed)
{
    if (pushed && !pushed->isNew)
        return;
    const release::UpdateInfo& update = m_torrent->info.update;
    const auto noted = console::AuditLog().record(
        console::Act::ReleasePushed, update.uri.text() + " " + trust::toString(update.revision),
        "info-hash " + m_torrent->infoHash.hex() + ", agent " + m_socket.toStdString(),
        pushed ? std::nullopt : std::optional(pushed.error().code));
    if (!noted)
        Q_EMIT failed(tr("The audit log does not tell of this push."), noted.error());
}

void PublishSend::showSpread()
{
    console::Spread spread;
    if (m_snapshot)
        for (const fleetview::DevicePtr& device : m_snapshot->picture->devices)
            for (const trust::ReceiptEntry& entry : device->receipt.entries)
                if (entry.uri == m_torrent->info.update.uri && entry.infoHash == m_torrent->infoHash)
                    spread.add(entry);
    const std::size_t eligible = std::max<std::size_t>(m_forecast.takes, 1);
    const std::size_t enough = console::enoughHolders(eligible);
    const QString name = releaseName(m_torrent->info.update.uri, m_torrent->info.update.revision);
    if (spread.troubled > 0)
        setText(m_safe, tr("Failed on %1 of the devices: %2").arg(number(spread.troubled), name));
    else if (spread.healthy >= eligible)
        setText(m_safe, tr("%1 is healthy on all %2").arg(name, number(spread.healthy)));
    else if (spread.verified >= enough)
        setText(m_safe, tr("Safe to close: %1 goes on without this window").arg(name));
    else
        setText(m_safe, tr("Spreading: not safe to close yet"));
    setText(
        m_counts,
        tr("%1 of %2 devices hold the verified payload (%3 are enough), %4 healthy, %5 failed: by their own "
           "signed receipts")
            .arg(number(spread.verified), number(eligible), number(enough), number(spread.healthy),
                 number(spread.troubled)));
    m_holders->setMaximum(static_cast<int>(eligible));
    m_holders->setValue(static_cast<int>(std::min<std::size_t>(spread.verified, eligible)));
    m_holders->setFormat(tr("%1 of %2 hold it").arg(number(spread.verified), number(eligible)));
}

} // namespace starling::window
