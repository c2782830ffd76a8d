// SPDX-License-Identifier: Apache-2.0
/// A release on its way through the fleet, as receipts tell: until agents evaluate waves, a push is a rollout
/// of one wave. Counts and an interval for the end; nothing that no receipt says. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

/// How a rollout goes.
enum class Course : std::uint8_t {
    Unknown, ///< no device has named the release yet
    Running,
    Slow, ///< some have stalled
    Failing, ///< some failed or went back
    Done, ///< all that are eligible are healthy
    Passed, ///< a newer release of the resource is out
    Withdrawn, ///< by a key of its scope: it goes no further
};
std::string_view courseName(Course course); ///< "unknown", "running", …

/// From now, until the last eligible device is healthy.
struct Remaining
{
    std::chrono::seconds low{}, high{};
};
/// Fewer completions say nothing of the pace (console specification).
constexpr std::size_t kMinCompletions = 3;

struct Rollout
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    std::optional<KnownRelease> known; ///< what the agent holds of it
    Course course = Course::Unknown;
    /// Devices of which a receipt names the resource and that are neither held nor beyond this release.
    std::size_t eligible = 0;
    std::size_t healthy = 0, underWay = 0, trouble = 0; ///< of these; underWay includes those that wait
    std::size_t held = 0; ///< it is not for them, as they say
    std::size_t silent = 0; ///< whose receipts do not name the resource: whether it is for them is unknown
    std::size_t completions = 0; ///< that this console saw
    std::optional<Remaining> remaining; ///< nothing below kMinCompletions, or if nobody is under way
};
/// Of the releases that are known, newest of each resource first, those under way before those that are over.
std::vector<Rollout> rolloutsOf(const Picture& picture);

/// Why devices are not healthy in a release yet.
struct RolloutReason
{
    Standing standing = Standing::Unknown;
    std::optional<trust::Phase> phase; ///< nothing: the device has not named this release
    std::uint16_t code = 0;
    std::string detail; ///< of the first of them that gives one
    std::size_t devices = 0;
};
struct Straggler
{
    DevicePtr device;
    Standing standing = Standing::Unknown; ///< with this release
    std::optional<trust::ReceiptEntry> entry; ///< what it says of the resource
};
struct RolloutReport
{
    Rollout rollout;
    std::vector<RolloutReason> reasons; ///< worst first, then most devices
    std::vector<Straggler> stragglers; ///< eligible and not healthy; worst first, then by name
    /// Receipt::paths, summed over the devices that name this release: since their start, of all releases.
    std::map<std::string, std::uint64_t> paths;
    std::size_t pathsOf = 0; ///< of so many devices: the others do not say
};
/// `rollout` is one of rolloutsOf().
RolloutReport reportOf(const Picture& picture, const Rollout& rollout);

/// The rollout of "URI", its newest release, or of "URI VERSION" ("fw/a 2", "fw/a 1:2"). NotFound,
/// InvalidUri.
Result<Rollout> rolloutNamed(const Picture& picture, std::string_view uri, std::string_view version);

} // namespace starling::fleetview
