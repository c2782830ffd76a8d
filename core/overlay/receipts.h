// SPDX-License-Identifier: Apache-2.0
/// What the overlay and its owner say to each other about receipts; part of overlay.h.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <optional>
#include <string>

namespace starling::overlay {

/// What devices are told apart by when they are added up: how far one release got at one site.
struct TallyKey
{
    std::string uri; ///< 1 to 200 bytes
    std::uint64_t epoch = 0, version = 0;
    std::uint8_t phase = 0; ///< trust::Phase, opaque here
    /// At most 64 bytes, empty of devices without one. None: of sites that had no room of their own.
    std::optional<std::string> site = {};
    auto operator<=>(const TallyKey&) const = default;
};

/// Which receipts are wanted by an observer that is told in sums: of one device, or those with an entry that
/// has all that is named.
struct Ask
{
    std::uint64_t number = 0; ///< the same while a question is repeated
    std::uint32_t limit = 0; ///< receipts that any node passes on
    std::optional<std::string> uri = {};
    std::optional<std::pair<std::uint64_t, std::uint64_t>> revision = {}; ///< epoch, version
    std::optional<std::uint8_t> phase = {};
    std::optional<std::string> site = {};
    std::optional<NodeId> device = {};
};

// The Mediator's answers
struct PulseInfo
{
    NodeId observer;
    std::uint64_t number = 0;
    bool wantsSums = false; ///< devices are to be added up, and to send receipts only if asked
    std::optional<Ask> ask = {};
};
struct ReceiptInfo
{
    NodeId device;
    std::uint64_t sequence = 0;
};

// Inputs
struct Observe
{ ///< receipts come to us: a pulse of ours, newer than the last; repeated, for ways lead where it came from
    Bytes pulse;
};
struct Report
{ ///< our own newest receipt: kept here, and sent until every observer has said that it has it
    std::uint64_t sequence = 0;
    Bytes receipt; ///< at most 64 KiB
};
struct ReceiptKept
{ ///< what ReceiptArrived brought is durable, or was already
    NodeId device;
    std::uint64_t sequence = 0;
};

// Outputs
struct ReceiptArrived
{ ///< at an observer: a valid receipt, perhaps an old one; to be answered by ReceiptKept
    NodeId device;
    std::uint64_t sequence = 0;
    Bytes receipt;
};

} // namespace starling::overlay
