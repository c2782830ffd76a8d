// SPDX-License-Identifier: Apache-2.0
/// Who holds the latest release, group by group, and what the agent that is asked exchanged with whom.
/// Receipts do not tell who gave a payload to whom: of that an agent knows its own part, and nothing else is
/// drawn. Pure: the same picture gives the same plan, and no node moves because devices do something.
#pragma once

#include "fleetview/facets.h"

namespace starling::fleetview {

/// What the agent has to do with a device.
struct Dealing
{
    NodeId node;
    bool isNeighbor = false; ///< a link is up
    std::uint64_t bytesFrom = 0, bytesTo = 0; ///< of payloads
};
struct Vantage
{
    NodeId self;
    std::vector<Dealing> dealings;
};

struct SpreadNode
{
    enum class What : std::uint8_t { Agent, Group, Device };
    What what = What::Group;
    std::string name;
    double x = 0, y = 0, radius = 0;
    std::optional<std::size_t> device; ///< of Picture::devices
    std::size_t devices = 0, holders = 0; ///< of a group
    std::array<std::size_t, kStandings> standings{};
    std::optional<UtcTime> firstHeld; ///< as this console saw; nothing: not yet, or before
    Dealing dealing; ///< with all of a group
    std::size_t partners = 0; ///< devices of a group that it exchanged payload with
    std::size_t links = 0; ///< and that it has links with
};

struct SpreadPlan
{
    static constexpr std::size_t kMostDevices = 300; ///< beyond, groups alone (console specification)
    static constexpr std::size_t kMostGroups = 60; ///< guess: three rings that can be read
    const Release* release = nullptr; ///< of the picture; nothing: there is none
    std::vector<SpreadNode>
        nodes; ///< the agent, then groups by name, then devices; what is painted later is above
    std::size_t groups = 0; ///< all there are
    std::size_t shownGroups = 0; ///< the largest
    bool hasDevices = false;
    std::size_t holders = 0, devices = 0;
    /// The node that covers the point, devices before groups.
    std::optional<std::size_t> nodeAt(double x, double y) const;
};

/// Whether the device has said that it has the whole payload, and verified it.
bool holds(const Device& device, const Release& release);
/// The newest release that came last; nothing if there is none.
const Release* latestRelease(const Picture& picture);

SpreadPlan planSpread(const Picture& picture, const std::string& field, const Vantage& vantage, int width,
                      int height);
/// Places what is counted already anew. For plans without devices, of which there may be many to count.
void resize(SpreadPlan& plan, int width, int height);

} // namespace starling::fleetview
