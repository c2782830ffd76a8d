// SPDX-License-Identifier: Apache-2.0
/// The fleet as one console sees it: verified receipts go in, pictures come out. A picture is a value that
/// nobody changes; devices that did not change are shared between pictures, so that a table finds what did by
/// comparing pointers. Pure: the time is given, and is the calendar of the console's machine.
#pragma once

#include "fleetview/labels.h"
#include "fleetview/standing.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace starling::fleetview {

/// What an agent tells of a device: its newest receipt, verified, and what its certificate says.
struct Report
{
    NodeId node;
    std::string name;
    std::map<std::string, std::string> labels;
    trust::Receipt receipt;
};

/// A release whose notice the agent has verified.
struct KnownRelease
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    std::string label;
    std::uint64_t bytes = 0;
    std::optional<UtcTime> knownSince; ///< when the agent verified it; nothing: before its start
    bool isWithdrawn = false; ///< the agent holds a withdrawal of it
};

/// What this console saw a device say.
struct Change
{
    UtcTime at;
    trust::ReceiptEntry entry;
};

struct Device
{
    // What is counted of all devices comes first: it lies together.
    NodeId node;
    Labels labels;
    Standing standing = Standing::Unknown;
    std::size_t decisive = 0; ///< index of the entry that makes it stand there, if there are entries
    trust::Receipt receipt;
    std::string name;
    /// When its newest receipt came to this console; nothing: the agent held it before.
    std::optional<UtcTime> heardAt;
    UtcTime firstSeen; ///< by this console
    std::vector<Change> history; ///< oldest first, at most kMaxHistory

    const trust::ReceiptEntry* decisiveEntry() const
    {
        return decisive < receipt.entries.size() ? &receipt.entries[decisive] : nullptr;
    }
    /// "" if it has none of that name.
    const std::string& label(const std::string& key) const;
};
using DevicePtr = std::shared_ptr<const Device>;

/// Whether it is the agent of somebody's console: its certificate has the label role=console. It holds
/// releases and serves them, and installs none (deploy = none in agent.conf).
bool isConsole(const Device& device);
/// standingOf the entry; a console waits for nothing, so that it is held where others are under way.
Standing standingOf(const Device& device, const trust::ReceiptEntry& entry, const trust::Revision& newest);
/// Where it stands with one entry of its receipt, the time that it has been quiet considered.
Standing standingAt(const Device& device, const trust::ReceiptEntry& entry, const trust::Revision& newest,
                    UtcTime now);

constexpr std::size_t kMaxHistory = 64; ///< guess: five releases from notice to health

/// A release as the receipts tell of it.
struct Release
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    std::optional<KnownRelease> known; ///< what the agent holds of it
    bool isNewest = false; ///< of its URI
    std::array<std::size_t, kStandings> standings{}; ///< devices whose receipts name this very release
    std::size_t devices() const;
    std::size_t count(Standing standing) const { return standings[static_cast<std::size_t>(standing)]; }
};

/// One device's step, for the time axis.
struct Step
{
    UtcTime at;
    NodeId node;
    Standing standing = Standing::Unknown;
};
constexpr std::size_t kMaxSteps = 400'000; ///< guess: four for each of 100,000 devices

struct Picture
{
    std::vector<DevicePtr> devices; ///< by NodeId
    std::vector<Release> releases; ///< by URI, newest first
    std::array<std::size_t, kStandings> standings{};
    std::map<std::string, std::uint64_t> alarms; ///< summed over devices
    std::map<std::string, std::uint64_t> paths{}; ///< the same: Receipt::paths
    std::shared_ptr<const std::vector<Step>> steps; ///< oldest first; since `since`
    UtcTime since; ///< when this console began to see
    UtcTime at; ///< when the picture was made

    std::size_t count(Standing standing) const { return standings[static_cast<std::size_t>(standing)]; }
    const Device* find(const NodeId& node) const;
    std::optional<std::size_t> indexOf(const NodeId& node) const; ///< of `devices`
};
using PicturePtr = std::shared_ptr<const Picture>;

/// What a banner says first.
enum class Mood : std::uint8_t {
    Empty, ///< no device has reported
    Idle, ///< devices, and no release
    Good, ///< all eligible devices are healthy in the newest
    OnTrack,
    Slow, ///< some stalled
    Failing,
};
Mood moodOf(const Picture& picture);

/// Something that waits for a person, of so many devices.
struct Need
{
    Standing standing = Standing::Failed;
    std::uint16_t code = 0;
    ResourceUri uri;
    trust::Revision revision;
    std::vector<NodeId> devices;
};
constexpr std::size_t kMaxNeeds = 7; ///< a list that is read at a glance (console specification)
/// Failed, rolled back and stalled devices by what ails them, largest first, at most kMaxNeeds.
std::vector<Need> needsOf(const Picture& picture);

class Fleet
{
public:
    /// Devices beyond are not taken up; of those that are held everything is heard. Guess: twice the largest
    /// fleet that the console is measured with (tests/bench), in less than 1 GB.
    static constexpr std::size_t kMaxDevices = 200'000;

    explicit Fleet(UtcTime now);
    /// Everything that the agent tells now; devices that it tells no more of are gone.
    void take(std::vector<Report> reports, std::vector<KnownRelease> releases, UtcTime now);
    /// From here on hear() is told everything that the agent tells, part by part.
    void beginReading();
    /// What some devices have said since, or a part of everything; the others stay as they are.
    void hear(std::vector<Report> changed, std::vector<KnownRelease> releases, UtcTime now);
    /// That was everything: devices that no part told of are gone.
    void endReading(UtcTime now);
    std::size_t devices() const { return m_devices.size(); }
    /// The present state; what has stalled meanwhile is seen here.
    PicturePtr picture(UtcTime now);

private:
    DevicePtr renewed(Report report, const DevicePtr& held, UtcTime now);
    Labels shared(Labels::Map labels);
    void forgetLabels();
    void renew(Report report, UtcTime now);
    void findNewest();
    void judge(UtcTime now);
    std::map<NodeId, DevicePtr> m_devices;
    std::map<Labels::Map, Labels> m_labels; ///< one copy of each for all devices that have them
    std::set<NodeId> m_unjudged; ///< came with the latest reports
    std::optional<std::vector<NodeId>> m_told; ///< since beginReading(), until endReading()
    std::vector<KnownRelease> m_known;
    std::map<ResourceUri, trust::Revision> m_newest;
    std::shared_ptr<std::vector<Step>> m_steps;
    UtcTime m_since;
    std::optional<UtcTime> m_judgedAt; ///< nothing has come since
    bool m_isFirst = true; ///< what comes first was there before
};

} // namespace starling::fleetview
