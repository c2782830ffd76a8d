// SPDX-License-Identifier: Apache-2.0
#include "fleetview/why.h"

#include <algorithm>

namespace starling::fleetview {

namespace {

constexpr std::array<std::string_view, 11> kCauseNames{"newest", "not-for-it",  "console",   "withdrawn",
                                                       "silent", "older",       "not-begun", "under-way",
                                                       "quiet",  "rolled-back", "failed"};

Cause causeOf(const Reason& reason)
{
    if (!reason.entry)
        return Cause::Silent;
    switch (reason.standing) {
    case Standing::Healthy:
        return Cause::Newest;
    case Standing::Held:
        if (reason.entry->code == static_cast<std::uint16_t>(Errc::Withdrawn))
            return Cause::Withdrawn;
        return reason.entry->code == static_cast<std::uint16_t>(Errc::Incompatible) ? Cause::NotForIt
                                                                                    : Cause::Console;
    case Standing::Stalled:
        return Cause::Quiet;
    case Standing::RolledBack:
        return Cause::RolledBack;
    case Standing::Failed:
        return Cause::Failed;
    case Standing::Waiting:
        return reason.entry->revision < reason.newest ? Cause::Older : Cause::NotBegun;
    case Standing::Unknown:
    case Standing::Downloading:
    case Standing::Installing:
        return Cause::UnderWay;
    }
    return Cause::UnderWay;
}

/// The first time in an unbroken row up to now that the device was seen to say this.
std::optional<UtcTime> sinceOf(const Device& device, const trust::ReceiptEntry& entry)
{
    if (!device.heardAt)
        return std::nullopt;
    for (auto change = device.history.rbegin(); change != device.history.rend(); ++change)
        if (change->entry.uri == entry.uri)
            return change->entry == entry && change->at > device.firstSeen ? std::optional(change->at)
                                                                           : std::nullopt;
    return std::nullopt;
}

struct Newest
{
    trust::Revision revision;
    std::optional<KnownRelease> known;
};

std::map<ResourceUri, Newest> newestOf(const Picture& picture)
{
    std::map<ResourceUri, Newest> newest;
    for (const Release& release : picture.releases)
        if (release.isNewest) {
            Newest& held = newest[release.uri];
            held.revision = release.revision;
            if (release.known)
                held.known = release.known;
        }
    return newest;
}

} // namespace

std::string_view causeName(Cause cause)
{
    return kCauseNames[static_cast<std::size_t>(cause)];
}

Why whyOf(const Picture& picture, const Device& device)
{
    Why why;
    why.standing = device.standing;
    why.sequence = device.receipt.sequence;
    why.rootNumber = device.receipt.rootNumber;
    why.alarms = device.receipt.alarms;
    why.paths = device.receipt.paths;
    if (device.heardAt)
        why.age = picture.at - *device.heardAt;
    for (const DevicePtr& each : picture.devices)
        why.newestRoot = std::max(why.newestRoot, each->receipt.rootNumber);
    auto newest = newestOf(picture);
    for (const trust::ReceiptEntry& entry : device.receipt.entries) {
        const Newest& known = newest[entry.uri];
        Reason reason{entry.uri, Standing::Unknown, Cause::Silent, entry, known.revision, known.known, {}};
        reason.standing = standingAt(device, entry, known.revision, picture.at);
        reason.cause = causeOf(reason);
        reason.since = sinceOf(device, entry);
        why.reasons.push_back(std::move(reason));
        newest.erase(entry.uri);
    }
    for (auto& [uri, known] : newest)
        why.reasons.push_back({uri, Standing::Unknown, Cause::Silent, {}, known.revision, known.known, {}});
    std::stable_sort(why.reasons.begin(), why.reasons.end(), [](const Reason& a, const Reason& b) {
        return a.standing != b.standing ? a.standing > b.standing : a.uri < b.uri;
    });
    return why;
}

Result<const Device*> deviceNamed(const Picture& picture, std::string_view text)
{
    std::string id(text);
    std::transform(id.begin(), id.end(), id.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const Device* byName = nullptr;
    const Device* byId = nullptr;
    std::size_t names = 0, ids = 0;
    for (const DevicePtr& device : picture.devices) {
        if (device->name == text && !text.empty()) {
            byName = device.get();
            ++names;
        }
        if (id.size() >= kMinIdDigits && device->node.hex().starts_with(id)) {
            byId = device.get();
            ++ids;
        }
    }
    const std::string what = "'" + std::string(text) + "'";
    if (names == 1)
        return byName;
    if (names > 1)
        return fail(Errc::Usage, what + ": " + std::to_string(names) + " devices have this name; give an id");
    if (ids == 1)
        return byId;
    if (ids > 1)
        return fail(Errc::Usage,
                    what + ": the ids of " + std::to_string(ids) + " devices begin so; give more digits");
    return fail(Errc::NotFound,
                "no device " + what + " among the " + std::to_string(picture.devices.size())
                    + " of which the agent holds a receipt");
}

} // namespace starling::fleetview
