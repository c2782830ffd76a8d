// SPDX-License-Identifier: Apache-2.0
/// What goes over the join channel (link/join_channel.h), as canonical bencoding.
#pragma once

#include "enrol/root_walk.h"
#include "link/join_channel.h"
#include "trust/join.h"

#include <optional>

namespace starling::enrol {

/// A device asks to be admitted, again and again until it is.
struct JoinQuestion
{
    Bytes request; ///< envelope of a trust::JoinRequest
    /// Of the fleet's anchor it has so many bytes and wants the next; nothing if it has all of it.
    std::optional<std::uint64_t> anchorFrom;
    /// The roots that it wants; nothing while it has no anchor.
    std::optional<RootsFrom> roots = {};

    Bytes serialize() const;
    /// The decoder's codes, Malformed, TooLarge.
    static Result<JoinQuestion> parse(ByteView bytes);
    bool operator==(const JoinQuestion&) const = default;
};

struct JoinAnswer
{
    enum class State : std::uint8_t {
        Pending = 1, ///< somebody has to admit it
        TokenGood = 2, ///< somebody has to admit it; its token was taken
        Granted = 3, ///< `certificate`, unless a part of the anchor or of later roots is in its place
        Refused = 4, ///< `reason` says why
    } state = State::Pending;
    std::string reason; ///< at most 200 bytes of plain text, for people
    Bytes certificate; ///< envelope
    Bytes anchorPart; ///< from where the question said
    std::uint64_t anchorBytes = 0; ///< of the whole anchor, with a part
    Bytes rootsPart = {}; ///< from where the question said

    Bytes serialize() const;
    static Result<JoinAnswer> parse(ByteView bytes);
    bool operator==(const JoinAnswer&) const = default;
};

constexpr std::size_t kMaxReasonBytes = 200;
/// Guess: a fleet of small roles has it in one part, and the largest root in 70.
constexpr std::size_t kAnchorPartBytes = 1'000; ///< of later roots, too

} // namespace starling::enrol
