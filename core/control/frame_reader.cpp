// SPDX-License-Identifier: Apache-2.0
/// A stream of bytes, taken apart into frames.
#include "control/codec.h"

namespace starling::control {

Status FrameReader::feed(ByteView bytes, std::size_t limit)
{
    m_limit = limit;
    append(m_buffer, bytes);
    // Every header that is here: one that announces too much is not to wait for what stands before it.
    for (std::size_t at = m_start; m_buffer.size() - at >= 4;) {
        ByteReader reader(ByteView(m_buffer).subspan(at));
        const std::uint32_t size = reader.u32();
        if (size > limit)
            return fail(Errc::TooLarge, "control frame of " + std::to_string(size) + " bytes");
        if (size > m_buffer.size() - at - 4)
            break;
        at += 4 + size;
    }
    return {};
}

std::optional<Bytes> FrameReader::next()
{
    ByteReader reader(ByteView(m_buffer).subspan(m_start));
    const ByteView body = reader.sized(m_limit);
    if (!reader.isGood())
        return std::nullopt;
    Bytes frame = toBytes(body);
    m_start += 4 + body.size();
    if (m_start == m_buffer.size() || m_start > kMaxFrameBytes) {
        m_buffer.erase(m_buffer.begin(), m_buffer.begin() + static_cast<std::ptrdiff_t>(m_start));
        m_start = 0;
    }
    return frame;
}

} // namespace starling::control
