// SPDX-License-Identifier: Apache-2.0
#include "fleetview/rollout.h"

#include "fleetview/facets.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace starling::fleetview {

namespace {

constexpr std::array<std::string_view, 7> kCourseNames{"unknown", "running", "slow",     "failing",
                                                       "done",    "passed",  "withdrawn"};

using Key = std::tuple<ResourceUri, trust::Revision, InfoHash>;

/// A rollout while devices are counted.
struct Tally
{
    Rollout rollout;
    std::size_t named = 0; ///< devices whose receipts name the resource
    std::size_t stalled = 0;
    std::vector<UtcTime> completions;
};

Rollout emptyOf(const Release& release)
{
    return {
        release.uri, release.revision, release.infoHash, release.known, Course::Unknown, 0, 0, 0, 0, 0, 0, 0,
        {}};
}

void count(Tally& tally, Standing standing)
{
    Rollout& rollout = tally.rollout;
    ++tally.named;
    if (standing == Standing::Held) {
        ++rollout.held;
        return;
    }
    ++rollout.eligible;
    if (standing == Standing::Healthy)
        ++rollout.healthy;
    else if (standing == Standing::Failed || standing == Standing::RolledBack)
        ++rollout.trouble;
    else
        ++rollout.underWay;
    tally.stalled += standing == Standing::Stalled ? 1 : 0;
}

/// When this console saw it become healthy; nothing if that was before.
std::optional<UtcTime> completionOf(const Device& device, const trust::ReceiptEntry& entry, UtcTime since)
{
    for (const Change& change : device.history)
        if (change.entry.uri == entry.uri && change.entry.infoHash == entry.infoHash
            && change.entry.phase == trust::Phase::Healthy)
            return change.at > since && change.at > device.firstSeen ? std::optional(change.at)
                                                                     : std::nullopt;
    return std::nullopt;
}

/// What remains at the pace since the first completion. A count of n has a relative error of 1/√n.
std::optional<Remaining> remainingOf(const Tally& tally, UtcTime now)
{
    const std::size_t n = tally.completions.size();
    const std::size_t left = tally.rollout.underWay;
    if (n < kMinCompletions || left == 0)
        return std::nullopt;
    const auto first = *std::min_element(tally.completions.begin(), tally.completions.end());
    const double span = static_cast<double>((now - first).count());
    if (span <= 0)
        return std::nullopt;
    const double pace = static_cast<double>(n - 1) / span;
    const double error = 1 / std::sqrt(static_cast<double>(n));
    const auto seconds = [&](double rate) {
        return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(static_cast<double>(left) / rate)));
    };
    return Remaining{seconds(pace * (1 + error)), seconds(pace * (1 - error))};
}

Course courseOf(const Tally& tally, bool isNewest)
{
    const Rollout& rollout = tally.rollout;
    if (!isNewest)
        return Course::Passed;
    if (rollout.known && rollout.known->isWithdrawn)
        return Course::Withdrawn;
    if (rollout.trouble > 0)
        return Course::Failing;
    if (rollout.eligible == 0)
        return Course::Unknown;
    if (rollout.healthy == rollout.eligible)
        return Course::Done;
    return tally.stalled > 0 ? Course::Slow : Course::Running;
}

/// Those that want attention first, and what is over last.
int orderOf(Course course)
{
    constexpr std::array<int, 7> kOrder{3, 2, 1, 0, 4, 6, 5};
    return kOrder[static_cast<std::size_t>(course)];
}

bool isOf(const trust::ReceiptEntry& entry, const Rollout& rollout)
{
    return entry.revision == rollout.revision && entry.infoHash == rollout.infoHash;
}

/// Where the device stands with this release; nothing if it does not count for it.
std::optional<Straggler> stragglerOf(const DevicePtr& device, const Rollout& rollout, UtcTime now)
{
    for (const trust::ReceiptEntry& entry : device->receipt.entries) {
        if (entry.uri != rollout.uri)
            continue;
        const bool isBehind = entry.revision < rollout.revision && rollout.course != Course::Passed;
        if (!isOf(entry, rollout) && !isBehind)
            return std::nullopt;
        const Standing standing = standingAt(*device, entry, rollout.revision, now);
        if (standing == Standing::Healthy || standing == Standing::Held)
            return std::nullopt;
        return Straggler{device, standing, entry};
    }
    return std::nullopt;
}

void addPaths(const Device& device, RolloutReport& report)
{
    const auto& entries = device.receipt.entries;
    const bool names = std::any_of(entries.begin(), entries.end(), [&](const trust::ReceiptEntry& entry) {
        return entry.uri == report.rollout.uri && isOf(entry, report.rollout);
    });
    if (!names || device.receipt.paths.empty())
        return;
    ++report.pathsOf;
    for (const auto& [kind, bytes] : device.receipt.paths)
        report.paths[kind] += bytes;
}

} // namespace

