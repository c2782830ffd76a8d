// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_message.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::nat {

namespace {

constexpr std::uint32_t kMagicCookie = 0x2112A442;
constexpr std::uint16_t kBinding = 0x001;
constexpr std::uint32_t kFingerprintMask = 0x5354554e; // RFC 8489 section 14.7: "STUN"
constexpr std::size_t kFingerprintBytes = 8; // with its header

// RFC 8489 section 18.3, RFC 5780 section 9.1. Types below 0x8000 must be understood.
enum class Type : std::uint16_t {
    MappedAddress = 0x0001,
    ChangeRequest = 0x0003,
    ErrorCode = 0x0009,
    UnknownAttributes = 0x000a,
    XorMappedAddress = 0x0020,
    Padding = 0x0026,
    ResponsePort = 0x0027,
    Software = 0x8022,
    Fingerprint = 0x8028,
    ResponseOrigin = 0x802b,
    OtherAddress = 0x802c,
};

constexpr std::uint8_t kIpv4 = 1;
constexpr std::uint8_t kIpv6 = 2;
constexpr std::uint32_t kChangeAddress = 4;
constexpr std::uint32_t kChangePort = 2;

constexpr std::array<std::uint32_t, 256> makeCrcTable()
{
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1u) != 0 ? (value >> 1) ^ 0xedb88320u : value >> 1;
        table[i] = value;
    }
    return table;
}

/// CRC-32 of ITU-T V.42, which RFC 8489 section 14.7 names.
std::uint32_t crc32(ByteView bytes)
{
    static constexpr auto kTable = makeCrcTable();
    std::uint32_t crc = ~0u;
    for (const std::byte b : bytes)
        crc = kTable[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xffu] ^ (crc >> 8);
    return ~crc;
}

std::size_t paddedTo4(std::size_t size)
{
    return (size + 3) / 4 * 4;
}

/// RFC 8489 section 5, figure 3: the class's two bits stand inside the method.
std::uint16_t messageType(StunClass kind)
{
    const auto bits = static_cast<unsigned>(kind);
    return static_cast<std::uint16_t>(kBinding | (bits & 1u) << 4 | (bits & 2u) << 7);
}

StunClass classOf(std::uint16_t type)
{
    return static_cast<StunClass>((type >> 4 & 1u) | (type >> 7 & 2u));
}

/// Makes an address that is XORed with cookie and transaction id out of one that is not, and back (RFC 8489
/// section 14.2).
Endpoint xored(Endpoint endpoint, const TransactionId& id)
{
    std::array<std::uint8_t, 16> mask{0x21, 0x12, 0xa4, 0x42};
    for (std::size_t i = 0; i < id.size(); ++i)
        mask[4 + i] = std::to_integer<std::uint8_t>(id[i]);
    endpoint.port = static_cast<std::uint16_t>(endpoint.port ^ (kMagicCookie >> 16));
    const std::size_t first = endpoint.isIpv4() ? 12 : 0;
    for (std::size_t i = first; i < 16; ++i)
        endpoint.address[i] = static_cast<std::uint8_t>(endpoint.address[i] ^ mask[i - first]);
    return endpoint;
}

Result<Endpoint> parseAddress(ByteView value, const TransactionId* mask)
{
    ByteReader reader(value);
    reader.u8();
    const std::uint8_t family = reader.u8();
    Endpoint endpoint;
    endpoint.port = reader.u16();
    const std::size_t size = family == kIpv4 ? 4 : 16;
    if ((family != kIpv4 && family != kIpv6) || reader.rest().size() != size)
        return fail(Errc::Malformed,
                    "STUN address of family " + std::to_string(family) + " with "
                        + std::to_string(reader.rest().size()) + " bytes");
    if (family == kIpv4)
        endpoint.address[10] = endpoint.address[11] = 0xff;
    for (std::size_t i = 16 - size; i < 16; ++i)
        endpoint.address[i] = reader.u8();
    if (mask == nullptr)
        return endpoint;
    // What XORs to the form of IPv4 in IPv6 would be written as IPv4, which its family contradicts.
    if (family == kIpv6 && endpoint.isIpv4())
        return fail(Errc::Malformed, "STUN address of IPv6 in the form of IPv4");
    const Endpoint plain = xored(endpoint, *mask);
    if (family == kIpv6 && plain.isIpv4())
        return fail(Errc::Malformed, "STUN address of IPv4 in the family of IPv6");
    return plain;
}

