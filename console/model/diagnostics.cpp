// SPDX-License-Identifier: Apache-2.0
#include "model/diagnostics.h"
#include "model/words.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace starling::console {

namespace {

QString withoutHome(QString path, const QString& home)
{
    if (home.size() > 1)
        path.replace(home, QStringLiteral("~"));
    return path.isEmpty() ? QStringLiteral("none") : path;
}

QString isoOf(UtcTime at)
{
    return QDateTime::fromSecsSinceEpoch(at.time_since_epoch().count(), Qt::UTC).toString(Qt::ISODate);
}

QByteArray aboutConsole(const DiagnosticSurroundings& here, const QString& trouble)
{
    QStringList keys;
    for (const KeyId& key : here.keys)
        keys += text(key.shortHex());
    const std::array<std::pair<const char*, QString>, 12> rows{
        {{"console", here.version},
         {"qt", QStringLiteral("%1, built with %2").arg(here.qtVersion, here.qtBuiltWith)},
         {"libraries", here.libraries.join(QStringLiteral(", "))},
         {"system", here.system},
         {"platform", here.platform},
         {"clock", isoOf(here.now)},
         {"agent", withoutHome(here.socket, here.home)},
         {"trouble", withoutHome(trouble, here.home)},
         {"fleet", withoutHome(here.fleetDirectory, here.home)},
         {"keys", keys.isEmpty() ? QStringLiteral("none here") : keys.join(QLatin1Char(' '))},
         {"audit log", withoutHome(here.auditLog, here.home)},
         {"", here.auditVerdict}}};
    QString lines;
    for (const auto& [name, value] : rows)
        lines += QLatin1String(name).toString().leftJustified(12) + value + QLatin1Char('\n');
    return lines.toUtf8();
}

QByteArray aboutAgent(const control::StatusReply& status)
{
    QJsonArray links;
    for (const control::LinkLine& link : status.links)
        links.append(QJsonObject{{QStringLiteral("node"), text(link.node.shortHex())},
                                 {QStringLiteral("up"), link.isUp},
                                 {QStringLiteral("rtt_us"), number(link.roundTripMicros)}});
    QJsonObject refused;
    for (const auto& [name, count] : status.refused)
        refused.insert(text(name), number(count));
    const QJsonObject agent{{QStringLiteral("version"), text(status.version)},
                            {QStringLiteral("node"), text(status.node.shortHex())},
                            {QStringLiteral("fleet"), text(status.fleet.shortHex())},
                            {QStringLiteral("root"), number(status.rootNumber)},
                            {QStringLiteral("uptime_s"), number(status.uptimeSeconds)},
                            {QStringLiteral("mode"), text(status.mode)},
                            {QStringLiteral("swarm"), text(status.swarm)},
                            {QStringLiteral("swarm_port"), status.swarmPort},
                            {QStringLiteral("listen_port"), status.listen.port},
                            {QStringLiteral("observer"), status.isObserver},
                            {QStringLiteral("links"), links},
                            {QStringLiteral("refused"), refused}};
    return QJsonDocument(agent).toJson();
}

QByteArray aboutFleet(const fleetview::Picture& picture)
{
    QJsonObject states, alarms;
    for (const fleetview::Standing standing : fleetview::kAllStandings)
        if (picture.count(standing) > 0)
            states.insert(text(fleetview::standingName(standing)), number(picture.count(standing)));
    for (const auto& [name, count] : picture.alarms)
        alarms.insert(text(name), number(count));
    QJsonArray troubles;
    for (const fleetview::Need& need : fleetview::needsOf(picture)) {
        QJsonObject trouble{{QStringLiteral("state"), text(fleetview::standingName(need.standing))},
                            {QStringLiteral("devices"), number(need.devices.size())}};
        if (const auto code = errcOf(need.code))
            trouble.insert(QStringLiteral("code"), text(codeName(*code)));
        troubles.append(trouble);
    }
    const QJsonObject fleet{{QStringLiteral("devices"), number(picture.devices.size())},
                            {QStringLiteral("releases"), number(picture.releases.size())},
                            {QStringLiteral("states"), states},
                            {QStringLiteral("troubles"), troubles},
                            {QStringLiteral("alarms"), alarms},
                            {QStringLiteral("since"), isoOf(picture.since)},
                            {QStringLiteral("at"), isoOf(picture.at)}};
    return QJsonDocument(fleet).toJson();
}

} // namespace

std::vector<DiagnosticFile> diagnosticsOf(const DiagnosticSurroundings& surroundings,
                                          const control::StatusReply* status,
                                          const fleetview::Picture* picture, const QString& trouble)
{
    std::vector<DiagnosticFile> files{{QStringLiteral("console.txt"), aboutConsole(surroundings, trouble)}};
    if (status != nullptr)
        files.push_back({QStringLiteral("agent.json"), aboutAgent(*status)});
    if (picture != nullptr)
        files.push_back({QStringLiteral("fleet.json"), aboutFleet(*picture)});
    return files;
}

} // namespace starling::console
