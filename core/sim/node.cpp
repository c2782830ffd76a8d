// SPDX-License-Identifier: Apache-2.0
#include "sim/node.h"

#include "board/parcel.h"

#include "base/assert.h"
#include "board/link_authenticator.h"
#include "sim/topology.h"

#include <algorithm>

namespace starling::sim {

namespace {

/// Of node/node.cpp: what the simulated agent does, it does at the agent's pace.
constexpr Duration kReceiptDelay = std::chrono::milliseconds(150);
constexpr Duration kAlarmDelay = std::chrono::seconds(60);
constexpr std::uint64_t kSequenceBlock = 64;
/// Where nobody has an upload slot; doubled six times. Guess: slots become free one after the other.
constexpr Duration kLookPause = std::chrono::milliseconds(125);
constexpr unsigned kMostDoubled = 6;
/// Above what any simulated device issues.
constexpr std::uint64_t kForgedSequence = 1'000'000;

InfoHash payloadOf(const overlay::Head& release)
{
    return *InfoHash::fromBytes(release.id.bytes());
}

bool isRelease(const overlay::NoticeKey& key)
{
    return key.kind == static_cast<std::uint8_t>(trust::Kind::Release);
}

bool isNotice(ByteView message)
{
    const auto parsed = overlay::parse(message);
    return parsed && std::holds_alternative<overlay::NoticeMessage>(*parsed);
}

std::unique_ptr<Replica> makeReplica(World& world)
{
    // Shipped links look into a board of their own.
    if (world.scenario.verification == Scenario::Verification::Shared
        && world.scenario.links == Scenario::Links::Model)
        return std::make_unique<SharedReplica>(world.shared);
    return std::make_unique<OwnReplica>(world.authority.trust());
}

/// A certified node is its key; others need only a name.
NodeId identityOf(const World& world, NodeIndex index)
{
    if (world.scenario.hasCertificates)
        return *NodeId::fromBytes(world.authority.deviceKey(index).id().bytes());
    ByteWriter writer;
    writer.raw(world.authority.trust().fleet().bytes());
    writer.u32(index);
    return *NodeId::fromBytes(crypto::sha256(writer.take()).bytes());
}

} // namespace

Node::Node(World& world, NodeIndex index, Behaviour behaviour, std::vector<NodeIndex> neighbors)
    : m_world(world)
    , m_index(index)
    , m_behaviour(behaviour)
    , m_replica(makeReplica(world))
    , m_id(identityOf(world, index))
    , m_neighbors(std::move(neighbors))
{
    if (world.scenario.hasCertificates)
        certify();
    if (!isHonest()) {
        auto lies = std::make_unique<LyingReplica>(std::move(m_replica));
        m_lies = lies.get();
        m_replica = std::move(lies);
    }
    if (!world.scenario.hasCertificates)
        return;
    world.byId.emplace(m_id, index);
    if (isObserver())
        subscribe();
    if (!world.firstRelease.empty())
        installFirst();
}

Node::~Node() = default;

/// As a device that was updated before the simulation began.
void Node::installFirst()
{
    const auto opinion = m_replica->examine(m_world.firstRelease);
    STARLING_ASSERT(opinion.verdict == overlay::Mediator::Verdict::Taken);
    m_version = 1;
    m_complete.insert(payloadOf(opinion.head));
    if (m_world.cast == nullptr)
        return;
    m_course = {1, m_world.cast->course(m_index, 1), 0};
    m_course.done = m_course.stages.size();
}

void Node::certify()
{
    const Cast* const cast = m_world.cast;
    m_certificate = m_world.authority.certificate(
        m_id, m_index, cast != nullptr ? cast->name(m_index) : "node " + std::to_string(m_index),
        cast != nullptr ? cast->labels(m_index) : std::map<std::string, std::string>());
    if (m_world.scenario.links == Scenario::Links::Model)
        return;
    m_linkKey =
        std::make_unique<crypto::LinkKeyPair>(crypto::LinkKeyPair::of(m_world.authority.deviceKey(m_index)));
    // Shipped links: the board is this node's own, and stays where it is.
    m_authenticator = std::make_unique<board::LinkAuthenticator>(
        *m_linkKey, m_certificate, m_replica->board(), [this] { return wallClock(); });
}

// --- Life and death

void Node::startAt(Instant at)
{
    wake(Purpose::Start, std::max(at - m_world.now, Duration{}));
}

void Node::start()
{
    ++m_life;
    m_upSince = m_world.now;
    if (m_world.scenario.links == Scenario::Links::Model)
        m_modelLinks.emplace(m_world, m_index);
    else
        m_links = std::make_unique<link::Links>(m_id, link::Config(), *m_authenticator, m_world.random);
    m_overlay.emplace(m_id, m_world.overlayConfig, *m_replica, m_world.random);
    perform(m_overlay->start(m_world.now));
    if (m_world.scenario.hasMembership)
        startMembership();
    else
        for (const NodeIndex neighbor : m_neighbors)
            feedLinks(link::Connect{endpointOf(neighbor)});
    for (const InfoHash& payload : m_complete)
        provide(payload);
    for (const overlay::Head& head : m_replica->heads())
        if (isRelease(head.key) && m_world.scenario.payload.count() > 0 && !holdsPayload(payloadOf(head)))
            beginFetch(payloadOf(head));
    if (m_course.done < m_course.stages.size())
        beginCourse(); // what a crash interrupted
    if (m_world.scenario.issuesReceipts)
        scheduleReceipt(kReceiptDelay);
    if (isObserver())
        pulse(0);
    if (!isHonest() && m_behaviour != Behaviour::Liar && m_behaviour != Behaviour::Swallower)
        wake(Purpose::Mischief, std::chrono::seconds(1));
}

void Node::crash()
{
    if (!isUp())
        return;
    m_world.books.retransmissions += retransmissions();
    ++m_life;
    if (m_modelLinks)
        m_modelLinks->crash();
    m_links.reset();
    m_modelLinks.reset();
    m_overlay.reset();
    m_membership.reset();
    m_membershipOutputs.clear();
    m_receiptDue.reset();
    giveSlotBack();
    m_fetch.reset();
    // The agent reserves numbers in blocks: what is left of one is lost with it.
    m_sequence = (m_sequence / kSequenceBlock + 1) * kSequenceBlock;
}

std::uint64_t Node::retransmissions() const
{
    return m_links ? m_links->stats().retransmissions : 0;
}

UtcTime Node::wallClock() const
{
    return kBeginning
        + std::chrono::duration_cast<std::chrono::seconds>(m_world.now.time_since_epoch() + m_clockShift);
}

// --- Inputs

void Node::handle(Event&& event)
{
    if (event.what == Event::What::Datagram) {
        // A partition also takes what is on its way.
        if (isUp() && !m_world.network.isCut(event.from, m_index))
            feedLinks(link::DatagramReceived{endpointOf(event.from), event.content.bytes()});
        return;
    }
    if (event.what >= Event::What::Message && event.what <= Event::What::Idle)
        return onModelEvent(std::move(event));
    if (event.life != m_life)
        return;
    if (event.what == Event::What::LinkTimer)
        feedLinks(link::TimerExpired{{link::LinkId{event.first}, event.second}});
    else if (event.what == Event::What::OverlayTimer)
        feedOverlay(overlay::TimerExpired{{static_cast<overlay::Timer::What>(event.first), event.second}});
    else if (event.what == Event::What::MembershipTimer)
        feedMembership(overlay::MembershipTimer{event.first});
    else if (event.what == Event::What::Wake)
        onWake(static_cast<Purpose>(event.first), event.second);
}

void Node::onModelEvent(Event&& event)
{
    if (event.what != Event::What::Message) {
        if (m_modelLinks)
            m_modelLinks->handle(event, m_world.linkOutputs);
        return actAll();
    }
    if (!m_modelLinks)
        return ModelLinks::giveBack(m_world, event);
    const auto link = m_modelLinks->take(event);
    if (!link)
        return;
    const overlay::MessageReceived received{overlay::NeighborId{static_cast<std::uint64_t>(*link)},
                                            event.content.bytes()};
    if (m_membership)
        tellMembership(received);
    else
        feedOverlay(received);
}

void Node::wake(Purpose purpose, Duration delay, std::uint64_t second)
{
    m_world.queue.push(
        m_world.now + delay,
        {Event::What::Wake, m_index, m_index, m_life, static_cast<std::uint64_t>(purpose), second, {}});
}

void Node::onWake(Purpose purpose, std::uint64_t second)
{
    switch (purpose) {
    case Purpose::Start:
        if (!isUp())
            start();
        return;
    case Purpose::Receipt:
        if (m_receiptDue != m_world.now)
            return;
        m_receiptDue.reset();
        return issueReceipt();
    case Purpose::Fetched:
        return onFetched(static_cast<NodeIndex>(second));
    case Purpose::Mischief:
        return misbehave();
    case Purpose::Pulse:
        return pulse(second);
    case Purpose::Stage:
        return onStage(second);
    case Purpose::Look:
        if (m_fetch && std::exchange(m_fetch->isLooking, false))
            fetchFromAnyone();
        return;
    }
}

void Node::feedLinks(const link::Input& input)
{
    std::vector<link::Output>& pending = m_world.linkOutputs;
    if (m_modelLinks) {
        m_modelLinks->handle(input, pending);
    } else {
        for (link::Output& output : m_links->handle(input, m_world.now))
            pending.push_back(std::move(output));
    }
    actAll();
}

void Node::actAll()
{
    // As core/node does: carried out in the order in which they were said.
    if (std::exchange(m_isActing, true))
        return;
    std::vector<link::Output>& pending = m_world.linkOutputs;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        link::Output output = std::move(pending[i]);
        act(output);
    }
    pending.clear();
    m_isActing = false;
}

