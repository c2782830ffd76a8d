// SPDX-License-Identifier: Apache-2.0
/// Receipts of a simulated fleet: node 0 observes it, as an agent with a subscription does
/// (node/receipt_desk.cpp).
#include "base/assert.h"
#include "board/parcel.h"
#include "overlay/message.h"
#include "sim/node.h"

namespace starling::sim {

namespace {

constexpr Duration kPulsePeriod = std::chrono::minutes(2); ///< as node/receipt_desk.cpp
constexpr std::array kFirstPulses{std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(15),
                                  std::chrono::seconds(40)};

} // namespace

bool Node::isObserver() const
{
    return m_world.scenario.issuesReceipts && m_index == kObserver;
}

void Node::subscribe()
{
    trust::Subscription subscription;
    subscription.observer = m_id;
    subscription.sequence = 1;
    subscription.expires = 4'000'000'000; // simulations begin in 2026
    putOwn(release::noticeOf(trust::Kind::Subscription,
                             m_world.authority.sealSubscription(subscription.serialize())));
}

void Node::pulseOnce()
{
    trust::Pulse pulse{m_id, m_sequence++, m_wantsSums};
    if (m_ask && m_ask->number == 0)
        m_ask->number = pulse.number;
    if (m_wantsSums && m_ask)
        pulse.ask = *m_ask;
    feedOverlay(overlay::Observe{m_world.authority.seal(trust::Kind::Pulse, pulse.serialize(), m_index)});
}

void Node::ask(trust::ReceiptAsk ask)
{
    m_ask = std::make_unique<trust::ReceiptAsk>(std::move(ask));
    m_ask->number = 0; // the next pulse's
    pulseOnce();
}

void Node::noteReceiptMessage(ByteView message)
{
    if (message.size() < 2)
        return;
    const auto kind = std::to_integer<std::uint8_t>(message[1]);
    m_receiptMessages += kind >= overlay::ReceiptsMessage::kKind && kind <= overlay::SumsMessage::kKind;
}

void Node::pulse(std::uint64_t turn)
{
    pulseOnce();
    wake(Purpose::Pulse, turn < kFirstPulses.size() ? Duration(kFirstPulses[turn]) : kPulsePeriod, turn + 1);
}

Bytes Node::parcelOf(const trust::Receipt& receipt, NodeIndex signer) const
{
    return board::Parcel{m_world.nodes[m_world.byId.at(receipt.node)]->m_certificate,
                         m_world.authority.seal(trust::Kind::Receipt, receipt.serialize(), signer)}
        .serialize();
}

trust::Receipt Node::nextReceipt()
{
    trust::Receipt receipt;
    receipt.node = m_id;
    receipt.sequence = m_sequence++;
    receipt.rootNumber = m_world.authority.trust().root().number;
    receipt.uptimeSeconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(m_world.now - m_upSince).count());
    if (m_version > 0)
        receipt.entries.push_back(entry());
    if (m_replica->counts().refused > 0)
        receipt.alarms["refused"] = m_replica->counts().refused;
    return receipt;
}

void Node::issueReceipt()
{
    const trust::Receipt receipt = nextReceipt();
    Bytes parcel = parcelOf(receipt, m_index);
    if (isObserver())
        onReceipt({m_id, receipt.sequence, parcel});
    feedOverlay(overlay::Report{receipt.sequence, std::move(parcel)});
}

/// A commit to the disk is taken to be done at once.
void Node::onReceipt(const overlay::ReceiptArrived& arrived)
{
    const auto parcel = board::Parcel::parse(arrived.receipt);
    const auto envelope = parcel ? trust::Envelope::parse(parcel->document)
                                 : Result<trust::Envelope>(tl::unexpected<Error>(parcel.error()));
    const auto receipt = envelope ? trust::Receipt::parse(envelope->payload)
                                  : Result<trust::Receipt>(tl::unexpected<Error>(envelope.error()));
    STARLING_ASSERT(receipt); // the overlay asked the board about it
    Books& books = m_world.books;
    ++books.receipts;
    const auto signer = envelope->signatures.begin()->first;
    if (!std::ranges::equal(signer.bytes(), receipt->node.bytes()))
        ++books.forgedReceipts;
    Reported& reported = books.reported[m_world.byId.at(arrived.device)];
    ++reported.arrivals;
    for (const trust::ReceiptEntry& entry : receipt->entries)
        if (entry.phase == trust::Phase::Healthy)
            reported.version = std::max(reported.version, entry.revision.version);
    if (m_world.cast != nullptr)
        keep(arrived.receipt, reported);
    feedOverlay(overlay::ReceiptKept{arrived.device, arrived.sequence});
    const std::uint32_t most = m_world.scenario.sumsAbove;
    if (!m_wantsSums && most > 0 && books.reported.size() > most) {
        m_wantsSums = true;
        pulseOnce();
    }
}

/// Straight to every neighbour, whatever the way to the observer is, and whatever was accepted.
void Node::thrust(const Bytes& parcel)
{
    const overlay::ReceiptsMessage message{m_world.nodes[kObserver]->m_id, ++m_batch, {parcel}};
    std::vector<overlay::NeighborId> neighbors;
    for (const auto& [neighbor, stats] : m_overlay->neighbors())
        neighbors.push_back(neighbor);
    for (const overlay::NeighborId neighbor : neighbors)
        perform({overlay::SendMessage{neighbor, overlay::serialize(message)}});
}

} // namespace starling::sim
