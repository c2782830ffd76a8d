// SPDX-License-Identifier: Apache-2.0
#include "fleetview/waves.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

namespace starling::fleetview {

namespace {

struct Tally
{
    std::size_t healthy = 0, trouble = 0;
};

void count(Tally& tally, Standing standing, bool isGained)
{
    std::size_t* const which = standing == Standing::Healthy ? &tally.healthy
        : isTrouble(standing)                                ? &tally.trouble
                                                             : nullptr;
    if (which != nullptr)
        *which += isGained ? 1 : static_cast<std::size_t>(-1);
}

void append(Wave& wave, UtcTime at, const Tally& tally)
{
    const WavePoint point{at, tally.healthy, tally.trouble};
    if (!wave.points.empty() && wave.points.back().at == at)
        wave.points.back() = point;
    else
        wave.points.push_back(point);
}

struct Group
{
    std::string name;
    std::size_t devices = 0, healthy = 0, trouble = 0;
    std::size_t row = 0; ///< in which it is drawn
};

/// The groups, and of each device the group's index.
std::vector<Group> groupsOf(const Picture& picture, const std::string& field,
                            std::vector<std::uint32_t>& groupOf)
{
    std::vector<Group> groups;
    std::unordered_map<std::string, std::uint32_t> known;
    groupOf.reserve(picture.devices.size());
    std::string buffer, key;
    for (const DevicePtr& device : picture.devices) {
        key = groupView(*device, field, buffer);
        const auto [group, isNew] = known.emplace(key, static_cast<std::uint32_t>(groups.size()));
        if (isNew)
            groups.push_back({key});
        groupOf.push_back(group->second);
        Group& sum = groups[group->second];
        ++sum.devices;
        sum.healthy += device->standing == Standing::Healthy ? 1 : 0;
        sum.trouble += isTrouble(device->standing) ? 1 : 0;
    }
    return groups;
}

/// By name; where they are too many the worst first, and the rest in one row.
void layRows(std::vector<Group>& groups, Waves& waves)
{
    std::vector<Group*> order;
    for (Group& group : groups)
        order.push_back(&group);
    std::sort(order.begin(), order.end(),
              [](const Group* a, const Group* b) { return NaturalOrder()(a->name, b->name); });
    if (order.size() > kMaxWaves) {
        std::stable_sort(order.begin(), order.end(), [](const Group* a, const Group* b) {
            return std::pair(a->trouble, a->devices - a->healthy)
                > std::pair(b->trouble, b->devices - b->healthy);
        });
        waves.merged = order.size() - (kMaxWaves - 1);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t row = std::min(i, kMaxWaves - 1);
        if (row == waves.rows.size())
            waves.rows.push_back({waves.merged > 0 && row == kMaxWaves - 1 ? "" : order[i]->name, 0, {}});
        waves.rows[row].devices += order[i]->devices;
        order[i]->row = row;
    }
}

/// Where devices are in a picture, by the first eight bytes of their ids: steps are many, and searching for
/// each is most of the work.
class Positions
{
public:
    explicit Positions(const Picture& picture)
        : m_picture(picture)
        , m_slots(std::bit_ceil(2 * picture.devices.size() + 1))
    {
        for (std::size_t i = 0; i < picture.devices.size(); ++i) {
            const std::uint64_t key = keyOf(picture.devices[i]->node);
            Slot& slot = slotOf(key);
            m_isAmbiguous = m_isAmbiguous || slot.isUsed;
            slot = {key, static_cast<std::uint32_t>(i), true};
        }
    }
    std::optional<std::size_t> indexOf(const NodeId& node)
    {
        if (m_isAmbiguous) // keys can be made so
            return m_picture.indexOf(node);
        const Slot& slot = slotOf(keyOf(node));
        return slot.isUsed ? std::optional<std::size_t>(slot.index) : std::nullopt;
    }

private:
    struct Slot
    {
        std::uint64_t key = 0;
        std::uint32_t index = 0;
        bool isUsed = false;
    };
    static std::uint64_t keyOf(const NodeId& node)
    {
        std::uint64_t key = 0;
        std::memcpy(&key, node.bytes().data(), sizeof key);
        return key;
    }
    /// That of the key, or the free one where it would be.
    Slot& slotOf(std::uint64_t key)
    {
        const std::size_t mask = m_slots.size() - 1;
        std::size_t at = (key * 0x9E3779B97F4A7C15ull >> 17) & mask;
        while (m_slots[at].isUsed && m_slots[at].key != key)
            at = (at + 1) & mask;
        return m_slots[at];
    }
    const Picture& m_picture;
    std::vector<Slot> m_slots; ///< at most half of them used
    bool m_isAmbiguous = false;
};

} // namespace

Waves wavesOf(const Picture& picture, const std::string& field)
{
    Waves waves;
    waves.from = picture.since;
    waves.to = std::max(picture.at, picture.since);
    std::vector<std::uint32_t> groupOf;
    std::vector<Group> groups = groupsOf(picture, field, groupOf);
    layRows(groups, waves);
    Positions positions(picture);
    std::vector<Tally> tallies(waves.rows.size());
    std::vector<std::optional<Standing>> standings(picture.devices.size());
    for (const Step& step : *picture.steps) {
        if (step.at > picture.at)
            break; // recorded after what the picture shows
        const auto index = positions.indexOf(step.node);
        if (!index)
            continue;
        const std::size_t row = groups[groupOf[*index]].row;
        if (standings[*index])
            count(tallies[row], *standings[*index], false);
        standings[*index] = step.standing;
        count(tallies[row], step.standing, true);
        append(waves.rows[row], step.at, tallies[row]);
    }
    return waves;
}

} // namespace starling::fleetview
