// SPDX-License-Identifier: Apache-2.0
/// Datagrams of links on a stream, where UDP is blocked: one after the other, each after its length. Pure.
///
///     length (2, big-endian) datagram (length)      the same datagrams as over UDP (packet.h)
///
/// Whoever speaks another protocol here is known by the first three bytes: no length of ours is as large as
/// what HTTP, TLS or SSH begin with, and every datagram begins with the version.
#pragma once

#include "link/packet.h"

namespace starling::link {

/// A relay's sealed FORWARDED has 1,232 bytes (Config::datagramBytes); some room.
constexpr std::size_t kMaxFramedBytes = 1'280;
constexpr std::size_t kMinFramedBytes = kSealedOverheadBytes; ///< nothing of ours is smaller (packet.h)
constexpr std::size_t kFrameLengthBytes = 2;

/// With its length. The datagram must have kMinFramedBytes to kMaxFramedBytes.
Bytes framed(ByteView datagram);

/// Cuts what comes in on one stream into datagrams.
class StreamReader
{
public:
    /// What came. To be called again after next() has nothing more: what is kept then is less than one
    /// datagram.
    void push(ByteView bytes);
    /// The next datagram, valid until push(); nothing if it is not complete. Fails with TooLarge, Truncated
    /// (no datagram is so short) or UnsupportedFormat (another version, or another protocol); then the stream
    /// is good for nothing.
    Result<std::optional<ByteView>> next();
    std::size_t kept() const { return m_bytes.size() - m_read; }

private:
    Bytes m_bytes;
    std::size_t m_read = 0; ///< of m_bytes
};

} // namespace starling::link
