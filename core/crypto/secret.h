// SPDX-License-Identifier: Apache-2.0
/// Secret bytes in ordinary memory that are wiped when they go: keys of links, of which there are as many as
/// links. Keys that are kept for years live in SecretKey's locked memory.
#pragma once

#include "base/bytes.h"

#include <array>

namespace starling::crypto {

/// Overwrites in a way that no compiler leaves out (sodium_memzero).
void wipe(std::span<std::byte> bytes);

/// `size` secret bytes. Moves and wipes where it came from; never copies.
template <std::size_t size> class Secret
{
public:
    Secret() = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept
        : m_bytes(other.m_bytes)
    {
        wipe(other.m_bytes);
    }
    Secret& operator=(Secret&& other) noexcept
    {
        if (this != &other) {
            m_bytes = other.m_bytes;
            wipe(other.m_bytes);
        }
        return *this;
    }
    ~Secret() { wipe(m_bytes); }

    std::span<std::byte, size> bytes() { return m_bytes; }
    std::span<const std::byte, size> bytes() const { return m_bytes; }

private:
    std::array<std::byte, size> m_bytes{};
};

} // namespace starling::crypto