Result<StunError> parseError(ByteView value)
{
    ByteReader reader(value);
    const std::uint32_t word = reader.u32();
    const std::uint32_t hundreds = word >> 8 & 7u;
    const std::uint32_t rest = word & 0xffu;
    if (!reader.isGood() || hundreds < 3 || hundreds > 6 || rest > 99)
        return fail(Errc::Malformed, "STUN error code");
    if (reader.rest().size() > kMaxStunText)
        return fail(Errc::TooLarge, "STUN reason phrase");
    return StunError{static_cast<std::uint16_t>(hundreds * 100 + rest), toText(reader.rest())};
}

template <class T, class U> Status keepFirst(std::optional<T>& field, Result<U> value)
{
    if (!value)
        return fail(std::move(value.error()), "attribute");
    if (!field)
        field = std::move(*value);
    return {};
}

Result<std::uint32_t> parseWord(ByteView value)
{
    ByteReader reader(value);
    const std::uint32_t word = reader.u32();
    if (value.size() != 4)
        return fail(Errc::Malformed, "STUN attribute of " + std::to_string(value.size()) + " bytes for 4");
    return word;
}

Status takeChangeRequest(StunMessage& message, ByteView value)
{
    const auto flags = parseWord(value);
    if (!flags)
        return fail(Error(flags.error()), "CHANGE-REQUEST");
    return keepFirst(
        message.change,
        Result<ChangeRequest>(ChangeRequest{(*flags & kChangeAddress) != 0, (*flags & kChangePort) != 0}));
}

Status takeResponsePort(StunMessage& message, ByteView value)
{
    const auto port = parseWord(value); // RFC 5780 section 7.5: two bytes, and two of padding
    if (!port && value.size() != 2)
        return fail(Error(port.error()), "RESPONSE-PORT");
    return keepFirst(message.responsePort, Result<std::uint16_t>(ByteReader(value).u16()));
}

Status takePadding(StunMessage& message, ByteView value)
{
    if (value.size() > kMaxStunPadding)
        return fail(Errc::TooLarge, "PADDING of " + std::to_string(value.size()) + " bytes");
    return keepFirst(message.padding, Result<std::uint16_t>(static_cast<std::uint16_t>(value.size())));
}

Status takeSoftware(StunMessage& message, ByteView value)
{
    if (value.size() > kMaxStunText)
        return fail(Errc::TooLarge, "SOFTWARE of " + std::to_string(value.size()) + " bytes");
    return keepFirst(message.software, Result<std::string>(toText(value)));
}

Status takeUnknown(StunMessage& message, ByteView value)
{
    if (value.size() % 2 != 0)
        return fail(Errc::Malformed, "UNKNOWN-ATTRIBUTES of an odd length");
    if (value.size() / 2 > kMaxStunAttributes)
        return fail(Errc::TooLarge, "UNKNOWN-ATTRIBUTES");
    if (!message.unknown.empty())
        return {};
    for (ByteReader reader(value); !reader.rest().empty();)
        message.unknown.push_back(reader.u16());
    return {};
}

