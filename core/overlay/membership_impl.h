// SPDX-License-Identifier: Apache-2.0
/// The state of membership.h. Inputs are in membership.cpp, messages and neighbours in
/// membership_neighbors.cpp, contacts and what is done by and by in membership_upkeep.cpp. Pure.
#pragma once

#include "overlay/membership.h"
#include "overlay/postbox.h"

#include <algorithm>

namespace starling::overlay {

constexpr std::size_t kFew = 2; ///< contacts from which two parts of a fleet grow together; guess
constexpr std::size_t kShuffled = 6; ///< contacts; HyParView section 5.1 says 7, and one is our own
constexpr Duration kRefused = std::chrono::seconds(20); ///< before it is asked again; doubled each time
/// Who refused to be one more near neighbour has nearer ones; guess.
constexpr Duration kNearRefused = std::chrono::minutes(10);
constexpr Duration kFailed = std::chrono::seconds(1); ///< the same, of who did not answer; guesses
/// What others make us do: verify their contacts, walk for them. Guess: a join of all neighbours at once, and
/// some of them every second.
constexpr std::uint32_t kContactBurst = 128, kContactsPerSecond = 16;
constexpr std::uint32_t kWalkBurst = 32, kWalksPerSecond = 8;

/// A time that was not measured is longer than any.
constexpr Duration kUnmeasured = Duration::max() / 8;

constexpr std::size_t kSome = 4; ///< neighbours; who has fewer may soon have none. Guess
constexpr Duration kBetweenFills = std::chrono::seconds(2); ///< of who has some; doubled each time. Guess
constexpr Duration kWorthwhile = std::chrono::milliseconds(2); ///< guess

inline bool isMuchNearer(Duration a, Duration b)
{
    // A fifth less: what is measured twice is not exchanged twice. And by what a change of links is worth: in
    // one building, everybody is near enough, and round trips tell how busy the other is.
    return a * 5 < b * 4 && b - a > kWorthwhile;
}

inline Duration doubled(Duration least, unsigned times)
{
    constexpr unsigned kMaxDoublings = 5;
    return least * (1u << std::min(times, kMaxDoublings));
}

class Membership::Impl
{
public:
    Impl(const NodeId& self, const MembershipConfig& config, const Mediator& mediator, RandomSource& random)
        : m_self(self)
        , m_config(config)
        , m_mediator(mediator)
        , m_random(random)
        , m_passive(config.passive, random)
        , m_contacts(kContactBurst, kContactsPerSecond, Instant())
        , m_walks(kWalkBurst, kWalksPerSecond, Instant())
    {
    }

    std::vector<MembershipOutput> handle(const MembershipInput& input, Instant now);
    bool isNeighbor(NeighborId link) const;
    std::optional<NodeId> nodeOf(NeighborId link) const;
    std::vector<Neighbor> neighbors() const;
    std::vector<Contact> known() const;
    const PassiveView& passive() const { return m_passive; }

private:
    using Role = Neighbor::Role;
    struct Peer
    {
        enum class State : std::uint8_t { Idle, Asked, Active } state{};
        Role role{};
        NodeId node;
        Endpoint endpoint;
        std::optional<Duration> roundTrip;
        Contact contact; ///< empty if it is not known
        std::uint64_t sequence = 0;
        Instant since; ///< of its state
        std::optional<Instant> silentSince;
        std::optional<Instant> shuffled, reshuffled; ///< we did, it did
        std::optional<Instant> rebuked; ///< for a message that only a neighbour sends
        unsigned forged = 0;

        bool isRestricted = false; ///< its certificate is over: Active beside the neighbours

        bool isAlive() const { return state == State::Active && !silentSince && !isRestricted; }
    };
    using State = Peer::State;
    using Peers = FlatMap<NeighborId, Peer>;
    struct Attempt
    {
        enum class Purpose : std::uint8_t { Begin, Fill, Measure } purpose{};
        std::optional<NodeId> node;
        Instant since;
    };
    using Purpose = Attempt::Purpose;

