// SPDX-License-Identifier: Apache-2.0
/// Sizes and rates with their units, and how people write them.
#pragma once

#include "base/result.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace starling {

/// A number of bytes.
struct ByteCount
{
    std::uint64_t value = 0;
    auto operator<=>(const ByteCount&) const = default;
};

constexpr ByteCount kibibytes(std::uint64_t n)
{
    return {n * 1024};
}
constexpr ByteCount mebibytes(std::uint64_t n)
{
    return {n * 1024 * 1024};
}
constexpr ByteCount gibibytes(std::uint64_t n)
{
    return {n * 1024 * 1024 * 1024};
}

/// Bytes per second; 0 means without limit where a limit is meant.
struct BytesPerSecond
{
    std::uint64_t value = 0;
    auto operator<=>(const BytesPerSecond&) const = default;
};

/// "48.2 MiB".
std::string toString(ByteCount size);
/// "3.1 MiB/s".
std::string toString(BytesPerSecond rate);

/// Takes "64", "64 KiB", "64MiB", "2 GiB" (and kB, MB, GB as powers of 1,000). Fails with ConfigInvalid.
Result<ByteCount> parseByteCount(std::string_view text);
/// Takes "0" or "unlimited", "1 Mbit/s", "500 kbit/s", "2 MiB/s", "2 MB/s". Fails with ConfigInvalid.
Result<BytesPerSecond> parseRate(std::string_view text);

} // namespace starling
