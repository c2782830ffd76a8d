// SPDX-License-Identifier: Apache-2.0
#include "overlay/petitions.h"

#include "crypto/sha256.h"

#include <algorithm>

namespace starling::overlay {

namespace {

/// Eight observers' full tables, once each in kRepeat, are 17 messages a second; the burst is two of them.
constexpr std::uint32_t kBurst = 2 * Petitions::kMaxHeld;
constexpr std::uint32_t kPerSecond = 20;

} // namespace

Petitions::Petitions(const NodeId& self, const Mediator& mediator, const Collection& collection)
    : m_self(self)
    , m_mediator(mediator)
    , m_collection(collection)
{
}

// --- Neighbours

void Petitions::addNeighbor(NeighborId neighbor, Instant now)
{
    m_peers.emplace(neighbor, Allowance(kBurst, kPerSecond, now));
}

// What it brought stays: the device asks again by another way, and an observer goes on showing it.
void Petitions::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
    for (auto& [observer, table] : m_tables)
        for (auto& [device, entry] : table) {
            entry.ways.erase(neighbor);
            if (entry.source == neighbor && !entry.ways.empty())
                entry.source = entry.ways.begin()->first;
        }
}

// --- What is held

/// Those of observers whose subscriptions are over.
void Petitions::dropTables()
{
    std::erase_if(m_tables, [this](const auto& each) { return !m_collection.knows(each.first); });
}

Petitions::Table* Petitions::tableOf(const NodeId& observer)
{
    return m_collection.knows(observer) ? &m_tables[observer] : nullptr;
}

bool Petitions::makeRoom(Table& table, const Source& source, Instant now) const
{
    if (table.size() < kMaxHeld)
        return true;
    std::erase_if(table, [now](const auto& each) { return now - each.second.lastHeard >= kLifetime; });
    if (table.size() < kMaxHeld)
        return true;
    std::map<Source, std::size_t> shares;
    for (const auto& [device, entry] : table)
        ++shares[entry.source];
    const std::size_t own = shares[source];
    // The worst of all gives way: one of a neighbour that is gone, or else of the largest share, and of these
    // the one that was silent for longest. Of our own share, or one as small, only what is stale.
    auto victim = table.end();
    const auto rank = [&](const Entry& entry) {
        return std::tuple(isGone(entry.source), shares[entry.source], now - entry.lastHeard);
    };
    for (auto each = table.begin(); each != table.end(); ++each) {
        const Entry& entry = each->second;
        const bool mayGo = isGone(entry.source) || now - entry.lastHeard >= kStale
            || (entry.source != source && shares[entry.source] > own + 1);
        if (mayGo && (victim == table.end() || rank(victim->second) < rank(entry)))
            victim = each;
    }
    if (victim == table.end())
        return false;
    table.erase(victim);
    return true;
}

Petitions::Entry* Petitions::hold(Table& table, const NodeId& device, const Source& source, Instant now)
{
    if (const auto held = table.find(device); held != table.end()) {
        if (now - held->second.lastHeard < kLifetime)
            return &held->second;
        table.erase(held); // it waits anew
    }
    if (!makeRoom(table, source, now))
        return nullptr;
    Entry& entry = table[device];
    entry.source = source;
    entry.since = entry.lastHeard = now;
    return &entry;
}

void Petitions::take(const NodeId& observer, Entry& entry, const Source& source, const NodeId& gate,
                     ByteView request, const Digest& hash, Instant now) const
{
    // A tree that has turned round: it goes to where it came from before, and no way back leads there.
    if (const auto parent = m_collection.parent(observer);
        parent && entry.ways.erase(parent) > 0 && entry.source == parent)
        entry.source = source;
    // Old requests of a device verify, too: another neighbour cannot put one in the place of what is held.
    const bool isNews = !source || entry.ways.empty() || source == entry.source || isGone(entry.source);
    if (isNews) {
        entry.hash = hash;
        entry.gate = gate;
        entry.source = source;
        if (observer == m_self)
            entry.request = toBytes(request);
    }
    entry.lastHeard = now;
    if (!entry.ways.contains(source) && entry.ways.size() >= kMaxWays) {
        const auto oldest =
            std::ranges::min_element(entry.ways, {}, [](const auto& each) { return each.second; });
        if (now - oldest->second < kStale)
            return;
        entry.ways.erase(oldest);
    }
    entry.ways[source] = now;
}

// --- Towards the observers

