// SPDX-License-Identifier: Apache-2.0
/// Byte strings, their text forms, and big-endian integers.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The bytes of `text`, not copied; `text` must outlive the view.
ByteView viewOf(std::string_view text);
Bytes toBytes(std::string_view text);
Bytes toBytes(ByteView view);
/// The bytes as characters, one for one.
std::string toText(ByteView bytes);

/// Lower-case hexadecimal.
std::string toHex(ByteView bytes);
/// Fails with Malformed on an odd length or a character that is not a hexadecimal digit; takes both cases.
Result<Bytes> fromHex(std::string_view hex);

void append(Bytes& to, ByteView what);

/// Writes frames field by field, integers big-endian.
class ByteWriter
{
public:
    void u8(std::uint8_t value);
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void u64(std::uint64_t value);
    void raw(ByteView bytes);
    /// Length as u32, then the bytes.
    void sized(ByteView bytes);
    Bytes take() { return std::move(m_bytes); }

private:
    Bytes m_bytes;
};

/// Reads what ByteWriter wrote. Running out of bytes is remembered, yields zeros, and `status()` tells:
/// read all fields first, then ask once.
class ByteReader
{
public:
    explicit ByteReader(ByteView bytes)
        : m_rest(bytes)
    {
    }
    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::uint64_t u64();
    ByteView raw(std::size_t count);
    /// A `sized()` field of at most `limit` bytes.
    ByteView sized(std::size_t limit);
    ByteView rest() const { return m_rest; }
    bool isGood() const { return m_good; }
    /// Truncated if any read went past the end, or over its limit.
    Status status(std::string_view what) const;

private:
    std::uint64_t integer(std::size_t width);
    ByteView m_rest;
    bool m_good = true;
};

} // namespace starling
