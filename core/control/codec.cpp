// SPDX-License-Identifier: Apache-2.0
#include "control/codec.h"

#include "control/devices_codec.h"
#include "control/hints_codec.h"
#include "control/net_fields.h"

#include <algorithm>

namespace starling::control {

namespace {

using bencode::Dict;
using bencode::DictReader;
using bencode::Integer;
using bencode::List;
using bencode::Value;

constexpr std::uint8_t kProtocolVersion = 1;

// --- Small values

Value number(std::uint64_t value)
{
    return static_cast<Integer>(std::min<std::uint64_t>(value, static_cast<std::uint64_t>(kMost)));
}

Value words(std::string_view text)
{
    return text;
}

/// For details, which may quote anything: the other side takes no more than kMaxText.
Value clipped(std::string_view text)
{
    return text.substr(0, kMaxText);
}

Value blob(ByteView bytes)
{
    return bencode::String(bytes.begin(), bytes.end());
}

Value endpointValue(const Endpoint& endpoint)
{
    ByteWriter writer;
    write(writer, endpoint);
    return writer.take();
}

void put(Dict& dict, const ResourceUri& uri, const trust::Revision& revision)
{
    dict["uri"] = words(uri.text());
    dict["epoch"] = number(revision.epoch);
    dict["version"] = number(revision.version);
}

template <class Items, class Write> List listOf(const Items& items, Write write)
{
    List list;
    for (const auto& item : items)
        list.push_back(write(item));
    return list;
}

Value countersValue(const std::map<std::string, std::uint64_t>& counts)
{
    Dict dict;
    for (const auto& [name, count] : counts)
        dict[name] = number(count);
    return dict;
}

// --- Lines

Value lineValue(const UpdateLine& line)
{
    Dict dict;
    put(dict, line.uri, line.revision);
    dict["info-hash"] = blob(line.infoHash.bytes());
    dict["label"] = words(line.label);
    dict["phase"] = trust::phaseName(line.phase);
    dict["code"] = number(line.code);
    dict["detail"] = clipped(line.detail);
    dict["total"] = number(line.totalBytes);
    dict["done"] = number(line.doneBytes);
    dict["down"] = number(line.downRate.value);
    dict["up"] = number(line.upRate.value);
    dict["peers"] = number(line.peers);
    dict["pieces"] = line.pieces;
    dict["known-since"] = number(line.knownSinceMicros);
    return dict;
}

UpdateLine readUpdateLine(Fields& in)
{
    return {in.uri("uri"),
            in.revision(),
            in.id<InfoHash>("info-hash"),
            in.text("label"),
            in.phase(),
            in.integer<std::uint16_t>("code", UINT16_MAX),
            in.text("detail"),
            in.integer("total"),
            in.integer("done"),
            {in.integer("down")},
            {in.integer("up")},
            in.integer<std::uint32_t>("peers", UINT32_MAX),
            in.bytes("pieces"),
            in.integer("known-since")};
}

Value lineValue(const FloorLine& line)
{
    Dict dict;
    put(dict, line.uri, line.revision);
    dict["info-hash"] = blob(line.infoHash.bytes());
    return dict;
}

Value lineValue(const LinkLine& line)
{
    return Dict{{"node", blob(line.node.bytes())},
                {"endpoint", endpointValue(line.endpoint)},
                {"up", Integer{line.isUp}},
                {"rtt", number(line.roundTripMicros)}};
}

Value lineValue(const TrafficLine& line)
{
    return Dict{{"payload", blob(line.payload.bytes())},
                {"node", blob(line.node.bytes())},
                {"from", number(line.bytesFrom)},
                {"to", number(line.bytesTo)}};
}

Value lineValue(const PendingLine& line)
{
    return Dict{{"request", blob(line.request)},
                {"token", Integer{line.hasGoodToken}},
                {"age", number(line.ageSeconds)},
                {"endpoint", endpointValue(line.endpoint)},
                {"gate", blob(line.gate.bytes())}};
}

// --- Whole messages: fields of each alternative

template <class Message>
requires std::is_empty_v<Message> Dict fieldsOf(const Message&)
{
    return {};
}

Dict fieldsOf(const PushRequest& r)
{
    return {{"torrent", r.torrentFile}, {"in-place", words(r.inPlace)}};
}
Dict fieldsOf(const PushChunk& r)
{
    return {{"bytes", r.bytes}};
}
Dict fieldsOf(const AdmitRequest& r)
{
    return {{"certificate", r.certificate}};
}
Dict fieldsOf(const TokenRequest& r)
{
    return {{"address", endpointValue(r.address)},
            {"valid", number(r.validSeconds)},
            {"console", number(r.isForConsole)}};
}
Dict fieldsOf(const PublishRequest& r)
{
    return {{"notice", r.notice}};
}
Dict fieldsOf(const TrustRequest& r)
{
    return {{"signer", blob(r.signer.bytes())}};
}

Dict fieldsOf(const StatusReply& r)
{
    const auto line = [](const auto& item) { return lineValue(item); };
    return {{"product", words(r.version)},
            {"node", blob(r.node.bytes())},
            {"name", words(r.name)},
            {"fleet", blob(r.fleet.bytes())},
            {"root", number(r.rootNumber)},
            {"uptime", number(r.uptimeSeconds)},
            {"mode", words(r.mode)},
            {"swarm", words(r.swarm)},
            {"swarm-port", number(r.swarmPort)},
            {"listen", endpointValue(r.listen)},
            {"links", listOf(r.links, line)},
            {"floors", listOf(r.floors, line)},
            {"updates", listOf(r.updates, line)},
            {"traffic", listOf(r.traffic, line)},
            {"refused", countersValue(r.refused)},
            {"devices", number(r.devices)},
            {"observer", number(r.isObserver)},
            {"waiting", clipped(r.waiting)},
            {"certificate-ends", number(r.certificateEnds)},
            {kPortMapKey, portMapValue(r.portMapping)}};
}

Dict fieldsOf(const UpdatesReply& r)
{
    return {{"updates", listOf(r.updates, [](const UpdateLine& line) { return lineValue(line); })}};
}

Value endpointsValue(const std::vector<Endpoint>& endpoints)
{
    return listOf(endpoints, [](const Endpoint& endpoint) { return Dict{{"at", endpointValue(endpoint)}}; });
}

Dict fieldsOf(const NetCheckReply& r)
{
    const nat::NatBehaviour& found = r.behaviour;
    const std::vector<Endpoint> mapped(found.mapped ? 1 : 0, found.mapped.value_or(Endpoint()));
    return {{"mapping", number(static_cast<std::uint8_t>(found.mapping))},
            {"filtering", number(static_cast<std::uint8_t>(found.filtering))},
            {"mapped", endpointsValue(mapped)},
            {"keeps-port", number(found.keepsPort)},
            {"forecast", forecastValue(found.forecast)},
            {"answered", endpointsValue(found.answered)},
            {"outvoted", endpointsValue(found.outvoted)},
            {"locals", endpointsValue(r.locals)},
            {"asked", endpointsValue(r.asked)},
            {"tcp-listens", number(r.tcp.isListening)},
            {"tcp-links", number(r.tcp.links)},
            {"proxy", clipped(r.tcp.proxy)},
            {"proxy-trouble", clipped(r.tcp.proxyTrouble)},
            {"lifetime", lifetimeValue(r.lifetime)},
            {kPortMapKey, portMapValue(r.portMapping)}};
}

Value lineValue(const PeerLine& line)
{
    return Dict{{"node", blob(line.node.bytes())},          {"kind", words(line.kind)},
                {"endpoint", endpointValue(line.endpoint)}, {"relay", blob(line.relay.bytes())},
                {"rtt", number(line.roundTripMicros)},      {"age", number(line.ageSeconds)},
                {"why", clipped(line.whyNotBetter)},        {"payload", pathsValue(line.payload)}};
}

Dict fieldsOf(const PeersReply& r)
{
    return {{"peers", listOf(r.peers, [](const PeerLine& line) { return lineValue(line); })},
            {"payload", pathsValue(r.payload)},
            {kPortMapKey, portMapValue(r.portMapping)}};
}

Value lineValue(const SessionLine& line)
{
    return Dict{{"node", blob(line.node.bytes())},
                {"internal", endpointsValue(line.internal)},
                {"external", endpointValue(line.external)},
                {"mapping", number(static_cast<std::uint8_t>(line.mapping))},
                {"age", number(line.ageSeconds)}};
}

Dict fieldsOf(const SessionsReply& r)
{
    return {{"rendezvous", number(r.isRendezvous)},
            {"sessions", listOf(r.sessions, [](const SessionLine& line) { return lineValue(line); })}};
}

Dict fieldsOf(const PushReply& r)
{
    return {{"answer", number(static_cast<std::uint8_t>(r.answer))}, {"received", number(r.receivedBytes)}};
}

Dict fieldsOf(const PendingReply& r)
{
    return {{"fleet", blob(r.fleet.bytes())},
            {"devices", listOf(r.devices, [](const PendingLine& line) { return lineValue(line); })}};
}

Dict fieldsOf(const TokenReply& r)
{
    return {{"token", words(r.token)}, {"expires", number(r.expires)}, {"console", number(r.isForConsole)}};
}

Dict fieldsOf(const ErrorReply& r)
{
    return {{"code", number(static_cast<std::uint16_t>(r.error.code))},
            {"context", clipped(r.error.context)}};
}

Dict fieldsOf(const Event& r)
{
    return {{"what", number(static_cast<std::uint8_t>(r.what))},
            {"uri", words(r.uri)},
            {"epoch", number(r.revision.epoch)},
            {"version", number(r.revision.version)},
            {"phase", trust::phaseName(r.phase)},
            {"code", number(r.code)},
            {"node", blob(r.node.bytes())},
            {"text", clipped(r.text)}};
}

Dict fieldsOf(const PublishReply& r)
{
    return {{"new", Integer{r.isNew}}};
}

Dict fieldsOf(const TrustReply& r)
{
    return {{"fleet", blob(r.fleet.bytes())},
            {"root", r.root},
            {"deny", listOf(r.denyLists, [](const Bytes& list) {
                 return Dict{{"list", list}};
             })}};
}

template <class Message> Bytes frame(const Message& message)
{
    const Bytes body =
        std::visit([](const auto& alternative) { return bencode::encode(fieldsOf(alternative)); }, message);
    ByteWriter writer;
    writer.u32(static_cast<std::uint32_t>(body.size() + 2));
    writer.u8(kProtocolVersion);
    writer.u8(static_cast<std::uint8_t>(message.index()));
    writer.raw(body);
    return writer.take();
}

struct Opened
{
    std::uint8_t type;
    Value body;
};

Result<Opened> open(ByteView bytes)
{
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    const std::uint8_t type = reader.u8();
    if (auto good = reader.status("control frame"); !good)
        return fail(std::move(good.error()), "control");
    if (version != kProtocolVersion)
        return fail(Errc::UnsupportedFormat, "control protocol " + std::to_string(version));
    auto body = bencode::decode(reader.rest(), {.bytes = kMaxFrameBytes, .depth = 10, .values = 1u << 20});
    if (!body)
        return fail(std::move(body.error()), "control frame");
    return Opened{type, std::move(*body)};
}

Result<Reply> readStatus(Fields& in)
{
    StatusReply r;
    r.version = in.text("product");
    r.node = in.id<NodeId>("node");
    r.name = in.text("name");
    r.fleet = in.id<FleetId>("fleet");
    r.rootNumber = in.integer("root");
    r.uptimeSeconds = in.integer("uptime");
    r.mode = in.text("mode");
    r.swarm = in.text("swarm");
    r.swarmPort = in.integer<std::uint16_t>("swarm-port", UINT16_MAX);
    r.listen = in.endpoint("listen");
    r.links = in.items<LinkLine>("links", [](Fields& f) {
        return LinkLine{f.id<NodeId>("node"), f.endpoint("endpoint"), f.integer("up", 1) == 1,
                        f.integer("rtt")};
    });
    r.floors = in.items<FloorLine>("floors", [](Fields& f) {
        return FloorLine{f.uri("uri"), f.revision(), f.id<InfoHash>("info-hash")};
    });
    r.updates = in.items<UpdateLine>("updates", readUpdateLine);
    r.traffic = in.items<TrafficLine>("traffic", [](Fields& f) {
        return TrafficLine{f.id<InfoHash>("payload"), f.id<NodeId>("node"), f.integer("from"),
                           f.integer("to")};
    });
    r.refused = in.counters("refused");
    r.devices = in.integer("devices");
    r.isObserver = in.integer("observer", 1) == 1;
    r.waiting = in.text("waiting");
    r.certificateEnds = in.integer("certificate-ends");
    r.portMapping = readPortMap(in);
    return in.finish<Reply>(std::move(r));
}

std::vector<Endpoint> readEndpoints(Fields& in, std::string_view key)
{
    return in.items<Endpoint>(key, [](Fields& f) { return f.endpoint("at"); });
}

nat::Mapping readMapping(Fields& in)
{
    return static_cast<nat::Mapping>(
        in.integer<std::uint8_t>("mapping", static_cast<std::uint64_t>(nat::Mapping::Dependent)));
}

PeerLine readPeer(Fields& in)
{
    PeerLine line;
    line.node = in.id<NodeId>("node");
    line.kind = in.text("kind");
    line.endpoint = in.endpoint("endpoint");
    line.relay = in.id<NodeId>("relay");
    line.roundTripMicros = in.integer("rtt");
    line.ageSeconds = in.integer("age");
    line.whyNotBetter = in.text("why");
    line.payload = readPaths(in, "payload");
    return line;
}

SessionLine readSession(Fields& in)
{
    SessionLine line;
    line.node = in.id<NodeId>("node");
    line.internal = readEndpoints(in, "internal");
    line.external = in.endpoint("external");
    line.mapping = readMapping(in);
    line.ageSeconds = in.integer("age");
    return line;
}

Result<Reply> readNetCheck(Fields& in)
{
    NetCheckReply r;
    nat::NatBehaviour& found = r.behaviour;
    found.mapping = readMapping(in);
    found.filtering = static_cast<nat::Filtering>(in.integer<std::uint8_t>(
        "filtering", static_cast<std::uint64_t>(nat::Filtering::AddressAndPortDependent)));
    if (const auto mapped = readEndpoints(in, "mapped"); !mapped.empty())
        found.mapped = mapped.front();
    found.keepsPort = in.integer("keeps-port", 1) == 1;
    found.forecast = readForecast(in, "forecast");
    found.answered = readEndpoints(in, "answered");
    found.outvoted = readEndpoints(in, "outvoted");
    r.locals = readEndpoints(in, "locals");
    r.asked = readEndpoints(in, "asked");
    r.tcp.isListening = in.integer("tcp-listens", 1) == 1;
    r.tcp.links = in.integer("tcp-links");
    r.tcp.proxy = in.text("proxy");
    r.tcp.proxyTrouble = in.text("proxy-trouble");
    r.lifetime = readLifetime(in, "lifetime");
    r.portMapping = readPortMap(in);
    return in.finish<Reply>(std::move(r));
}

} // namespace

Bytes encode(const Request& request)
{
    return frame(request);
}

Bytes encode(const Reply& reply)
{
    return frame(reply);
}

Result<Request> decodeRequest(ByteView bytes)
{
    const auto opened = open(bytes);
    if (!opened)
        return fail(opened.error().code, opened.error().context);
    const auto reader = DictReader::of(opened->body, "request");
    if (!reader)
        return fail(reader.error().code, reader.error().context);
    Fields in(*reader);
    switch (opened->type) {
    case 0:
        return Request(StatusRequest{});
    case 1:
        return Request(UpdatesRequest{});
    case 2:
        return readDevicesRequest(in);
    case 3:
        return Request(WatchRequest{});
    case 4:
        return in.finish<Request>(PushRequest{in.bytes("torrent"), in.text("in-place")});
    case 5:
        return in.finish<Request>(PushChunk{in.bytes("bytes", kMaxChunkBytes)});
    case 6:
        return Request(PushEnd{});
    case 7:
        return Request(PendingRequest{});
    case 8:
        return in.finish<Request>(AdmitRequest{in.bytes("certificate")});
    case 9:
        return in.finish<Request>(
            TokenRequest{in.endpoint("address"), in.integer("valid"), in.integerOr("console", 0, 1) == 1});
    case 10:
        return in.finish<Request>(PublishRequest{in.bytes("notice")});
    case 11:
        return in.finish<Request>(TrustRequest{in.id<KeyId>("signer")});
    case 12:
        return Request(NetCheckRequest{});
    case 13:
        return Request(PeersRequest{});
    case 14:
        return Request(SessionsRequest{});
    }
    return readLaterRequest(opened->type, in);
}

Result<Reply> decodeReply(ByteView bytes)
{
    const auto opened = open(bytes);
    if (!opened)
        return fail(opened.error().code, opened.error().context);
    const auto reader = DictReader::of(opened->body, "reply");
    if (!reader)
        return fail(reader.error().code, reader.error().context);
    Fields in(*reader);
    switch (opened->type) {
    case 0:
        return readStatus(in);
    case 1:
        return in.finish<Reply>(UpdatesReply{in.items<UpdateLine>("updates", readUpdateLine)});
    case 2:
        return readDevicesReply(in);
    case 3:
        return Reply(WatchReply{});
    case 4: {
        const auto answer = static_cast<PushReply::Answer>(in.integer<std::uint8_t>("answer", 4, 1));
        return in.finish<Reply>(PushReply{answer, in.integer("received")});
    }
    case 5:
        return in.finish<Reply>(
            ErrorReply{{errcOf(in.integer<std::uint16_t>("code", UINT16_MAX)).value_or(Errc::Refused),
                        in.text("context")}});
    case 6: {
        Event event;
        event.what = static_cast<Event::What>(in.integer<std::uint8_t>("what", 5, 1));
        event.uri = in.text("uri");
        event.revision = in.revision();
        event.phase = in.phase();
        event.code = in.integer<std::uint16_t>("code", UINT16_MAX);
        event.node = in.id<NodeId>("node");
        event.text = in.text("text");
        return in.finish<Reply>(std::move(event));
    }
    case 7: {
        const FleetId fleet = in.id<FleetId>("fleet");
        return in.finish<Reply>(PendingReply{fleet, in.items<PendingLine>("devices", [](Fields& f) {
                                                 return PendingLine{f.bytes("request"),
                                                                    f.integer("token", 1) == 1,
                                                                    f.integer("age"), f.endpoint("endpoint"),
                                                                    f.id<NodeId>("gate")};
                                             })});
    }
    case 8:
        return Reply(AdmitReply{});
    case 9:
        return in.finish<Reply>(
            TokenReply{in.text("token"), in.integer("expires"), in.integerOr("console", 0, 1) == 1});
    case 10:
        return in.finish<Reply>(PublishReply{in.integer("new", 1) == 1});
    case 11: {
        TrustReply trust{in.id<FleetId>("fleet"), in.bytes("root"), {}};
        trust.denyLists = in.items<Bytes>("deny", [](Fields& f) { return f.bytes("list"); });
        return in.finish<Reply>(std::move(trust));
    }
    case 12:
        return readNetCheck(in);
    case 13:
        return in.finish<Reply>(
            PeersReply{in.items<PeerLine>("peers", readPeer), readPaths(in, "payload"), readPortMap(in)});
    case 14: {
        SessionsReply sessions{in.integer("rendezvous", 1) == 1, {}};
        sessions.sessions = in.items<SessionLine>("sessions", readSession);
        return in.finish<Reply>(std::move(sessions));
    }
    }
    return readLaterReply(opened->type, in);
}

} // namespace starling::control
