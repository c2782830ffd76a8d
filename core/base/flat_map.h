// SPDX-License-Identifier: Apache-2.0
/// A map of a handful of entries, which lie side by side in the order of their keys: what is iterated and
/// looked up all the time is found in a few cache lines. Takes the place of std::map where few entries come
/// and go, with one difference: references to entries end when another one comes or goes.
#pragma once

#include "base/assert.h"
#include "base/prefetch.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace starling {

///
/// There is room for `kRoom` entries from the beginning.
template <class Key, class Value, std::size_t kRoom = 0> class FlatMap
{
public:
    using key_type = Key;
    using mapped_type = Value;
    using value_type = std::pair<Key, Value>;
    using iterator = typename std::vector<value_type>::iterator;
    using const_iterator = typename std::vector<value_type>::const_iterator;

    FlatMap() { m_entries.reserve(kRoom); }

    iterator begin() { return m_entries.begin(); }
    iterator end() { return m_entries.end(); }
    const_iterator begin() const { return m_entries.begin(); }
    const_iterator end() const { return m_entries.end(); }
    std::size_t size() const { return m_entries.size(); }
    bool empty() const { return m_entries.empty(); }
    void clear() { m_entries.clear(); }

    iterator lower_bound(const Key& key) { return begin() + placeOf(key); }
    const_iterator lower_bound(const Key& key) const { return begin() + placeOf(key); }
    iterator upper_bound(const Key& key) { return begin() + placeAfter(key); }
    const_iterator upper_bound(const Key& key) const { return begin() + placeAfter(key); }
    iterator find(const Key& key) { return begin() + found(key); }
    const_iterator find(const Key& key) const { return begin() + found(key); }
    bool contains(const Key& key) const { return find(key) != end(); }
    /// Of one that is there.
    Value& at(const Key& key) { return const_cast<Value&>(std::as_const(*this).at(key)); }
    const Value& at(const Key& key) const
    {
        const auto entry = find(key);
        STARLING_ASSERT(entry != end());
        return entry->second;
    }

    /// What is there stays; whether it was put there is told.
    template <class... Arguments> std::pair<iterator, bool> emplace(const Key& key, Arguments&&... arguments)
    {
        const Place place = placeOf(key);
        if (isAt(place, key))
            return {begin() + place, false};
        makeRoom();
        return {m_entries.emplace(begin() + place, std::piecewise_construct, std::forward_as_tuple(key),
                                  std::forward_as_tuple(std::forward<Arguments>(arguments)...)),
                true};
    }
    Value& operator[](const Key& key) { return emplace(key).first->second; }
    iterator erase(const_iterator entry) { return m_entries.erase(entry); }
    std::size_t erase(const Key& key)
    {
        const auto entry = find(key);
        if (entry == end())
            return 0;
        m_entries.erase(entry);
        return 1;
    }
    template <class Predicate> std::size_t eraseIf(Predicate predicate)
    {
        return std::erase_if(m_entries, predicate);
    }
    /// Brings the entries into the cache (prefetch.h).
    void prefetch() const { starling::prefetch(m_entries.data(), m_entries.size() * sizeof(value_type)); }
    friend bool operator==(const FlatMap&, const FlatMap&) = default;

private:
    using Place = typename std::vector<value_type>::difference_type;

    Place placeOf(const Key& key) const
    {
        return std::partition_point(begin(), end(), [&](const value_type& e) { return e.first < key; })
            - begin();
    }
    Place placeAfter(const Key& key) const
    {
        return std::partition_point(begin(), end(), [&](const value_type& e) { return !(key < e.first); })
            - begin();
    }
    bool isAt(Place place, const Key& key) const
    {
        return place < static_cast<Place>(size())
            && !(key < m_entries[static_cast<std::size_t>(place)].first);
    }
    Place found(const Key& key) const
    {
        const Place place = placeOf(key);
        return isAt(place, key) ? place : static_cast<Place>(size());
    }
    /// By a half, not twofold: a million small maps are half empty otherwise.
    void makeRoom()
    {
        constexpr std::size_t kFirst = 4, kLeast = 2;
        const std::size_t held = m_entries.size();
        if (held == m_entries.capacity())
            m_entries.reserve(held == 0 ? kFirst : held + std::max(kLeast, held / 2));
    }

    std::vector<value_type> m_entries;
};

} // namespace starling
