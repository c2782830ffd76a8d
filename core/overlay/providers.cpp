// SPDX-License-Identifier: Apache-2.0
#include "overlay/providers.h"

#include <algorithm>

namespace starling::overlay {

namespace {

bool update(ProviderRecord& held, ProviderRecord&& told, ProviderTable::Source source)
{
    const bool isHearsay = source == ProviderTable::Source::Hearsay;
    if (told.sequence < held.sequence && isHearsay)
        return false;
    const bool isComplete = isHearsay ? held.isComplete || told.isComplete : told.isComplete;
    const bool isNewer = told.sequence > held.sequence;
    const bool isNews = isNewer || isComplete != held.isComplete;
    held.isComplete = isComplete;
    held.said = std::max(held.said, told.said);
    if (isNewer) {
        held.sequence = told.sequence;
        held.descriptor = std::move(told.descriptor);
    }
    return isNews;
}

bool saidEarlier(const ProviderTable::Records::value_type& a, const ProviderTable::Records::value_type& b)
{
    return a.second.said < b.second.said;
}

} // namespace

ProviderTable::ProviderTable(const Config& config)
    : m_maxPayloads(config.maxPayloads)
    , m_maxProviders(config.maxProvidersPerPayload)
    , m_lifetime(config.providerLifetime)
{
}

bool ProviderTable::put(const InfoHash& payload, const NodeId& node, ProviderRecord record, Source source)
{
    const auto place = m_payloads.find(payload);
    if (place == m_payloads.end()) {
        if (m_payloads.size() >= m_maxPayloads && !makeRoomForPayload())
            return false;
        m_payloads[payload].emplace(node, std::move(record));
        return true;
    }
    Records& records = place->second;
    if (const auto held = records.find(node); held != records.end())
        return update(held->second, std::move(record), source);
    if (records.size() >= m_maxProviders && !makeRoomForProvider(records, record.said))
        return false;
    records.emplace(node, std::move(record));
    return true;
}

// Room is taken from the node that fills the table most: whoever announces a thousand payloads displaces its
// own announcements, not those of others.
bool ProviderTable::makeRoomForPayload()
{
    std::map<NodeId, std::size_t> soleProvider;
    for (const auto& [payload, records] : m_payloads) {
        if (records.size() == 1 && !m_pinned.contains(payload))
            ++soleProvider[records.begin()->first];
    }
    const auto greedy = std::max_element(soleProvider.begin(), soleProvider.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    auto victim = m_payloads.end();
    Instant victimSaid;
    for (auto it = m_payloads.begin(); it != m_payloads.end(); ++it) {
        const Records& records = it->second;
        if (m_pinned.contains(it->first))
            continue;
        if (greedy != soleProvider.end() && (records.size() != 1 || records.begin()->first != greedy->first))
            continue;
        const Instant said = std::max_element(records.begin(), records.end(), saidEarlier)->second.said;
        if (victim == m_payloads.end() || said < victimSaid) {
            victim = it;
            victimSaid = said;
        }
    }
    if (victim == m_payloads.end())
        return false;
    m_payloads.erase(victim);
    return true;
}

bool ProviderTable::makeRoomForProvider(Records& records, Instant newcomer) const
{
    const auto oldest = std::min_element(records.begin(), records.end(), saidEarlier);
    if (oldest == records.end() || newcomer < oldest->second.said)
        return false;
    records.erase(oldest);
    return true;
}

void ProviderTable::remove(const InfoHash& payload, const NodeId& node)
{
    const auto place = m_payloads.find(payload);
    if (place == m_payloads.end())
        return;
    place->second.erase(node);
    if (place->second.empty())
        m_payloads.erase(place);
}

void ProviderTable::expire(Instant now)
{
    for (auto& [payload, records] : m_payloads)
        std::erase_if(records, [&](const auto& record) { return now - record.second.said >= m_lifetime; });
    std::erase_if(m_payloads, [](const auto& place) { return place.second.empty(); });
}

const ProviderTable::Records& ProviderTable::of(const InfoHash& payload) const
{
    static const Records kNone;
    const auto place = m_payloads.find(payload);
    return place == m_payloads.end() ? kNone : place->second;
}

} // namespace starling::overlay
