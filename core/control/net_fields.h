// SPDX-License-Identifier: Apache-2.0
/// How what is told of the network around an agent is written and read; part of codec.cpp.
#pragma once

#include "control/fields.h"

namespace starling::control {

bencode::List pathsValue(const std::vector<PathLine>& lines);
std::vector<PathLine> readPaths(Fields& in, std::string_view key);

/// A list of one, or none.
bencode::List forecastValue(const std::optional<PortForecast>& forecast);
std::optional<PortForecast> readForecast(Fields& in, std::string_view key);

/// A list of one.
bencode::List lifetimeValue(const nat::LifetimeState& state);
nat::LifetimeState readLifetime(Fields& in, std::string_view key);

/// A list of one.
bencode::List portMapValue(const nat::PortMapState& state);
nat::PortMapState readPortMap(Fields& in);
constexpr const char* kPortMapKey = "port-mapping";

} // namespace starling::control
