// SPDX-License-Identifier: Apache-2.0
/// The messages by which receipts reach their observers (collection.h); part of message.h.
///
///    40 Pulse      hops u8 | length u32 | pulse
///    41 Receipts   observer[32] | batch u32 | count u16 | count × (length u32 | receipt)
///    42 Accepted   observer[32] | batch u32
///    43 Delivered  observer[32] | count u16 | count × (device[32] | sequence u64)
///    44 Sums       observer[32] | height u8 | devices u32 | folded u32 | count u16 | count × ROW
///
///     ROW   length u8 | uri | epoch u64 | version u64 | phase u8 | length u8, 255 for none | site | devices
///     u32
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "overlay/tally.h"

#include <vector>

namespace starling::overlay {

constexpr std::size_t kMaxPulseBytes = 1'024; ///< guess: four times what one needs today
/// A certificate of at most 1 KiB and the largest receipt: 64 entries of 500 bytes and 32 alarms of 80.
constexpr std::size_t kMaxReceiptBytes = 64 * 1024;
constexpr std::size_t kMaxReceipts = 256; ///< per Receipts; guess: about 160 KiB of usual ones
constexpr std::size_t kMaxDeliveries = 1'024; ///< per Delivered: 40 KiB

/// "The observer that signed this is so many links away from me."
struct PulseMessage
{
    static constexpr std::uint8_t kKind = 40;
    std::uint8_t hops = 0; ///< 0 from the observer itself
    Bytes pulse; ///< signed, opaque
    bool operator==(const PulseMessage&) const = default;
};

/// "Pass these on to the observer." The next batch waits until this one was Accepted.
struct ReceiptsMessage
{
    static constexpr std::uint8_t kKind = 41;
    NodeId observer;
    std::uint32_t batch = 0;
    std::vector<Bytes> receipts; ///< signed, opaque; at most kMaxReceipts
    bool operator==(const ReceiptsMessage&) const = default;
};

/// "I have taken that batch over, and there is room for another."
struct AcceptedMessage
{
    static constexpr std::uint8_t kKind = 42;
    NodeId observer;
    std::uint32_t batch = 0;
    bool operator==(const AcceptedMessage&) const = default;
};

/// "The observer has these, or newer ones of the same devices": back along the way that they came.
struct DeliveredMessage
{
    static constexpr std::uint8_t kKind = 43;
    struct Item
    {
        NodeId device;
        std::uint64_t sequence = 0;
        bool operator==(const Item&) const = default;
    };
    NodeId observer;
    std::vector<Item> items; ///< at most kMaxDeliveries
    bool operator==(const DeliveredMessage&) const = default;
};

/// "So many are I and all that send to you through me", instead of what was said before; of no devices: "I
/// send to somebody else now". To a parent.
struct SumsMessage
{
    static constexpr std::uint8_t kKind = 44;
    NodeId observer;
    Tally tally; ///< at most kMaxTallyRows, strictly ascending
    bool operator==(const SumsMessage&) const = default;
};

/// Only what follows version and kind.
void write(ByteWriter& writer, const PulseMessage& message);
void write(ByteWriter& writer, const ReceiptsMessage& message);
void write(ByteWriter& writer, const AcceptedMessage& message);
void write(ByteWriter& writer, const DeliveredMessage& message);
void write(ByteWriter& writer, const SumsMessage& message);
/// They fail with Truncated, TooLarge or, of rows that are out of order, NotCanonical.
Result<PulseMessage> readPulse(ByteReader& reader);
Result<ReceiptsMessage> readReceipts(ByteReader& reader);
Result<AcceptedMessage> readAccepted(ByteReader& reader);
Result<DeliveredMessage> readDelivered(ByteReader& reader);
Result<SumsMessage> readSums(ByteReader& reader);

} // namespace starling::overlay
