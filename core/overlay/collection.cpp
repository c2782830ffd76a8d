// SPDX-License-Identifier: Apache-2.0
#include "overlay/collection.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// A pulse costs a signature's verification. Guess: a new neighbour's pulses of all observers, twice; then
/// one a second.
constexpr std::uint32_t kPulseBurst = 16;
constexpr std::uint32_t kPulsesPerSecond = 1;
/// Pulses that follow each other faster are not passed on: an observer, too, could be taken over.
constexpr Duration kPulsePace = std::chrono::seconds(1);
constexpr unsigned kMaxHops = 255; ///< PulseMessage
/// What one neighbour may make us pass on. Guess: 4,096 usual receipts at once, and 400 a second then.
constexpr std::uint32_t kReceiptBurst = 2 * 1024 * 1024;
constexpr std::uint32_t kReceiptsPerSecond = 256 * 1024;
/// Sums come once in Config::sumsPace; guess: a burst while the tree forms, and five times that.
constexpr std::uint32_t kSumsBurst = 32;
constexpr std::uint32_t kSumsPerSecond = 1;
/// Guess: a sixteenth of link's queue; one receipt more may go over it.
constexpr std::size_t kBatchBytes = 256 * 1024;
/// How long a neighbour waits for its turn when we have no room; guess.
constexpr Duration kRoomPace = std::chrono::seconds(1);

/// Names a device to the pace of its receipts.
NoticeKey paceKey(const NodeId& device)
{
    return {0, toText(device.bytes())};
}

} // namespace

Collection::Collection(const NodeId& self, const Config& config, const Mediator& mediator,
                       RandomSource& random)
    : m_self(self)
    , m_config(config)
    , m_mediator(mediator)
    , m_random(random)
{
}

// --- Neighbours, and the tree

void Collection::addNeighbor(NeighborId neighbor, const NodeId& node, Instant now, Postbox& postbox)
{
    m_peers.emplace(neighbor,
                    Peer{node, Allowance(kPulseBurst, kPulsesPerSecond, now),
                         Allowance(kReceiptBurst, kReceiptsPerSecond, now),
                         Allowance(kSumsBurst, kSumsPerSecond, now), std::nullopt});
    for (const auto& [observer, way] : m_ways)
        postbox.send(neighbor, PulseMessage{static_cast<std::uint8_t>(way.hops), way.pulse});
}

void Collection::removeNeighbor(NeighborId neighbor, Instant now)
{
    m_peers.erase(neighbor);
    for (auto& [observer, way] : m_ways) {
        way.heard.erase(neighbor);
        way.owed.erase(neighbor);
        way.delivered.erase(neighbor);
        if (way.flight && way.flight->to == neighbor)
            landFlight(way, now);
        if (way.parent == neighbor)
            chooseParent(way, now);
        way.sums.removeNeighbor(neighbor, now, m_config);
    }
}

// Whoever is nearer to the observer, by the same pulse, cannot have its way through us.
void Collection::chooseParent(Way& way, Instant now) const
{
    way.parent.reset();
    const Heard* best = nullptr;
    for (const auto& [neighbor, heard] : way.heard) {
        if (heard.number != way.number || heard.hops >= way.hops || heard.isSlow)
            continue;
        if (best != nullptr && best->hops <= heard.hops)
            continue;
        best = &heard;
        way.parent = neighbor;
    }
    if (way.parent && !way.waiting.empty())
        wakeAt(way, now);
}

std::optional<NeighborId> Collection::parent(const NodeId& observer) const
{
    const auto way = m_ways.find(observer);
    return way == m_ways.end() ? std::nullopt : way->second.parent;
}

std::vector<NodeId> Collection::observers() const
{
    std::vector<NodeId> all;
    for (const auto& [observer, way] : m_ways)
        all.push_back(observer);
    return all;
}

void Collection::passOn(const Way& way, std::optional<NeighborId> except, Postbox& postbox) const
{
    const PulseMessage message{static_cast<std::uint8_t>(way.hops), way.pulse};
    for (const auto& [neighbor, peer] : m_peers)
        if (neighbor != except)
            postbox.send(neighbor, message);
}

void Collection::observe(ByteView pulse, Instant now, Postbox& postbox)
{
    const auto info = m_mediator.examinePulse(pulse);
    if (!info || info->observer != m_self)
        return;
    Way& way = m_ways[m_self];
    if (info->number <= way.number)
        return;
    way.number = info->number;
    way.pulse = toBytes(pulse);
    way.pulsed = now;
    way.hops = 0;
    heed(*m_ways.find(m_self), *info, now);
    passOn(way, std::nullopt, postbox);
}

