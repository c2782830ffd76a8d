// SPDX-License-Identifier: Apache-2.0
/// Commands that ask an agent: status, updates, devices, watch; and version.
#include "ask_agent.h"
#include "enrol/fingerprint.h"
#include "fetch_command.h"
#include "fleet_picture.h"
#include "fleetview/query.h"
#include "model/hints_text.h"
#include "model/network_text.h"
#include "progress.h"
#include "report.h"
#include "trust/join.h"

#include <QDateTime>
#include <QDeadlineTimer>
#include <QJsonArray>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

std::string outcomeText(trust::Phase phase, std::uint16_t code, const std::string& detail)
{
    std::string text(trust::phaseName(phase));
    if (const auto known = errcOf(code))
        text += " (" + codeName(*known) + " " + std::string(shortName(*known))
            + (detail.empty() ? "" : ": " + detail) + ")";
    return text;
}

std::string updateText(const control::UpdateLine& update)
{
    std::string text = update.uri.text() + " " + trust::toString(update.revision) + "  "
        + outcomeText(update.phase, update.code, update.detail);
    if (update.phase == trust::Phase::Downloading && update.totalBytes > 0) {
        text += "  " + std::to_string(update.doneBytes * 100 / update.totalBytes) + " % of "
            + toString(ByteCount{update.totalBytes}) + ", " + toString(update.downRate) + " from "
            + std::to_string(update.peers) + " peer(s)";
        if (update.downRate.value > 0)
            text += ", "
                + durationText(static_cast<double>(update.totalBytes - update.doneBytes)
                               / static_cast<double>(update.downRate.value))
                + " left";
    }
    return plain(text);
}

/// Apart from what is verified, and in its own words.
void sayHints(const CommandLine& line, const fleetview::Hints& hints)
{
    say(line,
        "Sums        " + console::hintHeadline(hints).toStdString() + ", up to "
            + durationText(static_cast<double>(hints.ageSeconds))
            + " old; starling device fetch asks for receipts");
    for (const fleetview::HintedRelease& release : fleetview::hintedReleases(hints))
        say(line,
            plain("Sums        hint, not verified: " + release.uri.text() + " "
                  + trust::toString(release.revision) + "  "
                  + console::hintedPhasesText(release.phases).toStdString()));
}

bool isOver(std::uint64_t end)
{
    return end < static_cast<std::uint64_t>(QDateTime::currentSecsSinceEpoch());
}

Result<Exit> status(const CommandLine& line)
{
    auto reply = askAgent<control::StatusReply>(line, control::StatusRequest{});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    const auto hints = reply->isObserver ? hintsFor(line) : std::nullopt;
    if (line.json) {
        QJsonObject object = jsonOf(*reply);
        if (hints)
            object.insert(QStringLiteral("hints"), console::jsonOf(*hints));
        printJson(std::move(object));
    }
    if (!reply->waiting.empty()) {
        say(line, plain("Joining     " + reply->name + ": " + reply->waiting));
        return Exit::Ok;
    }
    say(line,
        plain("Device      " + reply->name + " (" + reply->node.shortHex() + "), "
              + (reply->mode == "relay" ? "relay, deploys nothing" : "deploys updates")));
    if (reply->certificateEnds != 0)
        say(line,
            "Certificate " + std::string(isOver(reply->certificateEnds) ? "HAS EXPIRED on " : "until ")
                + timeText(reply->certificateEnds)
                + (isOver(reply->certificateEnds)
                       ? ": others give this device roots and denials alone; admit it anew, or set its clock"
                       : ""));
    say(line, "Fleet       " + reply->fleet.shortHex() + ", root " + std::to_string(reply->rootNumber));
    say(line,
        "Agent       " + plain(reply->version) + ", up "
            + durationText(static_cast<double>(reply->uptimeSeconds)) + ", listens on "
            + toString(reply->listen)
            + (reply->swarmPort == 0
                   ? ""
                   : ", swarm on " + std::to_string(reply->swarmPort) + " (" + plain(reply->swarm) + ")"));
    const auto up =
        std::count_if(reply->links.begin(), reply->links.end(), [](const auto& link) { return link.isUp; });
    say(line,
        "Links       " + std::to_string(up) + " up of " + std::to_string(reply->links.size())
            + (reply->isObserver ? "; receipts of " + std::to_string(reply->devices) + " device(s)" : ""));
    if (reply->portMapping.kind != nat::PortMapState::Kind::Off)
        say(line,
            plain("Router      port mapping " + console::portMappingText(reply->portMapping).toStdString()));
    if (hints)
        sayHints(line, *hints);
    if (reply->updates.empty())
        say(line, "Updates     none yet: push a release to any agent of the fleet");
    for (const control::UpdateLine& update : reply->updates)
        say(line, "Update      " + updateText(update));
    for (const control::FloorLine& floor : reply->floors)
        say(line,
            "Floor       " + floor.uri.text() + " " + trust::toString(floor.revision)
                + ": nothing older is accepted");
    for (const auto& [name, count] : reply->refused)
        say(line, "Refused     " + plain(name) + " " + std::to_string(count));
    return Exit::Ok;
}

