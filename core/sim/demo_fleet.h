// SPDX-License-Identifier: Apache-2.0
/// A fleet to look at: a simulation with sites, models and a story that goes on for as long as somebody
/// looks. What it tells is what the observer knows, which is node 0: receipts that devices signed, that came
/// to it over the overlay, and that it verified. Pure: the caller says how far time goes. The same
/// configuration gives the same receipts.
#pragma once

#include "sim/cast.h"
#include "sim/simulation.h"

namespace starling::sim {

enum class DemoStory : std::uint8_t {
    Happy,
    SlowSite, ///< one site fetches at a sixth of the others' pace
    FailingVersion, ///< every other release fails its health check on one model; the one after repairs it
    Partition, ///< sites are cut off while a release goes out, and come back
    Forged, ///< admitted devices flood forged releases and others' receipts
};
inline constexpr std::array kDemoStories{DemoStory::Happy, DemoStory::SlowSite, DemoStory::FailingVersion,
                                         DemoStory::Partition, DemoStory::Forged};
/// "happy", "slow-site", "failing-version", "partition", "forged".
std::string_view storyName(DemoStory story);
std::optional<DemoStory> storyNamed(std::string_view name);

struct DemoConfig
{
    static constexpr std::uint32_t kLeastDevices = 3, kMaxDevices = ScenarioLimits::kMaxCertified;
    /// In larger fleets the swarm's model also knows who holds what: what every device is told of the others
    /// takes a quarter of a megabyte of each.
    static constexpr std::uint32_t kMostFinding = 1'000;
    /// Larger ones take longer, in their own time, to tell the observer of themselves.
    static constexpr std::uint32_t kMostSmall = 4'096;
    std::uint32_t devices = 1'000;
    std::uint64_t seed = 7;
    DemoStory story = DemoStory::Happy;
};
/// Fails with OutOfRange for fewer or more devices than there can be.
Status validate(const DemoConfig& config);

/// A link of the observer that is up.
struct DemoLink
{
    NodeId node;
    Duration roundTrip{};
};
/// A release that the observer has verified.
struct DemoRelease
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash payload;
    UtcTime since;
};
/// Bytes of a payload that the observer exchanged with a device, by the swarm's model.
struct DemoTraffic
{
    InfoHash payload;
    NodeId node;
    std::uint64_t bytesFrom = 0, bytesTo = 0;
};

class DemoFleet
{
public:
    /// `config` must be valid. The devices are made by advance().
    explicit DemoFleet(const DemoConfig& config);
    ~DemoFleet();

    /// Goes on towards `until`, by at most `events` events; false when it is there. Making a device and its
    /// keys takes kEventsOfMaking of them, and comes first.
    bool advance(Duration until, std::uint64_t events);
    static constexpr std::uint64_t kEventsOfMaking = 25; ///< measured: about 120 µs against 5 µs
    std::uint32_t made() const; ///< devices, so far
    bool isMade() const { return made() == m_config.devices; }
    Duration now() const;
    UtcTime clock() const; ///< the fleet's calendar
    /// What the observer has verified since the last call, in the order of arrival.
    std::vector<board::DeviceReceipt> collect();
    /// Why it refused notices since the last call.
    std::vector<Error> collectRefusals();

    // What the observer knows by itself, once everybody is made
    const NodeId& observer() const;
    std::string observerName() const;
    FleetId fleet() const;
    std::uint64_t rootNumber() const;
    std::uint64_t refused() const; ///< notices
    std::vector<DemoLink> links() const;
    std::vector<DemoRelease> releases() const;
    std::vector<DemoTraffic> traffic() const;

    /// The first release has come to everybody by then, in a large fleet the observer to know of everybody,
    /// who has it from the beginning: looking begins here.
    Duration opening() const;
    /// Of fleets up to DemoConfig::kMostSmall.
    static constexpr Duration kOpening = std::chrono::seconds(30);
    static constexpr std::uint64_t kPayloadBytes = 48'200'000;

private:
    class Troupe;
    struct Beat;
    void perform(const Beat& beat);
    void schedule(std::uint64_t round);
    void cut();

    DemoConfig m_config;
    std::unique_ptr<Troupe> m_cast;
    std::unique_ptr<Simulation> m_simulation;
    std::vector<Beat> m_beats; ///< still to come, by time
    std::uint64_t m_round = 0;
};

} // namespace starling::sim
