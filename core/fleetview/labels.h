// SPDX-License-Identifier: Apache-2.0
/// What a device's certificate says of it: names and values. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace starling::fleetview {

/// A value whose copies share what they hold. Of devices with the same labels a Fleet keeps one copy, so that
/// what follows from labels is worked out once for all of them (PerLabels).
class Labels
{
public:
    using Map = std::map<std::string, std::string>;

    Labels()
        : Labels(Map())
    {
    }
    Labels(Map map)
        : m_map(std::make_shared<const Map>(std::move(map)))
    {
    }
    Labels(std::initializer_list<Map::value_type> items)
        : Labels(Map(items))
    {
    }
    auto begin() const { return m_map->begin(); }
    auto end() const { return m_map->end(); }
    auto find(const std::string& name) const { return m_map->find(name); }
    const Map& map() const { return *m_map; }
    bool operator==(const Labels& other) const { return m_map == other.m_map || *m_map == *other.m_map; }
    /// The same for copies of one another.
    const void* identity() const { return m_map.get(); }
    bool isShared() const { return m_map.use_count() > 1; }

private:
    std::shared_ptr<const Map> m_map;
};

/// What follows from labels, by the labels: what devices that share theirs have in common. Only while those
/// that were asked about are there.
template <class T> class PerLabels
{
public:
    /// What `make` returned for these labels the first time.
    template <class Make> T& of(const Labels& labels, Make make)
    {
        const auto [found, isNew] = m_values.try_emplace(labels.identity());
        if (isNew)
            found->second = make();
        return found->second;
    }

private:
    std::unordered_map<const void*, T> m_values;
};

} // namespace starling::fleetview
