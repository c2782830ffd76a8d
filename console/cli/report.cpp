// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <QDateTime>
#include <QJsonArray>

#include <cstdio>

namespace starling::cli {

namespace {

template <class Items, class Write> QJsonArray arrayOf(const Items& items, Write write)
{
    QJsonArray array;
    for (const auto& item : items)
        array.append(write(item));
    return array;
}

template <class Object> void putRevision(Object& object, const trust::Revision& revision)
{
    object.insert(QStringLiteral("epoch"), jsonNumber(revision.epoch));
    object.insert(QStringLiteral("version"), jsonNumber(revision.version));
}

void putOutcome(QJsonObject& object, trust::Phase phase, std::uint16_t code, const std::string& detail)
{
    object.insert(QStringLiteral("phase"), toQString(trust::phaseName(phase)));
    if (const auto known = errcOf(code))
        object.insert(QStringLiteral("code"), toQString(codeName(*known)));
    if (!detail.empty())
        object.insert(QStringLiteral("detail"), toQString(detail));
}

QJsonObject countersOf(const std::map<std::string, std::uint64_t>& counters)
{
    QJsonObject object;
    for (const auto& [name, count] : counters)
        object.insert(toQString(name), jsonNumber(count));
    return object;
}

QJsonObject labelsOf(const std::map<std::string, std::string>& labels)
{
    QJsonObject object;
    for (const auto& [name, value] : labels)
        object.insert(toQString(name), toQString(value));
    return object;
}

QJsonObject jsonOf(const control::FloorLine& floor)
{
    QJsonObject object{{QStringLiteral("uri"), toQString(floor.uri.text())},
                       {QStringLiteral("info_hash"), toQString(floor.infoHash.hex())}};
    putRevision(object, floor.revision);
    return object;
}

QJsonObject jsonOf(const control::LinkLine& link)
{
    return {{QStringLiteral("node"), toQString(link.node.hex())},
            {QStringLiteral("endpoint"), toQString(toString(link.endpoint))},
            {QStringLiteral("up"), link.isUp},
            {QStringLiteral("rtt_us"), jsonNumber(link.roundTripMicros)}};
}

QJsonObject jsonOf(const control::TrafficLine& line)
{
    return {
        {QStringLiteral("info_hash"), toQString(line.payload.hex())},
        {QStringLiteral("node"), line.node.isZero() ? QJsonValue() : QJsonValue(toQString(line.node.hex()))},
        {QStringLiteral("bytes_from"), jsonNumber(line.bytesFrom)},
        {QStringLiteral("bytes_to"), jsonNumber(line.bytesTo)}};
}

} // namespace

void reportError(const CommandLine& line, const Error& error)
{
    std::fprintf(stderr, "starling: %s: %s\n", codeName(error.code).c_str(),
                 std::string(describe(error.code)).c_str());
    std::fprintf(stderr, "  %s\n", plain(error.context).c_str());
    if (line.json)
        printErrorJson(error);
}

void printErrorJson(const Error& error)
{
    printJson({{QStringLiteral("error"),
                QJsonObject{{QStringLiteral("code"), toQString(codeName(error.code))},
                            {QStringLiteral("name"), toQString(shortName(error.code))},
                            {QStringLiteral("message"), toQString(error.context)}}}});
}

void say(const CommandLine& line, const std::string& text)
{
    if (!line.json && !line.quiet)
        std::printf("%s\n", text.c_str());
}

void remark(const CommandLine& line, const std::string& text)
{
    if (!line.quiet)
        std::fprintf(stderr, "%s\n", text.c_str());
}

std::string plain(std::string_view text)
{
    // By code points: some format characters lie beyond the basic plane.
    QList<uint> points = toQString(text).toUcs4();
    for (uint& point : points) {
        const QChar::Category category = QChar::category(static_cast<char32_t>(point));
        if (category == QChar::Other_Control || category == QChar::Other_Format
            || category == QChar::Separator_Line || category == QChar::Separator_Paragraph
            || category == QChar::Other_Surrogate)
            point = '?';
    }
    return QString::fromUcs4(reinterpret_cast<const char32_t*>(points.constData()), points.size())
        .toStdString();
}

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

std::string timeText(std::uint64_t seconds)
{
    return QDateTime::fromSecsSinceEpoch(static_cast<qint64>(seconds), Qt::UTC)
        .toString(Qt::ISODate)
        .toStdString();
}

QJsonValue jsonNumber(std::uint64_t value)
{
    return QJsonValue(static_cast<qint64>(value));
}

QJsonObject jsonOf(const release::TorrentFile& torrent)
{
    const release::UpdateInfo& update = torrent.info.update;
    QJsonObject object{{QStringLiteral("info_hash"), toQString(torrent.infoHash.hex())},
                       {QStringLiteral("uri"), toQString(update.uri.text())},
                       {QStringLiteral("label"), toQString(update.label)},
                       {QStringLiteral("name"), toQString(torrent.info.name)},
                       {QStringLiteral("bytes"), jsonNumber(torrent.info.payloadBytes())},
                       {QStringLiteral("piece_bytes"), jsonNumber(torrent.info.pieceBytes)},
                       {QStringLiteral("notice_bytes"), jsonNumber(torrent.notice().size())}};
    putRevision(object, update.revision);
    object.insert(QStringLiteral("files"), arrayOf(torrent.info.files, [](const release::PayloadFile& file) {
                      return QJsonObject{{QStringLiteral("path"), toQString(file.path)},
                                         {QStringLiteral("bytes"), jsonNumber(file.size)}};
                  }));
    object.insert(
        QStringLiteral("deploy"),
        QJsonObject{{QStringLiteral("method"), toQString(release::methodName(update.deploy.method))},
                    {QStringLiteral("run"), toQString(update.deploy.run)},
                    {QStringLiteral("check"), toQString(update.deploy.check)},
                    {QStringLiteral("rollback"), toQString(update.deploy.rollback)},
                    {QStringLiteral("timeout_s"), static_cast<qint64>(update.deploy.timeoutSeconds)}});
    object.insert(QStringLiteral("signed_by"), arrayOf(torrent.signatures, [](const auto& entry) {
                      return toQString(entry.first.hex());
                  }));
    return object;
}

QJsonObject jsonOf(const control::UpdateLine& line)
{
    QJsonObject object{{QStringLiteral("uri"), toQString(line.uri.text())},
                       {QStringLiteral("info_hash"), toQString(line.infoHash.hex())},
                       {QStringLiteral("label"), toQString(line.label)},
                       {QStringLiteral("bytes_total"), jsonNumber(line.totalBytes)},
                       {QStringLiteral("bytes_done"), jsonNumber(line.doneBytes)},
                       {QStringLiteral("down_rate"), jsonNumber(line.downRate.value)},
                       {QStringLiteral("up_rate"), jsonNumber(line.upRate.value)},
                       {QStringLiteral("peers"), static_cast<qint64>(line.peers)},
                       {QStringLiteral("known_since_us"), jsonNumber(line.knownSinceMicros)}};
    putRevision(object, line.revision);
    putOutcome(object, line.phase, line.code, line.detail);
    return object;
}

QJsonObject jsonOf(const control::DeviceLine& device)
{
    QJsonObject object{{QStringLiteral("node"), toQString(device.node.hex())},
                       {QStringLiteral("name"), toQString(device.name)},
                       {QStringLiteral("labels"), labelsOf(device.labels)},
                       {QStringLiteral("sequence"), jsonNumber(device.receipt.sequence)},
                       {QStringLiteral("root"), jsonNumber(device.receipt.rootNumber)},
                       {QStringLiteral("uptime_s"), jsonNumber(device.receipt.uptimeSeconds)},
                       {QStringLiteral("alarms"), countersOf(device.receipt.alarms)},
                       {QStringLiteral("payload_in"), countersOf(device.receipt.paths)}};
    object.insert(QStringLiteral("updates"),
                  arrayOf(device.receipt.entries, [](const trust::ReceiptEntry& entry) {
                      QJsonObject update{{QStringLiteral("uri"), toQString(entry.uri.text())},
                                         {QStringLiteral("info_hash"), toQString(entry.infoHash.hex())}};
                      putRevision(update, entry.revision);
                      putOutcome(update, entry.phase, entry.code, entry.detail);
                      return update;
                  }));
    return object;
}

QJsonObject jsonOf(const control::StatusReply& status)
{
    const auto json = [](const auto& item) { return jsonOf(item); };
    return {{QStringLiteral("product_version"), toQString(status.version)},
            {QStringLiteral("node"), toQString(status.node.hex())},
            {QStringLiteral("name"), toQString(status.name)},
            {QStringLiteral("fleet"), toQString(status.fleet.hex())},
            {QStringLiteral("root"), jsonNumber(status.rootNumber)},
            {QStringLiteral("uptime_s"), jsonNumber(status.uptimeSeconds)},
            {QStringLiteral("mode"), toQString(status.mode)},
            {QStringLiteral("swarm"), toQString(status.swarm)},
            {QStringLiteral("swarm_port"), static_cast<qint64>(status.swarmPort)},
            {QStringLiteral("listen"), toQString(toString(status.listen))},
            {QStringLiteral("links"), arrayOf(status.links, json)},
            {QStringLiteral("floors"), arrayOf(status.floors, json)},
            {QStringLiteral("updates"), arrayOf(status.updates, json)},
            {QStringLiteral("traffic"), arrayOf(status.traffic, json)},
            {QStringLiteral("refused"), countersOf(status.refused)},
            {QStringLiteral("devices"), jsonNumber(status.devices)},
            {QStringLiteral("observer"), status.isObserver},
            {QStringLiteral("waiting"), toQString(status.waiting)},
            {QStringLiteral("certificate_ends"),
             status.certificateEnds == 0 ? QJsonValue() : jsonNumber(status.certificateEnds)},
            {QStringLiteral("port_mapping"), jsonOf(status.portMapping)}};
}

QJsonObject jsonOf(const nat::PortMapState& state)
{
    const auto& mapping = state.mapping;
    const auto orNull = [&](const auto& of) { return mapping ? QJsonValue(of()) : QJsonValue(); };
    return {{QStringLiteral("state"), toQString(nat::nameOf(state.kind))},
            {QStringLiteral("protocol"), orNull([&] { return toQString(nat::nameOf(mapping->method)); })},
            {QStringLiteral("external"), orNull([&] { return toQString(toString(mapping->external)); })},
            {QStringLiteral("tcp"), orNull([&] { return mapping->hasTcp; })},
            {QStringLiteral("lease_s"), orNull([&] {
                 return static_cast<qint64>(
                     std::chrono::duration_cast<std::chrono::seconds>(mapping->lease).count());
             })},
            {QStringLiteral("rest_s"), orNull([&] { return static_cast<qint64>(state.restSeconds); })},
            {QStringLiteral("told"), state.isTold},
            {QStringLiteral("trouble"), toQString(state.trouble)}};
}

QJsonObject jsonOf(const control::Event& event)
{
    static constexpr std::array<std::string_view, 6> kNames{"",     "update",  "refused",
                                                            "link", "receipt", "overflow"};
    QJsonObject object{{QStringLiteral("event"), toQString(kNames[static_cast<std::size_t>(event.what)])}};
    if (!event.uri.empty()) {
        object.insert(QStringLiteral("uri"), toQString(event.uri));
        putRevision(object, event.revision);
        object.insert(QStringLiteral("phase"), toQString(trust::phaseName(event.phase)));
    }
    if (const auto known = errcOf(event.code))
        object.insert(QStringLiteral("code"), toQString(codeName(*known)));
    if (!event.node.isZero())
        object.insert(QStringLiteral("node"), toQString(event.node.hex()));
    if (!event.text.empty())
        object.insert(QStringLiteral("text"), toQString(event.text));
    return object;
}

} // namespace starling::cli
