// SPDX-License-Identifier: Apache-2.0
#include "fleet.h"
#include "overlay.h"

#include <QFile>

#include <algorithm>
#include <cstdio>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kWarmUps = 10; // performance.md, 7
constexpr auto kNoticeLimit = 20s;
constexpr auto kPause = 1s; // performance.md, 1: one notice a second

/// Releases that nobody installs: what is measured is their notices.
class Releases
{
public:
    Releases(const support::Fleet& fleet, fs::path payload)
        : m_fleet(fleet)
        , m_payload(std::move(payload))
    {
    }
    Status push(std::size_t at, std::uint64_t version)
    {
        auto made = m_fleet.makeRelease(m_payload, "fw/overlay", version,
                                        {QStringLiteral("--require"), QStringLiteral("site=nowhere"),
                                         QStringLiteral("--deploy"), QStringLiteral("none")});
        if (!made)
            return tl::unexpected<Error>(made.error());
        auto pushed = support::mustRun(m_fleet.program("starling"),
                                       {QStringLiteral("--agent"), toQString(m_fleet.socket(at)),
                                        QStringLiteral("push"), toQString(*made),
                                        QStringLiteral("--in-place"), toQString(m_payload)});
        return pushed ? Status() : tl::unexpected<Error>(pushed.error());
    }
    /// When agent `i` knew of `version`, µs.
    std::optional<std::uint64_t> knownSince(std::size_t i, std::uint64_t version) const
    {
        const auto reply = m_fleet.ask<control::UpdatesReply>(i, control::UpdatesRequest{});
        if (!reply)
            return std::nullopt;
        for (const control::UpdateLine& line : reply->updates)
            if (line.revision.version == version && line.knownSinceMicros != 0)
                return line.knownSinceMicros;
        return std::nullopt;
    }

private:
    const support::Fleet& m_fleet;
    fs::path m_payload;
};

/// Asks those that have not answered yet, now and again, so that asking does not take the processors from
/// what is measured.
std::vector<std::uint64_t> awaitNotice(const Releases& releases, std::size_t nodes, std::uint64_t version)
{
    std::vector<std::uint64_t> times(nodes, 0);
    support::waitUntil(
        [&] {
            pass(500ms);
            for (std::size_t i = 0; i < nodes; ++i)
                if (times[i] == 0)
                    times[i] = releases.knownSince(i, version).value_or(0);
            return std::count(times.begin(), times.end(), 0u) == 0;
        },
        kNoticeLimit);
    return times;
}

std::uint64_t microsNow()
{
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

std::vector<std::int64_t> pidsOf(const support::Fleet& fleet)
{
    std::vector<std::int64_t> pids;
    for (std::size_t i = 0; i < fleet.size(); ++i)
        pids.push_back(fleet.pid(i));
    return pids;
}

/// From its end until no neighbour says that its link is up.
Result<double> crash(support::Fleet& fleet, std::size_t victim)
{
    const auto holds = [&](std::size_t i) {
        const auto status = fleet.ask<control::StatusReply>(i, control::StatusRequest{});
        return status && std::ranges::any_of(status->links, [&](const control::LinkLine& link) {
                   return link.isUp && link.node == fleet.node(victim);
               });
    };
    std::vector<std::size_t> neighbors;
    for (std::size_t i = 0; i < fleet.size(); ++i)
        if (i != victim && holds(i))
            neighbors.push_back(i);
    if (neighbors.empty())
        return fail(Errc::Unreachable, "the agent to be killed has no neighbour");
    const auto begin = std::chrono::steady_clock::now();
    fleet.kill(victim);
    const bool isKnown = support::waitUntil(
        [&] {
            std::erase_if(neighbors, [&](std::size_t i) { return !holds(i); });
            return neighbors.empty();
        },
        2min);
    if (!isKnown)
        return fail(Errc::Timeout, "a neighbour does not find out");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

support::FleetPlan planOf(const Bench& bench, const OverlayPlan& plan)
{
    support::FleetPlan made;
    made.directory = bench.newDirectory("agents");
    made.programs = bench.programs;
    made.agents = plan.nodes;
    // Each is told of two that were there before: what a fleet that grew looks like.
    made.neighbors = [](std::size_t i) {
        std::vector<std::size_t> known;
        if (i > 0)
            known.push_back(i * 7'919 % i);
        if (i > 1 && i * 104'729 % i != known.front())
            known.push_back(i * 104'729 % i);
        return known;
    };
    // No relays: those would fetch what nobody here may install. No observer: Serf tells nobody who has
    // heard.
    made.overrides = {{"agent.network", plan.network}, {"trust.subscription", "/nonexistent"}};
    return made;
}

} // namespace

Result<OverlayRun> runAgents(const Bench& bench, const OverlayPlan& plan)
{
    auto created = support::Fleet::create(planOf(bench, plan));
    if (!created)
        return tl::unexpected<Error>(created.error());
    support::Fleet& fleet = **created;
    const fs::path payload = bench.newDirectory("payload") / "gateway.run";
    if (auto written = writeNoise(payload, kibibytes(4)); !written)
        return tl::unexpected<Error>(written.error());
    if (auto started = fleet.startAll(); !started)
        return tl::unexpected<Error>(started.error());
    const std::uint64_t launched = microsNow();
    Releases releases(fleet, payload);
    OverlayRun run;
    const std::size_t warmUps = bench.isQuick ? 2 : kWarmUps;
    double bytes = 0, idleSeconds = 0;
    for (std::uint64_t version = 1; version <= warmUps + plan.notices; ++version) {
        if (version == warmUps + 1)
            pass(plan.settling);
        const std::size_t origin = version * 37 % plan.nodes;
        const double before = loopbackBytes();
        const auto begin = std::chrono::steady_clock::now();
        if (auto pushed = releases.push(origin, version); !pushed)
            return tl::unexpected<Error>(pushed.error());
        const auto times = awaitNotice(releases, plan.nodes, version);
        const auto missed = static_cast<std::size_t>(std::count(times.begin(), times.end(), 0u));
        const std::uint64_t last = *std::max_element(times.begin(), times.end());
        if (version == 1)
            run.formationSeconds = static_cast<double>(last - launched) / 1e6;
        std::fprintf(stderr, "notice %llu of %zu: %.1f ms, %zu missed\n",
                     static_cast<unsigned long long>(version), warmUps + plan.notices,
                     static_cast<double>(last - times[origin]) / 1e3, missed);
        if (version > warmUps) {
            run.missed += missed;
            run.lastMs.push_back(static_cast<double>(last - times[origin]) / 1e3);
            pass(kPause);
            bytes += loopbackBytes() - before;
            idleSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        }
    }
    const auto nodes = static_cast<double>(plan.nodes);
    const double before = loopbackBytes(), cpu = cpuSecondsOf(pidsOf(fleet));
    const auto begin = std::chrono::steady_clock::now();
    pass(plan.idle);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    run.idleBytesPerSecond = (loopbackBytes() - before) / seconds / nodes;
    run.cpuPercent = (cpuSecondsOf(pidsOf(fleet)) - cpu) / seconds / nodes * 100;
    run.bytesPerNotice = (bytes / nodes - run.idleBytesPerSecond * idleSeconds)
        / static_cast<double>(std::max<std::size_t>(plan.notices, 1));
    if (plan.hasCrash) {
        auto known = crash(fleet, plan.nodes / 2);
        if (!known)
            return tl::unexpected<Error>(known.error());
        run.crashKnownSeconds = *known;
    }
    return run;
}

} // namespace starling::bench
