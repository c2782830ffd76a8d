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

/// RFC 4648 section 4.
std::string base64(std::string_view text)
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 3) {
        unsigned bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8 | (at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            out += at + i <= text.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
    }
    return out;
}

std::string lowered(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// Whether the header (RFC 9110 section 11.7.1) names methods, and Basic is not among them.
bool wantsAnotherMethod(std::string_view reply)
{
    constexpr std::string_view kName = "\r\nproxy-authenticate:";
    const std::string text = lowered(reply);
    bool isNamed = false;
    for (auto at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
        const std::string_view line = std::string_view(text).substr(at + kName.size());
        if (line.substr(0, line.find('\r')).find("basic") != line.npos)
            return false;
        isNamed = true;
    }
    return isNamed;
}

std::string loginTrouble(std::string_view reply, bool hasLogin)
{
    if (wantsAnotherMethod(reply))
        return ": it wants a login by another method than Basic, which is not supported";
    return hasLogin ? ": it does not take the login that is set; correct proxy = "
                      "http://USER:PASSWORD@HOST:PORT in [network]"
                    : ": it wants a login; set proxy = http://USER:PASSWORD@HOST:PORT in [network]";
}

tl::unexpected<Error> refusal(unsigned status, std::string_view reply, bool hasLogin)
{
    const std::string said = "the proxy said " + std::to_string(status);
    switch (status) {
    case 403:
        return fail(Errc::Refused, said + ": it forbids connections to this address or port");
    case 405:
        return fail(Errc::Refused, said + ": it does not know CONNECT");
    case 401: // tinyproxy's, of a login that is wrong
    case 407:
        return fail(Errc::Refused, said + loginTrouble(reply, hasLogin));
    default:
        return fail(status / 100 == 5 ? Errc::Unreachable : Errc::Refused, said);
    }
}

} // namespace

std::string connectRequest(const Endpoint& to, std::string_view login)
{
    const std::string where = toString(to);
    return "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n"
        + (login.empty() ? std::string() : "Proxy-Authorization: Basic " + base64(login) + "\r\n") + "\r\n";
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
            return refusal(status, text.substr(0, end + 2), m_hasLogin);
        m_begin = m_end; // RFC 9110 section 15.2: the real one follows
    }
}

} // namespace starling::nat