Status Collection::onPulse(NeighborId from, const PulseMessage& message, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    if (peer == m_peers.end() || message.hops >= kMaxHops)
        return {};
    // The very pulse that was verified before comes over every link.
    for (auto& [observer, way] : m_ways) {
        if (way.pulse != message.pulse)
            continue;
        way.heard[from] = {way.number, message.hops, false};
        if (!way.parent && way.hops > 0) {
            chooseParent(way, now);
            if (way.wantsSums)
                way.sums.pulsed(now, m_config);
        }
        return {};
    }
    if (!peer->second.pulses.isOpen(now))
        return {};
    peer->second.pulses.spend(1);
    const auto info = m_mediator.examinePulse(message.pulse);
    if (!info && info.error().code == Errc::NotAdmitted) {
        peer->second.early = message;
        return {};
    }
    if (!info)
        return fail(Error(info.error()), "pulse");
    learn(from, message, *info, now, postbox);
    return {};
}

void Collection::learn(NeighborId from, const PulseMessage& message, const PulseInfo& info, Instant now,
                       Postbox& postbox)
{
    if (info.observer == m_self)
        return; // of an earlier life; the next one of ours is newer
    auto known = m_ways.find(info.observer);
    const bool isNew = known == m_ways.end();
    if (isNew && m_ways.size() >= m_config.maxObservers)
        return;
    if (isNew)
        known = m_ways.try_emplace(info.observer).first;
    Way& way = known->second;
    if (info.number <= way.number)
        return;
    const bool isTooSoon = !isNew && now - way.pulsed < kPulsePace;
    way.number = info.number;
    way.pulse = message.pulse;
    way.pulsed = now;
    way.hops = message.hops + 1u;
    way.heard[from] = {info.number, message.hops, false};
    way.parent = from;
    if (!isTooSoon)
        passOn(way, from, postbox);
    heed(*known, info, now);
    if (isNew)
        enqueueOwn(*known, now);
    if (!way.waiting.empty())
        wakeAt(way, now + m_config.receiptDelay);
}

void Collection::noticeTaken(Instant now, Postbox& postbox)
{
    for (auto& [neighbor, peer] : m_peers) {
        if (!peer.early)
            continue;
        const auto info = m_mediator.examinePulse(peer.early->pulse);
        if (!info)
            continue;
        const PulseMessage message = *std::exchange(peer.early, std::nullopt);
        learn(neighbor, message, *info, now, postbox);
        if (const auto way = m_ways.find(info->observer);
            way != m_ways.end() && way->second.number == info->number)
            way->second.heard[neighbor] = {info->number, message.hops, false};
    }
}

// --- Receipts towards the observer

void Collection::report(const Report& own, Instant now)
{
    if (own.receipt.size() > kMaxReceiptBytes || (m_own && own.sequence <= m_own->sequence))
        return;
    m_own = own;
    for (auto& way : m_ways) {
        countOwn(way, now);
        enqueueOwn(way, now);
    }
}

void Collection::enqueueOwn(Ways::value_type& way, Instant now)
{
    Way& to = way.second;
    if (!m_own || to.hops == 0 || !m_mediator.isWantedBy(way.first, m_own->receipt))
        return;
    to.own = {false, false, std::nullopt, now + jittered(m_config.receiptRepeat), m_config.receiptRepeat};
    to.own.isHeld = to.wantsSums && !isAskedFor(way, m_self, m_own->receipt);
    if (to.own.isHeld) {
        to.waiting.erase(m_self);
        return;
    }
    enqueue(to, m_self, {m_own->sequence, m_own->receipt});
    wakeAt(to, now + m_config.receiptDelay);
}

Duration Collection::jittered(Duration interval)
{
    // Between three quarters and five quarters: devices that began together do not repeat together.
    const auto spread = std::max<Duration::rep>(interval.count() / 2, 1);
    const auto drawn = m_random.below(static_cast<std::uint64_t>(spread));
    return interval * 3 / 4 + Duration(static_cast<Duration::rep>(drawn));
}

void Collection::enqueue(Way& way, const NodeId& device, Item item) const
{
    const auto held = way.waiting.find(device);
    if (held != way.waiting.end()) {
        if (held->second.sequence < item.sequence)
            held->second = std::move(item);
        return;
    }
    // Our own has its place always; another device repeats what has none.
    if (way.waiting.size() < m_config.maxReceipts || device == m_self)
        way.waiting.emplace(device, std::move(item));
}