Result<Exit> updates(const CommandLine& line)
{
    auto reply = askAgent<control::UpdatesReply>(line, control::UpdatesRequest{});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (line.json) {
        QJsonArray array;
        for (const control::UpdateLine& update : reply->updates)
            array.append(jsonOf(update));
        printJson({{QStringLiteral("updates"), array}});
    }
    if (reply->updates.empty())
        say(line, "No update yet: push a release to any agent of the fleet.");
    for (const control::UpdateLine& update : reply->updates)
        say(line, updateText(update));
    return Exit::Ok;
}

/// What a pending device says of itself; nothing if its request is none.
std::optional<trust::JoinRequest> requestOf(const control::PendingLine& device, const FleetId& fleet)
{
    auto request = trust::openJoinRequest(device.request, fleet);
    return request ? std::optional(std::move(*request)) : std::nullopt;
}

QJsonArray pendingArray(const control::PendingReply& pending)
{
    QJsonArray array;
    for (const control::PendingLine& device : pending.devices)
        if (const auto request = requestOf(device, pending.fleet)) {
            const bool isHere = device.gate.isZero();
            array.append(QJsonObject{
                {QStringLiteral("node"), toQString(request->node.hex())},
                {QStringLiteral("name"), toQString(request->name)},
                {QStringLiteral("words"), toQString(enrol::fingerprintOf(request->node))},
                {QStringLiteral("token_good"), device.hasGoodToken},
                {QStringLiteral("renews"), request->renews ? jsonNumber(*request->renews) : QJsonValue()},
                {QStringLiteral("waiting_s"), jsonNumber(device.ageSeconds)},
                {QStringLiteral("endpoint"),
                 isHere ? QJsonValue(toQString(toString(device.endpoint))) : QJsonValue()},
                {QStringLiteral("gate"), isHere ? QJsonValue() : QJsonValue(toQString(device.gate.hex()))}});
        }
    return array;
}

/// What a gate is called: by the devices that are known, or else by its key.
std::string gateName(const NodeId& gate, const fleetview::Picture& picture)
{
    const fleetview::Device* device = picture.find(gate);
    return device == nullptr || device->name.empty() ? gate.shortHex() : device->name + " " + gate.shortHex();
}

void sayPending(const CommandLine& line, const control::PendingReply& pending,
                const fleetview::Picture& picture)
{
    for (const control::PendingLine& device : pending.devices)
        if (const auto request = requestOf(device, pending.fleet)) {
            say(line,
                plain(request->name + "  " + request->node.shortHex() + "  waits to be admitted for "
                      + durationText(static_cast<double>(device.ageSeconds))
                      + (device.gate.isZero() ? ", from " + toString(device.endpoint)
                                              : " at " + gateName(device.gate, picture))
                      + (device.hasGoodToken ? ", token good" : "")
                      + (request->renews ? "; its certificate ends " + timeText(*request->renews) : "")));
            say(line, "  " + enrol::fingerprintOf(request->node));
        }
}

/// Without those that `where` does not match.
Status narrow(SeenDevices& devices, const fleetview::Picture& picture, const std::string& where)
{
    const auto query = fleetview::Query::parse(where);
    if (!query)
        return fail(Error(query.error()), "--where");
    std::erase_if(devices.lines, [&](const control::DeviceLine& line) {
        const fleetview::Device* device = picture.find(line.node);
        return device == nullptr || !query->matches(*device);
    });
    return {};
}

QJsonObject jsonWithState(const control::DeviceLine& line, const fleetview::Picture& picture)
{
    QJsonObject object = jsonOf(line);
    if (const fleetview::Device* device = picture.find(line.node))
        object.insert(QStringLiteral("state"), toQString(fleetview::standingName(device->standing)));
    return object;
}

