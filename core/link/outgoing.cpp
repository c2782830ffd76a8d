// SPDX-License-Identifier: Apache-2.0
#include "link/outgoing.h"

#include "base/assert.h"
#include "link/packet.h"

#include <algorithm>

namespace starling::link {

namespace {

constexpr Duration kInitialTimeout = std::chrono::seconds(1); // RFC 6298 section 2.1
constexpr std::uint64_t kReorderThreshold = 3; // RFC 9002 section 6.1.1
constexpr std::size_t kInitialWindow = 10; // RFC 6928 section 2
constexpr std::size_t kMinWindow =
    4; // guess: lets three later arrivals show a loss without waiting for a timeout
constexpr std::size_t kMessageOverhead =
    64; // guess: what a queued message costs beside its bytes, empty ones too

} // namespace

Outgoing::Outgoing(const Config& config)
    : m_config(config)
    , m_fragmentBytes(config.datagramBytes - kSealedOverheadBytes - kDataOverheadBytes)
    , m_window(std::min(kInitialWindow, config.windowFragments))
    , m_threshold(config.windowFragments)
{
}

Status Outgoing::push(Bytes message)
{
    if (message.size() > m_config.maxMessageBytes)
        return fail(Errc::TooLarge, "message of " + std::to_string(message.size()) + " bytes");
    const std::size_t cost = message.size() + kMessageOverhead;
    if (m_queuedBytes + cost > m_config.maxQueuedBytes)
        return fail(Errc::Busy, std::to_string(m_queuedBytes) + " bytes are queued");
    m_queuedBytes += cost;
    m_queue.push_back(std::make_shared<const Bytes>(std::move(message)));
    return {};
}

bool Outgoing::canSend() const
{
    if (m_inFlight >= m_window)
        return false;
    return m_lost > 0 || (!m_queue.empty() && m_fragments.size() < kReceiveWindow);
}

void Outgoing::addFragment()
{
    Fragment fragment;
    fragment.message = m_queue.front();
    fragment.offset = m_offset;
    fragment.length = std::min(m_fragmentBytes, fragment.message->size() - m_offset);
    m_offset += fragment.length;
    if (m_offset == fragment.message->size()) {
        m_queue.pop_front();
        m_offset = 0;
    }
    m_fragments.push_back(std::move(fragment));
}

std::optional<Data> Outgoing::next(Instant now)
{
    if (!canSend())
        return std::nullopt;
    auto fragment = m_fragments.end();
    if (m_lost > 0) {
        fragment = std::find_if(m_fragments.begin(), m_fragments.end(),
                                [](const Fragment& f) { return f.state == Fragment::State::Lost; });
        STARLING_ASSERT(fragment != m_fragments.end());
        --m_lost;
        ++m_retransmissions;
    } else {
        addFragment();
        fragment = m_fragments.end() - 1;
    }
    fragment->state = Fragment::State::InFlight;
    fragment->transmission = ++m_transmissions;
    fragment->sent = now;
    ++m_inFlight;

    Data data;
    data.sequence = m_base + static_cast<std::uint64_t>(fragment - m_fragments.begin());
    data.transmission = fragment->transmission;
    data.isLast = fragment->offset + fragment->length == fragment->message->size();
    data.wantsAck = !canSend();
    data.payload = ByteView(*fragment->message).subspan(fragment->offset, fragment->length);
    return data;
}

void Outgoing::acknowledge(Fragment& fragment)
{
    --(fragment.state == Fragment::State::Lost ? m_lost : m_inFlight);
    fragment.state = Fragment::State::Acknowledged;
    m_queuedBytes -= fragment.length;
    if (fragment.offset + fragment.length == fragment.message->size())
        m_queuedBytes -= kMessageOverhead;
    fragment.message.reset();
}

Status Outgoing::onAck(const Ack& ack, Instant now)
{
    if (ack.next > m_base + m_fragments.size() || ack.echo > m_transmissions)
        return fail(Errc::Malformed, "ACK of what was never sent");
    std::size_t acknowledged = 0;
    for (std::size_t i = 0; i < m_fragments.size(); ++i) {
        const std::uint64_t sequence = m_base + i;
        const std::uint64_t beyond = sequence - ack.next - 1;
        const bool isIn =
            sequence < ack.next || (sequence > ack.next && beyond < kReceiveWindow && ack.beyond[beyond]);
        Fragment& fragment = m_fragments[i];
        if (!isIn || fragment.state == Fragment::State::Acknowledged)
            continue;
        if (fragment.transmission == ack.echo)
            addSample(now - fragment.sent);
        acknowledge(fragment);
        ++acknowledged;
    }
    while (!m_fragments.empty() && m_fragments.front().state == Fragment::State::Acknowledged) {
        m_fragments.pop_front();
        ++m_base;
    }
    m_echo = std::max(m_echo, ack.echo);
    if (acknowledged > 0) {
        onAnswer();
        growWindow(acknowledged);
    }
    findLost();
    return {};
}

void Outgoing::findLost()
{
    for (Fragment& fragment : m_fragments) {
        if (fragment.state != Fragment::State::InFlight || fragment.transmission + kReorderThreshold > m_echo)
            continue;
        fragment.state = Fragment::State::Lost;
        --m_inFlight;
        ++m_lost;
        if (fragment.transmission <= m_recovery)
            continue;
        // Once per window, by the factor of RFC 9438 section 4.6.
        m_recovery = m_transmissions;
        m_threshold = m_window = std::max(m_window * 7 / 10, std::min(kMinWindow, m_config.windowFragments));
    }
}

void Outgoing::growWindow(std::size_t acknowledged)
{
    if (m_window < m_threshold) {
        m_window = std::min(m_window + acknowledged, m_threshold);
        return;
    }
    m_credit += acknowledged;
    if (m_credit < m_window)
        return;
    m_credit -= m_window;
    m_window = std::min(m_window + 1, m_config.windowFragments);
}

void Outgoing::loseAll()
{
    for (Fragment& fragment : m_fragments) {
        if (fragment.state != Fragment::State::InFlight)
            continue;
        fragment.state = Fragment::State::Lost;
        --m_inFlight;
        ++m_lost;
    }
    m_recovery = m_transmissions;
}

void Outgoing::restart(std::optional<Duration> roundTrip)
{
    loseAll();
    m_window = std::min(kInitialWindow, m_config.windowFragments);
    m_threshold = m_config.windowFragments;
    m_credit = 0;
    m_timeouts = 0;
    m_roundTrip = {};
    if (roundTrip)
        addSample(*roundTrip);
}

bool Outgoing::onTimeout()
{
    if (m_timeouts >= m_config.maxRetries)
        return false;
    ++m_timeouts;
    if (m_inFlight == 0)
        return true;
    loseAll();
    const std::size_t least = std::min(kMinWindow, m_config.windowFragments);
    m_threshold = std::max(m_window / 2, least);
    m_window = least;
    return true;
}

Duration Outgoing::firstTimeout() const
{
    return std::clamp(m_roundTrip.patience().value_or(kInitialTimeout), m_config.minRetransmit,
                      m_config.maxRetransmit);
}

Duration Outgoing::retransmitTimeout() const
{
    Duration timeout = firstTimeout();
    for (unsigned i = 0; i < m_timeouts && timeout < m_config.maxRetransmit; ++i)
        timeout *= 2;
    return std::min(timeout, m_config.maxRetransmit);
}

} // namespace starling::link
