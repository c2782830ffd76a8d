// SPDX-License-Identifier: Apache-2.0
#include "fleetview/fleet.h"

#include "fleetview/releases.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

const std::string kNone;

bool isSameReport(const Device& device, const Report& report)
{
    return device.receipt == report.receipt && device.name == report.name
        && device.labels.map() == report.labels;
}

struct Judgement
{
    Standing standing = Standing::Unknown;
    std::size_t decisive = 0;
};

Judgement judged(const Device& device, const std::map<ResourceUri, trust::Revision>& newest, UtcTime now)
{
    Judgement worst;
    for (std::size_t i = 0; i < device.receipt.entries.size(); ++i) {
        const trust::ReceiptEntry& entry = device.receipt.entries[i];
        const auto known = newest.find(entry.uri);
        const Standing standing =
            standingAt(device, entry, known == newest.end() ? entry.revision : known->second, now);
        if (i == 0 || standing > worst.standing)
            worst = {standing, i};
    }
    return worst;
}

} // namespace

bool isConsole(const Device& device)
{
    return device.label("role") == "console";
}

Standing standingOf(const Device& device, const trust::ReceiptEntry& entry, const trust::Revision& newest)
{
    const Standing standing = standingOf(entry, newest);
    return isUnderWay(standing) && isConsole(device) ? Standing::Held : standing;
}

Standing standingAt(const Device& device, const trust::ReceiptEntry& entry, const trust::Revision& newest,
                    UtcTime now)
{
    const Standing standing = standingOf(device, entry, newest);
    const UtcTime heard = device.heardAt.value_or(device.firstSeen);
    return isUnderWay(standing) && now - heard >= kStalledAfter ? Standing::Stalled : standing;
}

const std::string& Device::label(const std::string& key) const
{
    const auto found = labels.find(key);
    return found == labels.end() ? kNone : found->second;
}

std::size_t Release::devices() const
{
    std::size_t sum = 0;
    for (const std::size_t count : standings)
        sum += count;
    return sum;
}

std::optional<std::size_t> Picture::indexOf(const NodeId& node) const
{
    const auto found =
        std::lower_bound(devices.begin(), devices.end(), node,
                         [](const DevicePtr& device, const NodeId& wanted) { return device->node < wanted; });
    if (found == devices.end() || (*found)->node != node)
        return std::nullopt;
    return static_cast<std::size_t>(found - devices.begin());
}

const Device* Picture::find(const NodeId& node) const
{
    const auto index = indexOf(node);
    return index ? devices[*index].get() : nullptr;
}

Mood moodOf(const Picture& picture)
{
    if (picture.devices.empty())
        return Mood::Empty;
    if (picture.count(Standing::Failed) + picture.count(Standing::RolledBack) > 0)
        return Mood::Failing;
    if (picture.count(Standing::Stalled) > 0)
        return Mood::Slow;
    if (picture.count(Standing::Waiting) + picture.count(Standing::Downloading)
            + picture.count(Standing::Installing)
        > 0)
        return Mood::OnTrack;
    return picture.count(Standing::Healthy) > 0 ? Mood::Good : Mood::Idle;
}

std::vector<Need> needsOf(const Picture& picture)
{
    using Ailment = std::tuple<Standing, std::uint16_t, ResourceUri, trust::Revision>;
    std::map<Ailment, std::vector<NodeId>> ailments;
    for (const DevicePtr& device : picture.devices) {
        const trust::ReceiptEntry* entry = device->decisiveEntry();
        if (entry != nullptr && isTrouble(device->standing))
            ailments[{device->standing, entry->code, entry->uri, entry->revision}].push_back(device->node);
    }
    std::vector<Need> needs;
    for (auto& [ailment, devices] : ailments)
        needs.push_back({std::get<0>(ailment), std::get<1>(ailment), std::get<2>(ailment),
                         std::get<3>(ailment), std::move(devices)});
    std::stable_sort(needs.begin(), needs.end(),
                     [](const Need& a, const Need& b) { return a.devices.size() > b.devices.size(); });
    if (needs.size() > kMaxNeeds)
        needs.erase(needs.begin() + kMaxNeeds, needs.end());
    return needs;
}

Fleet::Fleet(UtcTime now)
    : m_steps(std::make_shared<std::vector<Step>>())
    , m_since(now)
{
}

/// The copy that others have, if there are others.
Labels Fleet::shared(Labels::Map labels)
{
    const auto [found, isNew] = m_labels.try_emplace(std::move(labels));
    if (isNew)
        found->second = Labels(found->first);
    return found->second;
}

/// Those that no device has any more, and no picture.
void Fleet::forgetLabels()
{
    std::erase_if(m_labels, [](const auto& each) { return !each.second.isShared(); });
}

