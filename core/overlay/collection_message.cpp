// SPDX-License-Identifier: Apache-2.0
#include "overlay/collection_message.h"

#include "base/assert.h"

namespace starling::overlay {

namespace {

NodeId readNode(ByteReader& reader)
{
    auto node = NodeId::fromBytes(reader.raw(NodeId::kSize));
    return node ? *node : NodeId(); // the reader remembers that it ran out
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

} // namespace starling::overlay
