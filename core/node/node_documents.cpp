// SPDX-License-Identifier: Apache-2.0
/// What a node signs itself: descriptors and receipts.
#include "node/log.h"
#include "node/net_address.h"
#include "node/node.h"

namespace starling::node {

namespace {

/// Between two looks at the system's addresses, 70 us each. Guess: a moved device speaks before its
/// neighbours give up its silent links (overlay::MembershipConfig::silence).
constexpr Duration kAddressInterval = std::chrono::seconds(5);
/// Sequence numbers reserved at a time: a write per this many receipts. Guess.
constexpr std::uint64_t kSequenceBlock = 64;
constexpr std::size_t kMaxAlarms = 32; ///< trust::Receipt
constexpr std::size_t kMaxReceiptEntries = 64; ///< trust::Receipt
constexpr std::size_t kMaxReceiptDetail = 200; ///< trust::ReceiptEntry

} // namespace

Result<std::uint64_t> Node::nextSequence(const char* counter)
{
    Reserved& reserved = m_sequences[counter];
    if (reserved.next == reserved.end) {
        auto first = m_store.reserveSequences(counter, kSequenceBlock);
        if (!first)
            return fail(std::move(first.error()), counter);
        reserved = {*first, *first + kSequenceBlock};
    }
    return reserved.next++;
}

Bytes Node::descriptor(std::uint16_t swarmPort)
{
    auto sequence = nextSequence("descriptor");
    if (!sequence) {
        qCCritical(lcNode, "descriptor: %ls", qUtf16Printable(forLog(sequence.error())));
        // A device whose disk is full keeps its neighbours. It may say the same number once more when there
        // is room again: others then keep what they have until the next one.
        sequence = m_store.peekSequence("descriptor");
    }
    if (!sequence)
        return {};
    trust::Descriptor document{m_identity.node, *sequence, m_reach.candidates(), swarmPort};
    trust::Envelope envelope{trust::Kind::Descriptor, document.serialize(), {}};
    envelope.sign(m_keeper.board().trust().fleet(), *m_identity.key);
    return envelope.serialize();
}

void Node::tellAddresses()
{
    m_timers.schedule(kAddressInterval, [this] { tellAddresses(); });
    m_ports.look();
    const std::uint16_t swarmPort = m_options.config.dht == swarm::Dht::Fleet ? m_swarm.port() : 0;
    if (swarmPort != 0)
        m_swarm.meet(m_neighbors.swarmNodes());
    std::vector<Endpoint> addresses = m_reach.candidates(), locals = reachableAddresses(listenEndpoint());
    if (addresses == m_toldAddresses && swarmPort == m_toldSwarmPort)
        return;
    const bool isFirst = !m_toldAddresses;
    if (Bytes own = descriptor(swarmPort); !own.empty()) {
        m_toldAddresses = std::move(addresses);
        m_toldSwarmPort = swarmPort;
        // What others see of us has changed by itself; only another address of our own is news to links.
        if (std::exchange(m_locals, locals) != locals && !isFirst)
            feedLinks(link::AddressChanged{});
        m_neighbors.setOwn({std::move(own), m_identity.certificateEnvelope});
    }
}

void Node::scheduleReceipt(Duration delay)
{
    const Instant due = m_timers.now() + delay;
    if (m_receiptDue && *m_receiptDue <= due)
        return;
    m_receiptDue = due;
    m_timers.schedule(delay, [this, due] {
        if (m_receiptDue != due)
            return;
        m_receiptDue.reset();
        issueReceipt();
    });
}

void Node::issueReceipt()
{
    if (m_keeper.board().denials().contains(m_identity.node))
        return; // nobody would take it
    const auto sequence = nextSequence("receipt");
    if (!sequence) {
        qCCritical(lcNode, "no receipt: %ls", qUtf16Printable(forLog(sequence.error())));
        return;
    }
    trust::Receipt receipt;
    receipt.node = m_identity.node;
    receipt.sequence = *sequence;
    receipt.rootNumber = m_keeper.board().trust().root().number;
    receipt.uptimeSeconds = uptimeSeconds();
    // Views are sorted by URI and revision: the last one of a URI is the newest.
    for (const Updater::View& view : m_updater.views()) {
        const update::Record& record = view.record;
        if (!receipt.entries.empty() && receipt.entries.back().uri == record.uri)
            receipt.entries.pop_back();
        if (receipt.entries.size() == kMaxReceiptEntries)
            break;
        receipt.entries.push_back({record.uri, record.revision, record.infoHash, record.phase, record.code,
                                   record.detail.substr(0, kMaxReceiptDetail)});
    }
    for (const auto& [name, count] : m_keeper.refusals())
        if (receipt.alarms.size() < kMaxAlarms)
            receipt.alarms[name] = count;
    receipt.paths = m_paths.received();
    m_desk.report(std::move(receipt));
}

} // namespace starling::node