void Node::feedOverlay(const overlay::Input& input)
{
    if (const auto* message = std::get_if<overlay::MessageReceived>(&input))
        noteReceiptMessage(message->bytes);
    // What comes of an output is handled before the next one, on top of them.
    std::vector<overlay::Output>& outputs = m_world.overlayOutputs;
    const std::size_t begin = outputs.size();
    m_overlay->handle(input, m_world.now, outputs);
    const std::size_t end = outputs.size();
    for (std::size_t i = begin; i < end; ++i) {
        overlay::Output output = std::move(outputs[i]);
        act(output);
    }
    outputs.resize(begin);
}

void Node::perform(std::vector<overlay::Output> outputs)
{
    for (overlay::Output& output : outputs)
        act(output);
}

// --- Outputs

void Node::act(link::Output& output)
{
    if (auto* datagram = std::get_if<link::SendDatagram>(&output)) {
        send(datagram->to, std::move(datagram->bytes));
    } else if (const auto* timer = std::get_if<link::ScheduleTimer>(&output)) {
        m_world.queue.push(m_world.now + timer->delay,
                           {Event::What::LinkTimer,
                            m_index,
                            m_index,
                            m_life,
                            static_cast<std::uint64_t>(timer->timer.link),
                            timer->timer.generation,
                            {}});
    } else if (m_membership) {
        tellMembership(output);
    } else if (const auto* up = std::get_if<link::LinkUp>(&output)) {
        feedOverlay(overlay::NeighborUp{overlay::NeighborId{static_cast<std::uint64_t>(up->link)}, up->node,
                                        up->roundTrip, up->isRestricted});
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        feedOverlay(overlay::NeighborDown{overlay::NeighborId{static_cast<std::uint64_t>(down->link)}});
    } else if (const auto* message = std::get_if<link::MessageReceived>(&output)) {
        feedOverlay(overlay::MessageReceived{overlay::NeighborId{static_cast<std::uint64_t>(message->link)},
                                             message->message});
    }
}

