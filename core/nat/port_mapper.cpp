// SPDX-License-Identifier: Apache-2.0
#include "nat/port_mapper.h"

#include <algorithm>

namespace starling::nat {

namespace {

constexpr std::size_t kByDatagram = 0, kByUpnp = 1; // in m_troubles
constexpr unsigned kGoodbyes = 3;
constexpr std::uint16_t kFirstFreePort = 49'152; // RFC 6335 section 6: what nobody has reserved

Endpoint doorOf(Endpoint gateway)
{
    gateway.port = kPortMapPort;
    return gateway;
}

} // namespace

std::string_view nameOf(PortMapMethod method)
{
    switch (method) {
    case PortMapMethod::Pcp:
        return "PCP";
    case PortMapMethod::NatPmp:
        return "NAT-PMP";
    case PortMapMethod::Upnp:
        return "UPnP";
    }
    return {};
}

std::string_view nameOf(PortMapState::Kind kind)
{
    switch (kind) {
    case PortMapState::Kind::Off:
        return "off";
    case PortMapState::Kind::NotNeeded:
        return "not-needed";
    case PortMapState::Kind::Asking:
        return "asking";
    case PortMapState::Kind::Held:
        return "held";
    case PortMapState::Kind::None:
        return "none";
    }
    return {};
}

PortMapper::PortMapper(const Config& config, RandomSource& random)
    : m_config(config)
    , m_random(random)
{
    m_random.fill(m_nonce);
}

PortMapper::Outputs PortMapper::start(Instant now)
{
    Outputs outputs;
    m_asked = now;
    begin(outputs);
    return outputs;
}

PortMapper::Outputs PortMapper::handle(const DatagramReceived& received, Instant now)
{
    Outputs outputs;
    if (received.from != doorOf(m_config.gateway))
        return outputs;
    if (const auto reply = parsePortMapReply(received.bytes))
        onReply(*reply, now, outputs);
    return outputs;
}

PortMapper::Outputs PortMapper::handle(const PortMapTimer& timer, Instant now)
{
    Outputs outputs;
    if (timer.number != m_timer)
        return outputs;
    switch (m_step) {
    case Step::PcpUdp:
    case Step::NatPmpAddress:
    case Step::NatPmpUdp:
        if (m_sent < kTries)
            send(outputs);
        else
            fallBack("no answer", now, outputs);
        break;
    case Step::PcpTcp:
    case Step::NatPmpTcp:
        if (m_sent < kTries)
            send(outputs);
        else
            hold(m_candidate, now, outputs);
        break;
    case Step::Upnp:
        fallBack("the router does not come to an end", now, outputs);
        break;
    case Step::Waiting:
        if (m_mapping && now >= m_expires)
            drop(outputs);
        m_asked = now;
        begin(outputs);
        break;
    case Step::Deleting:
        deleteAgain(outputs);
        break;
    case Step::Ended:
        break;
    }
    return outputs;
}

PortMapper::Outputs PortMapper::handle(const UpnpAnswered& answered, Instant now)
{
    Outputs outputs;
    if (m_step == Step::Deleting) {
        end(outputs);
    } else if (m_step == Step::Upnp) {
        if (!answered.mapping)
            fallBack(toString(answered.mapping.error()), now, outputs);
        else if (!isUnicast(answered.mapping->external))
            fallBack("the router says that its address is " + toString(answered.mapping->external), now,
                     outputs);
        else
            hold(*answered.mapping, now, outputs);
    }
    return outputs;
}

PortMapper::Outputs PortMapper::onNews(const DatagramReceived& received, Instant now)
{
    Outputs outputs;
    // From whatever port (RFC 6886 section 3.2.1 names one, routers use others).
    if (m_step != Step::Waiting || m_hasNews || received.from.address != m_config.gateway.address)
        return outputs;
    const auto reply = parsePortMapReply(received.bytes);
    if (!reply || reply->about == PortMapReply::About::Mapping)
        return outputs;
    m_hasNews = true;
    schedule(std::max(Duration(0), kNewsPause - (now - m_asked)), outputs);
    return outputs;
}

PortMapper::Outputs PortMapper::stop(Instant now)
{
    Outputs outputs;
    if (m_step == Step::Ended || m_step == Step::Deleting)
        return outputs;
    if (!m_mapping || now >= m_expires) {
        drop(outputs);
        end(outputs);
        return outputs;
    }
    m_step = Step::Deleting;
    m_sent = 0;
    if (m_mapping->method == PortMapMethod::Upnp) {
        outputs.push_back(
            AskUpnp{AskUpnp::What::Unmap, m_config.gateway, m_config.own, {m_mapping->external.port}, {}});
        m_sent = kGoodbyes;
        schedule(kUpnpGoodbye, outputs);
        return outputs;
    }
    m_deleting = {Transport::Udp};
    if (m_mapping->hasTcp)
        m_deleting.insert(Transport::Tcp);
    deleteAgain(outputs);
    return outputs;
}

Duration PortMapper::rest(Instant now) const
{
    return m_mapping && m_expires > now ? m_expires - now : Duration(0);
}

std::string PortMapper::trouble() const
{
    std::string text;
    if (!m_troubles[kByDatagram].empty())
        text = "PCP and NAT-PMP: " + m_troubles[kByDatagram];
    if (!m_troubles[kByUpnp].empty())
        text += (text.empty() ? "UPnP: " : "; UPnP: ") + m_troubles[kByUpnp];
    return text;
}

/// Renewing begins with what worked, and goes on from there; who has none begins with the first.
void PortMapper::begin(Outputs& outputs)
{
    const PortMapMethod first = m_mapping ? m_mapping->method : PortMapMethod::Pcp;
    enter(first == PortMapMethod::Upnp         ? Step::Upnp
              : first == PortMapMethod::NatPmp ? Step::NatPmpAddress
                                               : Step::PcpUdp,
          outputs);
}

void PortMapper::enter(Step step, Outputs& outputs)
{
    m_step = step;
    m_sent = 0;
    m_hasNews = false;
    const std::uint16_t port = m_mapping ? m_mapping->external.port : m_config.own.port;
    switch (step) {
    case Step::PcpUdp:
    case Step::NatPmpUdp:
        m_request = request(wish(Transport::Udp, port, kLease));
        return send(outputs);
    case Step::PcpTcp:
    case Step::NatPmpTcp:
        m_request = request(wish(Transport::Tcp, m_candidate.external.port, kLease));
        return send(outputs);
    case Step::NatPmpAddress:
        m_request = natPmpAddressRequest();
        return send(outputs);
    case Step::Upnp: {
        AskUpnp ask{AskUpnp::What::Map, m_config.gateway, m_config.own, {port}, kLease};
        while (ask.outside.size() < kUpnpPorts)
            ask.outside.push_back(
                static_cast<std::uint16_t>(kFirstFreePort + m_random.below(65'536 - kFirstFreePort)));
        outputs.push_back(std::move(ask));
        return schedule(kUpnpPatience, outputs);
    }
    case Step::Waiting:
    case Step::Deleting:
    case Step::Ended:
        return;
    }
}

void PortMapper::send(Outputs& outputs)
{
    outputs.push_back(SendDatagram{kMainSocket, doorOf(m_config.gateway), m_request});
    schedule(kPatience * (1U << m_sent), outputs);
    ++m_sent;
}

void PortMapper::schedule(Duration delay, Outputs& outputs)
{
    outputs.push_back(SchedulePortMap{delay, {++m_timer}});
}

bool PortMapper::isExpected(const PortMapReply& reply) const
{
    using About = PortMapReply::About;
    const bool isPcp = reply.version != 0;
    switch (m_step) {
    case Step::PcpUdp:
    case Step::PcpTcp:
        // A refusal repeats nothing that could be compared.
        if (reply.result != PortMapReply::kDone)
            return isPcp || reply.result == PortMapReply::kOtherVersion;
        return isPcp && reply.about == About::Mapping && reply.nonce == m_nonce
            && reply.inside == m_config.own.port
            && reply.transport == (m_step == Step::PcpUdp ? Transport::Udp : Transport::Tcp);
    case Step::NatPmpAddress:
        return !isPcp && reply.about == About::Address;
    case Step::NatPmpUdp:
    case Step::NatPmpTcp:
        if (isPcp || reply.about != About::Mapping)
            return false;
        return reply.result != PortMapReply::kDone
            || (reply.inside == m_config.own.port
                && reply.transport == (m_step == Step::NatPmpUdp ? Transport::Udp : Transport::Tcp));
    case Step::Deleting:
        return reply.about == About::Mapping;
    case Step::Upnp:
    case Step::Waiting:
    case Step::Ended:
        return false;
    }
    return false;
}

void PortMapper::onReply(const PortMapReply& reply, Instant now, Outputs& outputs)
{
    if (!isExpected(reply))
        return;
    const bool isDone = reply.result == PortMapReply::kDone;
    switch (m_step) {
    case Step::PcpUdp:
        if (reply.result == PortMapReply::kOtherVersion)
            return enter(Step::NatPmpAddress, outputs);
        [[fallthrough]];
    case Step::NatPmpUdp:
        return isDone ? onUdpMapped(reply, outputs)
                      : fallBack("the router says: " + textOfResult(reply), now, outputs);
    case Step::NatPmpAddress:
        if (!isDone)
            return fallBack("the router says: " + textOfResult(reply), now, outputs);
        m_candidate = PortMapping{PortMapMethod::NatPmp, *reply.address, false, {}};
        return enter(Step::NatPmpUdp, outputs);
    case Step::PcpTcp:
    case Step::NatPmpTcp:
        return onTcpMapped(reply, now, outputs);
    case Step::Deleting:
        return onDeleted(reply, outputs);
    case Step::Upnp:
    case Step::Waiting:
    case Step::Ended:
        return;
    }
}

void PortMapper::onUdpMapped(const PortMapReply& reply, Outputs& outputs)
{
    if (m_step == Step::PcpUdp)
        m_candidate = PortMapping{PortMapMethod::Pcp, *reply.address, false, {}};
    m_candidate.external.port = reply.outside;
    m_candidate.lease = std::min<std::chrono::seconds>(reply.lease, kLease);
    // Asked again as if nothing had come: in the end it is "no answer" for what makes no sense.
    if (!isUnicast(m_candidate.external) || !m_candidate.external.isIpv4() || reply.lease.count() == 0)
        return;
    enter(m_step == Step::PcpUdp ? Step::PcpTcp : Step::NatPmpTcp, outputs);
}

void PortMapper::onTcpMapped(const PortMapReply& reply, Instant now, Outputs& outputs)
{
    if (reply.result == PortMapReply::kDone) {
        m_candidate.hasTcp = reply.outside == m_candidate.external.port && reply.lease.count() > 0;
        if (!m_candidate.hasTcp) // nobody would look for it there
            outputs.push_back(SendDatagram{kMainSocket, doorOf(m_config.gateway),
                                           request(wish(Transport::Tcp, 0, std::chrono::seconds(0)))});
    }
    hold(m_candidate, now, outputs);
}

void PortMapper::fallBack(const std::string& why, Instant now, Outputs& outputs)
{
    const bool isUpnp = m_step == Step::Upnp;
    m_troubles[isUpnp ? kByUpnp : kByDatagram] = why;
    if (isUpnp)
        return onNoMethodLeft(now, outputs);
    // An old router may have nothing to say to PCP.
    enter(m_step == Step::PcpUdp && m_sent == kTries ? Step::NatPmpAddress : Step::Upnp, outputs);
}

void PortMapper::onNoMethodLeft(Instant now, Outputs& outputs)
{
    m_step = Step::Waiting;
    if (m_mapping && now >= m_expires)
        drop(outputs);
    if (m_mapping)
        return schedule(std::max<Duration>((m_expires - now) / 2, kShortest), outputs);
    schedule(m_pause, outputs);
    m_pause = std::min(m_pause * 2, kRetryMax);
}

void PortMapper::hold(PortMapping mapping, Instant now, Outputs& outputs)
{
    m_step = Step::Waiting;
    m_pause = kRetryMin;
    for (std::string& trouble : m_troubles)
        trouble.clear();
    // What holds until it is deleted is looked after all the same: the router may have been restarted.
    const Duration lease = mapping.lease == Duration(0) ? Duration(kLease) : mapping.lease;
    m_expires = now + lease;
    if (m_mapping != mapping)
        outputs.push_back(PortMappingChanged{});
    m_mapping = mapping;
    schedule(std::max(lease / 2, kShortest), outputs);
}

void PortMapper::drop(Outputs& outputs)
{
    if (m_mapping)
        outputs.push_back(PortMappingChanged{});
    m_mapping.reset();
}

void PortMapper::onDeleted(const PortMapReply& reply, Outputs& outputs)
{
    if (reply.transport)
        m_deleting.erase(*reply.transport);
    if (m_deleting.empty())
        end(outputs);
}

void PortMapper::deleteAgain(Outputs& outputs)
{
    if (m_sent++ == kGoodbyes || m_deleting.empty())
        return end(outputs);
    for (const Transport transport : m_deleting)
        outputs.push_back(SendDatagram{kMainSocket, doorOf(m_config.gateway),
                                       request(wish(transport, 0, std::chrono::seconds(0)))});
    schedule(kPatience, outputs);
}

void PortMapper::end(Outputs& outputs)
{
    m_step = Step::Ended;
    m_mapping.reset();
    outputs.push_back(PortMapperEnded{});
}

MapWish PortMapper::wish(Transport transport, std::uint16_t outside, std::chrono::seconds lease) const
{
    return {transport, m_config.own, outside, lease, m_nonce};
}

Bytes PortMapper::request(const MapWish& wish) const
{
    return method() == PortMapMethod::Pcp ? pcpMapRequest(wish) : natPmpMapRequest(wish);
}

PortMapMethod PortMapper::method() const
{
    switch (m_step) {
    case Step::PcpUdp:
    case Step::PcpTcp:
        return PortMapMethod::Pcp;
    case Step::NatPmpAddress:
    case Step::NatPmpUdp:
    case Step::NatPmpTcp:
        return PortMapMethod::NatPmp;
    case Step::Upnp:
        return PortMapMethod::Upnp;
    case Step::Waiting:
    case Step::Deleting:
    case Step::Ended:
        break;
    }
    return m_mapping ? m_mapping->method : PortMapMethod::Pcp;
}

} // namespace starling::nat
