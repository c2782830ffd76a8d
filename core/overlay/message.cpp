// SPDX-License-Identifier: Apache-2.0
#include "overlay/message.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::overlay {

namespace {
enum class Kind : std::uint8_t {
    Notice = 1,
    Digest = 2,
    Summary = 3,
    Request = 4,
    More = 5,
    Have = 6,
    StopHave = 7,
    WhoHas = 8,
    Providers = 9,
    IHave = 10,
    Graft = 11,
    Prune = 12,
    Standing = 30,
    AskRoots = 31,
    Roots = 32,
    Ranges = 33,
    Pulse = 40,
    Receipts = 41,
    Accepted = 42,
    Delivered = 43,
    Sums = 44,
    Petition = PetitionMessage::kKind,
    Grant = GrantMessage::kKind,
};
static_assert(static_cast<std::uint8_t>(Kind::Pulse) == PulseMessage::kKind
              && static_cast<std::uint8_t>(Kind::Receipts) == ReceiptsMessage::kKind
              && static_cast<std::uint8_t>(Kind::Accepted) == AcceptedMessage::kKind
              && static_cast<std::uint8_t>(Kind::Delivered) == DeliveredMessage::kKind
              && static_cast<std::uint8_t>(Kind::Sums) == SumsMessage::kKind);

constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kRankBytes = 16;

ByteWriter begin(Kind kind)
{
    ByteWriter writer;
    writer.u8(kMessageVersion);
    writer.u8(static_cast<std::uint8_t>(kind));
    return writer;
}

void writeKey(ByteWriter& writer, const NoticeKey& key)
{
    STARLING_ASSERT(key.name.size() <= kMaxNameBytes);
    writer.u8(key.kind);
    writer.u8(static_cast<std::uint8_t>(key.name.size()));
    writer.raw(viewOf(key.name));
}

void writeFlag(ByteWriter& writer, bool flag)
{
    writer.u8(flag ? 1 : 0);
}

void writeDescriptor(ByteWriter& writer, ByteView descriptor)
{
    STARLING_ASSERT(descriptor.size() <= kMaxProviderBytes);
    writer.u16(static_cast<std::uint16_t>(descriptor.size()));
    writer.raw(descriptor);
}

Bytes encode(const NoticeMessage& message)
{
    ByteWriter writer = begin(Kind::Notice);
    writer.sized(message.bytes);
    if (message.isBeside)
        writer.u8(1);
    return writer.take();
}

Bytes encode(const DigestMessage& message)
{
    ByteWriter writer = begin(Kind::Digest);
    writer.raw(message.hash.bytes());
    return writer.take();
}

Bytes encode(const SummaryMessage& message)
{
    STARLING_ASSERT(message.heads.size() <= kMaxHeads);
    ByteWriter writer = begin(Kind::Summary);
    writeKey(writer, message.from);
    writeFlag(writer, message.to.has_value());
    if (message.to)
        writeKey(writer, *message.to);
    writer.u32(static_cast<std::uint32_t>(message.heads.size()));
    for (const Head& head : message.heads)
        write(writer, head);
    return writer.take();
}

Bytes encode(const RequestMessage& message)
{
    STARLING_ASSERT(message.keys.size() <= kMaxKeys);
    ByteWriter writer = begin(Kind::Request);
    writer.u32(static_cast<std::uint32_t>(message.keys.size()));
    for (const NoticeKey& key : message.keys)
        writeKey(writer, key);
    return writer.take();
}

Bytes encode(const MoreMessage& message)
{
    ByteWriter writer = begin(Kind::More);
    writer.u32(message.remaining);
    return writer.take();
}

Bytes encode(const HaveMessage& message)
{
    ByteWriter writer = begin(Kind::Have);
    writer.raw(message.payload.bytes());
    writeFlag(writer, message.isComplete);
    writeDescriptor(writer, message.descriptor);
    return writer.take();
}

Bytes encode(const StopHaveMessage& message)
{
    ByteWriter writer = begin(Kind::StopHave);
    writer.raw(message.payload.bytes());
    return writer.take();
}

Bytes encode(const WhoHasMessage& message)
{
    ByteWriter writer = begin(Kind::WhoHas);
    writer.raw(message.payload.bytes());
    return writer.take();
}

Bytes encode(const ProvidersMessage& message)
{
    STARLING_ASSERT(message.providers.size() <= kMaxProviders);
    ByteWriter writer = begin(Kind::Providers);
    writer.raw(message.payload.bytes());
    writer.u8(static_cast<std::uint8_t>(message.providers.size()));
    for (const ProvidersMessage::Told& told : message.providers) {
        writeFlag(writer, told.isComplete);
        writer.u16(told.ageSeconds);
        writeDescriptor(writer, told.descriptor);
    }
    return writer.take();
}

Bytes encode(const IHaveMessage& message)
{
    STARLING_ASSERT(message.items.size() <= kMaxItems);
    ByteWriter writer = begin(Kind::IHave);
    writer.u16(static_cast<std::uint16_t>(message.items.size()));
    for (const IHaveMessage::Item& item : message.items) {
        writeKey(writer, item.key);
        writer.raw(item.tag);
    }
    return writer.take();
}

Bytes encode(const GraftMessage& message)
{
    STARLING_ASSERT(message.keys.size() <= kMaxItems);
    ByteWriter writer = begin(Kind::Graft);
    writer.u16(static_cast<std::uint16_t>(message.keys.size()));
    for (const NoticeKey& key : message.keys)
        writeKey(writer, key);
    if (message.isOnce)
        writer.u8(1);
    return writer.take();
}

Bytes encode(const PruneMessage&)
{
    return begin(Kind::Prune).take();
}

Bytes encode(const StandingMessage& message)
{
    ByteWriter writer = begin(Kind::Standing);
    writer.u64(message.root);
    writer.raw(message.urgent.bytes());
    return writer.take();
}

Bytes encode(const AskRootsMessage& message)
{
    ByteWriter writer = begin(Kind::AskRoots);
    writer.u64(message.from);
    return writer.take();
}

Bytes encode(const RootsMessage& message)
{
    STARLING_ASSERT(message.notices.size() <= kMaxRoots);
    ByteWriter writer = begin(Kind::Roots);
    writer.u16(static_cast<std::uint16_t>(message.notices.size()));
    for (const ByteView notice : message.notices)
        writer.sized(notice);
    return writer.take();
}

Bytes encode(const RangesMessage& message)
{
    STARLING_ASSERT(!message.parts.empty() && message.parts.size() <= kMaxParts);
    ByteWriter writer = begin(Kind::Ranges);
    writeFlag(writer, message.to.has_value());
    if (message.to)
        writeKey(writer, *message.to);
    writer.u8(static_cast<std::uint8_t>(message.parts.size()));
    for (const RangesMessage::Part& part : message.parts) {
        writeKey(writer, part.from);
        writer.raw(part.hash);
    }
    return writer.take();
}

template <class Typed>
requires requires
{
    Typed::kKind;
}
Bytes encode(const Typed& message)
{
    ByteWriter writer = begin(static_cast<Kind>(Typed::kKind));
    write(writer, message);
    return writer.take();
}

template <class SomeId> SomeId readId(ByteReader& reader)
{
    auto id = SomeId::fromBytes(reader.raw(kIdBytes));
    return id ? *id : SomeId(); // the reader remembers that it ran out
}

NoticeKey readKey(ByteReader& reader)
{
    NoticeKey key;
    key.kind = reader.u8();
    key.name = toText(reader.raw(reader.u8()));
    return key;
}

Head readHead(ByteReader& reader)
{
    Head head;
    head.key = readKey(reader);
    head.rank.major = reader.u64();
    head.rank.minor = reader.u64();
    head.id = readId<NoticeId>(reader);
    return head;
}

Status keyStatus(const NoticeKey& key)
{
    if (key.name.size() > kMaxNameBytes)
        return fail(Errc::TooLarge, "key name of " + std::to_string(key.name.size()) + " bytes");
    return {};
}

Result<bool> readFlag(ByteReader& reader, std::string_view what)
{
    const std::uint8_t flag = reader.u8();
    if (flag > 1)
        return fail(Errc::Malformed, std::string(what) + ": flag " + std::to_string(flag));
    return flag == 1;
}

Result<Bytes> readDescriptor(ByteReader& reader)
{
    const std::size_t size = reader.u16();
    if (size > kMaxProviderBytes)
        return fail(Errc::TooLarge, "descriptor of " + std::to_string(size) + " bytes");
    return toBytes(reader.raw(size));
}

Result<Message> readNotice(ByteReader& reader)
{
    const ByteView notice = reader.sized(kMaxMessageBytes);
    if (auto status = reader.status("notice"); !status)
        return fail(std::move(status.error()), "message");
    return NoticeMessage{notice, !reader.rest().empty() && reader.u8() == 1};
}

Result<Message> readSummary(ByteReader& reader)
{
    SummaryMessage summary;
    summary.from = readKey(reader);
    const auto isBounded = readFlag(reader, "summary");
    if (!isBounded)
        return tl::unexpected(isBounded.error());
    if (*isBounded)
        summary.to = readKey(reader);
    if (auto status = keyStatus(summary.from); !status)
        return fail(std::move(status.error()), "summary");
    if (auto status = keyStatus(summary.to.value_or(NoticeKey())); !status)
        return fail(std::move(status.error()), "summary");
    const std::uint32_t count = reader.u32();
    if (count > kMaxHeads)
        return fail(Errc::TooLarge, "summary of " + std::to_string(count) + " heads");
    for (std::uint32_t i = 0; i < count; ++i) {
        Head head = readHead(reader);
        if (auto status = reader.status("summary"); !status)
            return tl::unexpected(status.error());
        if (auto status = keyStatus(head.key); !status)
            return fail(std::move(status.error()), "summary");
        if (!summary.heads.empty() && !(summary.heads.back().key < head.key))
            return fail(Errc::NotCanonical, "summary: keys out of order");
        if (head.key < summary.from || (summary.to && !(head.key < *summary.to)))
            return fail(Errc::Malformed, "summary: key outside its range");
        summary.heads.push_back(std::move(head));
    }
    return summary;
}

Result<Message> readRequest(ByteReader& reader)
{
    RequestMessage request;
    const std::uint32_t count = reader.u32();
    if (count > kMaxKeys)
        return fail(Errc::TooLarge, "request of " + std::to_string(count) + " keys");
    for (std::uint32_t i = 0; i < count; ++i) {
        NoticeKey key = readKey(reader);
        if (auto status = reader.status("request"); !status)
            return tl::unexpected(status.error());
        if (auto status = keyStatus(key); !status)
            return fail(std::move(status.error()), "request");
        if (!request.keys.empty() && !(request.keys.back() < key))
            return fail(Errc::NotCanonical, "request: keys out of order");
        request.keys.push_back(std::move(key));
    }
    return request;
}

Result<Message> readHave(ByteReader& reader)
{
    HaveMessage have;
    have.payload = readId<InfoHash>(reader);
    const auto isComplete = readFlag(reader, "have");
    if (!isComplete)
        return tl::unexpected(isComplete.error());
    auto descriptor = readDescriptor(reader);
    if (!descriptor)
        return fail(std::move(descriptor.error()), "have");
    have.isComplete = *isComplete;
    have.descriptor = std::move(*descriptor);
    return have;
}

Result<Message> readProviders(ByteReader& reader)
{
    ProvidersMessage message;
    message.payload = readId<InfoHash>(reader);
    const std::size_t count = reader.u8();
    if (count > kMaxProviders)
        return fail(Errc::TooLarge, std::to_string(count) + " providers");
    for (std::size_t i = 0; i < count; ++i) {
        const auto isComplete = readFlag(reader, "providers");
        if (!isComplete)
            return tl::unexpected(isComplete.error());
        const std::uint16_t age = reader.u16();
        auto descriptor = readDescriptor(reader);
        if (!descriptor)
            return fail(std::move(descriptor.error()), "providers");
        message.providers.push_back({*isComplete, age, std::move(*descriptor)});
    }
    return message;
}

/// How many items follow, at most kMaxItems.
Result<std::size_t> readItemCount(ByteReader& reader, std::string_view what)
{
    const std::size_t count = reader.u16();
    if (count > kMaxItems)
        return fail(Errc::TooLarge, std::string(what) + " of " + std::to_string(count) + " items");
    return count;
}

Result<NoticeKey> readItemKey(ByteReader& reader, std::string_view what)
{
    NoticeKey key = readKey(reader);
    if (auto status = reader.status(what); !status)
        return tl::unexpected(status.error());
    if (auto status = keyStatus(key); !status)
        return fail(std::move(status.error()), std::string(what));
    return key;
}

Result<Message> readIHave(ByteReader& reader)
{
    IHaveMessage message;
    const auto count = readItemCount(reader, "i-have");
    if (!count)
        return tl::unexpected(count.error());
    for (std::size_t i = 0; i < *count; ++i) {
        auto key = readItemKey(reader, "i-have");
        if (!key)
            return tl::unexpected(key.error());
        NoticeTag tag{};
        const ByteView bytes = reader.raw(tag.size());
        std::copy(bytes.begin(), bytes.end(), tag.begin());
        message.items.push_back({std::move(*key), tag});
    }
    return message;
}

Result<Message> readGraft(ByteReader& reader)
{
    GraftMessage message;
    const auto count = readItemCount(reader, "graft");
    if (!count)
        return tl::unexpected(count.error());
    for (std::size_t i = 0; i < *count; ++i) {
        auto key = readItemKey(reader, "graft");
        if (!key)
            return tl::unexpected(key.error());
        message.keys.push_back(std::move(*key));
    }
    message.isOnce = !reader.rest().empty() && reader.u8() == 1;
    return message;
}

Result<Message> readStanding(ByteReader& reader)
{
    StandingMessage message;
    message.root = reader.u64();
    message.urgent = readId<Digest>(reader);
    return message;
}

Result<Message> readRoots(ByteReader& reader)
{
    RootsMessage message;
    const std::size_t count = reader.u16();
    if (count > kMaxRoots)
        return fail(Errc::TooLarge, std::to_string(count) + " roots");
    for (std::size_t i = 0; i < count; ++i) {
        message.notices.push_back(reader.sized(kMaxMessageBytes));
        if (auto status = reader.status("roots"); !status)
            return tl::unexpected(status.error());
    }
    return message;
}

Result<Message> readRanges(ByteReader& reader)
{
    RangesMessage message;
    const auto isBounded = readFlag(reader, "ranges");
    if (!isBounded)
        return tl::unexpected(isBounded.error());
    if (*isBounded) {
        auto to = readItemKey(reader, "ranges");
        if (!to)
            return tl::unexpected(to.error());
        message.to = std::move(*to);
    }
    const std::size_t count = reader.u8();
    if (auto status = reader.status("ranges"); !status)
        return tl::unexpected(status.error());
    if (count == 0 || count > kMaxParts)
        return fail(Errc::TooLarge, "ranges of " + std::to_string(count) + " parts");
    for (std::size_t i = 0; i < count; ++i) {
        auto from = readItemKey(reader, "ranges");
        if (!from)
            return tl::unexpected(from.error());
        if (!message.parts.empty() && !(message.parts.back().from < *from))
            return fail(Errc::NotCanonical, "ranges: keys out of order");
        RangeHash hash{};
        const ByteView bytes = reader.raw(hash.size());
        std::copy(bytes.begin(), bytes.end(), hash.begin());
        message.parts.push_back({std::move(*from), hash});
    }
    if (message.to && !(message.parts.back().from < *message.to))
        return fail(Errc::NotCanonical, "ranges: the last part is empty");
    return message;
}

template <class Typed> Result<Message> lifted(Result<Typed> message)
{
    if (!message)
        return tl::unexpected(std::move(message.error()));
    return Message(std::move(*message));
}

Result<Message> readFields(Kind kind, ByteReader& reader)
{
    switch (kind) {
    case Kind::Notice:
        return readNotice(reader);
    case Kind::Digest:
        return DigestMessage{readId<Digest>(reader)};
    case Kind::Summary:
        return readSummary(reader);
    case Kind::Request:
        return readRequest(reader);
    case Kind::More:
        return MoreMessage{reader.u32()};
    case Kind::Have:
        return readHave(reader);
    case Kind::StopHave:
        return StopHaveMessage{readId<InfoHash>(reader)};
    case Kind::WhoHas:
        return WhoHasMessage{readId<InfoHash>(reader)};
    case Kind::Providers:
        return readProviders(reader);
    case Kind::IHave:
        return readIHave(reader);
    case Kind::Graft:
        return readGraft(reader);
    case Kind::Prune:
        return PruneMessage();
    case Kind::Standing:
        return readStanding(reader);
    case Kind::AskRoots:
        return AskRootsMessage{reader.u64()};
    case Kind::Roots:
        return readRoots(reader);
    case Kind::Ranges:
        return readRanges(reader);
    case Kind::Pulse:
        return lifted(readPulse(reader));
    case Kind::Receipts:
        return lifted(readReceipts(reader));
    case Kind::Accepted:
        return lifted(readAccepted(reader));
    case Kind::Delivered:
        return lifted(readDelivered(reader));
    case Kind::Sums:
        return lifted(readSums(reader));
    case Kind::Petition:
        return lifted(readPetition(reader));
    case Kind::Grant:
        return lifted(readGrant(reader));
    }
    return fail(Errc::UnsupportedFormat, "message of kind " + std::to_string(static_cast<unsigned>(kind)));
}

} // namespace

