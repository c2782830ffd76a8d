// SPDX-License-Identifier: Apache-2.0
/// What is to be simulated, and how it is written down. Pure: reading the file is the program's.
///
///     # Comments are whole lines. Times: 250ms, 10s, 5m, 1h. Shares: 30%, 0.5%. Every key may be left out.
///     [run]
///     duration = 10m                virtual time
///     verification = each           or shared: of all nodes only the first verifies a signature; with
///                                   links = model, nodes with equal boards even share the board
///     [fleet]
///     nodes = 50                    when it begins; the hostile ones are among them, and come last
///     degree = 5                    neighbours that a node has
///     graph = random                how they are chosen; or nearest: of 30 others the nearest two of its
///                                   own, one at random, and whoever chose it; degree does not matter then
///     membership = no               yes: nodes know bootstraps instead, and find their neighbours
///     bootstraps = 1                so many, the first ones; each other node knows one of them
///     links = shipped               link::Links with all their datagrams; or model: messages go from node to
///                                   node (model_links.h), for large fleets and many seeds
///     certificates = yes            every node is an admitted device; without, boards hold releases
///                                   alone; needs links = model
///     sums-above = 0                so many devices' receipts, and the observer wants sums; 0: never
///     receipts = yes                nodes issue receipts, as agents do, and node 0 observes; needs
///                                   certificates
///     payload = 0s                  how long it takes to fetch one; 0s: nobody fetches; needs certificates
///     forgers = 0                   hostile nodes, see hostile.h; they need certificates
///     liars = 0
///     replayers = 0
///     flooders = 0
///     swallowers = 0
///     hostility = 20                what each of them sends a second
///     [network]
///     latency = uniform 10ms 50ms   or lognormal LEAST MOST, or fixed TIME
///     jitter = 0s
///     loss = 0%
///     duplication = 0%
///     [timeline]                    when = ACTION, ACTION …; of one time, in the order of the lines
///     10s = publish node 0          or: publish, by any node that is up and honest
///     60s = partition 30%           so many nodes are cut off from all others; the last partition counts
///     70s = heal                    ends it
///     80s = crash 20%               so many of those that are up, at once, without goodbye
///     90s = restart                 all that are down, with the state that was durable; or: restart 50%
///     100s = join 5                 so many new nodes
///     110s = clock 10% 1h           wall clocks of so many jump; or: clock 10% -1h
///     120s = churn 20s              from now on, a random node crashes that often and is back after as long;
///     600s = churn off              whoever is still down comes back
///     [expect]
///     delivered = 100% within 60s   of the honest nodes that are up all that time, and that configured
///                                   neighbours connect to the publisher (with membership, of all that are
///                                   up), so many have each release
///     fetched = 100% within 5m      and so many its payload
///     reported = 100% within 5m     and of so many the observer, node 0, has a receipt that says so
///     hinted = 99% within 2m        and the sums that it was told differ by at most the rest from how many
///                                   are up, honest and healthy with it
///     boards = equal within 2 rounds after the last action all honest boards are equal, at least for a
///                                   moment of the last 2 s of that time; or: within TIME
///     forged = none                 no honest board holds what nobody issued, and no receipt that another
///                                   device signed reached the observer
///     bytes = at most 10 MiB        that an honest node sends, in the mean
#pragma once

#include "base/size.h"
#include "sim/network.h"

#include <string_view>

namespace starling::sim {

/// Something that is done to the fleet.
struct Action
{
    enum class What : std::uint8_t { Publish, Partition, Heal, Crash, Restart, Join, Clock, Churn };
    What what{};
    Duration at{};
    std::optional<NodeIndex> node; ///< Publish
    Share share; ///< Partition, Crash, Restart, Clock
    std::uint32_t count = 0; ///< Join
    Duration span{}; ///< Clock: how far; Churn: how often, 0 for off
    std::string text; ///< as it was written
    bool operator==(const Action&) const = default;
};

struct Expectation
{
    enum class What : std::uint8_t { Delivered, Fetched, Reported, Hinted, BoardsEqual, NoneForged, Bytes };
    What what{};
    Share share; ///< Delivered, Fetched, Reported, Hinted
    Duration within{}; ///< the same, BoardsEqual
    ByteCount most; ///< Bytes
    std::string text;
    bool operator==(const Expectation&) const = default;
};

struct Scenario
{
    enum class Verification : std::uint8_t { Each, Shared };
    enum class Links : std::uint8_t { Shipped, Model };
    enum class Graph : std::uint8_t { Random, Nearest };
    Duration duration = std::chrono::minutes(10);
    Verification verification = Verification::Each;
    std::uint32_t nodes = 50;
    std::uint32_t degree = 5; ///< HyParView section 5.1: an active view of 5
    bool hasMembership = false;
    std::uint32_t bootstraps = 1;
    Graph graph = Graph::Random;
    Links links = Links::Shipped;
    bool hasCertificates = true;
    bool issuesReceipts = true;
    std::uint32_t sumsAbove = 0; ///< 0: never
    /// Who holds a payload is found by the overlay; otherwise the swarm's model knows it (swarm_model.h).
    bool findsProviders = true;
    /// Every node begins with the first release on its board, and healthy in it.
    bool beginsInstalled = false;
    /// Whom the observer knows besides its neighbours, where those are configured.
    std::vector<std::uint32_t> observerKnows;
    /// Nodes come up one after the other within it, where they have configured neighbours. Guess: a site
    /// after a power cut.
    Duration startSpread = std::chrono::seconds(1);
    Duration payload{};
    std::uint32_t forgers = 0, liars = 0, replayers = 0, flooders = 0, swallowers = 0;
    std::uint32_t hostility = 20; ///< guess: a second; what is refused is soon muted
    NetworkConfig network;
    std::vector<Action> timeline; ///< by time
    std::vector<Expectation> expectations;

    std::uint32_t hostile() const { return forgers + liars + replayers + flooders + swallowers; }
    bool operator==(const Scenario&) const = default;
};

/// Limits of a scenario: beyond them it is a mistake, or needs another machine.
struct ScenarioLimits
{
    static constexpr std::uint32_t kMaxNodes = 1'000'000;
    /// Guess: ten seconds of making keys, and what a desktop has of memory.
    static constexpr std::uint32_t kMaxCertified = 100'000;
    /// Of those with a board and links of their own. Guess: beyond it a minute takes an hour.
    static constexpr std::uint32_t kMaxUnshared = 4'096;
    static constexpr std::uint32_t kMaxDegree = 64;
    static constexpr std::uint32_t kMaxHostility = 10'000;
    static constexpr std::size_t kMaxActions = 10'000;
    static constexpr Duration kMaxDuration = std::chrono::hours(24 * 365);
};

/// Fails with ConfigInvalid, "FILE:LINE: reason": parseIni's reasons, a section or key that does not exist, a
/// value that cannot be, settings that contradict each other.
Result<Scenario> parseScenario(std::string_view text, std::string fileName);
/// What parseScenario asks of a scenario as a whole; for one that was changed afterwards.
Status validate(const Scenario& scenario);

} // namespace starling::sim
