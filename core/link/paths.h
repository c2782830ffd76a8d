// SPDX-License-Identifier: Apache-2.0
/// Where else the datagrams of one link come from, and whether the link is to follow: a NAT gave the other
/// side another port, it moved, or somebody copies its datagrams. Pure.
///
///     here                          new address                    address in use
///     CHALLENGE, PING    ────────────►                   ────────────►
///                        ◄────────── RESPONSE, the same nonce
///                        one retransmission timeout later, nothing having come from there since: follow
///
/// After RFC 9000 sections 8.2 and 9. Departure: traffic goes on to the address in use until the other one
/// has answered *and* the one in use has been silent. Everything that the other side says reaches us from
/// where it is; so whatever comes from the address in use and was said no earlier than what came from the new
/// one, even for the second time, shows that somebody else stands in the new one's place.
#pragma once

#include "base/endpoint.h"
#include "base/random.h"
#include "base/time.h"
#include "link/frame.h"
#include "link/packet.h"
#include "link/ways.h"

#include <optional>
#include <vector>

namespace starling::link {

constexpr std::size_t kChallengeBytes = kSealedOverheadBytes + 1 + 8; ///< a datagram; of a RESPONSE, too

class Paths
{
public:
    static constexpr std::size_t kMaxCandidates = 4; ///< at once; guess: a device that moves twice
    static constexpr unsigned kMaxChallenges = 3; ///< to one address; guess: at 10 % loss one in 150 fails
    /// For so long an address that did not answer, or stood in another's place, is not asked again.
    /// RFC 9000 section 8.2.4 says three timeouts; of a second each, and the wait after them.
    static constexpr Duration kLifetime = std::chrono::seconds(4);
    static constexpr std::size_t kMaxChecked =
        kMaxCandidates + kMaxNamedCandidates + kMaxGuesses; ///< together
    /// Bytes that go to an address which has not answered, for each that came from it. RFC 9000 section 8.
    static constexpr std::size_t kAmplification = 3;

    /// `random` must outlive it.
    explicit Paths(RandomSource& random);

    // What authenticated. `counter` says in which order the other side sent.
    /// How the address in use is reached. One that has answered and is reached by a better way is not refuted
    /// by what comes from it.
    void setWay(Way way) { m_way = way; }
    /// A challenge to an address where the other side says that it may be reached. Who calls this paces them.
    PathChallenge check(const Endpoint& to, Instant now);
    /// From the address in use; also if it came before.
    void onCurrent(std::uint64_t counter);
    /// From another one, with a datagram of `bytes`.
    void onOther(const Endpoint& from, std::uint64_t counter, std::size_t bytes, Instant now);
    void onResponse(const Endpoint& from, const PathResponse& response, Instant now);

    /// Whether kChallengeBytes may go to `to` to answer a challenge from there; they are counted.
    bool mayRespond(const Endpoint& to);
    bool isWatching() const { return !m_candidates.empty(); }

    struct Ask
    {
        Endpoint to;
        PathChallenge challenge;
    };
    /// The challenges to send now; `timeout` is that of retransmissions.
    std::vector<Ask> takeDue(Instant now, Duration timeout);

    struct Proven
    {
        Endpoint endpoint;
        std::optional<Duration> roundTrip; ///< if it is known
    };
    /// The address to follow to.
    std::optional<Proven> proven(Instant now, Duration timeout) const;
    /// `endpoint` is in use from now on.
    void follow(const Endpoint& endpoint);
    /// `endpoint` cannot be followed to.
    void forget(const Endpoint& endpoint);
    /// When takeDue() or proven() has something, if no datagram changes that.
    std::optional<Instant> due(Duration timeout) const;

private:
    struct Candidate
    {
        Endpoint endpoint;
        std::uint64_t nonce = 0;
        std::uint64_t first = 0, newest = 0; ///< counters of what came from there
        std::size_t received = 0, sent = 0; ///< bytes
        Instant since, asked;
        unsigned challenges = 0;
        std::optional<Instant> answered;
        bool isRefuted = false;
        bool isChecked = false; ///< by check()

        bool maySend() const { return sent + kChallengeBytes <= kAmplification * received; }
        /// What was called and speaks now is asked once more: our call came before its NAT would let it in.
        bool isToAsk() const
        {
            return !answered && !isRefuted && (!isChecked || received > 0) && challenges < kMaxChallenges
                && maySend();
        }
        bool isToFollow() const { return answered && !isRefuted; }
    };
    Candidate* find(const Endpoint& endpoint);

    bool isSettled(const Candidate& candidate, Instant now, Duration timeout) const;
    bool isBetter(const Endpoint& endpoint) const { return wayOf(endpoint) < m_way; }

    RandomSource* m_random;
    Way m_way = Way::Udp;
    std::uint64_t m_newest = 0; ///< counter of what came from the address in use
    std::vector<Candidate> m_candidates;
};

} // namespace starling::link
