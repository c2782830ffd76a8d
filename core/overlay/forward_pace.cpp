// SPDX-License-Identifier: Apache-2.0
#include "overlay/forward_pace.h"

#include <algorithm>

namespace starling::overlay {

bool ForwardPace::allows(const NoticeKey& key, Instant now)
{
    Instant& full = m_full[key];
    const Instant after = std::max(full, now) + m_interval;
    if (after - now > kBurst * m_interval)
        return false;
    full = after;
    return true;
}

void ForwardPace::forgetQuiet(Instant now)
{
    std::erase_if(m_full, [now](const auto& place) { return place.second <= now; });
}

} // namespace starling::overlay