void Node::act(overlay::Output& output)
{
    if (auto* message = std::get_if<overlay::SendMessage>(&output)) {
        if (m_behaviour == Behaviour::Swallower && isNotice(message->bytes))
            return;
        ++m_world.books.messages;
        m_world.books.messageBytes += message->bytes.size();
        const link::LinkId link{static_cast<std::uint64_t>(message->to)};
        const bool isOnce = message->delivery == overlay::Delivery::Once;
        if (!m_modelLinks)
            return feedLinks(link::SendMessage{link, std::move(message->bytes), isOnce});
        m_modelLinks->send(link, std::move(message->bytes), isOnce, m_world.linkOutputs);
        actAll();
    } else if (const auto* timer = std::get_if<overlay::ScheduleTimer>(&output)) {
        m_world.queue.push(m_world.now + timer->delay,
                           {Event::What::OverlayTimer,
                            m_index,
                            m_index,
                            m_life,
                            static_cast<std::uint64_t>(timer->timer.what),
                            timer->timer.generation,
                            {}});
    } else if (const auto* taken = std::get_if<overlay::NoticeTaken>(&output)) {
        onTaken(taken->head);
    } else if (auto* refused = std::get_if<overlay::NoticeRefused>(&output)) {
        if (m_world.cast != nullptr && m_index == kObserver
            && m_world.books.refusals.size() < Books::kMaxRefusals)
            m_world.books.refusals.push_back(std::move(refused->error));
        if (m_world.scenario.issuesReceipts)
            scheduleReceipt(kAlarmDelay);
    } else if (const auto* found = std::get_if<overlay::ProviderFound>(&output)) {
        const auto provider = m_world.byId.find(found->provider.node);
        if (!m_fetch || m_fetch->payload != found->payload || !found->provider.isComplete
            || provider == m_world.byId.end())
            return;
        auto& known = m_fetch->providers;
        if (std::find(known.begin(), known.end(), provider->second) == known.end())
            known.push_back(provider->second);
        fetchFromAnyone();
    } else if (const auto* arrived = std::get_if<overlay::ReceiptArrived>(&output)) {
        onReceipt(*arrived);
    }
}