Status takeAttribute(StunMessage& message, std::uint16_t type, ByteView value)
{
    switch (static_cast<Type>(type)) {
    case Type::MappedAddress:
        return keepFirst(message.mapped, parseAddress(value, nullptr));
    case Type::XorMappedAddress:
        return keepFirst(message.xorMapped, parseAddress(value, &message.id));
    case Type::ResponseOrigin:
        return keepFirst(message.responseOrigin, parseAddress(value, nullptr));
    case Type::OtherAddress:
        return keepFirst(message.other, parseAddress(value, nullptr));
    case Type::ChangeRequest:
        return takeChangeRequest(message, value);
    case Type::ResponsePort:
        return takeResponsePort(message, value);
    case Type::Padding:
        return takePadding(message, value);
    case Type::Software:
        return takeSoftware(message, value);
    case Type::ErrorCode:
        return keepFirst(message.error, parseError(value));
    case Type::UnknownAttributes:
        return takeUnknown(message, value);
    case Type::Fingerprint:
        break; // parseStun()'s
    }
    auto& known = message.notUnderstood;
    if (type < 0x8000 && std::find(known.begin(), known.end(), type) == known.end())
        known.push_back(type);
    return {};
}

Status checkFingerprint(ByteView datagram, ByteView value)
{
    const auto said = parseWord(value);
    if (!said)
        return fail(Error(said.error()), "FINGERPRINT");
    if (*said != (crc32(datagram.first(datagram.size() - kFingerprintBytes)) ^ kFingerprintMask))
        return fail(Errc::Malformed, "FINGERPRINT is not the message's");
    return {};
}

Status takeAttributes(StunMessage& message, ByteView datagram)
{
    ByteReader reader(datagram.subspan(kStunHeaderBytes));
    for (std::size_t count = 0; !reader.rest().empty(); ++count) {
        if (count == kMaxStunAttributes)
            return fail(Errc::TooLarge, "STUN message of more than " + std::to_string(count) + " attributes");
        if (message.hasFingerprint)
            return fail(Errc::Malformed, "STUN attribute after FINGERPRINT");
        const std::uint16_t type = reader.u16();
        const std::size_t size = reader.u16();
        const ByteView value = reader.raw(size);
        reader.raw(paddedTo4(size) - size); // RFC 8489 section 14: whatever it is
        if (auto status = reader.status("STUN attribute"); !status)
            return status;
        message.hasFingerprint = static_cast<Type>(type) == Type::Fingerprint;
        auto status =
            message.hasFingerprint ? checkFingerprint(datagram, value) : takeAttribute(message, type, value);
        if (!status)
            return status;
    }
    return {};
}

void writeAttribute(ByteWriter& writer, Type type, ByteView value)
{
    writer.u16(static_cast<std::uint16_t>(type));
    writer.u16(static_cast<std::uint16_t>(value.size()));
    writer.raw(value);
    writer.raw(Bytes(paddedTo4(value.size()) - value.size()));
}

void writeAddress(ByteWriter& writer, Type type, const std::optional<Endpoint>& endpoint,
                  const TransactionId* mask)
{
    if (!endpoint)
        return;
    const bool isIpv4 = endpoint->isIpv4();
    const Endpoint shown = mask != nullptr ? xored(*endpoint, *mask) : *endpoint;
    ByteWriter value;
    value.u8(0);
    value.u8(isIpv4 ? kIpv4 : kIpv6);
    value.u16(shown.port);
    value.raw(std::as_bytes(std::span(shown.address)).subspan(isIpv4 ? 12 : 0));
    writeAttribute(writer, type, value.take());
}

void writeQuestion(ByteWriter& writer, const StunMessage& message)
{
    if (message.change) {
        ByteWriter value;
        value.u32((message.change->address ? kChangeAddress : 0u)
                  | (message.change->port ? kChangePort : 0u));
        writeAttribute(writer, Type::ChangeRequest, value.take());
    }
    if (message.responsePort) {
        ByteWriter value;
        value.u32(std::uint32_t(*message.responsePort) << 16);
        writeAttribute(writer, Type::ResponsePort, value.take());
    }
    if (message.padding) {
        STARLING_ASSERT(*message.padding <= kMaxStunPadding);
        writeAttribute(writer, Type::Padding, Bytes(*message.padding));
    }
}

