// SPDX-License-Identifier: Apache-2.0
#include "device_details.h"

#include "base/size.h"
#include "enrol/fingerprint.h"
#include "fleetview/course.h"
#include "words.h"

#include <QDateTime>
#include <QLocale>

#include <algorithm>

namespace starling::window {

using trust::Phase;

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(DeviceDetails)
};

QString cell(const QString& html)
{
    return QStringLiteral("<td style='padding:3px 16px 3px 0'>%1</td>").arg(html);
}

QString cells(const QStringList& texts)
{
    QString html;
    for (const QString& text : texts)
        html += cell(text.toHtmlEscaped());
    return QStringLiteral("<tr>%1</tr>").arg(html);
}

QString row(const QString& name, const QString& value)
{
    return QStringLiteral("<tr>%1%2</tr>")
        .arg(cell(QStringLiteral("<b>%1</b>").arg(name.toHtmlEscaped())), cell(value.toHtmlEscaped()));
}

QString heading(const QStringList& texts)
{
    QString html;
    for (const QString& text : texts)
        html += cell(QStringLiteral("<b>%1</b>").arg(text.toHtmlEscaped()));
    return QStringLiteral("<tr>%1</tr>").arg(html);
}

QString paragraph(const QString& text)
{
    return QStringLiteral("<p>%1</p>").arg(text.toHtmlEscaped());
}

QString table(const QString& rows)
{
    return QStringLiteral("<table>%1</table>").arg(rows);
}

QString clockOf(UtcTime at)
{
    return QLocale().toString(QDateTime::fromSecsSinceEpoch(at.time_since_epoch().count()),
                              QStringLiteral("yyyy-MM-dd HH:mm:ss"));
}

QString bytesText(std::uint64_t bytes)
{
    return QString::fromStdString(toString(ByteCount{bytes}));
}

/// What this console sees of others, newest release first.
std::vector<const trust::ReceiptEntry*> entriesOf(const fleetview::Device& device)
{
    std::vector<const trust::ReceiptEntry*> entries;
    for (const trust::ReceiptEntry& entry : device.receipt.entries)
        entries.push_back(&entry);
    if (const auto* decisive = device.decisiveEntry())
        std::stable_partition(entries.begin(), entries.end(),
                              [decisive](const auto* entry) { return entry == decisive; });
    return entries;
}

QString legText(const fleetview::Leg& leg, UtcTime now)
{
    switch (leg.state) {
    case fleetview::Leg::State::Done:
        return leg.at ? Words::tr("✓ since %1").arg(clockOf(*leg.at)) : Words::tr("✓ not seen when");
    case fleetview::Leg::State::Now:
        return leg.at ? Words::tr("● for %1, since %2").arg(spanOf(now - *leg.at), clockOf(*leg.at))
                      : Words::tr("● since before this console");
    case fleetview::Leg::State::Ahead:
        return Words::tr("○ to come");
    }
    return {};
}

/// How much has come, which an agent tells of itself alone.
QString loadOf(const control::UpdateLine& update)
{
    const double share = update.totalBytes == 0
        ? 0
        : 100.0 * static_cast<double>(update.doneBytes) / static_cast<double>(update.totalBytes);
    return Words::tr("%1 of %2 (%3 %), %4 coming, from %5")
        .arg(bytesText(update.doneBytes), bytesText(update.totalBytes), QLocale().toString(share, 'f', 0),
             QString::fromStdString(toString(update.downRate)),
             Words::tr("%n peer(s)", nullptr, static_cast<int>(update.peers)));
}

const control::UpdateLine* updateOf(const control::StatusReply& status, const trust::ReceiptEntry& entry)
{
    const auto found = std::find_if(status.updates.begin(), status.updates.end(), [&](const auto& update) {
        return update.uri == entry.uri && update.revision == entry.revision;
    });
    return found == status.updates.end() ? nullptr : &*found;
}

