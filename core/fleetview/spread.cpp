// SPDX-License-Identifier: Apache-2.0
#include "fleetview/spread.h"

#include "fleetview/groups.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace starling::fleetview {

namespace {

constexpr double kAgentRadius = 22, kMostRadius = 62, kLeastRadius = 9;
constexpr double kMarginX = 84, kMarginY = 58; ///< for names beside the outermost
constexpr std::array<std::size_t, 3> kRings{12, 20, 28}; ///< so many groups: together kMostGroups
constexpr double kGolden = 2.399963229728653; ///< Vogel 1979: the angle that fills a disc evenly

/// Which of the groups are shown: the largest.
std::vector<bool> largestOf(const std::vector<Groups::Group>& groups)
{
    std::vector<bool> isShown(groups.size(), true);
    if (groups.size() <= SpreadPlan::kMostGroups)
        return isShown;
    std::vector<std::size_t> sizes;
    for (const Groups::Group& group : groups)
        sizes.push_back(group.devices);
    std::nth_element(sizes.begin(), sizes.begin() + SpreadPlan::kMostGroups - 1, sizes.end(),
                     std::greater<>());
    const std::size_t least = sizes[SpreadPlan::kMostGroups - 1];
    std::size_t room = SpreadPlan::kMostGroups
        - static_cast<std::size_t>(std::count_if(
            groups.begin(), groups.end(), [&](const Groups::Group& group) { return group.devices > least; }));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        isShown[i] = groups[i].devices > least || (groups[i].devices == least && room > 0);
        room -= isShown[i] && groups[i].devices == least ? 1 : 0;
    }
    return isShown;
}

/// How many groups each ring takes, the inner ones first when there are few.
std::vector<std::size_t> ringsFor(std::size_t groups)
{
    std::vector<std::size_t> rings;
    std::size_t most = 0;
    for (const std::size_t ring : kRings) {
        rings.push_back(ring);
        most += ring;
        if (most >= groups)
            break;
    }
    std::size_t left = groups;
    for (std::size_t i = 0; i < rings.size(); ++i) {
        // In proportion, so that none is crowded while another is empty.
        rings[i] = i + 1 == rings.size() ? left : std::min(left, (groups * rings[i] + most - 1) / most);
        left -= rings[i];
    }
    return rings;
}

bool isHolder(const Device& device, const SpreadPlan& plan)
{
    return plan.release != nullptr && holds(device, *plan.release);
}

void tally(SpreadNode& node, const Device& device, bool isHeld, const SpreadPlan& plan,
           const Picture& picture)
{
    ++node.devices;
    ++node.standings[static_cast<std::size_t>(device.standing)];
    if (!isHeld)
        return;
    ++node.holders;
    if (!device.heardAt)
        return; // what it said first was there before this console
    for (const Change& change : device.history) {
        if (node.firstHeld && change.at >= *node.firstHeld)
            break;
        if (change.at > picture.since && change.entry.revision == plan.release->revision
            && change.entry.uri == plan.release->uri && change.entry.phase >= trust::Phase::Staged
            && change.entry.phase != trust::Phase::Failed)
            node.firstHeld = change.at;
    }
}

void deal(SpreadNode& node, const Dealing& dealing)
{
    node.dealing.isNeighbor = node.dealing.isNeighbor || dealing.isNeighbor;
    node.dealing.bytesFrom += dealing.bytesFrom;
    node.dealing.bytesTo += dealing.bytesTo;
    node.partners += dealing.bytesFrom + dealing.bytesTo > 0 ? 1 : 0;
    node.links += dealing.isNeighbor ? 1 : 0;
}

/// Devices of a group fill its disc, in the order of their ids.
void placeDevices(SpreadPlan& plan, const SpreadNode& group, const std::vector<std::size_t>& devices,
                  const Picture& picture, const Vantage& vantage,
                  const std::map<std::size_t, const Dealing*>& dealings)
{
    const auto count = static_cast<double>(devices.size());
    const double dot = std::clamp(0.62 * group.radius / std::sqrt(count), 2.5, 9.0);
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const Device& device = *picture.devices[devices[i]];
        if (device.node == vantage.self)
            continue; // it is in the middle
        const double far =
            std::max(0.0, group.radius - dot - 2) * std::sqrt((static_cast<double>(i) + 0.5) / count);
        const double angle = static_cast<double>(i) * kGolden;
        SpreadNode node;
        node.what = SpreadNode::What::Device;
        node.name = device.name;
        node.x = group.x + far * std::cos(angle);
        node.y = group.y + far * std::sin(angle);
        node.radius = dot;
        node.device = devices[i];
        tally(node, device, isHolder(device, plan), plan, picture);
        if (const auto found = dealings.find(devices[i]); found != dealings.end())
            deal(node, *found->second);
        plan.nodes.push_back(std::move(node));
    }
}

struct Size
{
    double width, height;
};