DevicePtr Fleet::renewed(Report report, const DevicePtr& held, UtcTime now)
{
    auto device = std::make_shared<Device>();
    device->node = report.node;
    device->name = std::move(report.name);
    device->labels =
        held && held->labels.map() == report.labels ? held->labels : shared(std::move(report.labels));
    device->receipt = std::move(report.receipt);
    device->firstSeen = held ? held->firstSeen : now;
    if (!m_isFirst)
        device->heardAt = now;
    if (held) {
        device->history = held->history;
        device->standing = held->standing;
        device->decisive = held->decisive;
    }
    for (const trust::ReceiptEntry& entry : device->receipt.entries) {
        const bool isOld = held
            && std::find(held->receipt.entries.begin(), held->receipt.entries.end(), entry)
                != held->receipt.entries.end();
        if (isOld)
            continue;
        if (device->history.size() == kMaxHistory)
            device->history.erase(device->history.begin());
        device->history.push_back({now, entry});
    }
    return device;
}

/// Takes a report up, unless it is what is held.
void Fleet::renew(Report report, UtcTime now)
{
    const NodeId node = report.node;
    const auto held = m_devices.find(node);
    if (held == m_devices.end()) {
        if (m_devices.size() >= kMaxDevices)
            return;
        m_unjudged.insert(node);
        m_devices.emplace(node, renewed(std::move(report), nullptr, now));
    } else if (!isSameReport(*held->second, report)) {
        held->second = renewed(std::move(report), held->second, now);
    }
    if (m_told)
        m_told->push_back(node);
}

void Fleet::take(std::vector<Report> reports, std::vector<KnownRelease> releases, UtcTime now)
{
    beginReading();
    m_known = std::move(releases);
    for (Report& report : reports)
        renew(std::move(report), now);
    endReading(now);
}

void Fleet::beginReading()
{
    m_told.emplace();
}

void Fleet::hear(std::vector<Report> changed, std::vector<KnownRelease> releases, UtcTime now)
{
    m_known = std::move(releases);
    for (const KnownRelease& release : m_known)
        m_newest[release.uri] = std::max(m_newest[release.uri], release.revision);
    for (Report& report : changed) {
        for (const trust::ReceiptEntry& entry : report.receipt.entries)
            m_newest[entry.uri] = std::max(m_newest[entry.uri], entry.revision);
        renew(std::move(report), now);
    }
    if (m_labels.size() > 2 * m_devices.size())
        forgetLabels();
    judge(now);
    m_isFirst = m_isFirst && m_told;
}

void Fleet::endReading(UtcTime now)
{
    if (m_told) {
        std::sort(m_told->begin(), m_told->end());
        std::erase_if(m_devices, [&](const auto& device) {
            return !std::binary_search(m_told->begin(), m_told->end(), device.first);
        });
        m_told.reset();
    }
    forgetLabels();
    findNewest();
    judge(now);
    m_isFirst = false;
}

void Fleet::findNewest()
{
    m_newest.clear();
    for (const KnownRelease& release : m_known)
        m_newest[release.uri] = std::max(m_newest[release.uri], release.revision);
    // A device verifies a notice before its receipt names it: what a receipt names is out.
    for (const auto& [node, device] : m_devices)
        for (const trust::ReceiptEntry& entry : device->receipt.entries)
            m_newest[entry.uri] = std::max(m_newest[entry.uri], entry.revision);
}

void Fleet::judge(UtcTime now)
{
    for (auto& [node, device] : m_devices) {
        const Judgement judgement = judged(*device, m_newest, now);
        const bool isNew = m_unjudged.contains(node);
        if (judgement.standing == device->standing && judgement.decisive == device->decisive && !isNew)
            continue;
        if (isNew || judgement.standing != device->standing) {
            // Pictures share what they were given: they keep it, and we go on with a copy.
            if (m_steps.use_count() > 1)
                m_steps = std::make_shared<std::vector<Step>>(*m_steps);
            if (m_steps->size() >= kMaxSteps)
                m_steps->erase(m_steps->begin(), m_steps->begin() + kMaxSteps / 2);
            m_steps->push_back({now, node, judgement.standing});
        }
        auto changed = std::make_shared<Device>(*device);
        changed->standing = judgement.standing;
        changed->decisive = judgement.decisive;
        device = std::move(changed);
    }
    m_unjudged.clear();
    m_judgedAt = now;
}

PicturePtr Fleet::picture(UtcTime now)
{
    if (m_judgedAt != now)
        judge(now);
    auto picture = std::make_shared<Picture>();
    picture->devices.reserve(m_devices.size());
    for (const auto& [node, device] : m_devices) {
        picture->devices.push_back(device);
        ++picture->standings[static_cast<std::size_t>(device->standing)];
        for (const auto& [name, count] : device->receipt.alarms)
            picture->alarms[name] += count;
        for (const auto& [name, bytes] : device->receipt.paths)
            picture->paths[name] += bytes;
    }
    picture->releases = releasesOf(m_known, picture->devices, m_newest);
    picture->steps = m_steps;
    picture->since = m_since;
    picture->at = now;
    return picture;
}

} // namespace starling::fleetview
