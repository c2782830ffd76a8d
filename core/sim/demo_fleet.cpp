// SPDX-License-Identifier: Apache-2.0
#include "sim/demo_fleet.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::sim {

using namespace std::chrono_literals;

namespace {

struct Site
{
    const char* name;
    const char* latitude;
    const char* longitude;
};

/// Cities, so that a map of the world has something to show.
constexpr std::array<Site, 24> kSites{{
    {"berlin", "52.52", "13.40"},   {"hamburg", "53.55", "9.99"},     {"lyon", "45.76", "4.84"},
    {"porto", "41.15", "-8.61"},    {"oslo", "59.91", "10.75"},       {"gdansk", "54.35", "18.65"},
    {"dublin", "53.35", "-6.26"},   {"turin", "45.07", "7.69"},       {"boston", "42.36", "-71.06"},
    {"chicago", "41.88", "-87.63"}, {"denver", "39.74", "-104.99"},   {"vancouver", "49.28", "-123.12"},
    {"bogota", "4.71", "-74.07"},   {"recife", "-8.05", "-34.88"},    {"cordoba", "-31.42", "-64.18"},
    {"accra", "5.60", "-0.19"},     {"nairobi", "-1.29", "36.82"},    {"durban", "-29.86", "31.02"},
    {"pune", "18.52", "73.86"},     {"hanoi", "21.03", "105.85"},     {"busan", "35.18", "129.08"},
    {"sapporo", "43.06", "141.35"}, {"brisbane", "-27.47", "153.03"}, {"dunedin", "-45.87", "170.50"},
}};
constexpr std::array kModels{"gw1", "gw2", "gw3"};
constexpr std::size_t kSlowSite = 1, kFailingModel = 2;
constexpr std::uint32_t kSlower = 6;

constexpr Duration kFirstRelease = 5s; ///< links are up by then
constexpr Duration kSecondRelease = 8s; ///< after the opening
constexpr Duration kRound = 4min; ///< from one release to the next
/// The observer's neighbours pass on some 400 receipts a second each (collection.cpp); with a handful of them
/// it would hear of 100,000 devices minutes later.
constexpr std::uint32_t kObserverLinks = 32;
constexpr Duration kLargeStart = 5s, kLargeOpening = 60s, kLargeRound = 12min;
/// libtorrent's unchoke_slots_limit, as swarm/ leaves it. The first release is fetched as quickly as it goes:
/// nobody looks yet.
constexpr unsigned kUploadSlots = 8, kOpeningSlots = 1'000;
constexpr Duration kCutBefore = 4s, kCutFor = 100s;
/// Beyond it links are a model (model_links.h), and a signature is verified once for all: a tenth of the
/// work.
constexpr std::uint32_t kMostShipped = 30;
constexpr std::uint32_t kDevicesOfSite = 5;

/// SplitMix64's finalizer: what a device draws does not depend on when it is asked.
std::uint64_t drawn(std::uint64_t seed, std::uint64_t device, std::uint64_t version, std::uint64_t what)
{
    std::uint64_t z = seed * 0x9e3779b97f4a7c15 + device * 0xbf58476d1ce4e5b9 + version * 0x94d049bb133111eb
        + what * 0xd6e8feb86659fd93;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

bool isLarge(const DemoConfig& config)
{
    return config.devices > DemoConfig::kMostSmall;
}

Scenario scenarioOf(const DemoConfig& config)
{
    Scenario scenario;
    scenario.duration = 24h;
    scenario.nodes = config.devices;
    scenario.payload = 1s; // somebody fetches; the cast says how long it takes
    scenario.degree = std::min(scenario.degree, config.devices - 1);
    if (config.devices > kMostShipped) {
        scenario.links = Scenario::Links::Model;
        scenario.verification = Scenario::Verification::Shared;
    }
    scenario.beginsInstalled = isLarge(config);
    if (isLarge(config)) {
        scenario.startSpread = kLargeStart;
        for (std::uint32_t i = 0; i < kObserverLinks; ++i)
            scenario.observerKnows.push_back(
                static_cast<NodeIndex>(1 + drawn(config.seed, i, 0, 0) % (config.devices - 1)));
    }
    scenario.findsProviders = config.devices <= DemoConfig::kMostFinding;
    if (config.story == DemoStory::Forged) {
        scenario.forgers = std::clamp(config.devices / 100, 1U, 10U);
        scenario.hostility = 1;
        // Forged notices go no further than to the first that is honest: one of those is who is looked at.
        scenario.observerKnows.push_back(config.devices - 1);
    }
    return scenario;
}

} // namespace

class DemoFleet::Troupe final : public Cast
{
public:
    explicit Troupe(const DemoConfig& config)
        : m_config(config)
    {
        const std::size_t sites = std::clamp<std::size_t>(config.devices / kDevicesOfSite, 2, kSites.size());
        // Some sites are larger than others; the last one takes what is left.
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < sites; ++i)
            sum += weight(i);
        std::uint64_t before = 0;
        for (std::size_t i = 0; i < sites; ++i) {
            m_begins.push_back(static_cast<NodeIndex>(before * config.devices / sum));
            before += weight(i);
        }
    }
    std::size_t sites() const { return m_begins.size(); }
    std::size_t siteOf(NodeIndex device) const
    {
        const auto after = std::upper_bound(m_begins.begin(), m_begins.end(), device);
        return static_cast<std::size_t>(after - m_begins.begin()) - 1;
    }
    std::string name(NodeIndex device) const override
    {
        const std::size_t site = siteOf(device);
        std::string number = std::to_string(device - m_begins[site] + 1);
        if (number.size() < 3)
            number.insert(0, 3 - number.size(), '0');
        return std::string(kSites[site].name) + "-" + number;
    }
    std::map<std::string, std::string> labels(NodeIndex device) const override
    {
        const Site& site = kSites[siteOf(device)];
        return {{"site", site.name},
                {"model", kModels[modelOf(device)]},
                {"lat", site.latitude},
                {"lon", site.longitude}};
    }
    unsigned uploadSlots(std::uint64_t version) const override
    {
        return version == 1 ? kOpeningSlots : kUploadSlots;
    }
    std::size_t site(NodeIndex device) const override { return siteOf(device); }
    Duration payloadTime(NodeIndex device, std::uint64_t version) const override
    {
        if (version == 1)
            return between(1s, 4s, device, version, 0);
        const bool isSlow = m_config.story == DemoStory::SlowSite && siteOf(device) == kSlowSite;
        return between(6s, 30s, device, version, 0) * (isSlow ? kSlower : 1);
    }
    std::vector<Stage> course(NodeIndex device, std::uint64_t version) const override
    {
        using trust::Phase;
        if (version == 1)
            return {{between(1s, 4s, device, version, 1), Phase::Healthy, 0, {}}};
        std::vector<Stage> stages{
            {between(500ms, 2s, device, version, 1), Phase::Deploying, 0, {}},
            {between(2s, 7s, device, version, 2), Phase::Checking, 0, {}},
        };
        const Duration checked = between(1s, 5s, device, version, 3);
        const bool fails = m_config.story == DemoStory::FailingVersion && version % 2 == 0
            && modelOf(device) == kFailingModel;
        if (!fails) {
            stages.push_back({checked, Phase::Healthy, 0, {}});
            return stages;
        }
        const auto code = static_cast<std::uint16_t>(Errc::HealthFailed);
        const std::string why = "check.sh: no answer on eth1";
        stages.push_back({checked, Phase::RollingBack, code, why});
        stages.push_back({between(2s, 5s, device, version, 4), Phase::RolledBack, code, why});
        return stages;
    }

private:
    static std::uint64_t weight(std::size_t site) { return 3 + site * 7 % 10; }
    static std::size_t modelOf(NodeIndex device) { return device * 7 / 3 % kModels.size(); }
    Duration between(Duration least, Duration most, NodeIndex device, std::uint64_t version,
                     std::uint64_t what) const
    {
        const auto span = static_cast<std::uint64_t>((most - least).count());
        return least
            + Duration(static_cast<Duration::rep>(drawn(m_config.seed, device, version, what) % span));
    }
    DemoConfig m_config;
    std::vector<NodeIndex> m_begins; ///< the first device of each site
};

