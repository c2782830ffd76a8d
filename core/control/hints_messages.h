// SPDX-License-Identifier: Apache-2.0
/// What an agent that is told in sums says of them, and how it is asked for receipts; part of messages.h.
#pragma once

#include "trust/subscription.h"

namespace starling::control {

/// So many devices say so much of one release, at one site. Nobody has verified it.
struct HintLine
{
    ResourceUri uri;
    trust::Revision revision;
    trust::Phase phase = trust::Phase::Announced;
    std::optional<std::string> site; ///< "": devices without one; none: several that had no room of their own
    std::uint64_t devices = 0;
};

// --- Requests

/// What do the sums say?
struct HintsRequest
{
};
/// Ask the fleet for signed receipts; they arrive as all others do. `ask.number` does not matter.
struct FetchRequest
{
    trust::ReceiptAsk ask;
};

// --- Replies

struct HintsReply
{
    bool isSummed = false; ///< otherwise receipts come by themselves, and there is nothing else here
    std::uint64_t devices = 0;
    std::uint64_t folded = 0; ///< releases on devices that no line tells of
    std::uint64_t ageSeconds = 0; ///< of the oldest part of it
    std::vector<HintLine> lines;
};
struct FetchReply
{
    std::uint64_t validSeconds = 0; ///< so long devices that were offline answer when they are back
};

} // namespace starling::control
