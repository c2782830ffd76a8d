// SPDX-License-Identifier: Apache-2.0
/// Loss recovery between the two tunnels of one link, below uTP: datagrams are numbered, what is lost is sent
/// again, and what came after it waits so that uTP sees no loss but a little delay. uTP alone was measured at
/// a fiftieth of a line that loses one packet in twenty: its timeouts are half seconds, and a packet in two
/// parts is lost with either. It stays partial: losses beyond a share that congestion alone explains are
/// uTP's to see, and to slow down for. As link layers of radio networks do (RFC 3366). Pure.
#pragma once

#include "base/round_trip.h"
#include "tunnel/packet.h"

#include <deque>
#include <map>
#include <vector>

namespace starling::tunnel {

class Recovery
{
public:
    // Guesses, all of them, tried in the lab with 0 to 20 % loss.
    static constexpr std::size_t kMaxKept = 1'024; ///< datagrams that were sent and did not arrive yet
    static constexpr std::size_t kMaxEarly = 512; ///< that came before others
    static constexpr Duration kTick = std::chrono::milliseconds(10); ///< how often onTick() is wanted

    /// `epoch` tells this beginning from others: random.
    explicit Recovery(std::uint16_t epoch)
        : m_epoch(epoch)
    {
    }

    /// Views and bytes are good until the next call; each call adds to what there is.
    struct Out
    {
        std::vector<Bytes> toPeer; ///< for the link
        std::vector<Bytes> arrived; ///< what the other side's send() took, in its order
    };
    void send(ByteView carried, Instant now, Out& out);
    /// `first` is the first datagram of the other side that matters: nothing waits for those before it.
    void begin(const Numbered& first);
    void receive(const Numbered& datagram, Instant now, Out& out);
    void receive(const Arrived& arrived, Instant now, Out& out);
    /// To be called each kTick while isWaiting().
    void onTick(Instant now, Out& out);
    bool isWaiting() const { return m_missing > 0 || !m_early.empty() || m_unsaid > 0; }

    std::uint64_t repeated() const { return m_repeated; }

private:
    struct Sent
    {
        Bytes datagram; ///< empty: arrived
        std::uint64_t transmission = 0;
        Instant at;
        unsigned tries = 0;
    };
    struct Early
    {
        Bytes carried;
        Instant at;
    };
    void transmit(Sent& sent, Instant now, Out& out);
    void repeat(Sent& sent, Instant now, Out& out);
    void noteArrival(Sent& sent, Instant now);
    void forgetFirst();
    Duration timeout() const;
    Duration hold() const;
    /// Whether a datagram is of the other side's current beginning.
    bool follow(const Numbered& datagram);
    void release(Out& out);
    void say(Out& out);

    // What was sent
    std::uint16_t m_epoch;
    std::deque<Sent> m_sent;
    std::uint64_t m_base = 0; ///< number of the first of them
    std::size_t m_missing = 0; ///< of them that did not arrive
    std::uint64_t m_transmissions = 0, m_newest = 0; ///< newest: that arrived
    std::uint64_t m_repeated = 0;
    double m_budget = 32; ///< repetitions that may be made
    RoundTrip m_roundTrip;
    Instant m_quietSince; ///< nothing was sent and nothing arrived
    unsigned m_timeouts = 0; ///< in a row

    // What arrived
    std::optional<std::uint16_t> m_theirs, m_theirsBefore; ///< epochs
    std::uint64_t m_next = 0; ///< number
    std::map<std::uint64_t, Early> m_early;
    std::size_t m_unsaid = 0; ///< arrivals that the other side was not told of
};

} // namespace starling::tunnel
