// SPDX-License-Identifier: Apache-2.0
/// The one timer of a link, and what all links of a node share.
#pragma once

#include "link/authenticator.h"
#include "link/frame.h"
#include "link/link.h"

#include <deque>

namespace starling::link {

/// What a link leaves to those who know the other links (detours.h).
struct Errand
{
    enum class What : std::uint8_t {
        Dispatch, ///< our own datagram, to the detour `to`
        Carry, ///< the other side's, to be carried to the node of `tag`
        Arrived, ///< one that `node` carried here, from the node of `tag`
        Seek, ///< the other side asks for the node of `tag`
        Seen, ///< `node` has a link to it
        Refused, ///< `node` does not carry to it
    } what{};
    LinkId link{};
    NodeId node; ///< the other side of that link
    NodeTag tag{};
    NotForwarded::Reason reason{};
    Endpoint to;
    Bytes datagram;
};

/// A link that goes by a detour wants to try a stream to an address of the other side (streams.h).
struct StreamWish
{
    LinkId link{};
    Endpoint to;
};

struct Shared
{
    NodeId self;
    Config config;
    Authenticator& authenticator;
    RandomSource& random;
    Stats stats;
    std::vector<Output> outputs;
    std::uint64_t timerGeneration = 0;
    std::vector<Endpoint> candidates; ///< where this node may be reached, best first
    std::deque<Errand> errands; ///< not done yet
    std::vector<StreamWish> wishes = {}; ///< not looked at yet
    std::vector<LinkId> lost = {}; ///< links that want a relay; not looked at yet
    std::optional<PortForecast> forecast = {}; ///< near which port it may be reached besides
    Duration keepalive = config.keepalive; ///< over UDP

    void send(const Endpoint& to, Bytes bytes)
    {
        if (isDetour(to)) {
            errands.push_back({Errand::What::Dispatch, {}, {}, {}, {}, to, std::move(bytes)});
            return;
        }
        ++stats.datagramsOut;
        stats.bytesOut += bytes.size();
        if (isStream(to))
            outputs.push_back(SendOnStream{streamAt(to), std::move(bytes)});
        else
            outputs.push_back(SendDatagram{to, std::move(bytes)});
    }
};

class Alarm
{
public:
    /// Schedules a timer if none is armed for `at` or before: later deadlines wait for the earlier timer.
    void arm(LinkId link, Instant at, Instant now, Shared& shared)
    {
        if (m_armed && *m_armed <= at)
            return;
        m_armed = at;
        m_generation = ++shared.timerGeneration;
        shared.outputs.push_back(ScheduleTimer{std::max(at - now, Duration{}), Timer{link, m_generation}});
    }
    /// Whether `timer` is the one that is armed; it is not any more.
    bool take(const Timer& timer)
    {
        if (!m_armed || timer.generation != m_generation)
            return false;
        m_armed.reset();
        return true;
    }

private:
    std::optional<Instant> m_armed; ///< when the armed timer expires
    std::uint64_t m_generation = 0;
};

} // namespace starling::link
