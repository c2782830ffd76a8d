// SPDX-License-Identifier: Apache-2.0
/// What an observer of a large fleet was told in sums. Nobody has verified them: they stand beside what
/// receipts say, are never mixed with it, and make no device healthy. Pure.
#pragma once

#include "fleetview/fleet.h"
#include "trust/subscription.h"

namespace starling::fleetview {

/// So many devices say so much of one release, at one site.
struct Hint
{
    ResourceUri uri;
    trust::Revision revision;
    trust::Phase phase = trust::Phase::Announced;
    std::optional<std::string> site; ///< "": devices without one; none: of several sites
    std::uint64_t devices = 0;
};

struct Hints
{
    std::uint64_t devices = 0;
    std::uint64_t folded = 0; ///< releases on devices that no hint tells of
    std::uint64_t ageSeconds = 0; ///< of the oldest part
    std::vector<Hint> hints;
};

/// By phase, those with devices.
using HintedPhases = std::map<trust::Phase, std::uint64_t>;

/// Of one release, at all sites; never more than there are devices.
HintedPhases hintedPhases(const Hints& hints, const ResourceUri& uri, const trust::Revision& revision);

struct HintedRelease
{
    ResourceUri uri;
    trust::Revision revision;
    HintedPhases phases;
};
/// By URI, newest first.
std::vector<HintedRelease> hintedReleases(const Hints& hints);

/// Devices that a question about receipts is meant for, as far as the sums tell; never more than there are.
std::uint64_t hintedDevices(const Hints& hints, const trust::ReceiptAsk& ask);

/// Two digits of a number that nobody has verified: 97, 990, 12000.
std::uint64_t aboutSo(std::uint64_t devices);

} // namespace starling::fleetview
