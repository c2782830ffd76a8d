// SPDX-License-Identifier: Apache-2.0
#include "link/frame.h"

#include "base/assert.h"

#include <array>
#include <limits>

namespace starling::link {

namespace {

constexpr std::size_t kMaxAckBytes = kReceiveWindow / 8;
constexpr std::uint8_t kLastFlag = 1;
constexpr std::uint8_t kWantsAckFlag = 2;

enum class Kind : std::uint8_t {
    Data = 1,
    Ack,
    Ping,
    Pong,
    Bye,
    PathChallenge,
    PathResponse,
    Unreliable,
    Forward,
    Forwarded,
    Seek,
    Seen,
    NotForwarded,
    Candidates,
    Go,
    Once = 32,
};

constexpr std::size_t kEndpointBytes = 18;

Result<Frame> parseData(ByteReader& reader)
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
    return Frame(data);
}

Result<Frame> parseAck(ByteReader& reader)
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
    return Frame(ack);
}

Result<Frame> parseUnreliable(ByteReader& reader, bool isMessage)
{
    const Unreliable unreliable{reader.raw(reader.u16()), isMessage};
    if (auto status = reader.status("UNRELIABLE"); !status)
        return fail(std::move(status.error()), "frame");
    return Frame(unreliable);
}

template <class T> Result<Frame> parseNumber(ByteReader& reader)
{
    const T body{reader.u64()};
    if (auto status = reader.status("number"); !status)
        return fail(std::move(status.error()), "frame");
    return Frame(body);
}

/// PING and PONG: an earlier version says no address.
template <class T> Result<Frame> parsePing(ByteReader& reader)
{
    T body{reader.u64(), {}};
    if (auto status = reader.status("number"); !status)
        return fail(std::move(status.error()), "frame");
    if (reader.rest().size() >= kEndpointBytes)
        body.seen = readEndpoint(reader);
    return Frame(body);
}

template <class T> Result<Frame> parseForward(ByteReader& reader)
{
    T body{reader.u64(), {}};
    body.datagram = reader.raw(reader.u16());
    if (auto status = reader.status("FORWARD"); !status)
        return fail(std::move(status.error()), "frame");
    return Frame(body);
}

Result<Frame> parseNotForwarded(ByteReader& reader)
{
    NotForwarded body{reader.u64(), {}};
    body.reason = static_cast<NotForwarded::Reason>(reader.u8());
    if (auto status = reader.status("REFUSED"); !status)
        return fail(std::move(status.error()), "frame");
    return Frame(body);
}

Result<Frame> parseCandidates(ByteReader& reader)
{
    Candidates body;
    body.round = reader.u8();
    body.isAnswer = reader.u8() != 0;
    const std::size_t count = reader.u8();
    if (reader.isGood() && count > kMaxNamedCandidates)
        return fail(Errc::TooLarge, std::to_string(count) + " candidates");
    for (std::size_t i = 0; i < count && reader.isGood(); ++i)
        body.endpoints.push_back(readEndpoint(reader));
    if (auto status = reader.status("CANDIDATES"); !status)
        return fail(std::move(status.error()), "frame");
    if (reader.rest().size() >= kEndpointBytes + 1) {
        PortForecast forecast{readEndpoint(reader), reader.u8()};
        if (forecast.step > 0 && forecast.step <= kMaxForecastStep)
            body.forecast = forecast;
    }
    return Frame(std::move(body));
}

Result<Frame> parseGo(ByteReader& reader)
{
    const Go body{reader.u8()};
    if (auto status = reader.status("GO"); !status)
        return fail(std::move(status.error()), "frame");
    return Frame(body);
}

struct KindOf
{
    Kind operator()(const Data&) const { return Kind::Data; }
    Kind operator()(const Ack&) const { return Kind::Ack; }
    Kind operator()(const Ping&) const { return Kind::Ping; }
    Kind operator()(const Pong&) const { return Kind::Pong; }
    Kind operator()(const Bye&) const { return Kind::Bye; }
    Kind operator()(const PathChallenge&) const { return Kind::PathChallenge; }
    Kind operator()(const PathResponse&) const { return Kind::PathResponse; }
    Kind operator()(const Unreliable& unreliable) const
    {
        return unreliable.isMessage ? Kind::Once : Kind::Unreliable;
    }
    Kind operator()(const Forward&) const { return Kind::Forward; }
    Kind operator()(const Forwarded&) const { return Kind::Forwarded; }
    Kind operator()(const Seek&) const { return Kind::Seek; }
    Kind operator()(const Seen&) const { return Kind::Seen; }
    Kind operator()(const NotForwarded&) const { return Kind::NotForwarded; }
    Kind operator()(const Candidates&) const { return Kind::Candidates; }
    Kind operator()(const Go&) const { return Kind::Go; }
};

