// SPDX-License-Identifier: Apache-2.0
/// The receipts that an observer keeps, told page by page in the order in which they came: whoever was told
/// all is told what has come since, at the cost of that alone. What a receipt says is shown as long as it
/// verifies: whoever tells of it has to have verified it by the root that stands now. The book remembers of
/// which that is so, since two signatures each, of 100,000 devices, are a quarter of a minute.
#pragma once

#include "base/random.h"
#include "board/board_keeper.h"
#include "store/store.h"

#include <set>

namespace starling::node {

/// How far somebody was told.
struct ReceiptMark
{
    std::uint64_t era = 0; ///< 0: told nothing yet
    std::uint64_t change = 0; ///< store::StoredReceipt's

    bool operator==(const ReceiptMark&) const = default;
};

struct ReceiptPage
{
    /// Of another era than that of the mark that was shown: everything is told anew from here on, and what
    /// is not told any more has gone.
    ReceiptMark mark;
    std::vector<board::DeviceReceipt> receipts;
    bool isLast = false; ///< there is nothing after it now
};

class ReceiptBook
{
public:
    /// What the store holds at the first page was verified by nobody; what is put there later must have been,
    /// by the root that stood then.
    ReceiptBook(const store::Store& store, const board::BoardKeeper& keeper, RandomSource& random);

    /// What comes after `since`: at most `most` devices, and of at most `bytes` as they are stored, but one
    /// if there is one. What does not verify, or was said by a denied device, is left out.
    Result<ReceiptPage> page(const ReceiptMark& since, std::size_t most, std::size_t bytes);

private:
    Status review();
    Result<board::DeviceReceipt> open(const store::StoredReceipt& stored, bool isContiguous);

    const store::Store& m_store;
    const board::BoardKeeper& m_keeper;
    std::uint64_t m_era; ///< begins anew with each start and each change of what is admitted
    std::uint64_t m_root = 0, m_denials = 0; ///< those of this era; no root has number 0
    std::uint64_t m_readUpTo = 0; ///< as far as here all were looked at by m_root
    std::uint64_t m_freshFrom = 0; ///< and those after it were verified by it when they came
    std::set<std::uint64_t> m_bad; ///< of those that were looked at; Store::kMaxReceipts at most
};

} // namespace starling::node