struct DemoFleet::Beat
{
    enum class What : std::uint8_t { Publish, Cut, Heal };
    Duration at{};
    What what{};
};

std::string_view storyName(DemoStory story)
{
    static constexpr std::array<std::string_view, kDemoStories.size()> kNames{
        "happy", "slow-site", "failing-version", "partition", "forged"};
    return kNames[static_cast<std::size_t>(story)];
}

std::optional<DemoStory> storyNamed(std::string_view name)
{
    for (const DemoStory story : kDemoStories)
        if (storyName(story) == name)
            return story;
    return std::nullopt;
}

Status validate(const DemoConfig& config)
{
    if (config.devices >= DemoConfig::kLeastDevices && config.devices <= DemoConfig::kMaxDevices)
        return {};
    return fail(Errc::Usage,
                "a demo fleet has " + std::to_string(DemoConfig::kLeastDevices) + " to "
                    + std::to_string(DemoConfig::kMaxDevices) + " devices");
}

DemoFleet::DemoFleet(const DemoConfig& config)
    : m_config(config)
    , m_cast(std::make_unique<Troupe>(config))
    , m_simulation(std::make_unique<Simulation>(scenarioOf(config), config.seed, m_cast.get(),
                                                Simulation::Making::InSteps))
{
    STARLING_ASSERT(validate(config));
    if (!isLarge(config))
        m_beats = {{kFirstRelease, Beat::What::Publish}};
    schedule(0);
}