struct WriteFrame
{
    ByteWriter& writer;

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
    void operator()(const Ping& ping) const { writePing(ping); }
    void operator()(const Pong& pong) const { writePing(pong); }
    void operator()(const Bye&) const { }
    void operator()(const PathChallenge& challenge) const { writer.u64(challenge.nonce); }
    void operator()(const PathResponse& response) const { writer.u64(response.nonce); }
    void operator()(const Unreliable& unreliable) const
    {
        STARLING_ASSERT(unreliable.payload.size() <= std::numeric_limits<std::uint16_t>::max());
        writer.u16(static_cast<std::uint16_t>(unreliable.payload.size()));
        writer.raw(unreliable.payload);
        for (unsigned i = 0; i < unreliable.padding; ++i)
            writer.u8(0);
    }
    void operator()(const Forward& forward) const { writeForward(forward); }
    void operator()(const Forwarded& forwarded) const { writeForward(forwarded); }
    void operator()(const Seek& seek) const { writer.u64(seek.node); }
    void operator()(const Seen& seen) const { writer.u64(seen.node); }
    void operator()(const NotForwarded& refusal) const
    {
        writer.u64(refusal.node);
        writer.u8(static_cast<std::uint8_t>(refusal.reason));
    }
    void operator()(const Candidates& candidates) const
    {
        STARLING_ASSERT(candidates.endpoints.size() <= kMaxNamedCandidates);
        writer.u8(candidates.round);
        writer.u8(candidates.isAnswer ? 1 : 0);
        writer.u8(static_cast<std::uint8_t>(candidates.endpoints.size()));
        for (const Endpoint& endpoint : candidates.endpoints)
            starling::write(writer, endpoint);
        if (!candidates.forecast)
            return;
        STARLING_ASSERT(candidates.forecast->step <= kMaxForecastStep);
        starling::write(writer, candidates.forecast->last);
        writer.u8(static_cast<std::uint8_t>(candidates.forecast->step));
    }
    void operator()(const Go& go) const { writer.u8(go.round); }

    template <class T> void writePing(const T& ping) const
    {
        writer.u64(ping.number);
        if (ping.seen)
            starling::write(writer, *ping.seen);
    }
    template <class T> void writeForward(const T& forward) const
    {
        STARLING_ASSERT(forward.datagram.size() <= std::numeric_limits<std::uint16_t>::max());
        writer.u64(forward.node);
        writer.u16(static_cast<std::uint16_t>(forward.datagram.size()));
        writer.raw(forward.datagram);
    }
};

} // namespace

Result<Frame> parseFrame(ByteView bytes)
{
    ByteReader reader(bytes);
    const std::uint8_t kind = reader.u8();
    if (!reader.isGood())
        return fail(Errc::Truncated, "empty frame");
    switch (static_cast<Kind>(kind)) {
    case Kind::Data:
        return parseData(reader);
    case Kind::Ack:
        return parseAck(reader);
    case Kind::Ping:
        return parsePing<Ping>(reader);
    case Kind::Pong:
        return parsePing<Pong>(reader);
    case Kind::Bye:
        return Frame(Bye{});
    case Kind::PathChallenge:
        return parseNumber<PathChallenge>(reader);
    case Kind::PathResponse:
        return parseNumber<PathResponse>(reader);
    case Kind::Unreliable:
        return parseUnreliable(reader, false);
    case Kind::Once:
        return parseUnreliable(reader, true);
    case Kind::Forward:
        return parseForward<Forward>(reader);
    case Kind::Forwarded:
        return parseForward<Forwarded>(reader);
    case Kind::Seek:
        return parseNumber<Seek>(reader);
    case Kind::Seen:
        return parseNumber<Seen>(reader);
    case Kind::NotForwarded:
        return parseNotForwarded(reader);
    case Kind::Candidates:
        return parseCandidates(reader);
    case Kind::Go:
        return parseGo(reader);
    }
    return fail(Errc::UnsupportedFormat, "frame kind " + std::to_string(kind));
}

void write(ByteWriter& writer, const Frame& frame)
{
    writer.u8(static_cast<std::uint8_t>(std::visit(KindOf{}, frame)));
    std::visit(WriteFrame{writer}, frame);
}

} // namespace starling::link
