// SPDX-License-Identifier: Apache-2.0
/// What an agent tells of the network around it in words, the same in the window and on the command line.
/// Translated; text of others (a proxy's name, what went wrong there) is not made harmless here, which
/// depends on where it is shown.
#pragma once

#include "control/net_messages.h"

#include <QString>

namespace starling::console {

/// Others are there, and nobody answers over UDP.
bool isUdpBlocked(const control::NetCheckReply& reply);
/// Of the device's own addresses those at which others may reach it over IPv6 (RFC 4291, RFC 4193).
std::vector<Endpoint> globalIpv6(const std::vector<Endpoint>& locals);

/// What a check found: a word, what it means in a sentence, and what to do, if anything is to be done.
struct NetworkVerdict
{
    QString word, meaning, advice;
};
NetworkVerdict verdictOn(const control::NetCheckReply& reply);

/// "Seen as": "192.0.2.7:7891, with its own port"
struct NetworkFact
{
    QString name, value;
};
std::vector<NetworkFact> factsOf(const control::NetCheckReply& reply);

QString mappingWord(nat::Mapping mapping); ///< "endpoint-independent"
QString linkWord(const std::string& kind); ///< of control::PeerLine: "direct", "TCP"
/// "punched 1.0 MiB in, 0 B out; relayed …"; empty if there was none.
QString payloadText(const std::vector<control::PathLine>& lines);
/// "192.0.2.7:7891, 198.51.100.2:7891", or "none".
QString endpointsText(const std::vector<Endpoint>& endpoints);
/// "held, 192.0.2.7:7891 by PCP, UDP and TCP, for 12 min"
QString portMappingText(const nat::PortMapState& state);
/// Why there are no sessions to tell of; empty if there are some.
QString noSessionsText(const control::SessionsReply& reply);

} // namespace starling::console
