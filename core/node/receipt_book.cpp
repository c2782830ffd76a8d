// SPDX-License-Identifier: Apache-2.0
#include "node/receipt_book.h"

namespace starling::node {

ReceiptBook::ReceiptBook(const store::Store& store, const board::BoardKeeper& keeper, RandomSource& random)
    : m_store(store)
    , m_keeper(keeper)
    , m_era((random.u64() >> 2) + 1) // leaves room to count up, within what bencoding has numbers for
{
}

/// Begins an era if others are admitted than before.
Status ReceiptBook::review()
{
    const release::Board& board = m_keeper.board();
    const std::uint64_t root = board.trust().root().number;
    const std::uint64_t denials = board.denials().changes();
    if (root == m_root && denials == m_denials)
        return {};
    if (root != m_root) {
        const auto newest = m_store.newestReceipt();
        if (!newest)
            return tl::unexpected<Error>(newest.error());
        m_freshFrom = *newest;
        m_readUpTo = 0;
        m_bad.clear();
    }
    m_root = root;
    m_denials = denials;
    ++m_era;
    return {};
}

Result<board::DeviceReceipt> ReceiptBook::open(const store::StoredReceipt& stored, bool isContiguous)
{
    const bool isKnown = stored.change <= m_readUpTo || stored.change > m_freshFrom;
    if (!isKnown) {
        auto verified = board::verifyReceipt(stored.row.bytes, m_keeper.admission());
        if (!verified && isContiguous)
            m_bad.insert(stored.change);
        return verified;
    }
    if (m_bad.contains(stored.change))
        return fail(Errc::BadSignature, "receipt that did not verify before");
    return board::recallReceipt(stored.row.bytes, m_keeper.board().denials());
}

Result<ReceiptPage> ReceiptBook::page(const ReceiptMark& since, std::size_t most, std::size_t bytes)
{
    if (auto reviewed = review(); !reviewed)
        return tl::unexpected<Error>(reviewed.error());
    ReceiptPage told;
    told.mark = {m_era, since.era == m_era ? since.change : 0};
    const auto stored = m_store.receiptsAfter(told.mark.change, most, bytes);
    const auto newest = m_store.newestReceipt();
    if (!stored || !newest)
        return tl::unexpected<Error>(stored ? newest.error() : stored.error());
    const bool isContiguous = told.mark.change <= m_readUpTo;
    for (const store::StoredReceipt& each : *stored)
        if (auto receipt = open(each, isContiguous))
            told.receipts.push_back(std::move(*receipt));
    if (!stored->empty())
        told.mark.change = stored->back().change;
    if (isContiguous)
        m_readUpTo = std::max(m_readUpTo, told.mark.change);
    told.isLast = told.mark.change >= *newest;
    return told;
}

} // namespace starling::node
