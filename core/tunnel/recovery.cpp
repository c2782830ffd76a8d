// SPDX-License-Identifier: Apache-2.0
#include "tunnel/recovery.h"

#include <algorithm>

namespace starling::tunnel {

namespace {

using namespace std::chrono_literals;

// Guesses where no source is named.
constexpr std::uint64_t kReorderThreshold = 3; // RFC 9002 section 6.1.1
constexpr unsigned kMaxTries = 6; // at 20 % loss one in 15,000 is given up
constexpr double kBudgetShare = 1.0 / 3; // repetitions for each datagram; at 20 % loss a quarter is needed
constexpr double kMaxBudget = 64;
constexpr std::size_t kAtTimeout = 8; // repeated at once
constexpr unsigned kMaxTimeouts = 4; // in a row; then uTP may try
constexpr std::size_t kArrivalsPerAck = 8; // as link::Incoming
constexpr std::size_t kEarlyPerAck = 2;
constexpr Duration kMinTimeout = 30ms, kMaxTimeout = 500ms, kInitialTimeout = 200ms;
constexpr Duration kMinHold = 40ms, kMaxHold = 500ms;
constexpr std::uint16_t kBeginning = 16; // numbers that may overtake the first one
constexpr std::size_t kMaxSaid = 256; // numbers beyond the next one that an acknowledgement can name

} // namespace

// --- Sending

void Recovery::transmit(Sent& sent, Instant now, Out& out)
{
    sent.transmission = ++m_transmissions;
    sent.at = now;
    ++sent.tries;
    out.toPeer.push_back(sent.datagram);
}

void Recovery::send(ByteView carried, Instant now, Out& out)
{
    if (m_sent.size() >= kMaxKept)
        forgetFirst();
    if (m_missing++ == 0)
        m_quietSince = now;
    m_budget = std::min(kMaxBudget, m_budget + kBudgetShare);
    Sent& sent = m_sent.emplace_back();
    const std::uint64_t number = m_base + m_sent.size() - 1;
    sent.datagram = serialize(Numbered{m_epoch, static_cast<std::uint16_t>(number), carried});
    transmit(sent, now, out);
}

void Recovery::repeat(Sent& sent, Instant now, Out& out)
{
    if (sent.tries >= kMaxTries || m_budget < 1)
        return;
    m_budget -= 1;
    ++m_repeated;
    transmit(sent, now, out);
}

void Recovery::forgetFirst()
{
    if (!m_sent.front().datagram.empty())
        --m_missing;
    m_sent.pop_front();
    ++m_base;
}

void Recovery::noteArrival(Sent& sent, Instant now)
{
    if (sent.datagram.empty())
        return;
    if (sent.transmission > m_newest) {
        m_newest = sent.transmission;
        if (sent.tries == 1)
            m_roundTrip.add(now - sent.at);
    }
    sent.datagram.clear();
    --m_missing;
    m_timeouts = 0;
    m_quietSince = now;
}

void Recovery::receive(const Arrived& arrived, Instant now, Out& out)
{
    // Of before, or of numbers that were never given.
    const auto upTo = static_cast<std::uint16_t>(arrived.next - static_cast<std::uint16_t>(m_base));
    if (arrived.epoch != m_epoch || upTo > m_sent.size())
        return;
    for (std::size_t i = 0; i < upTo; ++i)
        noteArrival(m_sent[i], now);
    for (std::size_t i = 0; i < arrived.beyond.size() * 8 && upTo + 1 + i < m_sent.size(); ++i)
        if ((std::to_integer<unsigned>(arrived.beyond[i / 8]) >> i % 8 & 1) != 0)
            noteArrival(m_sent[upTo + 1 + i], now);
    for (std::size_t i = 0; i < upTo; ++i)
        forgetFirst();
    for (Sent& sent : m_sent)
        if (!sent.datagram.empty() && sent.transmission + kReorderThreshold <= m_newest)
            repeat(sent, now, out);
}

Duration Recovery::timeout() const
{
    const auto patience = m_roundTrip.patience();
    const Duration once =
        patience ? std::clamp(*patience + 2 * kTick, kMinTimeout, kMaxTimeout) : kInitialTimeout;
    return once * (1U << m_timeouts);
}

void Recovery::onTick(Instant now, Out& out)
{
    if (m_missing > 0 && now - m_quietSince >= timeout()) {
        m_quietSince = now;
        if (++m_timeouts > kMaxTimeouts) {
            m_timeouts = 0;
            while (!m_sent.empty())
                forgetFirst();
        }
        std::size_t count = 0;
        for (auto sent = m_sent.begin(); sent != m_sent.end() && count < kAtTimeout; ++sent)
            if (!sent->datagram.empty()) {
                repeat(*sent, now, out);
                ++count;
            }
    }
    if (!m_early.empty() && now - m_early.begin()->second.at >= hold()) {
        m_next = m_early.begin()->first; // what is missing does not come any more
        release(out);
        ++m_unsaid;
    }
    if (m_unsaid > 0)
        say(out);
}

// --- Receiving

/// Two of the other side's timeouts.
Duration Recovery::hold() const
{
    const auto patience = m_roundTrip.patience();
    return patience ? std::clamp(2 * (*patience + 2 * kTick), kMinHold, kMaxHold) : kMaxHold;
}

bool Recovery::follow(const Numbered& datagram)
{
    if (m_theirs == datagram.epoch)
        return true;
    if (m_theirsBefore == datagram.epoch)
        return false; // overtaken by what came after it
    m_theirsBefore = std::exchange(m_theirs, datagram.epoch);
    // Either what was sent before is under way still, or it was for somebody who was here before us.
    m_next = datagram.number < kBeginning ? 0 : datagram.number;
    m_early.clear();
    m_unsaid = 0;
    return true;
}

void Recovery::begin(const Numbered& first)
{
    follow(first);
    m_next = first.number;
}

void Recovery::release(Out& out)
{
    for (auto early = m_early.begin(); early != m_early.end() && early->first == m_next;
         early = m_early.erase(early)) {
        out.arrived.push_back(std::move(early->second.carried));
        ++m_next;
    }
}

void Recovery::receive(const Numbered& datagram, Instant now, Out& out)
{
    if (!follow(datagram))
        return;
    ++m_unsaid;
    const auto ahead = static_cast<std::uint16_t>(datagram.number - static_cast<std::uint16_t>(m_next));
    if (ahead == 0) {
        out.arrived.push_back(toBytes(datagram.carried));
        ++m_next;
        release(out);
    } else if (ahead < 0x8000) {
        const std::uint64_t number = m_next + ahead;
        while (number - m_next > kMaxEarly) {
            // Whoever lost so much waits for the rest in vain.
            m_next =
                m_early.empty() ? number - kMaxEarly : std::min(m_early.begin()->first, number - kMaxEarly);
            release(out);
        }
        m_early.try_emplace(number, Early{toBytes(datagram.carried), now});
        release(out);
    }
    // Otherwise it came before: what was said of it was lost.
    if (m_unsaid >= (m_early.empty() && ahead < 0x8000 ? kArrivalsPerAck : kEarlyPerAck))
        say(out);
}

void Recovery::say(Out& out)
{
    Arrived arrived{*m_theirs, static_cast<std::uint16_t>(m_next), {}};
    Bytes beyond;
    for (const auto& [number, early] : m_early) {
        const std::size_t i = number - m_next - 1;
        if (i >= kMaxSaid)
            break;
        beyond.resize(i / 8 + 1);
        beyond[i / 8] |= static_cast<std::byte>(1U << i % 8);
    }
    arrived.beyond = beyond;
    out.toPeer.push_back(serialize(arrived));
    m_unsaid = 0;
}

} // namespace starling::tunnel
