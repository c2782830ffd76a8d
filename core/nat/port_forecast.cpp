// SPDX-License-Identifier: Apache-2.0
#include "nat/port_forecast.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace starling::nat {

std::optional<PortForecast> forecastPorts(std::span<const Endpoint> readings)
{
    if (readings.empty() || !readings.back().isIpv4())
        return std::nullopt;
    std::vector<std::uint16_t> ports;
    for (std::size_t i = readings.size(); i-- > 0 && ports.size() < kForecastReadings;)
        if (readings[i].address == readings.back().address)
            ports.push_back(readings[i].port);
    // Whom an answer comes from first says little about who was asked first; the ports themselves say more.
    std::sort(ports.begin(), ports.end());
    if (ports.size() < 2 || ports.front() < kFirstForecastPort)
        return std::nullopt;
    unsigned step = 0;
    for (std::size_t i = 1; i < ports.size(); ++i) {
        const unsigned gap = ports[i] - ports[i - 1];
        if (gap == 0 || gap > kForecastGap) // one port for two destinations; or drawn by lot
            return std::nullopt;
        step = std::gcd(step, gap);
    }
    // One gap may be several steps.
    const bool isTold = ports.size() > 2 && step <= kMaxForecastStep;
    PortForecast forecast{readings.back(), isTold ? static_cast<std::uint16_t>(step) : std::uint16_t(1)};
    forecast.last.port = ports.back();
    return forecast;
}

} // namespace starling::nat
