// SPDX-License-Identifier: Apache-2.0
/// The datagrams of links. Integers are big-endian. Pure. All begin with 0x82 (version 2; the top bit keeps
/// them apart from STUN, 00......, and uTP, 0x01 … 0x41, on one socket) and a type:
///
///     1 HELLO    cookie (16) Noise message 1 (1,152) code (16)           1,186 bytes
///                message 1: ephemeral key (32), initiator's token (8), zeros
///     2 WELCOME  to (8) Noise message 2                                  at most 1,186 bytes
///                its payload: responder's token (8), certificate
///     3 FINISH   to (8) Noise message 3                                  its payload: certificate
///     4 COOKIE   to (8) cookie (16) code (16)                            42 bytes
///     5 SEALED   epoch (1) to (8) counter (8) sealed frame, tag (16)     the 19 bytes before are
///     authenticated
///
///     tokens   64 random bits that each side chose; `to` is the receiver's. They find the session, no more.
///     code     keyed BLAKE2b of all bytes before it; the key is derived from FLEET. Who does not know the
///              fleet gets no answer.
///     cookie   zeros, or what a COOKIE said: proof that the sender receives at its address (doorkeeper.h)
///     epoch    how often the sending key was followed by its next one, modulo 256 (channel.h)
///
/// No unauthenticated datagram is answered by a larger one: HELLO by WELCOME, COOKIE or another HELLO, a
/// repeated FINISH by a PONG of 44 bytes, the others by nothing.
#pragma once

#include "base/ids.h"
#include "crypto/blake2b.h"

#include <variant>

namespace starling::link {

/// What each side chooses at random for a handshake and the session from it. 0 stands for "not known".
enum class Token : std::uint64_t {};

using Cookie = crypto::Code128;

constexpr std::size_t kHelloBytes = 1'186; ///< as Config::datagramBytes: relays carry it as well
constexpr std::size_t kSealedHeaderBytes = 2 + 1 + 8 + 8;
constexpr std::size_t kSealedOverheadBytes = kSealedHeaderBytes + 16;

// Views refer to the datagram that was parsed.
struct Hello
{
    Cookie cookie{};
    ByteView message; ///< of Noise, padding included
};
struct Welcome
{
    Token to{};
    ByteView message;
};
struct Finish
{
    Token to{};
    ByteView message;
};
struct CookieReply
{
    Token to{};
    Cookie cookie{};
};
struct Sealed
{
    Token to{};
    std::uint8_t epoch = 0;
    std::uint64_t counter = 0;
    ByteView header; ///< the bytes that are authenticated with the frame
    ByteView frame; ///< sealed, with its tag
};
using Packet = std::variant<Hello, Welcome, Finish, CookieReply, Sealed>;

/// Knows the fleet's datagrams from those of strangers.
class PacketCodec
{
public:
    explicit PacketCodec(const FleetId& fleet);

    /// Fails with Truncated, UnsupportedFormat (version or type), Malformed (length of a HELLO) or WrongFleet
    /// (code).
    Result<Packet> parse(ByteView datagram) const;
    /// A HELLO's Noise message must have what is left of kHelloBytes; Sealed is Channel's to make.
    Bytes serialize(const Hello& hello) const;
    Bytes serialize(const CookieReply& reply) const;
    static Bytes serialize(const Welcome& welcome);
    static Bytes serialize(const Finish& finish);

private:
    Result<Packet> parseHello(ByteView datagram) const;
    Result<Packet> parseCookieReply(ByteView datagram) const;
    void addCode(Bytes& bytes) const;
    bool hasCode(ByteView datagram) const;
    crypto::Secret<32> m_key;
};

/// The payload of Noise message 1 from this token: the token and zeros, so that HELLO has kHelloBytes.
Bytes helloPayload(Token from);
/// The initiator's token in a HELLO; its ephemeral key.
Token tokenOf(const Hello& hello);
LinkKey ephemeralOf(const Hello& hello);
/// Writes the bytes before the sealed frame.
void writeSealedHeader(ByteWriter& writer, Token to, std::uint8_t epoch, std::uint64_t counter);

} // namespace starling::link
