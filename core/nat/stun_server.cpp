// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_server.h"

#include "base/assert.h"

namespace starling::nat {

namespace {

constexpr std::uint16_t kChangeRequestType = 0x0003;

std::size_t indexOf(Socket socket)
{
    return static_cast<std::size_t>(socket);
}

StunMessage refusal(const StunMessage& request, std::uint16_t code, std::string reason)
{
    StunMessage answer;
    answer.kind = StunClass::Error;
    answer.id = request.id;
    answer.error = StunError{code, std::move(reason)};
    answer.hasFingerprint = request.hasFingerprint;
    return answer;
}

StunMessage notUnderstood(const StunMessage& request, std::vector<std::uint16_t> types)
{
    StunMessage answer = refusal(request, kStunUnknownAttribute, "Unknown Attribute");
    answer.unknown = std::move(types);
    return answer;
}

} // namespace

Status StunServer::validate(const Config& config)
{
    if (!config.alternate)
        return {};
    if (!config.primary)
        return fail(Errc::ConfigInvalid, "STUN server with an alternate address, and no primary one");
    if (config.primary->address == config.alternate->address
        || config.primary->port == config.alternate->port)
        return fail(Errc::ConfigInvalid, "STUN server whose alternate address or port is the primary one");
    if (config.primary->isIpv4() != config.alternate->isIpv4())
        return fail(Errc::ConfigInvalid, "STUN server with addresses of two families");
    return {};
}

StunServer::StunServer(Config config)
    : m_config(std::move(config))
    , m_bounds(m_config.bounds)
{
    STARLING_ASSERT(validate(m_config));
}

Endpoint StunServer::endpointOf(Socket socket) const
{
    const bool hasOtherAddress = (indexOf(socket) & 2) != 0;
    const bool hasOtherPort = (indexOf(socket) & 1) != 0;
    Endpoint endpoint = hasOtherAddress ? *m_config.alternate : *m_config.primary;
    endpoint.port = hasOtherPort ? m_config.alternate->port : m_config.primary->port;
    return endpoint;
}

/// A datagram with our own source would be answered to ourselves.
bool StunServer::isOwn(const Endpoint& from) const
{
    return (m_config.primary && from == *m_config.primary)
        || (m_config.alternate
            && (from == endpointOf(stunServerSocket(false, true))
                || from == endpointOf(stunServerSocket(true, false)) || from == *m_config.alternate));
}

StunMessage StunServer::answerTo(const StunMessage& request, const DatagramReceived& received) const
{
    if (!request.notUnderstood.empty())
        return notUnderstood(request, request.notUnderstood);
    // RFC 5780 section 6.1: without an alternate address, 420.
    if (request.change && !m_config.alternate)
        return notUnderstood(request, {kChangeRequestType});
    if (request.responsePort && (request.padding || *request.responsePort == 0))
        return refusal(request, kStunBadRequest, "Bad Request");
    StunMessage answer;
    answer.kind = StunClass::Success;
    answer.id = request.id;
    answer.xorMapped = received.from;
    answer.padding = request.padding;
    answer.hasFingerprint = request.hasFingerprint;
    if (m_config.alternate) {
        // Clients of RFC 5780 compare it with the other one, and find who rewrites addresses in between.
        answer.mapped = received.from;
        // Section 7.4: where a CHANGE-REQUEST of both would be answered from.
        answer.other = endpointOf(static_cast<Socket>(indexOf(received.at) ^ 3));
    }
    return answer;
}

std::optional<SendDatagram> StunServer::handle(const DatagramReceived& received, Instant now)
{
    STARLING_ASSERT(indexOf(received.at) < (m_config.alternate ? 4u : 1u));
    const auto request = parseStun(received.bytes);
    if (!request || request->kind != StunClass::Request || !isUnicast(received.from)
        || isOwn(received.from)) {
        ++m_stats.ignored;
        return std::nullopt;
    }
    if (!m_bounds.admits(received.from, now)) {
        ++m_stats.overBounds;
        return std::nullopt;
    }
    StunMessage answer = answerTo(*request, received);
    SendDatagram sent{received.at, received.from, {}};
    if (answer.kind == StunClass::Success) {
        ++m_stats.answered;
        if (request->change)
            sent.by = static_cast<Socket>(
                indexOf(received.at)
                ^ indexOf(stunServerSocket(request->change->address, request->change->port)));
        if (request->responsePort)
            sent.to.port = *request->responsePort;
    } else {
        ++m_stats.refused;
    }
    if (m_config.primary)
        answer.responseOrigin = endpointOf(sent.by);
    sent.bytes = serialize(answer);
    return sent;
}

} // namespace starling::nat
