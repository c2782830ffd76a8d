// SPDX-License-Identifier: Apache-2.0
#include "overlay/collection_message.h"

#include "base/assert.h"
#include "base/uri.h"

namespace starling::overlay {

namespace {

NodeId readNode(ByteReader& reader)
{
    auto node = NodeId::fromBytes(reader.raw(NodeId::kSize));
    return node ? *node : NodeId(); // the reader remembers that it ran out
}

constexpr std::uint8_t kNoSite = 255;
static_assert(kMaxUriBytes == ResourceUri::kMaxBytes && kMaxUriBytes < 256 && kMaxSiteBytes < kNoSite);

void writeRow(ByteWriter& writer, const TallyKey& key, std::uint32_t devices)
{
    STARLING_ASSERT(key.uri.size() <= kMaxUriBytes && (!key.site || key.site->size() <= kMaxSiteBytes));
    writer.u8(static_cast<std::uint8_t>(key.uri.size()));
    writer.raw(viewOf(key.uri));
    writer.u64(key.epoch);
    writer.u64(key.version);
    writer.u8(key.phase);
    writer.u8(key.site ? static_cast<std::uint8_t>(key.site->size()) : kNoSite);
    if (key.site)
        writer.raw(viewOf(*key.site));
    writer.u32(devices);
}

/// A text after its length.
Result<std::string> readText(ByteReader& reader, std::size_t size, std::size_t limit)
{
    if (size > limit)
        return fail(Errc::TooLarge, "sums: a text of " + std::to_string(size) + " bytes");
    return toText(reader.raw(size));
}

Result<std::pair<TallyKey, std::uint32_t>> readRow(ByteReader& reader)
{
    TallyKey key;
    auto uri = readText(reader, reader.u8(), kMaxUriBytes);
    if (!uri)
        return tl::unexpected(std::move(uri.error()));
    key.uri = std::move(*uri);
    key.epoch = reader.u64();
    key.version = reader.u64();
    key.phase = reader.u8();
    if (const std::uint8_t size = reader.u8(); size != kNoSite) {
        auto site = readText(reader, size, kMaxSiteBytes);
        if (!site)
            return tl::unexpected(std::move(site.error()));
        key.site = std::move(*site);
    }
    return std::pair(std::move(key), reader.u32());
}

} // namespace

void write(ByteWriter& writer, const PulseMessage& message)
{
    STARLING_ASSERT(message.pulse.size() <= kMaxPulseBytes);
    writer.u8(message.hops);
    writer.sized(message.pulse);
}

void write(ByteWriter& writer, const ReceiptsMessage& message)
{
    STARLING_ASSERT(message.receipts.size() <= kMaxReceipts);
    writer.raw(message.observer.bytes());
    writer.u32(message.batch);
    writer.u16(static_cast<std::uint16_t>(message.receipts.size()));
    for (const Bytes& receipt : message.receipts) {
        STARLING_ASSERT(receipt.size() <= kMaxReceiptBytes);
        writer.sized(receipt);
    }
}

void write(ByteWriter& writer, const AcceptedMessage& message)
{
    writer.raw(message.observer.bytes());
    writer.u32(message.batch);
}

void write(ByteWriter& writer, const DeliveredMessage& message)
{
    STARLING_ASSERT(message.items.size() <= kMaxDeliveries);
    writer.raw(message.observer.bytes());
    writer.u16(static_cast<std::uint16_t>(message.items.size()));
    for (const DeliveredMessage::Item& item : message.items) {
        writer.raw(item.device.bytes());
        writer.u64(item.sequence);
    }
}

Result<PulseMessage> readPulse(ByteReader& reader)
{
    PulseMessage message;
    message.hops = reader.u8();
    message.pulse = toBytes(reader.sized(kMaxPulseBytes));
    if (auto status = reader.status("pulse"); !status)
        return tl::unexpected(std::move(status.error()));
    return message;
}

Result<ReceiptsMessage> readReceipts(ByteReader& reader)
{
    ReceiptsMessage message;
    message.observer = readNode(reader);
    message.batch = reader.u32();
    const std::size_t count = reader.u16();
    if (count > kMaxReceipts)
        return fail(Errc::TooLarge, std::to_string(count) + " receipts");
    for (std::size_t i = 0; i < count; ++i) {
        message.receipts.push_back(toBytes(reader.sized(kMaxReceiptBytes)));
        if (auto status = reader.status("receipts"); !status)
            return tl::unexpected(std::move(status.error()));
    }
    return message;
}

Result<AcceptedMessage> readAccepted(ByteReader& reader)
{
    const NodeId observer = readNode(reader);
    return AcceptedMessage{observer, reader.u32()};
}

Result<DeliveredMessage> readDelivered(ByteReader& reader)
{
    DeliveredMessage message;
    message.observer = readNode(reader);
    const std::size_t count = reader.u16();
    if (count > kMaxDeliveries)
        return fail(Errc::TooLarge, std::to_string(count) + " deliveries");
    for (std::size_t i = 0; i < count && reader.isGood(); ++i) {
        const NodeId device = readNode(reader);
        message.items.push_back({device, reader.u64()});
    }
    return message;
}

void write(ByteWriter& writer, const SumsMessage& message)
{
    STARLING_ASSERT(message.tally.counts.size() <= kMaxTallyRows);
    writer.raw(message.observer.bytes());
    writer.u8(message.tally.height);
    writer.u32(message.tally.devices);
    writer.u32(message.tally.folded);
    writer.u16(static_cast<std::uint16_t>(message.tally.counts.size()));
    for (const auto& [key, devices] : message.tally.counts)
        writeRow(writer, key, devices);
}

Result<SumsMessage> readSums(ByteReader& reader)
{
    SumsMessage message;
    message.observer = readNode(reader);
    message.tally.height = reader.u8();
    message.tally.devices = reader.u32();
    message.tally.folded = reader.u32();
    const std::size_t count = reader.u16();
    if (count > kMaxTallyRows)
        return fail(Errc::TooLarge, std::to_string(count) + " sums");
    auto& rows = message.tally.counts;
    for (std::size_t i = 0; i < count && reader.isGood(); ++i) {
        auto row = readRow(reader);
        if (!row)
            return tl::unexpected(std::move(row.error()));
        if (reader.isGood() && !rows.empty() && row->first <= rows.rbegin()->first)
            return fail(Errc::NotCanonical, "sums are out of order");
        rows.insert(rows.end(), std::move(*row));
    }
    return message;
}

} // namespace starling::overlay