void Node::send(const Endpoint& to, Bytes bytes)
{
    Books& books = m_world.books;
    ++books.datagrams;
    books.noteSent(bytes.size(), isHonest());
    const NodeIndex other = indexOf(to);
    const Network::Fate fate = m_world.network.fate(m_index, other, m_world.random);
    if (fate.copies == 0)
        ++books.lostDatagrams;
    if (fate.copies == 0)
        return;
    Content content = Contents::alone(std::move(bytes));
    if (fate.copies == 2)
        m_world.queue.push(m_world.now + fate.delays[1],
                           {Event::What::Datagram, other, m_index, 0, 0, 0, content.again()});
    m_world.queue.push(m_world.now + fate.delays[0],
                       {Event::What::Datagram, other, m_index, 0, 0, 0, std::move(content)});
}

// --- Notices

void Node::putOwn(ByteView notice)
{
    const auto opinion = m_replica->examine(notice);
    STARLING_ASSERT(opinion.verdict == overlay::Mediator::Verdict::Taken);
    m_world.books.genuine.insert(opinion.head.id);
    ++m_ownNotices;
    if (isUp())
        publishKey(opinion.head.key);
}

/// All others that the overlay can be expected to reach: through nodes that are up and honest.
std::vector<bool> Node::addressed() const
{
    std::vector<std::vector<NodeIndex>> graph;
    for (const auto& node : m_world.nodes)
        graph.push_back(node->m_neighbors);
    if (m_world.scenario.hasMembership) {
        std::vector<bool> all;
        for (const auto& node : m_world.nodes)
            all.push_back(node->isUp() && node->isHonest() && node->m_index != m_index
                          && !m_world.network.isCut(m_index, node->m_index));
        return all;
    }
    auto isAddressed = reachable(m_index, graph, [this](NodeIndex other) {
        const Node& node = *m_world.nodes[other];
        return node.isUp() && node.isHonest() && !m_world.network.isCut(m_index, other);
    });
    isAddressed[m_index] = false;
    return isAddressed;
}

void Node::publish()
{
    auto& publications = m_world.books.publications;
    const auto torrent = m_world.authority.release(publications.size() + 1, wallClock());
    Publication publication{publications.size() + 1, torrent.infoHash, m_world.now,
                            m_world.network.group(m_index), addressed()};
    publications.push_back(std::move(publication));
    m_version = publications.size();
    m_complete.insert(torrent.infoHash);
    putOwn(release::noticeOf(trust::Kind::Release, torrent.notice()));
    provide(torrent.infoHash);
    beginCourse();
    if (m_world.scenario.issuesReceipts)
        scheduleReceipt(kReceiptDelay);
}

void Node::onTaken(const overlay::Head& head)
{
    if (!isRelease(head.key))
        return;
    m_version = head.rank.minor;
    noteDelivery();
    if (m_behaviour == Behaviour::Liar)
        provide(payloadOf(head));
    else if (m_world.scenario.payload.count() > 0)
        beginFetch(payloadOf(head));
    if (m_world.scenario.issuesReceipts)
        scheduleReceipt(kReceiptDelay);
}

void Node::noteDelivery()
{
    auto& publications = m_world.books.publications;
    if (m_version == 0 || m_version > publications.size())
        return;
    Publication& publication = publications[m_version - 1];
    const bool isAddressed = m_index < publication.isAddressed.size() && publication.isAddressed[m_index];
    if (isAddressed && m_upSince <= publication.at && m_world.network.group(m_index) == publication.group)
        publication.deliveries.push_back(m_world.now - publication.at);
}

void Node::scheduleReceipt(Duration delay)
{
    const Instant due = m_world.now + delay;
    if (m_receiptDue && *m_receiptDue <= due)
        return;
    m_receiptDue = due;
    wake(Purpose::Receipt, delay);
}

