// SPDX-License-Identifier: Apache-2.0
/// Finds out what NAT and firewall do with one UDP socket (RFC 5780 sections 4.3 and 4.4), by asking STUN
/// servers from it. Pure. It goes in three steps:
///
///     1. every server is asked for the mapped address, all at once
///     2. filtering: one that has a second address answers from it, and from its second port. Nothing has
///     been
///        sent there before, which is why this comes before
///     3. mapping: the second address is asked, its other port, too, if need be. Where no server has one,
///        those that answered are compared, and the majority is believed
///
/// Filtering is only told right if the socket has sent nothing to the servers' second addresses for as long
/// as a binding lives: a socket that was just opened, or one discovery in some minutes.
#pragma once

#include "nat/behaviour.h"
#include "nat/stun_client.h"

namespace starling::nat {

/// The end of a discovery.
struct BehaviourFound
{
    NatBehaviour behaviour;
};

class Discovery
{
public:
    struct Config
    {
        /// Asked at once; at least one, no two the same. Two tell of mapping, three outvote one that lies.
        std::vector<Endpoint> servers;
        /// The socket's own addresses with its port: which of them is mapped to itself, there is no NAT.
        std::vector<Endpoint> locals;
        /// Where an answer is expected: gives up after 7.5 s. RFC 8489's 39.5 s are long for somebody who
        /// waits, and with four tries at 10 % loss one in 1,000 goes wrong.
        StunSchedule expected{std::chrono::milliseconds(500), 4, 8};
        /// Where silence is an answer: 3.5 s. RFC 5780 section 4.4 lets this be configured.
        StunSchedule doubtful{std::chrono::milliseconds(500), 3, 4};
    };
    static constexpr std::size_t kMaxServers = 8; ///< guess; each costs a datagram or more
    using Output = std::variant<SendDatagram, ScheduleTimer, BehaviourFound>;

    /// `random` must outlive it. Servers over kMaxServers are not asked.
    Discovery(Config config, RandomSource& random);
    /// To be called once.
    std::vector<Output> start();
    std::vector<Output> handle(const DatagramReceived& received);
    std::vector<Output> handle(const StunTimer& timer);
    bool isDone() const { return m_step == Step::Done; }

private:
    enum class Step : std::uint8_t { Addresses, Filtering, MappingByAddress, MappingByPort, Done };
    using Outputs = std::vector<StunClient::Output>;

    void ask(const StunQuestion& question, std::size_t purpose, Outputs& outputs);
    std::vector<Output> pass(Outputs outputs);
    void onAnswer(std::size_t purpose, const Result<StunMessage>& answer, Outputs& outputs);
    void onAddresses(Outputs& outputs);
    void onFiltering(std::size_t purpose, const Result<StunMessage>& answer, Outputs& outputs);
    void onMapping(const Result<StunMessage>& answer, Outputs& outputs);
    void askForMapping(Outputs& outputs);
    void compareServers();
    void chooseHelper();
    void lookAhead();
    bool isLocal(const Endpoint& mapped) const;
    Endpoint primary() const; ///< of the server that has a second address
    Endpoint alternate() const;

    Config m_config;
    StunClient m_client;
    Step m_step = Step::Addresses;
    std::map<TransactionId, std::size_t> m_open; ///< what each transaction is for
    std::vector<std::optional<StunMessage>> m_answers; ///< of the servers, by their place
    std::optional<std::size_t> m_helper; ///< the first believable server with a second address
    std::optional<Endpoint> m_fromOtherAddress; ///< mapped, as its second address saw it
    std::optional<Endpoint> m_fromOtherPort; ///< and as that one's second port did
    /// Whether the second address, and the second port, got through the filter; empty if they did not tell.
    std::optional<bool> m_addressPasses, m_portPasses;
    NatBehaviour m_found;
};

} // namespace starling::nat
