// SPDX-License-Identifier: Apache-2.0
/// Has a router pass one port on to this device, and keeps that up: UDP, and TCP with the same number where
/// that is to be had. Pure. It asks by PCP, then by NAT-PMP, then by UPnP; whoever owns it does UPnP, which
/// is HTTP. What routers answer is believed as far as it fits the question; it makes the machine ask again,
/// at most, and no sooner than the pauses below.
#pragma once

#include "nat/datagram.h"
#include "nat/port_map_message.h"
#include "nat/port_mapping.h"

#include "base/random.h"

#include <set>
#include <variant>

namespace starling::nat {

/// A timer as a value: comes back through PortMapper::handle. Stale ones are ignored.
struct PortMapTimer
{
    std::uint64_t number = 0;
    bool operator==(const PortMapTimer&) const = default;
};
struct SchedulePortMap
{
    Duration delay;
    PortMapTimer timer;
};
/// To be done by UPnP, and answered by UpnpAnswered. What is under way need not be ended first.
struct AskUpnp
{
    enum class What : std::uint8_t { Map, Unmap } what{};
    Endpoint gateway, own;
    std::vector<std::uint16_t> outside; ///< ports, the preferred one first; to be unmapped: the one
    std::chrono::seconds lease{};
};
struct UpnpAnswered
{
    Result<PortMapping> mapping;
};
/// PortMapper::mapping() is another one, or there is none any more.
struct PortMappingChanged
{
};
/// After PortMapper::stop(): everything is deleted, or the router does not answer.
struct PortMapperEnded
{
};

class PortMapper
{
public:
    struct Config
    {
        Endpoint gateway; ///< of IPv4; its port does not matter
        Endpoint own; ///< this device's address in the gateway's network, and the port that is to be reached
    };
    /// RFC 6886 section 3.3 recommends two hours. A router that has restarted without a word is noticed after
    /// half of it, and one that this device has left forgets it after it.
    static constexpr std::chrono::seconds kLease = std::chrono::minutes(20);
    /// Between two tries where there is no mapping, doubled up to the second one. Guesses: people switch it
    /// on in the router and wait; nobody waits for a router that never had it.
    static constexpr Duration kRetryMin = std::chrono::minutes(1), kRetryMax = std::chrono::hours(1);
    /// Between two renewals, whatever the router grants or says. Guess.
    static constexpr Duration kShortest = std::chrono::seconds(30);
    /// The same when it said that it is new: forged, that costs a few datagrams. Guess.
    static constexpr Duration kNewsPause = std::chrono::seconds(5);
    /// The first wait for an answer, doubled each time: RFC 6886 section 3.1. It wants nine tries, 128 s; a
    /// router is one hop away, and other protocols wait.
    static constexpr Duration kPatience = std::chrono::milliseconds(250);
    static constexpr unsigned kTries = 3; ///< 1.75 s
    static constexpr Duration kUpnpPatience =
        std::chrono::seconds(30); ///< guess: the library's limits add up
    static constexpr Duration kUpnpGoodbye = std::chrono::milliseconds(1'500); ///< guess: who stops waits
    static constexpr std::size_t kUpnpPorts = 4; ///< that are tried, others may have them; guess

    using Output = std::variant<SendDatagram, SchedulePortMap, AskUpnp, PortMappingChanged, PortMapperEnded>;
    using Outputs = std::vector<Output>;

    /// `random` must outlive it.
    PortMapper(const Config& config, RandomSource& random);

    /// To be called once.
    Outputs start(Instant now);
    Outputs handle(const DatagramReceived& received, Instant now);
    Outputs handle(const PortMapTimer& timer, Instant now);
    Outputs handle(const UpnpAnswered& answered, Instant now);
    /// A datagram that came to kPortMapNewsPort, from anybody.
    Outputs onNews(const DatagramReceived& received, Instant now);
    /// Deletes what there is; then PortMapperEnded, after a second or two at most. Nothing comes after that.
    Outputs stop(Instant now);

    const Config& config() const { return m_config; }
    const std::optional<PortMapping>& mapping() const { return m_mapping; }
    bool isAsking() const { return !m_mapping && m_step != Step::Waiting && m_step != Step::Ended; }
    /// Of the lease.
    Duration rest(Instant now) const;
    /// Why there is none, or why it was not renewed; empty if nothing is wrong.
    std::string trouble() const;

private:
    enum class Step : std::uint8_t {
        PcpUdp,
        PcpTcp,
        NatPmpAddress,
        NatPmpUdp,
        NatPmpTcp,
        Upnp,
        Waiting, ///< until the next try, or renewal
        Deleting,
        Ended,
    };
    void begin(Outputs& outputs);
    void enter(Step step, Outputs& outputs);
    void send(Outputs& outputs);
    void schedule(Duration delay, Outputs& outputs);
    void onReply(const PortMapReply& reply, Instant now, Outputs& outputs);
    void onUdpMapped(const PortMapReply& reply, Outputs& outputs);
    void onTcpMapped(const PortMapReply& reply, Instant now, Outputs& outputs);
    void onDeleted(const PortMapReply& reply, Outputs& outputs);
    bool isExpected(const PortMapReply& reply) const;
    /// The method that is being tried has failed: on to the next one.
    void fallBack(const std::string& why, Instant now, Outputs& outputs);
    void onNoMethodLeft(Instant now, Outputs& outputs);
    void hold(PortMapping mapping, Instant now, Outputs& outputs);
    void drop(Outputs& outputs);
    void deleteAgain(Outputs& outputs);
    void end(Outputs& outputs);
    MapWish wish(Transport transport, std::uint16_t outside, std::chrono::seconds lease) const;
    Bytes request(const MapWish& wish) const;
    PortMapMethod method() const;

    Config m_config;
    RandomSource& m_random;
    MapNonce m_nonce{};
    Step m_step = Step::Waiting;
    std::uint64_t m_timer = 0; ///< the number of the one that counts
    Bytes m_request;
    unsigned m_sent = 0;
    bool m_hasNews = false; ///< the timer is for them
    PortMapping m_candidate; ///< while its other half is asked for
    std::optional<PortMapping> m_mapping;
    Instant m_expires{}, m_asked{};
    Duration m_pause = kRetryMin;
    std::string m_troubles[2]; ///< of PCP and NAT-PMP; of UPnP
    std::set<Transport> m_deleting;
};

} // namespace starling::nat
