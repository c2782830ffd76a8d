// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

namespace starling {

namespace {

int hexDigit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

} // namespace

ByteView viewOf(std::string_view text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

Bytes toBytes(std::string_view text)
{
    return toBytes(viewOf(text));
}

Bytes toBytes(ByteView view)
{
    return Bytes(view.begin(), view.end());
}

std::string toText(ByteView bytes)
{
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string toHex(ByteView bytes)
{
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const std::byte b : bytes) {
        hex += kDigits[std::to_integer<unsigned>(b) >> 4];
        hex += kDigits[std::to_integer<unsigned>(b) & 15];
    }
    return hex;
}

Result<Bytes> fromHex(std::string_view hex)
{
    if (hex.size() % 2 != 0)
        return fail(Errc::Malformed, "hexadecimal text of odd length");
    Bytes bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hexDigit(hex[i]);
        const int low = hexDigit(hex[i + 1]);
        if (high < 0 || low < 0)
            return fail(Errc::Malformed, "not a hexadecimal digit at " + std::to_string(i));
        bytes.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return bytes;
}

void append(Bytes& to, ByteView what)
{
    to.insert(to.end(), what.begin(), what.end());
}

void ByteWriter::u8(std::uint8_t value)
{
    // Most of what begins with a number is a small frame: one allocation instead of one for every twofold.
    constexpr std::size_t kSmallFrame = 48;
    if (m_bytes.capacity() == 0)
        m_bytes.reserve(kSmallFrame);
    m_bytes.push_back(static_cast<std::byte>(value));
}

void ByteWriter::u16(std::uint16_t value)
{
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
}

void ByteWriter::u32(std::uint32_t value)
{
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
}

void ByteWriter::u64(std::uint64_t value)
{
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
}

void ByteWriter::raw(ByteView bytes)
{
    append(m_bytes, bytes);
}

void ByteWriter::sized(ByteView bytes)
{
    u32(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
}

std::uint64_t ByteReader::integer(std::size_t width)
{
    std::uint64_t value = 0;
    for (const std::byte b : raw(width))
        value = value << 8 | std::to_integer<std::uint64_t>(b);
    return value;
}

std::uint8_t ByteReader::u8()
{
    return static_cast<std::uint8_t>(integer(1));
}

std::uint16_t ByteReader::u16()
{
    return static_cast<std::uint16_t>(integer(2));
}

std::uint32_t ByteReader::u32()
{
    return static_cast<std::uint32_t>(integer(4));
}

std::uint64_t ByteReader::u64()
{
    return integer(8);
}

ByteView ByteReader::raw(std::size_t count)
{
    if (!m_good || count > m_rest.size()) {
        m_good = false;
        return {};
    }
    const ByteView taken = m_rest.first(count);
    m_rest = m_rest.subspan(count);
    return taken;
}

ByteView ByteReader::sized(std::size_t limit)
{
    const std::uint32_t size = u32();
    if (size > limit)
        m_good = false;
    return raw(size);
}

Status ByteReader::status(std::string_view what) const
{
    if (!m_good)
        return fail(Errc::Truncated, std::string(what));
    return {};
}

} // namespace starling