// --- Payloads

void Node::beginFetch(const InfoHash& payload)
{
    const bool isFound = m_world.scenario.findsProviders;
    if (m_fetch && isFound)
        feedOverlay(overlay::StopFinding{m_fetch->payload});
    giveSlotBack();
    m_fetch = std::make_unique<Fetch>(Fetch{payload, {}, {}});
    if (isFound)
        feedOverlay(overlay::FindProviders{payload});
    else
        fetchFromAnyone();
}

/// Of a fetch that is over, or is given up.
void Node::giveSlotBack()
{
    if (m_fetch && m_fetch->from)
        m_world.swarm.release(*m_fetch->from);
}

void Node::fetchFromAnyone()
{
    if (!m_fetch || m_fetch->from)
        return;
    if (!m_world.scenario.findsProviders)
        m_fetch->providers = m_world.swarm.some(m_fetch->payload, m_index, m_world.random);
    if (m_fetch->providers.empty())
        return m_world.scenario.findsProviders ? void() : lookAgain();
    m_fetch->from = m_world.swarm.claim(m_index, m_version, m_fetch->providers, m_world.random);
    if (!m_fetch->from)
        return lookAgain();
    wake(Purpose::Fetched, payloadTime(), *m_fetch->from);
}

/// Whoever has the payload serves others now.
void Node::lookAgain()
{
    if (std::exchange(m_fetch->isLooking, true))
        return;
    m_fetch->tries = std::min(m_fetch->tries + 1, kMostDoubled);
    wake(Purpose::Look, kLookPause * (1U << m_fetch->tries));
}

void Node::onFetched(NodeIndex from)
{
    if (!m_fetch || m_fetch->from != from)
        return;
    giveSlotBack();
    m_fetch->from.reset();
    const Node& provider = *m_world.nodes[from];
    const InfoHash payload = m_fetch->payload;
    const bool isServed =
        provider.isUp() && provider.holdsPayload(payload) && !m_world.network.isCut(m_index, from);
    if (!isServed)
        return fetchFromAnyone();
    m_complete.insert(payload);
    m_fetch.reset();
    noteServed(payload, from);
    if (m_world.scenario.findsProviders)
        feedOverlay(overlay::StopFinding{payload});
    provide(payload);
    beginCourse();
    if (m_world.scenario.issuesReceipts)
        scheduleReceipt(kReceiptDelay);
}

void Node::provide(const InfoHash& payload)
{
    if (m_world.scenario.payload.count() == 0)
        return;
    if (!m_world.scenario.findsProviders)
        return m_world.swarm.add(payload, m_index);
    const trust::Descriptor descriptor{m_id, m_sequence++, {endpointOf(m_index)}, endpointOf(m_index).port};
    const board::Parcel parcel{
        m_certificate, m_world.authority.seal(trust::Kind::Descriptor, descriptor.serialize(), m_index)};
    feedOverlay(overlay::Provide{payload, parcel.serialize(), true});
}

// --- Hostility

void Node::pretend(const Forgery& forgery)
{
    m_lies->pretend(forgery.head, forgery.notice);
    publishKey(forgery.head.key);
}

void Node::misbehave()
{
    wake(Purpose::Mischief,
         std::chrono::duration_cast<Duration>(std::chrono::seconds(1)) / m_world.scenario.hostility);
    if (m_behaviour == Behaviour::Flooder)
        return thrust(parcelOf(nextReceipt(), m_index));
    if (m_behaviour == Behaviour::Replayer) {
        if (Bytes outdated = m_lies->nextOutdated(); !outdated.empty()) {
            // Its place does not matter: it is pushed, whatever a summary says.
            static constexpr std::uint8_t kNoKind = 255;
            pretend({{{kNoKind, "replay"}, {}, {}}, std::move(outdated)});
        }
        return;
    }
    auto victim = static_cast<NodeIndex>(m_world.random.below(m_world.nodes.size()));
    if (victim == m_index)
        victim = 0;
    if (m_mischief++ % 2 == 0)
        return pretend(forge(m_mischief / 2, m_world.authority, m_version, m_world.random));
    trust::Receipt receipt = nextReceipt();
    receipt.node = m_world.nodes[victim]->m_id;
    receipt.sequence += kForgedSequence;
    thrust(parcelOf(receipt, m_index));
}

} // namespace starling::sim