QString nameOf(const fleetview::Picture& picture, const NodeId& node)
{
    const auto* const device = picture.find(node);
    return device != nullptr ? plain(device->name, 64) : QString::fromStdString(node.shortHex());
}

struct Given
{
    std::uint64_t from = 0, to = 0;
};

std::map<NodeId, Given> trafficOf(const control::StatusReply& status)
{
    std::map<NodeId, Given> traffic;
    for (const control::TrafficLine& line : status.traffic) {
        traffic[line.node].from += line.bytesFrom;
        traffic[line.node].to += line.bytesTo;
    }
    return traffic;
}

QString linkRow(const Snapshot& snapshot, const NodeId& node, const control::LinkLine* link,
                const Given& given)
{
    const QString reached = link == nullptr ? Words::tr("no link")
        : !link->isUp                       ? Words::tr("down")
        : link->roundTripMicros == 0
        ? Words::tr("up")
        : Words::tr("up, %1 ms away")
              .arg(QLocale().toString(static_cast<double>(link->roundTripMicros) / 1'000, 'f', 1));
    return cells({node == NodeId() ? Words::tr("others") : nameOf(*snapshot.picture, node), reached,
                  bytesText(given.from), bytesText(given.to)});
}

/// Of the agent that is asked.
QString ownPeersOf(const Snapshot& snapshot)
{
    auto traffic = trafficOf(snapshot.status);
    QString rows = heading(
        {Words::tr("Device"), Words::tr("Link"), Words::tr("Payload from it"), Words::tr("Payload to it")});
    for (const control::LinkLine& link : snapshot.status.links) {
        const auto given = traffic.extract(link.node);
        rows += linkRow(snapshot, link.node, &link, given ? given.mapped() : Given());
    }
    for (const auto& [node, given] : traffic)
        rows += linkRow(snapshot, node, nullptr, given);
    return paragraph(Words::tr("Its own links, and the payload that it exchanged since it started."))
        + table(rows);
}

} // namespace

QString progressOf(const Snapshot& snapshot, const fleetview::Device& device)
{
    const bool isAsked = snapshot.status.node == device.node;
    QString html;
    for (const trust::ReceiptEntry* const entry : entriesOf(device)) {
        html +=
            QStringLiteral("<p><b>%1</b></p>").arg(releaseName(entry->uri, entry->revision).toHtmlEscaped());
        QString rows;
        for (const fleetview::Leg& leg : courseOf(device, *entry))
            rows += row(phaseWord(leg.phase), legText(leg, snapshot.picture->at));
        const auto* const update = isAsked ? updateOf(snapshot.status, *entry) : nullptr;
        if (update != nullptr && update->phase == Phase::Downloading)
            rows += row(Words::tr("payload"), loadOf(*update));
        html += table(rows);
    }
    if (html.isEmpty())
        return paragraph(Words::tr("Its receipt names no release yet."));
    if (!isAsked)
        html += paragraph(Words::tr(
            "Receipts tell of phases. How much of a payload has come, only the device itself knows."));
    return html;
}

QString peersOf(const Snapshot& snapshot, const fleetview::Device& device)
{
    const control::StatusReply& status = snapshot.status;
    if (status.node == device.node)
        return ownPeersOf(snapshot);
    const auto link = std::find_if(status.links.begin(), status.links.end(),
                                   [&](const auto& line) { return line.node == device.node; });
    const auto traffic = trafficOf(status);
    const auto given = traffic.find(device.node);
    const QString agent = plain(status.name, 64);
    QString html;
    if (link == status.links.end() && given == traffic.end())
        html = paragraph(Words::tr("%1, the agent that is asked, has no link to it and exchanged no payload "
                                   "with it.")
                             .arg(agent));
    else
        html = paragraph(Words::tr("What %1, the agent that is asked, has to do with it:").arg(agent))
            + table(heading({Words::tr("Device"), Words::tr("Link"), Words::tr("Payload from it"),
                             Words::tr("Payload to it")})
                    + linkRow(snapshot, device.node, link == status.links.end() ? nullptr : &*link,
                              given == traffic.end() ? Given() : given->second));
    return html
        + paragraph(Words::tr("Its other neighbours it knows itself: ask there with “starling peers”."));
}

QString healthOf(const Snapshot& snapshot, const fleetview::Device& device)
{
    QString rows;
    for (const trust::ReceiptEntry* const entry : entriesOf(device)) {
        const auto legs = courseOf(device, *entry);
        const auto since = legs.back().state == fleetview::Leg::State::Now ? legs.back().at : std::nullopt;
        QString word;
        if (entry->phase == Phase::Healthy)
            word = Words::tr("passed its health check");
        else if (entry->phase == Phase::Checking)
            word = Words::tr("is being checked");
        else if (entry->phase >= Phase::RollingBack)
            word = saysOf(*entry);
        else
            word = Words::tr("not checked yet");
        if (since)
            word += Words::tr(", %1 ago").arg(spanOf(snapshot.picture->at - *since));
        rows += row(releaseName(entry->uri, entry->revision), word);
    }
    if (rows.isEmpty())
        return paragraph(Words::tr("Its receipt names no release yet, so nothing was checked."));
    for (const auto& [name, count] : device.receipt.alarms)
        rows += row(Words::tr("refused: %1").arg(plain(name)),
                    QLocale().toString(static_cast<qulonglong>(count)));
    return table(rows)
        + paragraph(Words::tr("By receipt %1, which the device signed after its own checks; it came %2.")
                        .arg(device.receipt.sequence)
                        .arg(heardOf(device, snapshot.picture->at)));
}

QString identityOf(const fleetview::Device& device)
{
    QString rows = row(Words::tr("Name"), plain(device.name));
    rows += row(Words::tr("Id"), plain(device.node.hex()));
    rows += row(Words::tr("In words"), plain(enrol::fingerprintOf(device.node)));
    for (const auto& [name, value] : device.labels)
        rows += row(plain(name), plain(value));
    rows += row(Words::tr("Root"), Words::tr("number %1").arg(device.receipt.rootNumber));
    const std::chrono::seconds uptime(static_cast<std::int64_t>(device.receipt.uptimeSeconds));
    rows += row(Words::tr("Up for"), Words::tr("%1 when it signed").arg(spanOf(uptime)));
    for (const trust::ReceiptEntry& entry : device.receipt.entries)
        rows += row(releaseName(entry.uri, entry.revision), saysOf(entry));
    return table(rows);
}

QString logOf(const console::AuditTrail& trail, const NodeId& node)
{
    constexpr int kMost = 200; // guess: more is looked for on the screen Log
    QString rows;
    int shown = 0;
    for (auto line = trail.lines.rbegin(); line != trail.lines.rend() && shown < kMost; ++line) {
        const console::AuditEntry& entry = line->entry;
        if (entry.scope.find(node.hex()) == entry.scope.npos)
            continue;
        ++shown;
        rows += cells({clockOf(entry.at), plain(entry.who), plain(entry.act), plain(entry.outcome),
                       plain(entry.detail)});
    }
    if (rows.isEmpty())
        return paragraph(
            Words::tr("This user's audit log does not name it: it was admitted by somebody else, "
                      "or before there was a log."));
    return table(heading({Words::tr("When"), Words::tr("Who"), Words::tr("What"), Words::tr("Outcome"),
                          Words::tr("With")})
                 + rows)
        + (trail.isGood() ? QString()
                          : paragraph(Words::tr("Not all lines of the log are good: see the screen Log.")));
}

QString historyOf(const fleetview::Device& device)
{
    QString rows;
    for (auto change = device.history.rbegin(); change != device.history.rend(); ++change)
        rows += row(clockOf(change->at),
                    releaseName(change->entry.uri, change->entry.revision) + QStringLiteral(" · ")
                        + saysOf(change->entry));
    return paragraph(
               Words::tr("What this console saw it say, newest first; the first line was there before."))
        + table(rows);
}

} // namespace starling::window