std::string_view courseName(Course course)
{
    return kCourseNames[static_cast<std::size_t>(course)];
}

std::vector<Rollout> rolloutsOf(const Picture& picture)
{
    std::map<Key, Tally> tallies;
    std::map<ResourceUri, Tally*> newest;
    for (const Release& release : picture.releases) {
        Tally& tally = tallies
                           .try_emplace({release.uri, release.revision, release.infoHash},
                                        Tally{emptyOf(release), 0, 0, {}})
                           .first->second;
        // Two contents of one revision are a matter for alarms: the one that the agent holds is the release.
        if (release.isNewest && (!newest.contains(release.uri) || release.known))
            newest[release.uri] = &tally;
    }
    for (const DevicePtr& device : picture.devices)
        for (const trust::ReceiptEntry& entry : device->receipt.entries) {
            const auto own = tallies.find({entry.uri, entry.revision, entry.infoHash});
            const auto last = newest.find(entry.uri);
            if (own == tallies.end() || last == newest.end())
                continue;
            count(own->second, standingAt(*device, entry, entry.revision, picture.at));
            if (entry.phase == trust::Phase::Healthy)
                if (const auto at = completionOf(*device, entry, picture.since))
                    own->second.completions.push_back(*at);
            if (last->second == &own->second)
                continue;
            if (entry.revision < last->second->rollout.revision)
                count(*last->second, standingAt(*device, entry, last->second->rollout.revision, picture.at));
            else
                ++last->second->named;
        }
    std::vector<Rollout> rollouts;
    for (auto& [key, tally] : tallies) {
        Rollout rollout = tally.rollout;
        const bool isNewest = newest.at(rollout.uri) == &tally;
        rollout.completions = tally.completions.size();
        rollout.silent = isNewest ? picture.devices.size() - tally.named : 0;
        rollout.course = courseOf(tally, isNewest);
        if (isNewest)
            rollout.remaining = remainingOf(tally, picture.at);
        rollouts.push_back(std::move(rollout));
    }
    std::stable_sort(rollouts.begin(), rollouts.end(), [](const Rollout& a, const Rollout& b) {
        if (orderOf(a.course) != orderOf(b.course))
            return orderOf(a.course) < orderOf(b.course);
        return a.uri != b.uri ? a.uri < b.uri : a.revision > b.revision;
    });
    return rollouts;
}

RolloutReport reportOf(const Picture& picture, const Rollout& rollout)
{
    RolloutReport report{rollout, {}, {}, {}, 0};
    std::map<std::tuple<Standing, int, std::uint16_t>, RolloutReason> reasons;
    for (const DevicePtr& device : picture.devices) {
        addPaths(*device, report);
        auto straggler = stragglerOf(device, rollout, picture.at);
        if (!straggler)
            continue;
        const bool hasNamed = isOf(*straggler->entry, rollout);
        const auto phase = hasNamed ? std::optional(straggler->entry->phase) : std::nullopt;
        const std::uint16_t code = hasNamed ? straggler->entry->code : std::uint16_t{0};
        RolloutReason& reason = reasons[{straggler->standing, phase ? static_cast<int>(*phase) : 0, code}];
        reason.standing = straggler->standing;
        reason.phase = phase;
        reason.code = code;
        if (hasNamed && reason.detail.empty())
            reason.detail = straggler->entry->detail;
        ++reason.devices;
        report.stragglers.push_back(std::move(*straggler));
    }
    for (auto& [key, reason] : reasons)
        report.reasons.push_back(std::move(reason));
    std::stable_sort(report.reasons.begin(), report.reasons.end(),
                     [](const RolloutReason& a, const RolloutReason& b) {
                         return a.standing != b.standing ? a.standing > b.standing : a.devices > b.devices;
                     });
    std::stable_sort(report.stragglers.begin(), report.stragglers.end(),
                     [](const Straggler& a, const Straggler& b) {
                         return a.standing != b.standing ? a.standing > b.standing
                                                         : NaturalOrder()(a.device->name, b.device->name);
                     });
    return report;
}

Result<Rollout> rolloutNamed(const Picture& picture, std::string_view uri, std::string_view version)
{
    const auto wanted = ResourceUri::parse(uri);
    if (!wanted)
        return fail(Error(wanted.error()), "rollout");
    std::optional<Rollout> found;
    for (const Rollout& rollout : rolloutsOf(picture)) {
        if (rollout.uri != *wanted)
            continue;
        const bool isMeant =
            version.empty() ? rollout.course != Course::Passed : trust::toString(rollout.revision) == version;
        if (isMeant && (!found || rollout.known))
            found = rollout;
    }
    if (!found)
        return fail(Errc::NotFound,
                    "no release '" + std::string(uri) + (version.empty() ? "" : " " + std::string(version))
                        + "' is known to the agent or named by a receipt");
    return *found;
}

} // namespace starling::fleetview
