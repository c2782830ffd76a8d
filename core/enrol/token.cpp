// SPDX-License-Identifier: Apache-2.0
#include "enrol/token.h"

#include "crypto/sha256.h"

#include <algorithm>

namespace starling::enrol {

namespace {

constexpr std::string_view kPrefix = "starling1-";
constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kBodyBytes = 32 + 32 + 32 + 18 + 16 + 8;

std::string base32(ByteView bytes)
{
    std::string text;
    unsigned held = 0, bits = 0;
    for (const std::byte byte : bytes) {
        held = (held << 8 | std::to_integer<unsigned>(byte)) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            text += kDigits[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        text += kDigits[held << (5 - bits) & 31];
    return text;
}

/// Nothing unless `text` is what base32() makes of some bytes.
std::optional<Bytes> fromBase32(std::string_view text)
{
    Bytes bytes;
    unsigned held = 0, bits = 0;
    for (const char c : text) {
        const std::size_t digit = kDigits.find(c);
        if (digit == kDigits.npos)
            return std::nullopt;
        held = (held << 5 | static_cast<unsigned>(digit)) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<std::byte>(held >> bits & 0xff));
        }
    }
    if (base32(bytes) != text)
        return std::nullopt;
    return bytes;
}

Bytes checksumOf(ByteView body)
{
    const Digest digest = crypto::sha256(body);
    return toBytes(digest.bytes().first(kChecksumBytes));
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == text.npos)
        return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

} // namespace

std::string JoinToken::line() const
{
    ByteWriter writer;
    writer.raw(fleet.bytes());
    writer.raw(issuer.bytes());
    writer.raw(linkKey.bytes());
    write(writer, contact);
    writer.raw(secret);
    writer.u64(expires);
    Bytes body = writer.take();
    append(body, checksumOf(body));
    return std::string(kPrefix) + base32(body);
}

Result<JoinToken> JoinToken::parse(std::string_view line)
{
    const std::string_view text = trimmed(line);
    if (!text.starts_with("starling"))
        return fail(Errc::Malformed, "this is no join token: one begins with " + std::string(kPrefix));
    if (!text.starts_with(kPrefix))
        return fail(Errc::UnsupportedFormat, "a join token of another version");
    const auto bytes = fromBase32(text.substr(kPrefix.size()));
    if (!bytes || bytes->size() != kBodyBytes + kChecksumBytes)
        return fail(Errc::Malformed, "the join token is not whole");
    const ByteView body = ByteView(*bytes).first(kBodyBytes);
    if (!std::ranges::equal(checksumOf(body), ByteView(*bytes).last(kChecksumBytes)))
        return fail(Errc::Malformed, "the join token has a typing error: its checksum differs");
    ByteReader reader(body);
    JoinToken token;
    token.fleet = *FleetId::fromBytes(reader.raw(FleetId::kSize));
    token.issuer = *NodeId::fromBytes(reader.raw(NodeId::kSize));
    token.linkKey = *LinkKey::fromBytes(reader.raw(LinkKey::kSize));
    token.contact = readEndpoint(reader);
    std::ranges::copy(reader.raw(token.secret.size()), token.secret.begin());
    token.expires = reader.u64();
    if (token.contact.port == 0)
        return fail(Errc::Malformed, "the join token names port 0");
    return token;
}

} // namespace starling::enrol
