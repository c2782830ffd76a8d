// SPDX-License-Identifier: Apache-2.0
/// Where a device stands, from its own signed receipt and the newest releases that are known: what a console
/// paints and counts. Green is a device-signed "healthy" in the newest release and nothing else. Pure.
#pragma once

#include "base/time.h"
#include "trust/documents.h"

#include <array>

namespace starling::fleetview {

/// Best first; a device stands where its worst resource stands.
enum class Standing : std::uint8_t {
    Healthy, ///< it says so of the newest release that is known
    Unknown, ///< its receipt tells of no release
    Held, ///< the release is not for this device, or was withdrawn before it was in place
    Waiting, ///< it has said nothing of the newest release, or has not begun to fetch it
    Downloading,
    Installing, ///< from verifying to the health check
    Stalled, ///< under way without a new receipt for kStalledAfter, as this console has seen
    RolledBack,
    Failed,
};
constexpr std::size_t kStandings = 9;
constexpr std::array<Standing, kStandings> kAllStandings{
    Standing::Healthy,    Standing::Unknown, Standing::Held,       Standing::Waiting, Standing::Downloading,
    Standing::Installing, Standing::Stalled, Standing::RolledBack, Standing::Failed};

/// Guess: longer than a usual installation takes; downloads that go on longer issue no receipts meanwhile.
constexpr Duration kStalledAfter = std::chrono::minutes(10);

/// "healthy", …, "rolled-back", "failed": in queries, JSON and CSV.
std::string_view standingName(Standing standing);
std::optional<Standing> standingNamed(std::string_view name);
/// Whether the device works on it or is about to.
bool isUnderWay(Standing standing);
bool isTrouble(Standing standing);

/// Of one resource. `newest` is the newest revision that is known of it.
Standing standingOf(const trust::ReceiptEntry& entry, const trust::Revision& newest);

} // namespace starling::fleetview
