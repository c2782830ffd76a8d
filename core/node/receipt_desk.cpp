// SPDX-License-Identifier: Apache-2.0
#include "node/receipt_desk.h"

#include "node/log.h"

namespace starling::node {

namespace {

/// Trees that lost a part are whole again with the next pulse. Guess: an agent's links carry 8 B/s for it;
/// the first ones follow quickly, since links are coming up.
constexpr std::array kFirstPulses{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                                  std::chrono::seconds(40)};
constexpr Duration kPulsePeriod = std::chrono::minutes(2);
constexpr Duration kTick = std::chrono::minutes(10); ///< guess: subscriptions last for days
/// What arrives within it is stored together: a commit costs a sync of the disk. Guess.
constexpr Duration kKeepDelay = std::chrono::milliseconds(50);
constexpr std::size_t kKeepAtOnce = 256; ///< overlay::kMaxReceipts
constexpr std::size_t kPage = 1'024;

} // namespace

ReceiptDesk::ReceiptDesk(Services services)
    : m_services(std::move(services))
{
}

void ReceiptDesk::begin()
{
    tick();
    subscribed();
}

void ReceiptDesk::tick()
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto seconds = std::max<std::int64_t>(0, now.time_since_epoch().count());
    // A place where nothing stands: the board is another than it was, and nothing is to be sent.
    if (m_services.keeper.advanceTime(static_cast<std::uint64_t>(seconds)))
        m_services.feedOverlay(overlay::Publish{{static_cast<std::uint8_t>(trust::Kind::Subscription), {}}});
    m_services.timers.schedule(kTick, [this] { tick(); });
}

void ReceiptDesk::subscribed()
{
    if (m_isPulsing || !isObserver())
        return;
    qCInfo(lcNode, "a subscription names this node: it collects receipts");
    m_isPulsing = true;
    m_pulses = 0;
    if (m_own)
        arrived({m_services.identity.node, m_own->sequence, m_ownParcel});
    pulse();
}

void ReceiptDesk::pulse()
{
    m_isPulsing = isObserver();
    if (!m_isPulsing)
        return;
    const auto number = m_services.nextSequence("pulse");
    if (number) {
        trust::Envelope envelope{
            trust::Kind::Pulse, trust::Pulse{m_services.identity.node, *number}.serialize(), {}};
        envelope.sign(m_services.keeper.board().trust().fleet(), *m_services.identity.key);
        m_services.feedOverlay(overlay::Observe{envelope.serialize()});
    } else {
        qCCritical(lcNode, "no pulse: %ls", qUtf16Printable(forLog(number.error())));
    }
    const Duration delay =
        m_pulses < kFirstPulses.size() ? Duration(kFirstPulses[m_pulses]) : Duration(kPulsePeriod);
    ++m_pulses;
    m_services.timers.schedule(delay, [this] { pulse(); });
}

void ReceiptDesk::report(trust::Receipt receipt)
{
    trust::Envelope envelope{trust::Kind::Receipt, receipt.serialize(), {}};
    envelope.sign(m_services.keeper.board().trust().fleet(), *m_services.identity.key);
    m_ownParcel = board::Parcel{m_services.identity.certificateEnvelope, envelope.serialize()}.serialize();
    m_own = std::move(receipt);
    if (isObserver())
        arrived({m_services.identity.node, m_own->sequence, m_ownParcel});
    m_services.feedOverlay(overlay::Report{m_own->sequence, m_ownParcel});
}

void ReceiptDesk::arrived(const overlay::ReceiptArrived& arrived)
{
    if (m_arrived.empty())
        m_services.timers.schedule(kKeepDelay, [this] { keep(); });
    m_arrived.push_back({arrived.device, arrived.sequence, arrived.receipt});
    if (m_arrived.size() >= kKeepAtOnce)
        keep();
}

void ReceiptDesk::keep()
{
    const std::vector<store::ReceiptRow> rows = std::exchange(m_arrived, {});
    if (rows.empty())
        return;
    if (auto kept = m_services.store.putReceipts(rows); !kept) {
        // Without our word the devices send them again.
        qCCritical(lcNode, "receipts not stored: %ls", qUtf16Printable(forLog(kept.error())));
        return;
    }
    for (const store::ReceiptRow& row : rows) {
        if (const auto verified = board::verifyReceipt(row.bytes, m_services.keeper.admission()))
            m_services.received(verified->receipt);
        m_services.feedOverlay(overlay::ReceiptKept{row.device, row.sequence});
    }
}

Result<std::vector<board::DeviceReceipt>> ReceiptDesk::receipts(std::size_t limit) const
{
    std::vector<board::DeviceReceipt> receipts;
    std::optional<NodeId> after;
    while (receipts.size() < limit) {
        const auto page = m_services.store.receipts(after, std::min(kPage, limit - receipts.size()));
        if (!page)
            return tl::unexpected<Error>(page.error());
        if (page->empty())
            break;
        after = page->back().device;
        // What no longer verifies, by a newer root, is not shown, nor what a denied device said.
        for (const store::ReceiptRow& row : *page)
            if (auto verified = board::verifyReceipt(row.bytes, m_services.keeper.admission()))
                receipts.push_back(std::move(*verified));
    }
    return receipts;
}

std::uint64_t ReceiptDesk::count() const
{
    return isObserver() ? m_services.store.receiptCount().value_or(0) : (m_own ? 1 : 0);
}

} // namespace starling::node
