// SPDX-License-Identifier: Apache-2.0
#include "fleetview/waves.h"

#include "fleetview/groups.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

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

/// Which row each group is drawn in: by name; where they are too many the worst first, and the rest in one
/// row.
std::vector<std::uint8_t> layRows(const std::vector<Groups::Group>& groups, Waves& waves)
{
    std::vector<std::size_t> order(groups.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (order.size() > kMaxWaves) {
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const auto badness = [](const Groups::Group& group) {
                return std::pair(group.trouble(), group.devices - group.count(Standing::Healthy));
            };
            return badness(groups[a]) > badness(groups[b]);
        });
        waves.merged = order.size() - (kMaxWaves - 1);
    }
    std::vector<std::uint8_t> rows(groups.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t row = std::min(i, kMaxWaves - 1);
        const Groups::Group& group = groups[order[i]];
        if (row == waves.rows.size())
            waves.rows.push_back({waves.merged > 0 && row == kMaxWaves - 1 ? "" : group.name, 0, {}, {}});
        waves.rows[row].devices += group.devices;
        for (std::size_t s = 0; s < kStandings; ++s)
            waves.rows[row].standings[s] += group.standings[s];
        rows[order[i]] = static_cast<std::uint8_t>(row);
    }
    return rows;
}

/// What counts of a device while its steps are gone through.
struct Track
{
    std::uint8_t row = 0;
    std::optional<Standing> standing; ///< nothing: no step of it yet
};

/// Tracks by the first eight bytes of the devices' ids: steps are many, and searching for each is most of
/// the work.
class Tracks
{
public:
    Tracks(const Picture& picture, const Groups& groups, const std::vector<std::uint8_t>& rows)
        : m_picture(picture)
        , m_slots(std::bit_ceil(2 * picture.devices.size() + 1))
    {
        for (std::size_t i = 0; i < picture.devices.size(); ++i) {
            const std::uint64_t key = keyOf(picture.devices[i]->node);
            Slot& slot = slotOf(key);
            m_isAmbiguous = m_isAmbiguous || slot.isUsed;
            slot = {key, {rows[groups.groupOf[i]], std::nullopt}, true};
        }
        if (!m_isAmbiguous) // keys can be made so
            return;
        for (std::size_t i = 0; i < picture.devices.size(); ++i)
            m_exact.push_back({rows[groups.groupOf[i]], std::nullopt});
    }
    /// Null: it is gone.
    Track* of(const NodeId& node)
    {
        if (m_isAmbiguous) {
            const auto index = m_picture.indexOf(node);
            return index ? &m_exact[*index] : nullptr;
        }
        Slot& slot = slotOf(keyOf(node));
        return slot.isUsed ? &slot.track : nullptr;
    }

private:
    struct Slot
    {
        std::uint64_t key = 0;
        Track track;
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
    std::vector<Track> m_exact; ///< where it is ambiguous, by the index of the device
};

} // namespace

Waves wavesOf(const Picture& picture, const std::string& field)
{
    Waves waves;
    waves.from = picture.since;
    waves.to = std::max(picture.at, picture.since);
    const Groups groups = groupsBy(picture.devices, field);
    const std::vector<std::uint8_t> rows = layRows(groups.groups, waves);
    Tracks tracks(picture, groups, rows);
    std::vector<Tally> tallies(waves.rows.size());
    for (const Step& step : *picture.steps) {
        if (step.at > picture.at)
            break; // recorded after what the picture shows
        Track* const track = tracks.of(step.node);
        if (track == nullptr)
            continue;
        Tally& tally = tallies[track->row];
        if (track->standing)
            count(tally, *track->standing, false);
        track->standing = step.standing;
        count(tally, step.standing, true);
        append(waves.rows[track->row], step.at, tally);
    }
    return waves;
}

} // namespace starling::fleetview
