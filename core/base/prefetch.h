// SPDX-License-Identifier: Apache-2.0
/// Memory that will be looked at soon, brought into the processor's cache while it does something else. For
/// programs that go through more state than the cache holds; changes nothing but time.
#pragma once

#include <cstddef>

namespace starling {

/// The cache lines in which `bytes` bytes at `address`, which may be null, lie.
inline void prefetch(const void* address, std::size_t bytes)
{
    constexpr std::size_t kLine = 64;
    const auto* const begin = static_cast<const char*>(address);
    for (std::size_t i = 0; i < bytes; i += kLine)
        __builtin_prefetch(begin + i);
    if (bytes > 0)
        __builtin_prefetch(begin + bytes - 1);
}

} // namespace starling