    // Inputs
    void on(const OwnContact& input, Instant now);
    void on(const Bootstrap& input, Instant now);
    void on(const Remembered& input, Instant now);
    void on(const LinkUp& input, Instant now);
    void on(const LinkFailed& input, Instant now);
    void on(const LinkMoved& input, Instant now);
    void on(const LinkDown& input, Instant now);
    void on(const LinkSilence& input, Instant now);
    void on(const StrangeMessage& input, Instant now);
    void on(const MessageReceived& input, Instant now);
    void on(const MembershipTimer& input, Instant now);
    // Messages
    void on(Peers::value_type& from, const JoinMessage& message, Instant now);
    void on(Peers::value_type& from, const ForwardJoinMessage& message, Instant now);
    void on(Peers::value_type& from, const AskMessage& message, Instant now);
    void on(Peers::value_type& from, const AnswerMessage& message, Instant now);
    void on(Peers::value_type& from, const DisconnectMessage& message, Instant now);
    void on(Peers::value_type& from, const ShuffleMessage& message, Instant now);
    void on(Peers::value_type& from, const ShuffleReplyMessage& message, Instant now);
    void on(Peers::value_type& from, const MovedMessage& message, Instant now);

    // Neighbours
    std::size_t count(Role role) const;
    std::size_t alive() const;
    bool isLacking() const { return alive() < m_config.wanted; }
    Role nextRole() const;
    void ask(Peers::value_type& peer, Role role, bool isJoin, Instant now);
    void considerNear(Peers::value_type& peer, Instant now);
    bool makesRoom(const Peers::value_type& asker, Urgency urgency, Instant now);
    void answer(Peers::value_type& asker, Urgency urgency, Instant now);
    void promote(Peers::value_type& peer, Role role, Instant now);
    void demote(Peers::value_type& peer, Instant now);
    void drop(Peers::value_type& peer, std::vector<Contact> instead, Instant now);
    void trim(Instant now);
    Peers::value_type* slowest(Role role);
    Peers::value_type* anyActive(const std::set<NodeId>& except);
    Peers::value_type* activeBeside(const Peers::value_type& peer);

    // Contacts
    std::set<NodeId> busy() const;
    bool isSelf(Peers::value_type& from, const Contact& contact, Instant now);
    std::optional<Candidate> examine(Peers::value_type& from, const Contact& contact, Instant now);
    void learn(Peers::value_type& from, const std::vector<Contact>& contacts, Instant now);
    void misbehave(Peers::value_type& from, Error error, Instant now);
    std::vector<Contact> offer(std::size_t count, const NodeId& to);
    void postpone(const NodeId& node, Instant now);
    void remember(const Peer& peer, Duration pause, Instant now);

    // Devices whose certificates are over
    bool takeRestricted(Peers::value_type& peer);
    void onRestricted(Peers::value_type& from, const MembershipMessage& message);

    // What is done by and by
    void connect(const Candidate& candidate, Purpose purpose, Instant now);
    bool isLinked(const Endpoint& endpoint) const;
    void fill(Instant now);
    void begin(Instant now);
    bool isOfUse(const Peer& peer) const;
    void sweep(Instant now);
    void measure(Instant now);
    void shuffle(Instant now);
    void settleAgain(Instant now);
    void askAnybody(Instant now);
    void sendShuffle(Peers::value_type& peer, std::size_t count, Instant now);
    void reunite(Instant now);
    void arm(Instant now);
    Duration about(Duration interval);
    bool isYoung(Instant now) const { return now - m_unsettled < m_config.youth; }

    void send(NeighborId to, const MembershipMessage& message)
    {
        m_outputs.emplace_back(SendMessage{to, serialize(message)});
    }
    void close(NeighborId link) { m_outputs.emplace_back(CloseLink{link}); }

    const NodeId m_self;
    const MembershipConfig m_config;
    const Mediator& m_mediator;
    RandomSource& m_random;
    Contact m_own;
    std::vector<Endpoint> m_bootstrap;
    PassiveView m_passive;
    Peers m_peers; ///< all links that are up
    std::map<Endpoint, Attempt> m_attempts;
    std::map<NodeId, Instant> m_shunned; ///< until then
    Allowance m_contacts, m_walks;
    bool m_isStarted = false;
    Instant m_nextFill; ///< of who has some neighbours
    unsigned m_refused = 0; ///< fills, since the last neighbour came
    Instant m_unsettled, m_nextBegin, m_nextEviction, m_nextMeasure, m_nextShuffle, m_nextReunion;
    Instant m_lastBurst;
    unsigned m_begun = 0; ///< times in a row that bootstraps were tried
    std::optional<Instant> m_armed;
    std::uint64_t m_generation = 0;
    std::vector<MembershipOutput> m_outputs;
};

} // namespace starling::overlay