Status Collection::onReceipts(NeighborId from, const ReceiptsMessage& message, Instant now, Postbox& postbox)
{
    const auto peer = m_peers.find(from);
    const auto way = m_ways.find(message.observer);
    if (peer == m_peers.end() || way == m_ways.end())
        return {};
    if (way->second.owed.contains(from))
        return fail(Errc::Malformed, "receipts before the last ones were accepted");
    Status status;
    for (const Bytes& receipt : message.receipts) {
        peer->second.receipts.spend(receipt.size());
        if (auto taken = take(*way, from, receipt, now, postbox); !taken && status)
            status = std::move(taken);
    }
    way->second.owed[from] = message.batch;
    accept(*way, now, postbox);
    if (!way->second.waiting.empty())
        wakeAt(way->second, now + m_config.receiptDelay);
    return status;
}

Status Collection::take(Ways::value_type& way, NeighborId from, const Bytes& receipt, Instant now,
                        Postbox& postbox)
{
    const auto info = m_mediator.examineReceipt(receipt);
    // That a device is denied may not have come to everybody yet.
    if (!info && info.error().code == Errc::Denied)
        return {};
    if (!info)
        return fail(Error(info.error()), "receipt");
    if (info->device == m_self)
        return {};
    // Here it entered the tree: a device that floods its own receipts gets no further than this.
    if (info->device == m_peers.at(from).node && !m_pace.allows(paceKey(info->device), now))
        return {};
    if (way.second.wantsSums && !letsThrough(way, info->device, receipt))
        return {};
    keepRoute(way.second, info->device, info->sequence, from);
    if (way.second.hops == 0)
        postbox.put(ReceiptArrived{info->device, info->sequence, receipt});
    else
        enqueue(way.second, info->device, {info->sequence, receipt});
    return {};
}

void Collection::dropRoute(Way& way, std::map<NodeId, Route>::iterator route)
{
    way.turns.erase(route->second.turn);
    way.routes.erase(route);
}

void Collection::keepRoute(Way& way, const NodeId& device, std::uint64_t sequence, NeighborId child) const
{
    if (const auto held = way.routes.find(device); held != way.routes.end())
        dropRoute(way, held);
    else if (way.routes.size() >= m_config.maxReceipts)
        dropRoute(way, way.routes.find(way.turns.begin()->second));
    const std::uint64_t turn = way.nextTurn++;
    way.routes.emplace(device, Route{sequence, child, std::nullopt, turn});
    way.turns.emplace(turn, device);
}

void Collection::accept(Ways::value_type& way, Instant now, Postbox& postbox)
{
    Way& here = way.second;
    for (auto owed = here.owed.begin(); owed != here.owed.end();) {
        const auto current = owed++;
        const bool isRoom = here.waiting.size() < std::max<std::size_t>(1, m_config.maxReceipts / 2);
        if (!isRoom || !m_peers.at(current->first).receipts.isOpen(now))
            continue;
        postbox.send(current->first, AcceptedMessage{way.first, current->second});
        here.owed.erase(current);
    }
    if (!here.owed.empty())
        wakeAt(here, now + kRoomPace);
}

void Collection::onAccepted(NeighborId from, const AcceptedMessage& message, Instant now)
{
    const auto found = m_ways.find(message.observer);
    if (found == m_ways.end())
        return;
    Way& way = found->second;
    if (!way.flight || way.flight->to != from || way.flight->batch != message.batch)
        return;
    way.flight.reset();
    if (!way.waiting.empty() || !way.owed.empty())
        wakeAt(way, now + m_config.receiptDelay);
}

void Collection::landFlight(Way& way, Instant now) const
{
    Items items = std::move(way.flight->items);
    way.flight.reset();
    for (auto& [device, item] : items)
        enqueue(way, device, std::move(item));
    wakeAt(way, now);
}

void Collection::send(Ways::value_type& way, Instant now, Postbox& postbox)
{
    Way& to = way.second;
    if (!to.parent || to.flight || to.waiting.empty())
        return;
    Flight flight{*to.parent, ++to.batches, {}, now + m_config.acceptLimit};
    ReceiptsMessage message{way.first, flight.batch, {}};
    std::size_t bytes = 0;
    while (!to.waiting.empty() && bytes < kBatchBytes && message.receipts.size() < kMaxReceipts) {
        auto next = to.waiting.upper_bound(to.lastSent);
        if (next == to.waiting.end())
            next = to.waiting.begin();
        auto node = to.waiting.extract(next);
        to.lastSent = node.key();
        if (node.key() == m_self)
            to.own.sentTo = flight.to;
        else if (const auto route = to.routes.find(node.key()); route != to.routes.end())
            route->second.sentTo = flight.to;
        bytes += node.mapped().receipt.size();
        message.receipts.push_back(node.mapped().receipt);
        flight.items.insert(std::move(node));
    }
    postbox.send(flight.to, message);
    to.flight = std::move(flight);
}

