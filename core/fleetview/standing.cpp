// SPDX-License-Identifier: Apache-2.0
#include "fleetview/standing.h"

namespace starling::fleetview {

namespace {

constexpr std::array<std::string_view, kStandings> kNames{
    "healthy", "unknown", "held", "waiting", "downloading", "installing", "stalled", "rolled-back", "failed"};

} // namespace

std::string_view standingName(Standing standing)
{
    return kNames[static_cast<std::size_t>(standing)];
}

std::optional<Standing> standingNamed(std::string_view name)
{
    for (const Standing standing : kAllStandings)
        if (standingName(standing) == name)
            return standing;
    return std::nullopt;
}

bool isUnderWay(Standing standing)
{
    return standing == Standing::Waiting || standing == Standing::Downloading
        || standing == Standing::Installing;
}

bool isTrouble(Standing standing)
{
    return standing >= Standing::Stalled;
}

Standing standingOf(const trust::ReceiptEntry& entry, const trust::Revision& newest)
{
    if (entry.revision < newest)
        return Standing::Waiting;
    if (entry.code == static_cast<std::uint16_t>(Errc::Incompatible)
        || entry.code == static_cast<std::uint16_t>(Errc::Withdrawn))
        return Standing::Held;
    switch (entry.phase) {
    case trust::Phase::Announced:
    case trust::Phase::Accepted:
        return Standing::Waiting;
    case trust::Phase::Downloading:
        return Standing::Downloading;
    case trust::Phase::Verifying:
    case trust::Phase::Staged:
    case trust::Phase::Deploying:
    case trust::Phase::Checking:
    case trust::Phase::RollingBack:
        return Standing::Installing;
    case trust::Phase::Healthy:
        return Standing::Healthy;
    case trust::Phase::Failed:
        return Standing::Failed;
    case trust::Phase::RolledBack:
        return Standing::RolledBack;
    }
    return Standing::Unknown;
}

} // namespace starling::fleetview