DemoFleet::~DemoFleet() = default;

void DemoFleet::schedule(std::uint64_t round)
{
    m_round = round;
    const Duration between = isLarge(m_config) ? kLargeRound : kRound;
    const Duration at = opening() + kSecondRelease + static_cast<Duration::rep>(round) * between;
    const bool isCut = m_config.story == DemoStory::Partition;
    if (isCut)
        m_beats.push_back({at - kCutBefore, Beat::What::Cut});
    m_beats.push_back({at, Beat::What::Publish});
    if (isCut)
        m_beats.push_back({at - kCutBefore + kCutFor, Beat::What::Heal});
}

void DemoFleet::perform(const Beat& beat)
{
    World& world = m_simulation->world();
    switch (beat.what) {
    case Beat::What::Publish:
        return world.nodes[kObserver]->publish();
    case Beat::What::Cut:
        return cut();
    case Beat::What::Heal:
        return world.network.heal();
    }
}

/// A third of the sites, the last ones: the observer is at the first.
void DemoFleet::cut()
{
    World& world = m_simulation->world();
    const std::size_t from = m_cast->sites() - std::max<std::size_t>(1, m_cast->sites() / 3);
    for (NodeIndex node = 0; node < world.nodes.size(); ++node)
        if (m_cast->siteOf(node) >= from)
            world.network.setGroup(node, 1);
    for (const auto& node : world.nodes)
        if (node->modelLinks() != nullptr)
            node->modelLinks()->noteCut();
}

std::uint32_t DemoFleet::made() const
{
    return static_cast<std::uint32_t>(m_simulation->world().nodes.size());
}

Duration DemoFleet::opening() const
{
    return isLarge(m_config) ? kLargeOpening : kOpening;
}

bool DemoFleet::advance(Duration until, std::uint64_t events)
{
    if (!isMade()) {
        m_simulation->addSome(std::max<std::uint64_t>(1, events / kEventsOfMaking));
        return true;
    }
    while (!m_beats.empty() && m_beats.front().at <= until) {
        if (m_simulation->runUntil(Instant(m_beats.front().at), events))
            return true;
        perform(m_beats.front());
        m_beats.erase(m_beats.begin());
        if (m_beats.empty())
            schedule(m_round + 1);
        events = 0; // one beat at a time
    }
    return m_simulation->runUntil(Instant(until), events) || now() < until;
}

Duration DemoFleet::now() const
{
    return m_simulation->now();
}

UtcTime DemoFleet::clock() const
{
    return kBeginning + std::chrono::floor<std::chrono::seconds>(now());
}

std::vector<board::DeviceReceipt> DemoFleet::collect()
{
    return std::exchange(m_simulation->world().books.kept, {});
}

std::vector<Error> DemoFleet::collectRefusals()
{
    return std::exchange(m_simulation->world().books.refusals, {});
}

const NodeId& DemoFleet::observer() const
{
    return m_simulation->world().nodes[kObserver]->id();
}

std::string DemoFleet::observerName() const
{
    return m_cast->name(kObserver);
}

FleetId DemoFleet::fleet() const
{
    return m_simulation->world().authority.trust().fleet();
}

std::uint64_t DemoFleet::rootNumber() const
{
    return m_simulation->world().authority.trust().root().number;
}

std::uint64_t DemoFleet::refused() const
{
    return m_simulation->world().nodes[kObserver]->replica().counts().refused;
}

std::vector<DemoLink> DemoFleet::links() const
{
    const World& world = m_simulation->world();
    std::vector<DemoLink> links;
    if (!world.nodes[kObserver]->isUp())
        return links;
    for (const auto& [neighbor, stats] : world.nodes[kObserver]->neighbors())
        links.push_back({stats.node, 2 * world.network.latency(kObserver, world.byId.at(stats.node))});
    return links;
}

std::vector<DemoRelease> DemoFleet::releases() const
{
    const World& world = m_simulation->world();
    std::vector<DemoRelease> releases;
    for (const Publication& publication : world.books.publications)
        if (publication.version <= world.nodes[kObserver]->version())
            releases.push_back(
                {Authority::uri(),
                 {0, publication.version},
                 publication.payload,
                 kBeginning + std::chrono::floor<std::chrono::seconds>(publication.at.time_since_epoch())});
    return releases;
}

std::vector<DemoTraffic> DemoFleet::traffic() const
{
    const World& world = m_simulation->world();
    std::vector<DemoTraffic> traffic;
    for (const auto& [with, exchange] : world.books.exchanges)
        traffic.push_back({with.first, world.nodes[with.second]->id(), exchange.isTaken ? kPayloadBytes : 0,
                           exchange.isGiven ? kPayloadBytes : 0});
    return traffic;
}

} // namespace starling::sim