// --- The observer's word, back to the device

void Collection::kept(const ReceiptKept& kept, Instant now)
{
    const auto own = m_ways.find(m_self);
    if (own == m_ways.end())
        return;
    Way& way = own->second;
    const auto route = way.routes.find(kept.device);
    if (route == way.routes.end())
        return;
    way.delivered[route->second.child].push_back({kept.device, kept.sequence});
    dropRoute(way, route);
    wakeAt(way, now + m_config.receiptDelay);
}

void Collection::onDelivered(NeighborId from, const DeliveredMessage& message, Postbox& postbox)
{
    const auto found = m_ways.find(message.observer);
    if (found == m_ways.end())
        return;
    Way& way = found->second;
    for (const DeliveredMessage::Item& item : message.items) {
        if (item.device == m_self) {
            // Only from where we sent it: others cannot know.
            if (m_own && item.sequence >= m_own->sequence && way.own.sentTo == from)
                way.own.isDelivered = true;
            continue;
        }
        const auto route = way.routes.find(item.device);
        if (route == way.routes.end() || route->second.sentTo != from
            || item.sequence < route->second.sequence)
            continue;
        if (m_peers.contains(route->second.child))
            way.delivered[route->second.child].push_back(item);
        dropRoute(way, route);
    }
    tellDelivered(*found, postbox);
}

void Collection::tellDelivered(Ways::value_type& way, Postbox& postbox) const
{
    const auto delivered = std::exchange(way.second.delivered, {});
    for (const auto& [child, items] : delivered) {
        for (std::size_t from = 0; from < items.size(); from += kMaxDeliveries) {
            const auto begin = items.begin() + static_cast<std::ptrdiff_t>(from);
            const auto size = std::min(kMaxDeliveries, items.size() - from);
            postbox.send(child,
                         DeliveredMessage{way.first, {begin, begin + static_cast<std::ptrdiff_t>(size)}});
        }
    }
}

// --- Time

void Collection::wakeAt(Way& way, Instant when) const
{
    way.flush = way.flush ? std::min(*way.flush, when) : when;
}

std::optional<Instant> Collection::nextWork() const
{
    std::optional<Instant> next;
    const auto consider = [&](Instant when) { next = next ? std::min(*next, when) : when; };
    for (const auto& [observer, way] : m_ways) {
        if (way.flush)
            consider(*way.flush);
        if (way.flight)
            consider(way.flight->deadline);
        if (!way.own.isDelivered && !way.own.isHeld)
            consider(way.own.repeat);
        if (const auto due = way.sums.nextWork())
            consider(*due);
    }
    return next;
}

void Collection::work(Instant now, Postbox& postbox)
{
    m_pace.forgetQuiet(now);
    for (auto way = m_ways.begin(); way != m_ways.end();) {
        const auto current = way++;
        if (m_mediator.isObserver(current->first))
            flush(*current, now, postbox);
        else
            m_ways.erase(current);
    }
}

void Collection::flush(Ways::value_type& way, Instant now, Postbox& postbox)
{
    Way& to = way.second;
    if (to.flight && to.flight->deadline <= now) {
        if (const auto heard = to.heard.find(to.flight->to); heard != to.heard.end())
            heard->second.isSlow = true;
        landFlight(to, now);
        chooseParent(to, now);
    }
    tellSums(way, now, postbox);
    if (!to.own.isDelivered && !to.own.isHeld && to.own.repeat <= now && m_own) {
        to.own.interval = std::min(to.own.interval * 2, m_config.receiptRepeatMax);
        to.own.repeat = now + jittered(to.own.interval);
        enqueue(to, m_self, {m_own->sequence, m_own->receipt});
        wakeAt(to, now);
    }
    if (!to.flush || *to.flush > now)
        return;
    to.flush.reset();
    tellDelivered(way, postbox);
    send(way, now, postbox);
    accept(way, now, postbox);
}

std::size_t Collection::held() const
{
    std::size_t count = 0;
    for (const auto& [observer, way] : m_ways)
        count += way.waiting.size() + (way.flight ? way.flight->items.size() : 0);
    return count;
}

} // namespace starling::overlay
