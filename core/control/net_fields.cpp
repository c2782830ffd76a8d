// SPDX-License-Identifier: Apache-2.0
#include "control/net_fields.h"

#include <algorithm>

namespace starling::control {

using bencode::Dict;
using bencode::Integer;
using bencode::List;

namespace {

Integer number(std::uint64_t value)
{
    return static_cast<Integer>(std::min<std::uint64_t>(value, static_cast<std::uint64_t>(kMost)));
}

Bytes endpointBytes(const Endpoint& endpoint)
{
    ByteWriter writer;
    write(writer, endpoint);
    return writer.take();
}

nat::PortMapState readOne(Fields& in)
{
    using Kind = nat::PortMapState::Kind;
    using nat::PortMapMethod;
    nat::PortMapState state;
    state.kind = static_cast<Kind>(in.integer<std::uint8_t>("state", static_cast<std::uint64_t>(Kind::None)));
    state.isTold = in.integer("told", 1) == 1;
    state.restSeconds = in.integer("rest");
    state.trouble = in.text("trouble");
    const auto mappings = in.items<nat::PortMapping>("mapping", [](Fields& f) {
        nat::PortMapping mapping;
        mapping.method = static_cast<PortMapMethod>(
            f.integer<std::uint8_t>("method", static_cast<std::uint64_t>(PortMapMethod::Upnp)));
        mapping.external = f.endpoint("external");
        mapping.hasTcp = f.integer("tcp", 1) == 1;
        mapping.lease = std::chrono::seconds(f.integer("lease", UINT32_MAX));
        return mapping;
    });
    if (!mappings.empty())
        state.mapping = mappings.front();
    return state;
}

} // namespace

List pathsValue(const std::vector<PathLine>& lines)
{
    List list;
    for (const PathLine& line : lines)
        list.push_back(
            Dict{{"kind", std::string_view(line.kind)}, {"in", number(line.in)}, {"out", number(line.out)}});
    return list;
}

std::vector<PathLine> readPaths(Fields& in, std::string_view key)
{
    return in.items<PathLine>(key, [](Fields& f) {
        return PathLine{f.text("kind"), f.integer("in"), f.integer("out")};
    });
}

List forecastValue(const std::optional<PortForecast>& forecast)
{
    if (!forecast)
        return {};
    return {Dict{{"last", endpointBytes(forecast->last)}, {"step", number(forecast->step)}}};
}

std::optional<PortForecast> readForecast(Fields& in, std::string_view key)
{
    const auto forecasts = in.items<PortForecast>(key, [](Fields& f) {
        return PortForecast{f.endpoint("last"), f.integer<std::uint8_t>("step", kMaxForecastStep)};
    });
    return forecasts.empty() ? std::nullopt : std::optional(forecasts.front());
}

List lifetimeValue(const nat::LifetimeState& state)
{
    const auto secondsOf = [](Duration duration) {
        return number(
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count()));
    };
    return {Dict{{"state", number(static_cast<std::uint8_t>(state.kind))},
                 {"held", secondsOf(state.found.held)},
                 {"lost", secondsOf(state.found.lost.value_or(Duration(0)))},
                 {"trouble", std::string_view(state.trouble).substr(0, kMaxText)}}};
}

nat::LifetimeState readLifetime(Fields& in, std::string_view key)
{
    using Kind = nat::LifetimeState::Kind;
    const auto states = in.items<nat::LifetimeState>(key, [](Fields& f) {
        nat::LifetimeState state;
        state.kind =
            static_cast<Kind>(f.integer<std::uint8_t>("state", static_cast<std::uint64_t>(Kind::Failed)));
        state.found.held = std::chrono::seconds(f.integer("held", UINT32_MAX));
        if (const auto lost = f.integer("lost", UINT32_MAX); lost > 0)
            state.found.lost = std::chrono::seconds(lost);
        state.trouble = f.text("trouble");
        return state;
    });
    return states.empty() ? nat::LifetimeState() : states.front();
}

List portMapValue(const nat::PortMapState& state)
{
    List mapping;
    if (state.mapping) {
        const auto lease = std::chrono::duration_cast<std::chrono::seconds>(state.mapping->lease);
        mapping.push_back(Dict{{"method", number(static_cast<std::uint8_t>(state.mapping->method))},
                               {"external", endpointBytes(state.mapping->external)},
                               {"tcp", number(state.mapping->hasTcp)},
                               {"lease", number(static_cast<std::uint64_t>(lease.count()))}});
    }
    return {Dict{{"state", number(static_cast<std::uint8_t>(state.kind))},
                 {"told", number(state.isTold)},
                 {"rest", number(state.restSeconds)},
                 {"trouble", std::string_view(state.trouble).substr(0, kMaxText)},
                 {"mapping", mapping}}};
}

nat::PortMapState readPortMap(Fields& in)
{
    const auto states = in.items<nat::PortMapState>(kPortMapKey, readOne);
    return states.empty() ? nat::PortMapState() : states.front();
}

} // namespace starling::control