void writeError(ByteWriter& writer, const StunMessage& message)
{
    if (message.error) {
        const StunError& error = *message.error;
        STARLING_ASSERT(error.code >= 300 && error.code < 700 && error.reason.size() <= kMaxStunText);
        ByteWriter value;
        value.u32(static_cast<std::uint32_t>(error.code / 100 << 8 | error.code % 100));
        value.raw(viewOf(error.reason));
        writeAttribute(writer, Type::ErrorCode, value.take());
    }
    if (!message.unknown.empty()) {
        STARLING_ASSERT(message.unknown.size() <= kMaxStunAttributes);
        ByteWriter value;
        for (const std::uint16_t type : message.unknown)
            value.u16(type);
        writeAttribute(writer, Type::UnknownAttributes, value.take());
    }
}

Bytes bytesOf(const StunMessage& message, ByteView attributes, std::size_t more)
{
    ByteWriter writer;
    writer.u16(messageType(message.kind));
    writer.u16(static_cast<std::uint16_t>(attributes.size() + more));
    writer.u32(kMagicCookie);
    writer.raw(message.id);
    writer.raw(attributes);
    return writer.take();
}

} // namespace

bool looksLikeStun(ByteView datagram)
{
    if (datagram.size() < kStunHeaderBytes || (datagram[0] & std::byte{0xc0}) != std::byte{})
        return false;
    return ByteReader(datagram.subspan(4)).u32() == kMagicCookie;
}

Result<StunMessage> parseStun(ByteView datagram)
{
    if (datagram.size() > kMaxStunBytes)
        return fail(Errc::TooLarge, "STUN message of " + std::to_string(datagram.size()) + " bytes");
    if (datagram.size() < kStunHeaderBytes)
        return fail(Errc::Truncated, "STUN header");
    if (!looksLikeStun(datagram))
        return fail(Errc::UnsupportedFormat, "not STUN");
    ByteReader reader(datagram);
    const std::uint16_t type = reader.u16();
    const std::size_t length = reader.u16();
    StunMessage message;
    message.kind = classOf(type);
    if (messageType(message.kind) != type)
        return fail(Errc::UnsupportedFormat, "STUN message of type " + std::to_string(type));
    reader.u32();
    std::copy_n(reader.raw(message.id.size()).begin(), message.id.size(), message.id.begin());
    if (length > reader.rest().size())
        return fail(Errc::Truncated, "STUN message");
    if (length < reader.rest().size() || length % 4 != 0)
        return fail(Errc::Malformed, "STUN message of length " + std::to_string(length));
    if (auto status = takeAttributes(message, datagram); !status)
        return tl::unexpected<Error>(std::move(status.error()));
    return message;
}

Bytes serialize(const StunMessage& message)
{
    ByteWriter writer;
    writeAddress(writer, Type::XorMappedAddress, message.xorMapped, &message.id);
    writeAddress(writer, Type::MappedAddress, message.mapped, nullptr);
    writeAddress(writer, Type::ResponseOrigin, message.responseOrigin, nullptr);
    writeAddress(writer, Type::OtherAddress, message.other, nullptr);
    writeQuestion(writer, message);
    writeError(writer, message);
    if (message.software) {
        STARLING_ASSERT(message.software->size() <= kMaxStunText);
        writeAttribute(writer, Type::Software, viewOf(*message.software));
    }
    const Bytes attributes = writer.take();
    if (!message.hasFingerprint)
        return bytesOf(message, attributes, 0);
    // The CRC covers a length that counts FINGERPRINT already.
    Bytes bytes = bytesOf(message, attributes, kFingerprintBytes);
    ByteWriter fingerprint;
    fingerprint.u32(crc32(bytes) ^ kFingerprintMask);
    ByteWriter attribute;
    writeAttribute(attribute, Type::Fingerprint, fingerprint.take());
    append(bytes, attribute.take());
    return bytes;
}

} // namespace starling::nat
