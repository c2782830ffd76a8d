// SPDX-License-Identifier: Apache-2.0
/// Near which port others may reach a device whose NAT gives each destination another one, and counts them up
/// (nat/port_forecast.h finds out, link/punch.h makes use of it). Values only.
#pragma once

#include "base/endpoint.h"

namespace starling {

inline constexpr std::uint16_t kMaxForecastStep = 8; ///< guess; two is what is known of NATs

struct PortForecast
{
    Endpoint last; ///< the highest one that somebody saw
    std::uint16_t step = 1; ///< from one port to the next; at most kMaxForecastStep
    bool operator==(const PortForecast&) const = default;
};

} // namespace starling
