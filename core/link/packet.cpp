// SPDX-License-Identifier: Apache-2.0
#include "link/packet.h"

#include "base/assert.h"
#include "crypto/noise.h"
#include "link/authenticator.h"

namespace starling::link {

namespace {

constexpr std::uint8_t kVersion = 0x82;
constexpr std::string_view kCodePurpose = "starling/1/hello";
constexpr std::size_t kCodeBytes = sizeof(crypto::Code128);
constexpr std::size_t kCookieBytes = sizeof(Cookie);
constexpr std::size_t kHelloMessageBytes = kHelloBytes - 2 - kCookieBytes - kCodeBytes;
constexpr std::size_t kCookieReplyBytes = 2 + 8 + kCookieBytes + kCodeBytes;
constexpr std::size_t kTagBytes = crypto::CipherKey::kTagBytes;

static_assert(kSealedOverheadBytes == kSealedHeaderBytes + kTagBytes);
static_assert(2 + 8 + crypto::NoiseHandshake::kMessage2Bytes + 8 + kMaxCertificateBytes <= kHelloBytes,
              "no answer is larger than what it answers");

enum class Type : std::uint8_t { Hello = 1, Welcome, Finish, CookieReply, Sealed };

ByteWriter begin(Type type)
{
    ByteWriter writer;
    writer.u8(kVersion);
    writer.u8(static_cast<std::uint8_t>(type));
    return writer;
}

Cookie cookieFrom(ByteView bytes)
{
    Cookie cookie{};
    std::copy_n(bytes.begin(), cookie.size(), cookie.begin());
    return cookie;
}

template <class T> Result<Packet> parseNoise(ByteReader& reader, std::size_t least)
{
    const Token to{reader.u64()};
    if (reader.rest().size() < least)
        return fail(Errc::Truncated, "handshake");
    return Packet(T{to, reader.rest()});
}

Result<Packet> parseSealed(ByteView datagram, ByteReader& reader)
{
    Sealed sealed;
    sealed.epoch = reader.u8();
    sealed.to = Token{reader.u64()};
    sealed.counter = reader.u64();
    if (!reader.isGood() || reader.rest().size() < kTagBytes)
        return fail(Errc::Truncated, "sealed datagram");
    sealed.header = datagram.first(kSealedHeaderBytes);
    sealed.frame = reader.rest();
    return Packet(sealed);
}

template <class T> Bytes serializeNoise(Type type, const T& packet)
{
    ByteWriter writer = begin(type);
    writer.u64(static_cast<std::uint64_t>(packet.to));
    writer.raw(packet.message);
    return writer.take();
}

} // namespace

PacketCodec::PacketCodec(const FleetId& fleet)
    : m_key(crypto::deriveKey(fleet.bytes(), kCodePurpose))
{
}

void PacketCodec::addCode(Bytes& bytes) const
{
    append(bytes, crypto::authenticationCode(m_key.bytes(), bytes));
}

bool PacketCodec::hasCode(ByteView datagram) const
{
    const std::size_t size = datagram.size() - kCodeBytes;
    return crypto::isEqual(crypto::authenticationCode(m_key.bytes(), datagram.first(size)),
                           datagram.subspan(size));
}

Result<Packet> PacketCodec::parse(ByteView datagram) const
{
    ByteReader reader(datagram);
    const std::uint8_t version = reader.u8();
    const std::uint8_t type = reader.u8();
    if (auto status = reader.status("datagram"); !status)
        return fail(std::move(status.error()), "link");
    if (version != kVersion)
        return fail(Errc::UnsupportedFormat, "link datagram of version " + std::to_string(version));
    switch (static_cast<Type>(type)) {
    case Type::Hello:
        return parseHello(datagram);
    case Type::Welcome:
        return parseNoise<Welcome>(reader, crypto::NoiseHandshake::kMessage2Bytes);
    case Type::Finish:
        return parseNoise<Finish>(reader, crypto::NoiseHandshake::kMessage3Bytes);
    case Type::CookieReply:
        return parseCookieReply(datagram);
    case Type::Sealed:
        return parseSealed(datagram, reader);
    }
    return fail(Errc::UnsupportedFormat, "link datagram of type " + std::to_string(type));
}

Result<Packet> PacketCodec::parseHello(ByteView datagram) const
{
    // A shorter one would let us be used to send more to a third party than it cost.
    if (datagram.size() < kHelloBytes)
        return fail(Errc::Truncated, "HELLO");
    if (datagram.size() > kHelloBytes)
        return fail(Errc::Malformed, "HELLO of " + std::to_string(datagram.size()) + " bytes");
    if (!hasCode(datagram))
        return fail(Errc::WrongFleet, "HELLO");
    return Packet(
        Hello{cookieFrom(datagram.subspan(2)), datagram.subspan(2 + kCookieBytes, kHelloMessageBytes)});
}

Result<Packet> PacketCodec::parseCookieReply(ByteView datagram) const
{
    if (datagram.size() < kCookieReplyBytes)
        return fail(Errc::Truncated, "COOKIE");
    if (datagram.size() > kCookieReplyBytes)
        return fail(Errc::Malformed, "COOKIE of " + std::to_string(datagram.size()) + " bytes");
    if (!hasCode(datagram))
        return fail(Errc::WrongFleet, "COOKIE");
    ByteReader reader(datagram.subspan(2));
    const Token to{reader.u64()};
    return Packet(CookieReply{to, cookieFrom(reader.rest())});
}

Bytes PacketCodec::serialize(const Hello& hello) const
{
    STARLING_ASSERT(hello.message.size() == kHelloMessageBytes);
    ByteWriter writer = begin(Type::Hello);
    writer.raw(hello.cookie);
    writer.raw(hello.message);
    Bytes bytes = writer.take();
    addCode(bytes);
    return bytes;
}

Bytes PacketCodec::serialize(const CookieReply& reply) const
{
    ByteWriter writer = begin(Type::CookieReply);
    writer.u64(static_cast<std::uint64_t>(reply.to));
    writer.raw(reply.cookie);
    Bytes bytes = writer.take();
    addCode(bytes);
    return bytes;
}

Bytes PacketCodec::serialize(const Welcome& welcome)
{
    return serializeNoise(Type::Welcome, welcome);
}

Bytes PacketCodec::serialize(const Finish& finish)
{
    return serializeNoise(Type::Finish, finish);
}

Bytes helloPayload(Token from)
{
    ByteWriter writer;
    writer.u64(static_cast<std::uint64_t>(from));
    Bytes payload = writer.take();
    payload.resize(kHelloMessageBytes - crypto::NoiseHandshake::kMessage1Bytes);
    return payload;
}

Token tokenOf(const Hello& hello)
{
    return Token{ByteReader(hello.message.subspan(crypto::NoiseHandshake::kMessage1Bytes)).u64()};
}

LinkKey ephemeralOf(const Hello& hello)
{
    return *LinkKey::fromBytes(hello.message.first(LinkKey::kSize));
}

void writeSealedHeader(ByteWriter& writer, Token to, std::uint8_t epoch, std::uint64_t counter)
{
    writer.u8(kVersion);
    writer.u8(static_cast<std::uint8_t>(Type::Sealed));
    writer.u8(epoch);
    writer.u64(static_cast<std::uint64_t>(to));
    writer.u64(counter);
}

} // namespace starling::link
