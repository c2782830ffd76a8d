// SPDX-License-Identifier: Apache-2.0
/// One control message of every kind, with every field set, for tests and fuzz targets.
#pragma once

#include "control/codec.h"

namespace starling::control::samples {

template <class Identity> Identity filled(unsigned char value)
{
    return *Identity::fromBytes(Bytes(32, static_cast<std::byte>(value)));
}

inline ResourceUri uri(std::string_view text)
{
    return *ResourceUri::parse(text);
}

inline UpdateLine updateLine()
{
    return {uri("fw/gateway"),
            {1, 7},
            filled<InfoHash>(1),
            "2.4.1",
            trust::Phase::Downloading,
            305,
            "the disk is full",
            1'000'000,
            999'999,
            {1'024},
            {2'048},
            3,
            toBytes("\xff\x80"),
            1'784'000'000'000'001};
}

inline trust::Receipt receipt()
{
    trust::Receipt made;
    made.node = filled<NodeId>(2);
    made.sequence = 9;
    made.rootNumber = 1;
    made.uptimeSeconds = 60;
    made.entries.push_back(
        {uri("fw/gateway"), {1, 7}, filled<InfoHash>(1), trust::Phase::Failed, 401, "exit status 3"});
    made.alarms = {{"rollback", 2}};
    return made;
}

inline nat::PortMapState portMapState()
{
    nat::PortMapState made;
    made.kind = nat::PortMapState::Kind::Held;
    made.mapping = nat::PortMapping{nat::PortMapMethod::NatPmp, Endpoint::ipv4(203, 0, 113, 9, 7'891), true,
                                    std::chrono::minutes(20)};
    made.isTold = true;
    made.restSeconds = 700;
    made.trouble = "no answer";
    return made;
}

inline StatusReply status()
{
    StatusReply made;
    made.version = "0.1.0";
    made.node = filled<NodeId>(2);
    made.name = "device-2";
    made.fleet = filled<FleetId>(3);
    made.rootNumber = 4;
    made.uptimeSeconds = 5;
    made.mode = "relay";
    made.swarm = "open";
    made.swarmPort = 6'881;
    made.listen = Endpoint::ipv4(127, 0, 0, 1, 7'001);
    made.links = {{filled<NodeId>(5), Endpoint::ipv4(10, 0, 0, 7, 7'002), true, 1'500}};
    made.floors = {{uri("fw/gateway"), {1, 7}, filled<InfoHash>(1)}};
    made.updates = {updateLine()};
    made.traffic = {{filled<InfoHash>(1), filled<NodeId>(5), 10, 20}};
    made.refused = {{"rollback", 3}, {"signature", 1}};
    made.devices = 6;
    made.isObserver = true;
    made.waiting = "waiting for admission";
    made.certificateEnds = 1'900'000'000;
    made.portMapping = portMapState();
    return made;
}

inline nat::LifetimeState lifetimeState()
{
    return {nat::LifetimeState::Kind::Measured, {std::chrono::seconds(30), std::chrono::seconds(45)}, "none"};
}

inline nat::NatBehaviour netBehaviour()
{
    nat::NatBehaviour made;
    made.mapping = nat::Mapping::EndpointIndependent;
    made.filtering = nat::Filtering::AddressAndPortDependent;
    made.mapped = Endpoint::ipv4(192, 0, 2, 7, 40'001);
    made.keepsPort = true;
    made.forecast = PortForecast{Endpoint::ipv4(192, 0, 2, 7, 40'003), 2};
    made.answered = {Endpoint::ipv4(192, 0, 2, 9, 7'891)};
    made.outvoted = {Endpoint::ipv4(192, 0, 2, 10, 7'891)};
    return made;
}

inline Event event()
{
    return {Event::What::Receipt, "fw/gateway",          {1, 7}, trust::Phase::RolledBack, 404,
            filled<NodeId>(2),    "no answer on port 80"};
}

inline std::vector<Request> requests()
{
    return {StatusRequest{},
            UpdatesRequest{},
            DevicesRequest{{77, 12'345}, 256},
            WatchRequest{},
            PushRequest{toBytes("d4:infode10:signaturesdee"), "/srv/releases/gateway"},
            PushChunk{toBytes(std::string("\0\x01\xff", 3))},
            PushEnd{},
            PendingRequest{},
            AdmitRequest{toBytes("d4:kind5:admite")},
            TokenRequest{Endpoint::ipv4(192, 0, 2, 7, 7'891), 3'600, true},
            PublishRequest{toBytes("\x0a a signed list")},
            TrustRequest{filled<KeyId>(7)},
            NetCheckRequest{},
            PeersRequest{},
            SessionsRequest{},
            HintsRequest{},
            FetchRequest{{1, 20, uri("fw/gateway"), trust::Revision{1, 7}, trust::Phase::Failed, "lab"}}};
}

inline std::vector<Reply> replies()
{
    return {status(),
            UpdatesReply{{updateLine(), updateLine()}},
            DevicesReply{{{filled<NodeId>(2), "device-2", {{"site", "lab"}}, receipt()}},
                         true,
                         {77, 12'346},
                         false,
                         100'000},
            WatchReply{},
            PushReply{PushReply::Answer::SendPayload, 4'096},
            ErrorReply{{Errc::Rollback, "fw/gateway version 6 is not above 7"}},
            event(),
            PendingReply{filled<FleetId>(3),
                         {{toBytes("d4:kind4:joine"), true, 12, Endpoint::ipv4(192, 0, 2, 9, 7'891),
                           filled<NodeId>(8)}}},
            AdmitReply{},
            TokenReply{"starling1-abc", 1'900'000'000, true},
            PublishReply{true},
            TrustReply{filled<FleetId>(3), toBytes("a root"), {toBytes("one"), toBytes("two")}},
            NetCheckReply{netBehaviour(),
                          {Endpoint::ipv4(10, 0, 0, 7, 7'891)},
                          {Endpoint::ipv4(192, 0, 2, 9, 7'891)},
                          {true, 3, "http://gateway:3128", "STAR-NET-003 refused: the proxy said 403"},
                          portMapState(),
                          lifetimeState()},
            PeersReply{{{filled<NodeId>(2),
                         "direct",
                         Endpoint::ipv4(192, 0, 2, 9, 7'891),
                         {},
                         1'200,
                         60,
                         "",
                         {{"direct", 7, 8}, {"relayed", 9, 10}}},
                        {filled<NodeId>(4), "relayed", {}, filled<NodeId>(2), 0, 3, "a firewall"}},
                       {{"punched", 11, 12}},
                       portMapState()},
            SessionsReply{true,
                          {{filled<NodeId>(2),
                            {Endpoint::ipv4(10, 0, 0, 7, 7'891)},
                            Endpoint::ipv4(192, 0, 2, 9, 7'891),
                            nat::Mapping::EndpointIndependent,
                            60}}},
            HintsReply{true,
                       90'000,
                       3,
                       40,
                       {{uri("fw/gateway"), {1, 7}, trust::Phase::Healthy, "lab", 89'000},
                        {uri("fw/gateway"), {1, 7}, trust::Phase::Failed, "", 700},
                        {uri("fw/gateway"), {1, 7}, trust::Phase::Failed, {}, 300}}},
            FetchReply{300}};
}

} // namespace starling::control::samples
