// SPDX-License-Identifier: Apache-2.0
#include "nat/connect_proxy.h"

#include <algorithm>
#include <charconv>

namespace starling::nat {

namespace {

constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::string_view kEnd = "\r\n\r\n";

/// RFC 9112 section 4: "HTTP/1.1 200 Connection established". 0 if it is none.
unsigned statusOf(std::string_view reply)
{
    constexpr std::size_t kStatusAt = kVersion.size() + 2, kStatusDigits = 3;
    unsigned status = 0;
    if (reply.size() < kStatusAt + kStatusDigits || !reply.starts_with(kVersion) || reply[kStatusAt - 2] < '0'
        || reply[kStatusAt - 2] > '9' || reply[kStatusAt - 1] != ' ')
        return 0;
    const std::string_view digits = reply.substr(kStatusAt, kStatusDigits);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
    const bool isWhole = error == std::errc() && end == digits.data() + digits.size();
    const char after = reply.size() > kStatusAt + kStatusDigits ? reply[kStatusAt + kStatusDigits] : ' ';
    return isWhole && (after == ' ' || after == '\r') ? status : 0;
}

tl::unexpected<Error> refusal(unsigned status)
{
    const std::string said = "the proxy said " + std::to_string(status);
    switch (status) {
    case 403:
        return fail(Errc::Refused, said + ": it forbids connections to this address or port");
    case 405:
        return fail(Errc::Refused, said + ": it does not know CONNECT");
    case 407:
        return fail(Errc::Refused, said + ": it wants a login, which is not supported");
    default:
        return fail(status / 100 == 5 ? Errc::Unreachable : Errc::Refused, said);
    }
}

} // namespace

std::string connectRequest(const Endpoint& to)
{
    const std::string where = toString(to);
    return "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n\r\n";
}

Result<bool> ConnectReply::push(ByteView bytes)
{
    append(m_bytes, bytes);
    for (;;) {
        const std::string_view text(reinterpret_cast<const char*>(m_bytes.data()) + m_begin,
                                    m_bytes.size() - m_begin);
        // Not only at its end: whatever else listens there need not say much.
        if (!kVersion.starts_with(text.substr(0, kVersion.size())))
            return fail(Errc::Malformed, "the proxy does not speak HTTP");
        const auto end = text.find(kEnd);
        const std::size_t earliest = text.size() - std::min(text.size(), kEnd.size() - 1);
        if (m_begin + std::min(end, earliest) > kMaxBytes)
            return fail(Errc::TooLarge,
                        "the proxy's reply, with interim ones, has no end after " + std::to_string(kMaxBytes)
                            + " bytes");
        if (end == text.npos)
            return false;
        m_end = m_begin + end + kEnd.size();
        const unsigned status = statusOf(text);
        if (status / 100 == 2)
            return true;
        if (status == 0)
            return fail(Errc::Malformed, "the proxy's reply has no status");
        if (status / 100 != 1)
            return refusal(status);
        m_begin = m_end; // RFC 9110 section 15.2: the real one follows
    }
}

} // namespace starling::nat
