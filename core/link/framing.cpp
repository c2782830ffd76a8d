// SPDX-License-Identifier: Apache-2.0
#include "link/framing.h"

#include "base/assert.h"

namespace starling::link {

namespace {
constexpr std::byte kVersion{0x82}; // packet.h
}

Bytes framed(ByteView datagram)
{
    STARLING_ASSERT(datagram.size() >= kMinFramedBytes && datagram.size() <= kMaxFramedBytes);
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(datagram.size()));
    writer.raw(datagram);
    return writer.take();
}

void StreamReader::push(ByteView bytes)
{
    m_bytes.erase(m_bytes.begin(), m_bytes.begin() + static_cast<std::ptrdiff_t>(m_read));
    m_read = 0;
    append(m_bytes, bytes);
}

Result<std::optional<ByteView>> StreamReader::next()
{
    ByteReader reader(ByteView(m_bytes).subspan(m_read));
    if (reader.rest().size() < kFrameLengthBytes)
        return std::optional<ByteView>();
    const std::size_t length = reader.u16();
    if (length > kMaxFramedBytes)
        return fail(Errc::TooLarge, "a datagram of " + std::to_string(length) + " bytes on a stream");
    if (length < kMinFramedBytes)
        return fail(Errc::Truncated, "a datagram of " + std::to_string(length) + " bytes on a stream");
    // Not only when all of it is here: a stranger is to be known as soon as may be.
    if (!reader.rest().empty() && reader.rest()[0] != kVersion)
        return fail(Errc::UnsupportedFormat, "no datagram of a link on a stream");
    if (reader.rest().size() < length)
        return std::optional<ByteView>();
    m_read += kFrameLengthBytes + length;
    return std::optional(reader.raw(length));
}

} // namespace starling::link
