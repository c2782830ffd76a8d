// SPDX-License-Identifier: Apache-2.0
/// Takes the power from an agent at one step of the life cycle, looks at what is on its disk, and lets it go
/// on.
#pragma once

#include "node/updater.h"
#include "scenario.h"

#include <atomic>
#include <set>

namespace starling::scenario {

/// A row of the table, and a column of it.
struct Spot
{
    trust::Phase from;
    std::string event; ///< a name of the table, or "begin", "resume"
    node::StepMoment moment;
    auto operator<=>(const Spot&) const = default;
};
std::string toString(const Spot& spot);

struct Releases
{
    Release previous, good, badInstall, badCheck, undone, excluded; ///< version 2 but the first
    Release large, largeNext; ///< versions 1 and 2: more than a small quota beside `other`
    Release other; ///< of another URI, only distributed
};

struct Outcome
{
    std::string name;
    std::set<Spot> hits;
    std::string problem; ///< empty: all was as it should be
};

/// What one device goes through. Devices are never used twice; several may be gone through at a time, each on
/// a thread.
class PowerLoss
{
public:
    PowerLoss(support::Fleet& fleet, const Releases& releases)
        : m_fleet(fleet)
        , m_releases(releases)
    {
    }

    /// Version 2 is pushed into a device that has version 1 (or nothing) and dies at `spot`.
    struct Pushed
    {
        Spot spot;
        const Release* release;
        bool hasPrevious;
        trust::Phase end; ///< what becomes of version 2
        std::uint64_t inPlace; ///< at the end
    };
    Outcome pushed(const Pushed& plan);
    /// Superseded, while nothing could be written when it was to be accepted.
    Outcome supersededUnwritten(const Spot& spot);
    /// Its payload does not fit beside another one's; it is superseded if `spot` says so.
    Outcome blockedByQuota(const Spot& spot);
    /// Its payload is larger than the whole quota.
    Outcome tooLargeForQuota(const Spot& spot);
    /// Its payload is damaged on disk before it is verified: twice if `spot` is the giving up.
    Outcome damaged(const Spot& spot);
    /// Superseded while it is verified.
    Outcome supersededVerifying(const Spot& spot);
    /// Superseded on a relay.
    Outcome supersededStaged(const Spot& spot);

private:
    /// One device in one scenario; everything in it returns what is wrong, or nothing.
    struct Device
    {
        std::size_t index = 0;
        Outcome outcome;
        std::uint64_t previous = 0; ///< what is in place before
    };
    Device newDevice(const std::string& name, const support::Overrides& overrides);
    /// With another agent, a relay, that hands it releases by gossip: its index.
    std::size_t giveSeed(Device& device);
    void plan(const Device& device, const std::string& lines);
    void fail(Device& device, const std::string& problem);
    bool startCrashing(Device& device);
    bool startNormal(Device& device);
    bool expectPush(Device& device, std::size_t agent, const Release& release);
    bool expectPhase(Device& device, std::uint64_t version, trust::Phase phase,
                     const std::string& uri = kUri);
    /// Waits for the death; notes the hit and looks at the disk: version `version` in the phase that `spot`
    /// says.
    bool expectDeath(Device& device, const Spot& spot, std::uint64_t version);
    /// Dies twice more, before and after the record of its resumption is written, where that is possible.
    bool dieResuming(Device& device, const Spot& spot, std::uint64_t version);
    void expectEnd(Device& device, std::uint64_t version, trust::Phase phase, std::uint64_t inPlace);
    bool expectRoot(Device& device, std::uint64_t version, std::optional<trust::Phase> phase);
    Outcome finish(Device& device);
    std::filesystem::path file(const Device& device, const char* name) const
    {
        return m_fleet.home(device.index) / name;
    }

    support::Fleet& m_fleet;
    const Releases& m_releases;
    std::atomic<std::size_t> m_next = 0;
};

} // namespace starling::scenario
