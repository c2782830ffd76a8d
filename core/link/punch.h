// SPDX-License-Identifier: Apache-2.0
/// How a link leaves its detour, or its stream: both sides tell each other where they may be reached, and
/// then send challenges (paths.h) to each other at the same moment, so that what is on its way opens the NATs
/// and firewalls of both. Whoever gets an answer uses that address from then on. Pure.
///
///     leader                                  other side
///     CANDIDATES ─────────────────────────>                       again after a while
///                <───────────────── CANDIDATES, answer
///     GO         ─────────────────────────>
///     half a round trip later: CHALLENGE ──> <── CHALLENGE at once     to all candidates, some times
///
/// A side whose NAT gives each destination another port, and counts them up, says near which port it is
/// (PortForecast). The other one sends challenges to ports before and behind it as well, other ones in each
/// volley: whichever is the right one, the first challenge opens its own NAT or firewall for what comes from
/// there.
///
/// After libp2p's DCUtR, with RFC 8445's candidates. In each further round the other one leads: whose
/// datagrams come too early differs. Departure from both: the addresses travel inside the link, from end to
/// end, so that nobody but the two, who have proved who they are, can say where challenges go.
#pragma once

#include "base/time.h"
#include "link/frame.h"

namespace starling::link {

/// Whether somebody may be there: a port, and no detour, multicast, broadcast or unspecified address; nor
/// loopback unless `own`, our candidates, have some.
bool isCheckable(const Endpoint& endpoint, const std::vector<Endpoint>& own);

class Punch
{
public:
    static constexpr unsigned kVolleys = 4; ///< of challenges in a round; guess
    /// Between the first two; then doubled: over after 1.5 s. RFC 8445 section 14.2: Ta, 50 ms, and twice it
    /// for who is early by as much.
    static constexpr Duration kVolleyPause = std::chrono::milliseconds(100);
    static constexpr std::size_t kGuesses = kMaxGuesses / kVolleys; ///< of ports, in each
    /// Between two rounds with guesses: 1.4 KB/s of them at most, all to one address that the other side
    /// names.
    static constexpr Duration kBetweenGuesses = std::chrono::seconds(4);
    /// Rounds with guesses that go on where the one before ended; then from the beginning. Guess.
    static constexpr unsigned kReach = 4;
    static constexpr std::size_t kCalls = 3; ///< addresses that a round tries on streams; guess
    static constexpr unsigned kOffers = 4; ///< times that CANDIDATES is sent in a round
    static constexpr Duration kOfferPause = std::chrono::milliseconds(400); ///< guess: above most round trips
    /// After an answer without GO, or without an offer when it is the other side's turn. Guess.
    static constexpr Duration kPatience = std::chrono::milliseconds(1'000);
    /// Guess: as often as this at most another's word makes us send challenges, 44 bytes to each candidate.
    static constexpr Duration kBetweenRounds = std::chrono::seconds(1);
    /// Before the second round, doubled up to kMaxRest: NATs change, and with them what works. Guesses.
    static constexpr Duration kRest = std::chrono::milliseconds(500);
    static constexpr Duration kMaxRest = std::chrono::minutes(5);

    /// `isFirst`: leads the first round; of two nodes the one with the lower id.
    explicit Punch(bool isFirst);

    struct Deed
    {
        std::vector<Frame> say; ///< over the link
        std::vector<Endpoint> check; ///< challenges go there
        bool isVolley = false; ///< and wherever else the other side may be
        std::vector<Endpoint> call; ///< nothing of it worked over UDP: the leader may try streams
    };
    /// The link goes by a detour or a stream from now on.
    void begin(Instant now);
    /// It does not.
    void stop();
    /// `own`: where this node may be reached, best first.
    Deed onCandidates(const Candidates& candidates, const std::vector<Endpoint>& own, Instant now);
    void onGo(const Go& go, Instant now);
    Deed onDue(const std::vector<Endpoint>& own, Instant now);
    /// Another round soon: our own addresses have changed.
    void hurry(Instant now);
    std::optional<Instant> due() const;
    unsigned rounds() const { return m_rounds; } ///< that came to nothing
    std::size_t named() const { return m_theirs.size(); } ///< candidates of the other side

private:
    enum class State : std::uint8_t { Off, Resting, Offering, Answered, Checking };
    bool isLeading() const { return (m_round % 2 == 0) == m_isFirst; }
    void offer(Deed& deed, const std::vector<Endpoint>& own, Instant now);
    void take(const Candidates& candidates, const std::vector<Endpoint>& own);
    void rest(Instant now);
    void beginChecking(Instant now, Instant due);
    void guess(std::vector<Endpoint>& check) const;

    bool m_isFirst;
    State m_state = State::Off;
    std::uint8_t m_round = 0;
    unsigned m_rounds = 0, m_offers = 0, m_volleys = 0;
    std::vector<Endpoint> m_theirs;
    std::optional<PortForecast> m_forecast; ///< theirs
    bool m_isGuessing = false; ///< in this round
    std::optional<Instant> m_guessed; ///< when such a round began last
    unsigned m_guessedRounds = 0;
    Instant m_due, m_offered;
    std::optional<Instant> m_taken; ///< the last offer
};

} // namespace starling::link