void Petitions::petition(const Petition& own, Instant now, Postbox& postbox)
{
    if (own.request.empty() || own.request.size() > kMaxPetitionBytes)
        return;
    dropTables();
    const Digest hash = crypto::sha256(own.request);
    for (const NodeId& observer : m_collection.observers()) {
        Table* table = observer == m_self ? nullptr : tableOf(observer); // the owner knows who waits here
        Entry* entry = table == nullptr ? nullptr : hold(*table, own.device, std::nullopt, now);
        if (entry == nullptr)
            continue;
        const bool isAnother = entry->hash != hash;
        take(observer, *entry, std::nullopt, m_self, own.request, hash, now);
        passOn(observer, *entry, own.request, isAnother ? kPace : kRepeat, now, postbox);
    }
}

Status Petitions::onPetition(NeighborId from, const PetitionMessage& message, Instant now, Postbox& postbox)
{
    dropTables();
    const auto peer = m_peers.find(from);
    Table* const table = tableOf(message.observer);
    // From where we send ours it has come round.
    if (peer == m_peers.end() || table == nullptr || m_collection.parent(message.observer) == from
        || message.gate == m_self || !peer->second.isOpen(now))
        return {};
    peer->second.spend(1);
    const Digest hash = crypto::sha256(message.request);
    // What was verified before comes again and again.
    const auto known =
        std::ranges::find_if(*table, [&hash](const auto& each) { return each.second.hash == hash; });
    NodeId device;
    if (known != table->end()) {
        device = known->first;
    } else {
        const auto examined = m_mediator.examineRequest(message.request);
        // That a device is denied may not have come to everybody yet.
        if (!examined && examined.error().code == Errc::Denied)
            return {};
        if (!examined)
            return fail(Error(examined.error()), "petition");
        device = *examined;
    }
    Entry* const entry = hold(*table, device, from, now);
    if (entry == nullptr)
        return {};
    take(message.observer, *entry, from, message.gate, message.request, hash, now);
    if (message.observer == m_self)
        postbox.put(PetitionArrived{device, entry->request});
    else if (entry->hash == hash)
        passOn(message.observer, *entry, message.request, kPace, now, postbox);
    return {};
}

void Petitions::passOn(const NodeId& observer, Entry& entry, ByteView request, Duration pace, Instant now,
                       Postbox& postbox) const
{
    const auto parent = m_collection.parent(observer);
    if (!parent)
        return;
    if (entry.sentTo == parent && entry.passed && now - *entry.passed < pace)
        return;
    entry.passed = now;
    entry.sentTo = parent;
    postbox.send(*parent, PetitionMessage{observer, entry.gate, toBytes(request)});
}

// --- Back to the gate

void Petitions::sendBack(const NodeId& observer, const NodeId& device, const Entry& entry,
                         ByteView certificate, Postbox& postbox) const
{
    for (const auto& [way, heard] : entry.ways) {
        if (way)
            postbox.send(*way, GrantMessage{observer, device, toBytes(certificate)});
        else
            postbox.put(GrantArrived{device, toBytes(certificate)});
    }
}

void Petitions::grant(const Grant& own, Postbox& postbox)
{
    const auto table = m_tables.find(m_self);
    if (table == m_tables.end() || own.certificate.empty() || own.certificate.size() > kMaxGrantBytes)
        return;
    const auto entry = table->second.find(own.device);
    if (entry == table->second.end())
        return;
    sendBack(m_self, own.device, entry->second, own.certificate, postbox);
    table->second.erase(entry);
}

Status Petitions::onGrant(NeighborId from, const GrantMessage& message, Postbox& postbox)
{
    const auto table = m_tables.find(message.observer);
    if (table == m_tables.end() || !m_peers.contains(from))
        return {};
    const auto entry = table->second.find(message.device);
    // Only from where we sent the petition: others cannot know.
    if (entry == table->second.end() || entry->second.sentTo != from)
        return {};
    const auto admitted = m_mediator.examineGrant(message.certificate);
    if (!admitted && admitted.error().code == Errc::Denied)
        return {};
    if (!admitted)
        return fail(Error(admitted.error()), "grant");
    if (*admitted != message.device)
        return fail(Errc::Malformed, "a grant with another device's certificate");
    // Before it is sent: it goes each way once, whatever comes of it.
    const Entry granted = std::move(entry->second);
    table->second.erase(entry);
    sendBack(message.observer, message.device, granted, message.certificate, postbox);
    if (granted.ways.contains(std::nullopt)) // other observers need not be told of it any more
        for (auto& [observer, others] : m_tables)
            others.erase(message.device);
    return {};
}

// --- What is told

std::vector<Waiting> Petitions::waiting(Instant now) const
{
    std::vector<Waiting> all;
    if (const auto table = m_tables.find(m_self); table != m_tables.end())
        for (const auto& [device, entry] : table->second)
            if (now - entry.lastHeard < kLifetime)
                all.push_back({device, entry.gate, entry.request, entry.since});
    return all;
}

std::size_t Petitions::held() const
{
    std::size_t count = 0;
    for (const auto& [observer, table] : m_tables)
        count += table.size();
    return count;
}

} // namespace starling::overlay
