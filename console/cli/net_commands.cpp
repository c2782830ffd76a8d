// SPDX-License-Identifier: Apache-2.0
/// `starling net check`, how others see the agent and what that means; `starling peers` and `starling
/// sessions`, how it is linked, and who is linked to it.
#include "ask_agent.h"
#include "model/network_text.h"
#include "progress.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

using cli::jsonOf; // beside those below

/// Discovery's three steps take 20 s where nobody answers (nat/discovery.h).
constexpr auto kCheckLimit = 40s;

QJsonArray jsonOf(const std::vector<Endpoint>& endpoints)
{
    QJsonArray array;
    for (const Endpoint& endpoint : endpoints)
        array.append(toQString(toString(endpoint)));
    return array;
}

const char* nameOf(nat::LifetimeState::Kind kind)
{
    switch (kind) {
    case nat::LifetimeState::Kind::Unmeasured:
        return "unmeasured";
    case nat::LifetimeState::Kind::Measuring:
        return "measuring";
    case nat::LifetimeState::Kind::Measured:
        return "measured";
    case nat::LifetimeState::Kind::Failed:
        return "failed";
    }
    return "";
}

std::int64_t secondsOf(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

QJsonObject jsonOf(const nat::LifetimeState& state)
{
    const bool isMeasured = state.kind == nat::LifetimeState::Kind::Measured;
    const auto seconds = [](const std::optional<Duration>& duration) {
        return duration ? QJsonValue(static_cast<qint64>(secondsOf(*duration))) : QJsonValue();
    };
    return {{QStringLiteral("state"), QString::fromLatin1(nameOf(state.kind))},
            {QStringLiteral("held_s"), isMeasured ? seconds(state.found.held) : QJsonValue()},
            {QStringLiteral("lost_s"), isMeasured ? seconds(state.found.lost) : QJsonValue()},
            {QStringLiteral("trouble"),
             state.trouble.empty() ? QJsonValue() : QJsonValue(toQString(state.trouble))}};
}

QJsonObject jsonOf(const control::NetCheckReply& reply)
{
    const nat::NatBehaviour& found = reply.behaviour;
    const nat::Prospect prospect = nat::prospectOf(found);
    return {{QStringLiteral("prospect"), toQString(nat::nameOf(prospect))},
            {QStringLiteral("meaning"), toQString(nat::meaningOf(prospect))},
            {QStringLiteral("advice"), toQString(nat::adviceOn(prospect))},
            {QStringLiteral("mapping"), toQString(nat::nameOf(found.mapping))},
            {QStringLiteral("filtering"), toQString(nat::nameOf(found.filtering))},
            {QStringLiteral("mapped"),
             found.mapped ? QJsonValue(toQString(toString(*found.mapped))) : QJsonValue()},
            {QStringLiteral("keeps_port"), found.keepsPort},
            {QStringLiteral("port_step"),
             found.forecast ? QJsonValue(static_cast<int>(found.forecast->step)) : QJsonValue()},
            {QStringLiteral("local"), jsonOf(reply.locals)},
            {QStringLiteral("asked"), jsonOf(reply.asked)},
            {QStringLiteral("answered"), jsonOf(found.answered)},
            {QStringLiteral("outvoted"), jsonOf(found.outvoted)},
            {QStringLiteral("udp_blocked"), console::isUdpBlocked(reply)},
            {QStringLiteral("tcp_listens"), reply.tcp.isListening},
            {QStringLiteral("tcp_links"), jsonNumber(reply.tcp.links)},
            {QStringLiteral("proxy"),
             reply.tcp.proxy.empty() ? QJsonValue() : QJsonValue(toQString(reply.tcp.proxy))},
            {QStringLiteral("proxy_trouble"),
             reply.tcp.proxyTrouble.empty() ? QJsonValue() : QJsonValue(toQString(reply.tcp.proxyTrouble))},
            {QStringLiteral("ipv6"), jsonOf(console::globalIpv6(reply.locals))},
            {QStringLiteral("binding"), jsonOf(reply.lifetime)},
            {QStringLiteral("port_mapping"), jsonOf(reply.portMapping)}};
}

void sayFact(const CommandLine& line, const QString& name, const QString& value)
{
    constexpr int kNameWidth = 12;
    say(line, plain((name.leftJustified(kNameWidth) + value).toStdString()));
}

void sayCheck(const CommandLine& line, const control::NetCheckReply& reply)
{
    const console::NetworkVerdict verdict = console::verdictOn(reply);
    sayFact(line, QStringLiteral("Network"), verdict.word + QStringLiteral(": ") + verdict.meaning);
    if (!verdict.advice.isEmpty())
        sayFact(line, QStringLiteral("To do"), verdict.advice);
    for (const console::NetworkFact& fact : console::factsOf(reply))
        sayFact(line, fact.name, fact.value);
}

Result<Exit> check(const CommandLine& line)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(5s));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    if (!line.json)
        remark(line, "Asking how others see this agent; that takes up to 20 s where nobody answers.");
    const auto reply =
        agent->ask<control::NetCheckReply>(control::NetCheckRequest{}, line.timeout(kCheckLimit));
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (line.json)
        printJson(jsonOf(*reply));
    sayCheck(line, *reply);
    return nat::prospectOf(reply->behaviour) == nat::Prospect::Blocked ? Exit::Unreachable : Exit::Ok;
}