void placeGroups(SpreadPlan& plan, Size size)
{
    plan.nodes[0].x = size.width / 2;
    plan.nodes[0].y = size.height / 2;
    const std::vector<std::size_t> rings = ringsFor(plan.shownGroups);
    const double rx = std::max(60.0, size.width / 2 - kMarginX),
                 ry = std::max(60.0, size.height / 2 - kMarginY);
    std::size_t largest = 1;
    for (std::size_t i = 1; i <= plan.shownGroups; ++i)
        largest = std::max(largest, plan.nodes[i].devices);
    std::size_t at = 1;
    for (std::size_t ring = 0; ring < rings.size(); ++ring) {
        const double share = rings.size() == 1
            ? 0.82
            : 0.42 + 0.58 * static_cast<double>(ring) / static_cast<double>(rings.size() - 1);
        // What fits: beside the next one of its ring, and between the rings.
        const double around = 2 * std::numbers::pi * share * std::sqrt((rx * rx + ry * ry) / 2)
            / static_cast<double>(std::max<std::size_t>(3, rings[ring]));
        const double between = ry * (rings.size() == 1 ? 0.8 : 0.58 / static_cast<double>(rings.size() - 1));
        const double most = std::min({kMostRadius, 0.36 * around, 0.42 * between});
        for (std::size_t i = 0; i < rings[ring]; ++i, ++at) {
            SpreadNode& node = plan.nodes[at];
            const double turn =
                (static_cast<double>(i) + (ring % 2 == 0 ? 0.0 : 0.5)) / static_cast<double>(rings[ring]);
            const double angle = 2 * std::numbers::pi * turn - std::numbers::pi / 2;
            node.x = size.width / 2 + share * rx * std::cos(angle);
            node.y = size.height / 2 + share * ry * std::sin(angle);
            node.radius =
                std::max(kLeastRadius,
                         most * std::sqrt(static_cast<double>(node.devices) / static_cast<double>(largest)));
        }
    }
}

} // namespace

std::optional<std::size_t> SpreadPlan::nodeAt(double x, double y) const
{
    constexpr double kLeastReach = 8; ///< small things are hit, too
    for (std::size_t i = nodes.size(); i > 0; --i) {
        const SpreadNode& node = nodes[i - 1];
        if (std::hypot(x - node.x, y - node.y) <= std::max(node.radius, kLeastReach))
            return i - 1;
    }
    return std::nullopt;
}

bool holds(const Device& device, const Release& release)
{
    return std::any_of(device.receipt.entries.begin(), device.receipt.entries.end(),
                       [&](const trust::ReceiptEntry& entry) {
                           return entry.phase >= trust::Phase::Staged
                               && entry.phase != trust::Phase::Failed // which does not tell at what
                               && entry.revision == release.revision && entry.infoHash == release.infoHash
                               && entry.uri == release.uri;
                       });
}

const Release* latestRelease(const Picture& picture)
{
    const Release* latest = nullptr;
    const auto since = [](const Release& release) {
        return release.known && release.known->knownSince ? *release.known->knownSince : UtcTime::min();
    };
    for (const Release& release : picture.releases)
        if (release.isNewest && (latest == nullptr || since(release) > since(*latest)))
            latest = &release;
    return latest;
}

SpreadPlan planSpread(const Picture& picture, const std::string& field, const Vantage& vantage, int width,
                      int height)
{
    SpreadPlan plan;
    plan.release = latestRelease(picture);
    plan.hasDevices = picture.devices.size() <= SpreadPlan::kMostDevices;
    plan.devices = picture.devices.size();
    const Groups groups = groupsBy(picture.devices, field);
    plan.groups = groups.groups.size();
    plan.nodes.emplace_back().what = SpreadNode::What::Agent;
    plan.nodes[0].radius = kAgentRadius;
    std::vector<std::size_t> nodeOf(groups.groups.size(), 0); // 0: not shown
    const std::vector<bool> isShown = largestOf(groups.groups);
    for (std::size_t i = 0; i < nodeOf.size(); ++i)
        if (isShown[i]) {
            nodeOf[i] = plan.nodes.size();
            plan.nodes.emplace_back().name = groups.groups[i].name;
        }
    plan.shownGroups = plan.nodes.size() - 1;
    std::vector<std::vector<std::size_t>> members(plan.nodes.size());
    for (std::size_t i = 0; i < picture.devices.size(); ++i) {
        const Device& device = *picture.devices[i];
        const bool isHeld = isHolder(device, plan);
        plan.holders += isHeld ? 1 : 0;
        if (const std::size_t node = nodeOf[groups.groupOf[i]]; node > 0) {
            tally(plan.nodes[node], device, isHeld, plan, picture);
            if (plan.hasDevices)
                members[node].push_back(i);
        }
    }
    std::map<std::size_t, const Dealing*> dealings; // by index of the device
    for (const Dealing& dealing : vantage.dealings)
        if (const auto index = picture.indexOf(dealing.node)) {
            dealings[*index] = &dealing;
            if (const std::size_t node = nodeOf[groups.groupOf[*index]]; node > 0)
                deal(plan.nodes[node], dealing);
        }
    if (const auto self = picture.indexOf(vantage.self)) {
        SpreadNode& agent = plan.nodes[0];
        agent.device = self;
        agent.name = picture.devices[*self]->name;
        tally(agent, *picture.devices[*self], isHolder(*picture.devices[*self], plan), plan, picture);
    }
    placeGroups(plan, {static_cast<double>(width), static_cast<double>(height)});
    for (std::size_t i = 1; i <= plan.shownGroups && plan.hasDevices; ++i) {
        const SpreadNode group = plan.nodes[i];
        placeDevices(plan, group, members[i], picture, vantage, dealings);
    }
    return plan;
}

void resize(SpreadPlan& plan, int width, int height)
{
    placeGroups(plan, {static_cast<double>(width), static_cast<double>(height)});
}

} // namespace starling::fleetview
