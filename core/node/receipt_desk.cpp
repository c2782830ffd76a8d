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
/// Between pulses out of turn. Guess: above the pace at which nodes pass them on (collection.cpp).
constexpr Duration kPulsePace = std::chrono::seconds(2);
constexpr Duration kTick = std::chrono::minutes(10); ///< guess: subscriptions last for days
/// What arrives within it is stored together: a commit costs a sync of the disk. Guess.
constexpr Duration kKeepDelay = std::chrono::milliseconds(50);
constexpr std::size_t kKeepAtOnce = 256; ///< overlay::kMaxReceipts

} // namespace

ReceiptDesk::ReceiptDesk(Services services)
    : m_services(std::move(services))
    , m_book(m_services.store, m_services.keeper, m_services.random)
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
    weigh();
    if (m_own)
        arrived({m_services.identity.node, m_own->sequence, m_ownParcel});
    pulse();
}

void ReceiptDesk::pulse()
{
    m_isPulsing = isObserver();
    if (!m_isPulsing)
        return;
    weigh(); // a subscription may have been replaced
    pulseOnce();
    const Duration delay =
        m_pulses < kFirstPulses.size() ? Duration(kFirstPulses[m_pulses]) : Duration(kPulsePeriod);
    ++m_pulses;
    m_services.timers.schedule(delay, [this] { pulse(); });
}

void ReceiptDesk::pulseOnce()
{
    const auto number = m_services.nextSequence("pulse");
    if (!number) {
        qCCritical(lcNode, "no pulse: %ls", qUtf16Printable(forLog(number.error())));
        return;
    }
    const Instant now = m_services.timers.now();
    if (m_ask && now >= m_askEnds)
        m_ask.reset();
    if (m_ask && m_ask->number == 0)
        m_ask->number = *number;
    trust::Pulse pulse{m_services.identity.node, *number, m_wantsSums};
    if (m_wantsSums)
        pulse.ask = m_ask;
    trust::Envelope envelope{trust::Kind::Pulse, pulse.serialize(), {}};
    envelope.sign(m_services.keeper.board().trust().fleet(), *m_services.identity.key);
    m_lastPulse = now;
    m_services.feedOverlay(overlay::Observe{envelope.serialize()});
}

void ReceiptDesk::pulseSoon()
{
    if (m_isPulseDue)
        return;
    m_isPulseDue = true;
    const Instant now = m_services.timers.now();
    const Instant due = m_lastPulse ? std::max(now, *m_lastPulse + kPulsePace) : now;
    m_services.timers.schedule(due - now, [this] {
        m_isPulseDue = false;
        if (isObserver())
            pulseOnce();
    });
}

/// Verified receipts decide, so that nobody's sums can: they are of as many devices as there are, at least.
void ReceiptDesk::weigh()
{
    const auto& subscriptions = m_services.keeper.board().subscriptions();
    const auto own = subscriptions.find(m_services.identity.node);
    if (own == subscriptions.end())
        return;
    const std::uint64_t most = m_services.sumsAbove.value_or(own->second.aggregateAbove);
    const bool wantsSums = most > 0 && m_services.store.receiptCount().value_or(0) > most;
    if (wantsSums == m_wantsSums)
        return;
    m_wantsSums = wantsSums;
    qCInfo(lcNode, "receipts of more than %llu devices: %s", static_cast<unsigned long long>(most),
           wantsSums ? "the fleet is told in sums from now on" : "no longer, they come by themselves again");
    if (m_lastPulse)
        pulseSoon();
}

Status ReceiptDesk::ask(trust::ReceiptAsk ask)
{
    if (!isObserver())
        return fail(Errc::Refused, "this agent observes nothing: no subscription names it");
    if (!m_wantsSums)
        return fail(Errc::Refused, "receipts come to this agent by themselves: it is not told in sums");
    ask.number = 0; // the next pulse's
    m_ask = std::move(ask);
    m_askEnds = m_services.timers.now() + kAskTime;
    pulseSoon();
    return {};
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
    // Verified on arrival, and once more: the root may be another, and the book relies on what is stored.
    std::vector<store::ReceiptRow> rows;
    std::vector<trust::Receipt> receipts;
    for (store::ReceiptRow& row : std::exchange(m_arrived, {})) {
        auto verified = board::verifyReceipt(row.bytes, m_services.keeper.admission());
        if (!verified)
            continue;
        receipts.push_back(std::move(verified->receipt));
        rows.push_back(std::move(row));
    }
    if (rows.empty())
        return;
    if (auto kept = m_services.store.putReceipts(rows); !kept) {
        // Without our word the devices send them again.
        qCCritical(lcNode, "receipts not stored: %ls", qUtf16Printable(forLog(kept.error())));
        return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        m_services.received(receipts[i]);
        m_services.feedOverlay(overlay::ReceiptKept{rows[i].device, rows[i].sequence});
    }
    weigh();
}

std::uint64_t ReceiptDesk::count() const
{
    return isObserver() ? m_services.store.receiptCount().value_or(0) : (m_own ? 1 : 0);
}

} // namespace starling::node
