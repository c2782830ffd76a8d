// SPDX-License-Identifier: Apache-2.0
/// Why a device stands where it does, resource by resource: what follows from its verified receipt, from the
/// newest releases that are known, and from how long it has been quiet. Facts only, for whoever puts them
/// into words; what nobody knows here is an empty optional, and no guess. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

enum class Cause : std::uint8_t {
    Newest, ///< it says "healthy" of the newest release that is known
    NotForIt, ///< it says that the release requires labels that it does not have
    Console, ///< it is the agent of somebody's console, which installs nothing
    Withdrawn, ///< it says that the release was withdrawn before it was in place
    Silent, ///< its receipt says nothing of a resource of which a release is out
    Older, ///< its receipt tells of an older release of the resource, and of the newest nothing yet
    NotBegun, ///< it knows the newest release, and has not begun to fetch it
    UnderWay,
    Quiet, ///< under way, and no receipt has come for kStalledAfter
    RolledBack,
    Failed,
};
std::string_view causeName(Cause cause); ///< "newest", "not-for-it", …: in JSON

/// The chain of one resource.
struct Reason
{
    ResourceUri uri;
    Standing standing = Standing::Unknown;
    Cause cause = Cause::Silent;
    std::optional<trust::ReceiptEntry> entry; ///< what the device says; nothing: Silent
    trust::Revision newest; ///< that is known of the resource
    std::optional<KnownRelease> known; ///< that release, if the agent holds its notice
    /// When this console saw the device begin to say so; nothing: it said so before.
    std::optional<UtcTime> since;
};

struct Why
{
    Standing standing = Standing::Unknown; ///< the device's
    std::vector<Reason> reasons; ///< worst first, then by URI
    std::uint64_t sequence = 0; ///< of the receipt that proves all of it
    std::optional<Duration> age; ///< since that receipt came; nothing: it was there before this console
    std::uint64_t rootNumber = 0;
    std::uint64_t newestRoot = 0; ///< the highest number in any device's receipt
    std::map<std::string, std::uint64_t> alarms; ///< what it refused since its start, by short name
    std::map<std::string, std::uint64_t> paths{}; ///< bytes of BitTorrent that came, by kind of link
};
/// `device` is one of the picture's.
Why whyOf(const Picture& picture, const Device& device);

constexpr std::size_t kMinIdDigits = 4; ///< guess: fewer are typed by accident
/// The device of that name or id; of the id, the first digits will do. NotFound; Usage if there are several.
Result<const Device*> deviceNamed(const Picture& picture, std::string_view text);

} // namespace starling::fleetview