std::size_t encodedSize(const NoticeKey& key)
{
    return 2 + key.name.size();
}

std::size_t encodedSize(const Head& head)
{
    return encodedSize(head.key) + kRankBytes + kIdBytes;
}

void write(ByteWriter& writer, const Head& head)
{
    writeKey(writer, head.key);
    writer.u64(head.rank.major);
    writer.u64(head.rank.minor);
    writer.raw(head.id.bytes());
}

Bytes serialize(const Message& message)
{
    return std::visit([](const auto& typed) { return encode(typed); }, message);
}

bool concernsTree(ByteView message)
{
    const auto kind = static_cast<Kind>(message.size() < 2 ? std::byte() : message[1]);
    return kind == Kind::Notice || kind == Kind::IHave || kind == Kind::Graft || kind == Kind::Prune;
}

Result<Message> parse(ByteView bytes)
{
    if (bytes.size() > kMaxMessageBytes)
        return fail(Errc::TooLarge, "message of " + std::to_string(bytes.size()) + " bytes");
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    const auto kind = static_cast<Kind>(reader.u8());
    if (auto status = reader.status("message"); !status)
        return tl::unexpected(status.error());
    if (version != kMessageVersion)
        return fail(Errc::UnsupportedFormat, "message of version " + std::to_string(version));
    auto message = readFields(kind, reader);
    if (!message)
        return message;
    if (auto status = reader.status("message"); !status)
        return tl::unexpected(status.error());
    return message;
}

} // namespace starling::overlay
