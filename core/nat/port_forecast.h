// SPDX-License-Identifier: Apache-2.0
/// Whether a NAT that gives each destination another port counts these ports up, and where its count is: from
/// the ports that several others saw. Values only; pure.
///
/// Many symmetric NATs do, some by two, so that a port stays even or odd. To others the port that the next
/// destination will get is then one of a few, and they can send there (link/punch.h).
#pragma once

#include "base/port_forecast.h"

#include <optional>
#include <span>

namespace starling::nat {

inline constexpr std::size_t kForecastReadings = 4; ///< the last ones; guess: older ones tell of other times
/// From one port to the next that was seen. Guess: some minutes of a site's other traffic; two ports that a
/// NAT draws by lot are as near to each other once in a hundred times.
inline constexpr std::uint16_t kForecastGap = 512;
inline constexpr std::uint16_t kFirstForecastPort = 1'024; ///< NATs give none below (RFC 4787 REQ-3)

/// `readings` in about the order in which they were made, each by somebody else; what was read at other
/// addresses than the last one does not count, nor do IPv6's, which has no such NATs. Nothing if too few
/// tell, or if it does not count up.
std::optional<PortForecast> forecastPorts(std::span<const Endpoint> readings);

} // namespace starling::nat
