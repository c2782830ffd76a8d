// SPDX-License-Identifier: Apache-2.0
#include "base/size.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace starling {

namespace {

struct Unit
{
    std::string_view name;
    double factor;
};

constexpr std::array kSizeUnits{
    Unit{"", 1},     Unit{"B", 1},    Unit{"KiB", 1024.0}, Unit{"MiB", 1048576.0}, Unit{"GiB", 1073741824.0},
    Unit{"kB", 1e3}, Unit{"MB", 1e6}, Unit{"GB", 1e9}};
constexpr std::array kRateUnits{Unit{"bit/s", 0.125}, Unit{"kbit/s", 125.0}, Unit{"Mbit/s", 125e3},
                                Unit{"Gbit/s", 125e6}};

/// Above this a double no longer holds every integer (2^53).
constexpr double kLargest = 9007199254740992.0;

struct Quantity
{
    double number;
    std::string_view unit;
};

Result<Quantity> split(std::string_view text)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !(number >= 0))
        return fail(Errc::ConfigInvalid, "not a quantity: '" + std::string(text) + "'");
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (!unit.empty() && unit.front() == ' ')
        unit.remove_prefix(1);
    return Quantity{number, unit};
}

template <class Units> const Unit* find(const Units& units, std::string_view name)
{
    for (const Unit& unit : units)
        if (unit.name == name)
            return &unit;
    return nullptr;
}

Result<std::uint64_t> scaled(double number, double factor, std::string_view text)
{
    const double value = number * factor;
    if (!(value <= kLargest))
        return fail(Errc::ConfigInvalid, "too large: '" + std::string(text) + "'");
    return static_cast<std::uint64_t>(value);
}

} // namespace

std::string toString(ByteCount size)
{
    static constexpr std::array<const char*, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(size.value);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kNames.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kNames[unit]);
    return text.data();
}

std::string toString(BytesPerSecond rate)
{
    return toString(ByteCount{rate.value}) + "/s";
}

Result<ByteCount> parseByteCount(std::string_view text)
{
    auto quantity = split(text);
    if (!quantity)
        return fail(std::move(quantity.error()), "size");
    const Unit* unit = find(kSizeUnits, quantity->unit);
    if (unit == nullptr)
        return fail(Errc::ConfigInvalid, "size: unknown unit in '" + std::string(text) + "' (try 64 MiB)");
    auto value = scaled(quantity->number, unit->factor, text);
    if (!value)
        return fail(std::move(value.error()), "size");
    return ByteCount{*value};
}

Result<BytesPerSecond> parseRate(std::string_view text)
{
    if (text == "unlimited" || text == "0")
        return BytesPerSecond{0};
    auto quantity = split(text);
    if (!quantity)
        return fail(std::move(quantity.error()), "rate");
    const Unit* unit = find(kRateUnits, quantity->unit);
    if (unit == nullptr && quantity->unit.ends_with("/s") && quantity->unit.size() > 2)
        unit = find(kSizeUnits, quantity->unit.substr(0, quantity->unit.size() - 2));
    if (unit == nullptr)
        return fail(Errc::ConfigInvalid,
                    "rate: unknown unit in '" + std::string(text)
                        + "' (try 1 Mbit/s, 500 KiB/s or unlimited)");
    auto value = scaled(quantity->number, unit->factor, text);
    if (!value)
        return fail(std::move(value.error()), "rate");
    if (*value == 0)
        return fail(Errc::ConfigInvalid, "rate: below one byte per second: '" + std::string(text) + "'");
    return BytesPerSecond{*value};
}

} // namespace starling
