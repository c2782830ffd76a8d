// SPDX-License-Identifier: Apache-2.0
#include "fleetview/spread.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace starling::fleetview {

namespace {

constexpr double kAgentRadius = 22, kMostRadius = 62, kLeastRadius = 9;
constexpr double kMarginX = 84, kMarginY = 58; ///< for names beside the outermost
constexpr std::array<std::size_t, 3> kRings{12, 20, 28}; ///< so many groups: together kMostGroups
constexpr double kGolden = 2.399963229728653; ///< Vogel 1979: the angle that fills a disc evenly

struct Group
{
    std::string name;
    std::vector<std::size_t> devices;
};

std::vector<Group> groupsOf(const Picture& picture, const std::string& field)
{
    std::map<std::string, std::vector<std::size_t>, NaturalOrder> found;
    for (std::size_t i = 0; i < picture.devices.size(); ++i)
        found[field.empty() ? std::string() : groupValue(*picture.devices[i], field)].push_back(i);
    std::vector<Group> groups;
    for (auto& [name, devices] : found)
        groups.push_back({name, std::move(devices)});
    return groups;
}

/// The largest, still by name.
void keepLargest(std::vector<Group>& groups)
{
    if (groups.size() <= SpreadPlan::kMostGroups)
        return;
    std::vector<std::size_t> sizes;
    for (const Group& group : groups)
        sizes.push_back(group.devices.size());
    std::nth_element(sizes.begin(), sizes.begin() + SpreadPlan::kMostGroups - 1, sizes.end(),
                     std::greater<>());
    const std::size_t least = sizes[SpreadPlan::kMostGroups - 1];
    std::size_t room = SpreadPlan::kMostGroups
        - static_cast<std::size_t>(std::count_if(
            groups.begin(), groups.end(), [&](const Group& group) { return group.devices.size() > least; }));
    std::erase_if(groups, [&](const Group& group) {
        if (group.devices.size() != least)
            return group.devices.size() < least;
        const bool isOver = room == 0;
        room -= isOver ? 0 : 1;
        return isOver;
    });
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

void tally(SpreadNode& node, const Device& device, const SpreadPlan& plan, const Picture& picture)
{
    ++node.devices;
    ++node.standings[static_cast<std::size_t>(device.standing)];
    if (plan.release == nullptr || !holds(device, *plan.release))
        return;
    ++node.holders;
    for (const Change& change : device.history)
        if (change.entry.uri == plan.release->uri && change.entry.revision == plan.release->revision
            && change.entry.phase >= trust::Phase::Staged && change.entry.phase != trust::Phase::Failed
            && change.at > picture.since && change.at < node.firstHeld.value_or(UtcTime::max()))
            node.firstHeld = change.at;
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
                  const std::map<NodeId, const Dealing*>& dealings)
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
        tally(node, device, plan, picture);
        if (const auto found = dealings.find(device.node); found != dealings.end())
            deal(node, *found->second);
        plan.nodes.push_back(std::move(node));
    }
}

struct Size
{
    double width, height;
};

void placeGroups(SpreadPlan& plan, std::size_t count, Size size)
{
    const std::vector<std::size_t> rings = ringsFor(count);
    const double rx = std::max(60.0, size.width / 2 - kMarginX),
                 ry = std::max(60.0, size.height / 2 - kMarginY);
    std::size_t largest = 1;
    for (std::size_t i = 1; i < plan.nodes.size(); ++i)
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
                           return entry.uri == release.uri && entry.revision == release.revision
                               && entry.infoHash == release.infoHash && entry.phase >= trust::Phase::Staged
                               && entry.phase != trust::Phase::Failed; // which does not tell at what
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
    std::vector<Group> groups = groupsOf(picture, field);
    plan.groups = groups.size();
    keepLargest(groups);
    plan.shownGroups = groups.size();
    std::map<NodeId, const Dealing*> dealings;
    for (const Dealing& dealing : vantage.dealings)
        dealings[dealing.node] = &dealing;
    SpreadNode agent;
    agent.what = SpreadNode::What::Agent;
    agent.x = width / 2.0;
    agent.y = height / 2.0;
    agent.radius = kAgentRadius;
    agent.device = picture.indexOf(vantage.self);
    if (agent.device) {
        agent.name = picture.devices[*agent.device]->name;
        tally(agent, *picture.devices[*agent.device], plan, picture);
    }
    plan.nodes.push_back(std::move(agent));
    for (const Group& group : groups) {
        SpreadNode node;
        node.name = group.name;
        for (const std::size_t index : group.devices) {
            const Device& device = *picture.devices[index];
            tally(node, device, plan, picture);
            if (const auto found = dealings.find(device.node); found != dealings.end())
                deal(node, *found->second);
        }
        plan.nodes.push_back(std::move(node));
    }
    for (const DevicePtr& device : picture.devices)
        plan.holders += plan.release != nullptr && holds(*device, *plan.release) ? 1 : 0;
    placeGroups(plan, groups.size(), {static_cast<double>(width), static_cast<double>(height)});
    if (plan.hasDevices)
        for (std::size_t i = 0; i < groups.size(); ++i) {
            const SpreadNode group = plan.nodes[i + 1];
            placeDevices(plan, group, groups[i].devices, picture, vantage, dealings);
        }
    return plan;
}

} // namespace starling::fleetview
