// SPDX-License-Identifier: Apache-2.0
/// How often what stands at one place of the board may be pushed on at once. Whoever may issue notices could
/// otherwise make every node of the fleet forward each of them; bounded here, a flood ends at the first
/// honest neighbour, and comparing boards brings the newest one to the others, a round later. Pure.
#pragma once

#include "overlay/overlay.h"

namespace starling::overlay {

class ForwardPace
{
public:
    /// One in `interval` in the long run, for each place.
    explicit ForwardPace(Duration interval)
        : m_interval(interval)
    {
    }
    /// Whether a notice that was just taken at `key` may be forwarded now; if so, it is counted.
    bool allows(const NoticeKey& key, Instant now);
    /// Forgets places that have been quiet; call now and then.
    void forgetQuiet(Instant now);

private:
    /// Guess: twice the phases that a device reports while it goes through one update.
    static constexpr int kBurst = 16;
    /// When each place will have its whole burst again; places in the past have it. As many as the board has
    /// places that changed lately.
    std::map<NoticeKey, Instant> m_full;
    Duration m_interval;
};

} // namespace starling::overlay
