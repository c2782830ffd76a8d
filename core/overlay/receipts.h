// SPDX-License-Identifier: Apache-2.0
/// What the overlay and its owner say to each other about receipts; part of overlay.h.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

namespace starling::overlay {

// The Mediator's answers
struct PulseInfo
{
    NodeId observer;
    std::uint64_t number = 0;
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
