// SPDX-License-Identifier: Apache-2.0
/// The sending half of a link: cuts messages into fragments, keeps a window of them in flight, finds out
/// which were lost, and measures the round trip. Retransmission timeout after RFC 6298; a fragment is also
/// lost when one that was sent three transmissions later has arrived (RFC 9002 section 6.1.1); slow start
/// after RFC 5681, a smaller window after a loss by RFC 9438. Modification from RFC 6298: a minimum below one
/// second, and a sample from retransmissions too, because an ACK echoes the very transmission that it
/// answers.
#pragma once

#include "base/round_trip.h"
#include "link/frame.h"
#include "link/link.h"

#include <deque>

namespace starling::link {

class Outgoing
{
public:
    explicit Outgoing(const Config& config);

    /// Queues a message. Fails with TooLarge over maxMessageBytes and with Busy over maxQueuedBytes.
    Status push(Bytes message);
    /// The fragment to send now, if the window allows one; its payload is valid until the next call.
    std::optional<Data> next(Instant now);
    /// Fails with Malformed if it acknowledges what was never sent.
    Status onAck(const Ack& ack, Instant now);
    /// Everything in flight counts as lost, and the next timeout is twice as far. False when there were
    /// maxRetries in a row without an answer.
    bool onTimeout();
    /// The other side answered: timeouts count from zero again.
    void onAnswer() { m_timeouts = 0; }
    /// One measured round trip.
    void addSample(Duration roundTrip) { m_roundTrip.add(roundTrip); }
    /// The way to the other side is another one from now on: nothing is known of it but one round trip,
    /// perhaps, and what is in flight went the old way.
    void restart(std::optional<Duration> roundTrip);

    bool hasInFlight() const { return m_inFlight > 0; }
    /// When to call onTimeout, counted from the last send or answer.
    Duration retransmitTimeout() const;
    /// The first of several in a row.
    Duration firstTimeout() const;
    std::optional<Duration> roundTrip() const { return m_roundTrip.smoothed(); }
    std::uint64_t retransmissions() const { return m_retransmissions; }
    std::size_t queuedBytes() const { return m_queuedBytes; }

private:
    struct Fragment
    {
        std::shared_ptr<const Bytes> message;
        std::size_t offset = 0;
        std::size_t length = 0;
        std::uint64_t transmission = 0;
        Instant sent;
        enum class State : std::uint8_t { InFlight, Lost, Acknowledged } state = State::InFlight;
    };
    bool canSend() const;
    void addFragment();
    void acknowledge(Fragment& fragment);
    void findLost();
    void loseAll();
    void growWindow(std::size_t acknowledged);

    Config m_config;
    std::size_t m_fragmentBytes;
    std::deque<std::shared_ptr<const Bytes>> m_queue; ///< messages not wholly cut up
    std::size_t m_offset = 0; ///< in the first of them
    std::size_t m_queuedBytes = 0;
    std::deque<Fragment> m_fragments; ///< from the first unacknowledged on
    std::uint64_t m_base = 0; ///< sequence of the first of them
    std::size_t m_inFlight = 0, m_lost = 0;
    std::uint64_t m_transmissions = 0, m_retransmissions = 0;
    std::uint64_t m_echo = 0; ///< highest transmission that arrived
    std::uint64_t m_recovery = 0; ///< losses up to this transmission have been answered by a smaller window
    std::size_t m_window, m_threshold, m_credit = 0;
    unsigned m_timeouts = 0;
    RoundTrip m_roundTrip;
};

} // namespace starling::link
