// SPDX-License-Identifier: Apache-2.0
#include "link/frame.h"

#include "base/assert.h"

#include <array>
#include <limits>

namespace starling::link {

namespace {

constexpr std::uint8_t kVersion = 0x81;
constexpr std::size_t kChecksumAt = 2;
constexpr std::size_t kMaxAckBytes = kReceiveWindow / 8;
constexpr std::uint8_t kLastFlag = 1;
constexpr std::uint8_t kWantsAckFlag = 2;

enum class Type : std::uint8_t { Hello = 1, HelloAck, Data, Ack, Ping, Pong, Bye };

constexpr std::array<std::uint32_t, 256> makeTable()
{
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value =
                (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78 : 0); // the Castagnoli polynomial, reflected
        table[i] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> kTable = makeTable();

std::uint32_t update(std::uint32_t crc, ByteView bytes)
{
    for (const std::byte b : bytes)
        crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff];
    return crc;
}

/// CRC-32C of a datagram of at least kHeaderBytes, its checksum field taken as zero.
std::uint32_t checksumOf(ByteView datagram)
{
    constexpr std::array<std::byte, 4> kZeros{};
    std::uint32_t crc = update(0xffffffff, datagram.first(kChecksumAt));
    crc = update(crc, kZeros);
    return ~update(crc, datagram.subspan(kChecksumAt + 4));
}

template <class T> Result<Body> parseNode(ByteReader& reader)
{
    const auto node = NodeId::fromBytes(reader.raw(NodeId::kSize));
    if (!node)
        return fail(Errc::Truncated, "node id");
    return Body(T{*node});
}

Result<Body> parseHello(ByteReader& reader)
{
    // A shorter one would let us be used to send more to a third party than it cost.
    if (reader.rest().size() < kHelloBytes - kHeaderBytes)
        return fail(Errc::Truncated, "HELLO");
    return parseNode<Hello>(reader);
}

Result<Body> parseData(ByteReader& reader)
{
    Data data;
    data.sequence = reader.u64();
    data.transmission = reader.u64();
    const std::uint8_t flags = reader.u8();
    data.isLast = (flags & kLastFlag) != 0;
    data.wantsAck = (flags & kWantsAckFlag) != 0;
    data.payload = reader.raw(reader.u16());
    if (auto status = reader.status("DATA"); !status)
        return fail(std::move(status.error()), "frame");
    return Body(data);
}

Result<Body> parseAck(ByteReader& reader)
{
    Ack ack;
    ack.next = reader.u64();
    ack.echo = reader.u64();
    const std::size_t count = reader.u8();
    if (count > kMaxAckBytes)
        return fail(Errc::Malformed, "ACK: " + std::to_string(count) + " bytes of bits");
    const ByteView bits = reader.raw(count);
    if (auto status = reader.status("ACK"); !status)
        return fail(std::move(status.error()), "frame");
    for (std::size_t i = 0; i < bits.size() * 8; ++i)
        ack.beyond[i] = (std::to_integer<unsigned>(bits[i / 8]) >> (i % 8) & 1) != 0;
    return Body(ack);
}

Result<Body> parseBye(ByteReader& reader)
{
    // A reason that this version does not know is a goodbye all the same.
    const bool isUnknown = reader.u8() == static_cast<std::uint8_t>(Bye::Reason::Unknown);
    if (auto status = reader.status("BYE"); !status)
        return fail(std::move(status.error()), "frame");
    return Body(Bye{isUnknown ? Bye::Reason::Unknown : Bye::Reason::Closed});
}

template <class T> Result<Body> parseNumber(ByteReader& reader)
{
    const T body{reader.u64()};
    if (auto status = reader.status("PING or PONG"); !status)
        return fail(std::move(status.error()), "frame");
    return Body(body);
}

Result<Body> parseBody(std::uint8_t type, ByteReader& reader)
{
    switch (static_cast<Type>(type)) {
    case Type::Hello:
        return parseHello(reader);
    case Type::HelloAck:
        return parseNode<HelloAck>(reader);
    case Type::Data:
        return parseData(reader);
    case Type::Ack:
        return parseAck(reader);
    case Type::Ping:
        return parseNumber<Ping>(reader);
    case Type::Pong:
        return parseNumber<Pong>(reader);
    case Type::Bye:
        return parseBye(reader);
    }
    return fail(Errc::UnsupportedFormat, "frame type " + std::to_string(type));
}

struct TypeOf
{
    Type operator()(const Hello&) const { return Type::Hello; }
    Type operator()(const HelloAck&) const { return Type::HelloAck; }
    Type operator()(const Data&) const { return Type::Data; }
    Type operator()(const Ack&) const { return Type::Ack; }
    Type operator()(const Ping&) const { return Type::Ping; }
    Type operator()(const Pong&) const { return Type::Pong; }
    Type operator()(const Bye&) const { return Type::Bye; }
};

struct WriteBody
{
    ByteWriter& writer;

