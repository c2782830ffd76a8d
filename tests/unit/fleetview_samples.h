// SPDX-License-Identifier: Apache-2.0
/// Devices as an agent tells of them, made up.
#pragma once

#include "fleetview/fleet.h"

namespace starling::samples {

inline const UtcTime kBegin{std::chrono::seconds(1'795'000'000)};

inline NodeId nodeOf(std::uint32_t number)
{
    std::array<std::byte, NodeId::kSize> bytes{};
    // Scattered, as keys are.
    const std::uint64_t mixed = (number + 1) * 0x9E3779B97F4A7C15ull;
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = static_cast<std::byte>(mixed >> (8 * (7 - i)));
    return NodeId(bytes);
}

inline trust::ReceiptEntry entryOf(trust::Phase phase, std::uint64_t version = 2,
                                   const char* uri = "fw/gateway", std::uint16_t code = 0)
{
    return {*ResourceUri::parse(uri), {0, version}, InfoHash(), phase, code, {}};
}

inline fleetview::Report reportOf(std::uint32_t number, std::vector<trust::ReceiptEntry> entries,
                                  std::map<std::string, std::string> labels = {})
{
    trust::Receipt receipt;
    receipt.node = nodeOf(number);
    receipt.sequence = 1;
    receipt.entries = std::move(entries);
    return {receipt.node, "gw-" + std::to_string(number), std::move(labels), std::move(receipt)};
}

/// A fleet of `count` devices on `sites` sites in all standings, most of them healthy.
inline std::vector<fleetview::Report> reportsOf(std::uint32_t count, std::uint32_t sites)
{
    static constexpr std::array kPhases{trust::Phase::Downloading, trust::Phase::Checking,
                                        trust::Phase::Failed, trust::Phase::Accepted,
                                        trust::Phase::RolledBack};
    std::vector<fleetview::Report> reports;
    reports.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const trust::Phase phase = i % 7 == 0 ? kPhases[i / 7 % kPhases.size()] : trust::Phase::Healthy;
        const std::uint16_t code =
            phase == trust::Phase::Failed ? static_cast<std::uint16_t>(Errc::HealthFailed) : std::uint16_t{0};
        reports.push_back(
            reportOf(i, {entryOf(phase, 2, "fw/gateway", code)},
                     {{"site", "site-" + std::to_string(i % sites)}, {"model", i % 3 == 0 ? "gw2" : "gw3"}}));
    }
    return reports;
}

} // namespace starling::samples