Result<Exit> devices(const CommandLine& line, const std::string& where)
{
    if (const auto query = fleetview::Query::parse(where); !query)
        return fail(Error(query.error()), "--where");
    auto reply = askDevices(line);
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    const auto known = askAgent<control::UpdatesReply>(line, control::UpdatesRequest{});
    if (!known)
        return tl::unexpected<Error>(known.error());
    const fleetview::PicturePtr picture = pictureOf(reply->lines, *known);
    const std::size_t all = reply->lines.size();
    if (auto narrowed = narrow(*reply, *picture, where); !narrowed)
        return tl::unexpected<Error>(narrowed.error());
    auto pending = askAgent<control::PendingReply>(line, control::PendingRequest{});
    if (!pending)
        return tl::unexpected<Error>(pending.error());
    if (line.json) {
        QJsonArray array;
        for (const control::DeviceLine& device : reply->lines)
            array.append(jsonWithState(device, *picture));
        printJson({{QStringLiteral("devices"), array},
                   {QStringLiteral("pending"), pendingArray(*pending)},
                   {QStringLiteral("left_out"), jsonNumber(reply->leftOut)},
                   {QStringLiteral("observer"), reply->isObserver}});
    }
    if (!reply->isObserver)
        remark(line, "Note: " + std::string(kNoObserver) + ".");
    if (all == 0)
        say(line, "No receipt yet: devices report once they are linked to this agent's overlay.");
    else if (reply->lines.empty())
        say(line, "0 of " + std::to_string(all) + " device(s) match.");
    for (const control::DeviceLine& device : reply->lines) {
        say(line, plain((device.name.empty() ? "(no name)" : device.name) + "  " + device.node.shortHex()));
        for (const trust::ReceiptEntry& entry : device.receipt.entries)
            say(line,
                plain("  " + entry.uri.text() + " " + trust::toString(entry.revision) + "  "
                      + outcomeText(entry.phase, entry.code, entry.detail)));
    }
    if (where.empty())
        sayPending(line, *pending, *picture);
    return Exit::Ok;
}

std::string eventText(const control::Event& event)
{
    switch (event.what) {
    case control::Event::What::Update:
        return "update   " + event.uri + " " + trust::toString(event.revision) + "  "
            + outcomeText(event.phase, event.code, event.text);
    case control::Event::What::Receipt:
        return "receipt  " + event.node.shortHex() + "  " + event.uri + " " + trust::toString(event.revision)
            + "  " + outcomeText(event.phase, event.code, event.text);
    case control::Event::What::Refused:
        return "refused  " + (errcOf(event.code) ? codeName(*errcOf(event.code)) : std::string()) + "  "
            + event.text;
    case control::Event::What::Link:
        return "link     " + event.node.shortHex() + " " + event.text;
    case control::Event::What::Overflow:
        return "overflow events were lost";
    }
    return {};
}

Result<Exit> watch(const CommandLine& line)
{
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    if (auto watching = agent->ask<control::WatchReply>(control::WatchRequest{}); !watching)
        return tl::unexpected<Error>(watching.error());
    remark(line, "Watching; end with Ctrl+C.");
    const QDeadlineTimer deadline = line.timeoutSeconds > 0 ? QDeadlineTimer(line.timeout(0s).count())
                                                            : QDeadlineTimer(QDeadlineTimer::Forever);
    while (!deadline.hasExpired()) {
        auto event = agent->nextEvent(1s);
        if (!event)
            return tl::unexpected<Error>(event.error());
        if (!*event)
            continue;
        if (line.json)
            printJson(jsonOf(**event));
        else
            std::printf("%s\n", plain(eventText(**event)).c_str());
        if (std::fflush(stdout) != 0)
            return Exit::Ok; // the reader went away
    }
    return Exit::Ok;
}

Result<Exit> version(const CommandLine& line)
{
    if (line.json)
        printJson({{QStringLiteral("version"), QStringLiteral(STARLING_VERSION)}});
    say(line, "starling " STARLING_VERSION);
    return Exit::Ok;
}

} // namespace

void addAgentCommands(CLI::App& app, CommandLine& line)
{
    addCommand(app, line, "status", "Show an agent: links, updates, floors, what it refused",
               "  starling status\n  starling --agent ./agent.sock status --json",
               [&line] { return status(line); });
    addCommand(app, line, "updates", "Show the updates on an agent, with progress", "  starling updates",
               [&line] { return updates(line); });
    CLI::App* group = app.add_subcommand("device", "Devices of the fleet, and those that ask to be let in")
                          ->require_subcommand(1)
                          ->fallthrough();
    addDenyCommand(*group, line);
    addFetchCommand(*group, line);
    auto where = std::make_shared<std::string>();
    addCommand(
        *group, line, "list",
        "List the devices whose receipts the agent holds, and those that wait to be admitted",
        "  starling device list --json\n  starling device list --where 'site=berlin* and state!=healthy'",
        [&line, where] { return devices(line, *where); })
        ->add_option("--where", *where,
                     "Only devices that match: site=lab, version<2, name~gw, and or not ( )");
    addCommand(app, line, "watch", "Show what happens at an agent, as it happens",
               "  starling watch --json | jq .", [&line] { return watch(line); });
    addCommand(app, line, "version", "Show the version", "  starling version",
               [&line] { return version(line); });
}

} // namespace starling::cli