    void operator()(const Hello& hello) const
    {
        constexpr std::array<std::byte, kHelloBytes - kHeaderBytes - NodeId::kSize> kPadding{};
        writer.raw(hello.node.bytes());
        writer.raw(kPadding);
    }
    void operator()(const HelloAck& ack) const { writer.raw(ack.node.bytes()); }
    void operator()(const Data& data) const
    {
        STARLING_ASSERT(data.payload.size() <= std::numeric_limits<std::uint16_t>::max());
        writer.u64(data.sequence);
        writer.u64(data.transmission);
        writer.u8(
            static_cast<std::uint8_t>((data.isLast ? kLastFlag : 0) | (data.wantsAck ? kWantsAckFlag : 0)));
        writer.u16(static_cast<std::uint16_t>(data.payload.size()));
        writer.raw(data.payload);
    }
    void operator()(const Ack& ack) const
    {
        std::array<std::byte, kMaxAckBytes> bits{};
        std::size_t count = 0;
        for (std::size_t i = 0; i < ack.beyond.size(); ++i) {
            if (!ack.beyond[i])
                continue;
            bits[i / 8] |= static_cast<std::byte>(1u << (i % 8));
            count = i / 8 + 1;
        }
        writer.u64(ack.next);
        writer.u64(ack.echo);
        writer.u8(static_cast<std::uint8_t>(count));
        writer.raw(ByteView(bits).first(count));
    }
    void operator()(const Ping& ping) const { writer.u64(ping.number); }
    void operator()(const Pong& pong) const { writer.u64(pong.number); }
    void operator()(const Bye& bye) const { writer.u8(static_cast<std::uint8_t>(bye.reason)); }
};

} // namespace

void writeChecksum(Bytes& datagram)
{
    if (datagram.size() < kHeaderBytes)
        return;
    const std::uint32_t checksum = checksumOf(datagram);
    for (std::size_t i = 0; i < 4; ++i)
        datagram[kChecksumAt + i] = static_cast<std::byte>(checksum >> (24 - 8 * i));
}

Result<Frame> parse(ByteView datagram)
{
    ByteReader reader(datagram);
    const std::uint8_t version = reader.u8();
    const std::uint8_t type = reader.u8();
    const std::uint32_t checksum = reader.u32();
    Frame frame;
    frame.to = Token{reader.u64()};
    frame.from = Token{reader.u64()};
    if (auto status = reader.status("frame"); !status)
        return fail(std::move(status.error()), "link");
    if (version != kVersion)
        return fail(Errc::UnsupportedFormat, "frame version " + std::to_string(version));
    if (checksum != checksumOf(datagram))
        return fail(Errc::Malformed, "frame checksum");
    auto body = parseBody(type, reader);
    if (!body)
        return fail(std::move(body.error()), "link");
    const bool isHello = std::holds_alternative<Hello>(*body);
    if (frame.from == Token{} || (frame.to == Token{}) != isHello)
        return fail(Errc::Malformed, "frame token");
    frame.body = *body;
    return frame;
}

Bytes serialize(const Frame& frame)
{
    ByteWriter writer;
    writer.u8(kVersion);
    writer.u8(static_cast<std::uint8_t>(std::visit(TypeOf{}, frame.body)));
    writer.u32(0);
    writer.u64(static_cast<std::uint64_t>(frame.to));
    writer.u64(static_cast<std::uint64_t>(frame.from));
    std::visit(WriteBody{writer}, frame.body);
    Bytes bytes = writer.take();
    writeChecksum(bytes);
    return bytes;
}

} // namespace starling::link
