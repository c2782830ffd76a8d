// SPDX-License-Identifier: Apache-2.0
/// Control frames: u32 length of what follows ‖ u8 protocol version (1) ‖ u8 type (the alternative's index in
/// Request or Reply) ‖ canonical bencoding of the fields. Both sides are of one release of Starling or the
/// next: unknown fields are ignored, fields that came later may be missing, an unknown type is Refused.
#pragma once

#include "control/messages.h"

namespace starling::control {

Bytes encode(const Request& request);
Bytes encode(const Reply& reply);

/// `frame` without its length. Fails with UnsupportedFormat (version, type) or the decoder's codes.
Result<Request> decodeRequest(ByteView frame);
Result<Reply> decodeReply(ByteView frame);

/// Cuts frames out of a stream.
class FrameReader
{
public:
    /// TooLarge once a frame announces more than `limit` bytes: the stream is lost then.
    Status feed(ByteView bytes, std::size_t limit = kMaxFrameBytes);
    /// The next whole frame without its length, if there is one.
    std::optional<Bytes> next();

private:
    Bytes m_buffer;
    std::size_t m_start = 0;
    std::size_t m_limit = kMaxFrameBytes;
};

} // namespace starling::control