QJsonValue jsonOrNull(const Endpoint& endpoint)
{
    return endpoint == Endpoint() ? QJsonValue() : QJsonValue(toQString(toString(endpoint)));
}

QJsonArray jsonOf(const std::vector<control::PathLine>& lines)
{
    QJsonArray array;
    for (const control::PathLine& line : lines)
        array.append(QJsonObject{{QStringLiteral("link"), toQString(line.kind)},
                                 {QStringLiteral("bytes_in"), jsonNumber(line.in)},
                                 {QStringLiteral("bytes_out"), jsonNumber(line.out)}});
    return array;
}

QJsonObject jsonOf(const control::PeerLine& peer)
{
    return {{QStringLiteral("node"), toQString(peer.node.hex())},
            {QStringLiteral("link"), toQString(peer.kind)},
            {QStringLiteral("endpoint"), jsonOrNull(peer.endpoint)},
            {QStringLiteral("relay"),
             peer.relay.isZero() ? QJsonValue() : QJsonValue(toQString(peer.relay.hex()))},
            {QStringLiteral("rtt_ms"),
             peer.roundTripMicros == 0 ? QJsonValue()
                                       : QJsonValue(static_cast<double>(peer.roundTripMicros) / 1'000)},
            {QStringLiteral("age_s"), jsonNumber(peer.ageSeconds)},
            {QStringLiteral("why_not_better"), toQString(peer.whyNotBetter)},
            {QStringLiteral("payload"), jsonOf(peer.payload)}};
}

std::string peerText(const control::PeerLine& peer)
{
    std::string text = peer.node.shortHex() + "  " + console::linkWord(peer.kind).toStdString();
    if (peer.endpoint != Endpoint())
        text += "  " + toString(peer.endpoint);
    else if (!peer.relay.isZero())
        text += "  by " + peer.relay.shortHex();
    if (peer.roundTripMicros != 0)
        text += "  " + std::to_string((peer.roundTripMicros + 500) / 1'000) + " ms";
    return plain(text + "  for " + durationText(static_cast<double>(peer.ageSeconds)));
}

Result<Exit> peers(const CommandLine& line)
{
    const auto reply = askAgent<control::PeersReply>(line, control::PeersRequest{});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (line.json) {
        QJsonArray array;
        for (const control::PeerLine& peer : reply->peers)
            array.append(jsonOf(peer));
        printJson({{QStringLiteral("peers"), array},
                   {QStringLiteral("payload"), jsonOf(reply->payload)},
                   {QStringLiteral("port_mapping"), jsonOf(reply->portMapping)}});
    }
    if (reply->peers.empty())
        say(line, "No link is up.");
    for (const control::PeerLine& peer : reply->peers) {
        say(line, peerText(peer));
        if (!peer.whyNotBetter.empty())
            say(line, plain("  not better: " + peer.whyNotBetter));
        if (!peer.payload.empty())
            say(line, plain("  payload " + console::payloadText(peer.payload).toStdString()));
    }
    if (!reply->payload.empty())
        say(line, plain("In all: payload " + console::payloadText(reply->payload).toStdString()));
    if (reply->portMapping.kind != nat::PortMapState::Kind::Off)
        say(line, plain("Port mapping: " + console::portMappingText(reply->portMapping).toStdString()));
    return Exit::Ok;
}

QJsonObject jsonOf(const control::SessionLine& session)
{
    return {{QStringLiteral("node"), toQString(session.node.hex())},
            {QStringLiteral("internal"), jsonOf(session.internal)},
            {QStringLiteral("external"), jsonOrNull(session.external)},
            {QStringLiteral("mapping"), toQString(nat::nameOf(session.mapping))},
            {QStringLiteral("age_s"), jsonNumber(session.ageSeconds)}};
}

Result<Exit> sessions(const CommandLine& line)
{
    const auto reply = askAgent<control::SessionsReply>(line, control::SessionsRequest{});
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (line.json) {
        QJsonArray array;
        for (const control::SessionLine& session : reply->sessions)
            array.append(jsonOf(session));
        printJson({{QStringLiteral("rendezvous"), reply->isRendezvous}, {QStringLiteral("sessions"), array}});
    }
    if (const QString none = console::noSessionsText(*reply); !none.isEmpty())
        say(line, none.toStdString());
    for (const control::SessionLine& session : reply->sessions)
        say(line,
            plain(session.node.shortHex() + "  internal "
                  + console::endpointsText(session.internal).toStdString() + "  external "
                  + (session.external == Endpoint() ? "relayed" : toString(session.external)) + "  NAT "
                  + std::string(nat::nameOf(session.mapping)) + "  for "
                  + durationText(static_cast<double>(session.ageSeconds))));
    return Exit::Ok;
}

} // namespace

void addNetCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group =
        app.add_subcommand("net", "The network around an agent")->require_subcommand(1)->fallthrough();
    addCommand(*group, line, "check", "Find out how others see the agent, and what that means for it",
               "  starling net check\n  starling --json net check", [&line] { return check(line); });
    addCommand(app, line, "peers", "Show how the agent is linked to others, and why not better",
               "  starling peers\n  starling --json peers", [&line] { return peers(line); });
    addCommand(app, line, "sessions", "Show who is linked to a rendezvous",
               "  starling sessions\n  starling --json sessions", [&line] { return sessions(line); });
}

} // namespace starling::cli
