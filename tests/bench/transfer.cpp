// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "fleet.h"
#include "processes.h"

#include <cstdio>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr double kGoalRatio = 1.0;
constexpr double kGoalMiB = 32;
constexpr Duration kPatience = std::chrono::minutes(5);
constexpr const char* kUri = "fw/bench";

Result<std::unique_ptr<support::Fleet>> startPair(const Bench& bench)
{
    support::FleetPlan plan;
    plan.directory = bench.newDirectory("agents");
    plan.programs = bench.programs;
    plan.agents = 2;
    auto fleet = support::Fleet::create(plan);
    if (!fleet)
        return fleet;
    if (auto started = (*fleet)->startAll(); !started)
        return tl::unexpected<Error>(started.error());
    const auto isLinked = [&] {
        const auto status = (*fleet)->ask<control::StatusReply>(1, control::StatusRequest{});
        return status && !status->links.empty() && status->links[0].isUp;
    };
    if (!support::waitUntil(isLinked, 90s))
        return fail(Errc::Timeout, "the two agents find no link");
    return fleet;
}

/// Until `watcher` tells of `phase`; the moment at which it was heard. The first phase is heard as any.
Result<std::chrono::steady_clock::time_point> awaitPhase(control::Client& watcher, trust::Phase least)
{
    for (;;) {
        auto event = watcher.nextEvent(kPatience);
        if (!event)
            return tl::unexpected<Error>(event.error());
        if (!*event)
            return fail(Errc::Timeout, "no word of phase " + std::string(trust::phaseName(least)));
        const control::Event& said = **event;
        if (said.what != control::Event::What::Update || said.uri != kUri)
            continue;
        if (said.phase == trust::Phase::Failed || said.code != 0)
            return fail(Errc::Refused, "the fetching agent: " + said.text);
        if (said.phase >= least)
            return std::chrono::steady_clock::now();
    }
}

} // namespace

Result<Transfer> transferByAgents(const Bench& bench, const fs::path& payload)
{
    auto pair = startPair(bench);
    if (!pair)
        return tl::unexpected<Error>(pair.error());
    support::Fleet& fleet = **pair;
    auto torrent = fleet.makeRelease(payload, kUri, 1, {QStringLiteral("--deploy"), QStringLiteral("none")});
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    auto watcher = fleet.client(1);
    auto watching = watcher ? watcher->ask<control::WatchReply>(control::WatchRequest{})
                            : Result<control::WatchReply>(tl::unexpected<Error>(watcher.error()));
    if (!watching)
        return tl::unexpected<Error>(watching.error());
    auto pushed =
        support::mustRun(fleet.program("starling"),
                         {QStringLiteral("--agent"), toQString(fleet.socket(0)), QStringLiteral("push"),
                          toQString(*torrent), QStringLiteral("--in-place"), toQString(payload)});
    if (!pushed)
        return tl::unexpected<Error>(pushed.error());
    auto begin = awaitPhase(*watcher, trust::Phase::Announced);
    auto end = begin ? awaitPhase(*watcher, trust::Phase::Staged) : begin;
    if (!end)
        return fail(std::move(end.error()), "transfer between agents");
    auto use = support::processUse(fleet.pid(1));
    if (!use)
        return tl::unexpected<Error>(use.error());
    const Transfer transfer{std::chrono::duration<double>(*end - *begin).count(), fs::file_size(payload),
                            use->peakResidentBytes, 0};
    pair->reset();
    fs::remove_all(torrent->parent_path());
    return transfer;
}

Status measureTransfer(const Bench& bench, Report& report)
{
    const bool hasAria = !installed("aria2c").isEmpty();
    if (!hasAria) {
        report.skip("transfer-throughput", "aria2c is not installed");
        return {};
    }
    const fs::path payload = bench.newDirectory("transfer") / "payload.img";
    if (auto written = writeNoise(payload, bench.isQuick ? mebibytes(16) : mebibytes(256)); !written)
        return written;
    std::vector<double> ours, theirs;
    for (int i = 0; i < (bench.isQuick ? 1 : 5); ++i) {
        warm(payload);
        auto mine = transferByAgents(bench, payload);
        if (!mine)
            return tl::unexpected<Error>(mine.error());
        auto other = transferByAria(bench, payload);
        if (!other)
            return tl::unexpected<Error>(other.error());
        ours.push_back(mine->megabytesPerSecond());
        theirs.push_back(other->megabytesPerSecond());
        std::fprintf(stderr, "transfer %d: agents %.2f s; aria2 %.2f s, after %.2f s before its first byte\n",
                     i + 1, mine->seconds, other->seconds, other->waitedSeconds);
    }
    fs::remove_all(payload.parent_path());
    report.add({"transfer-throughput", "", median(ours), "MB/s", "aria2c", median(theirs),
                Holds::RatioAtLeast, kGoalRatio});
    return {};
}

Status measureTransferMemory(const Bench& bench, Report& report)
{
    const bool hasAria = !installed("aria2c").isEmpty();
    const std::vector<ByteCount> sizes =
        bench.isQuick ? std::vector{mebibytes(8), mebibytes(32)} : std::vector{mebibytes(64), gibibytes(1)};
    for (const ByteCount size : sizes) {
        const fs::path payload = bench.newDirectory("memory") / "payload.img";
        if (auto written = writeNoise(payload, size); !written)
            return written;
        auto mine = transferByAgents(bench, payload);
        if (!mine)
            return tl::unexpected<Error>(mine.error());
        std::optional<double> peer;
        if (hasAria) {
            auto other = transferByAria(bench, payload);
            if (!other)
                return tl::unexpected<Error>(other.error());
            peer = static_cast<double>(other->peakResidentBytes) / 1048576;
        }
        fs::remove_all(payload.parent_path());
        report.add({"transfer-memory", toString(size), static_cast<double>(mine->peakResidentBytes) / 1048576,
                    "MiB", hasAria ? "aria2c" : "", peer, Holds::AtMost, kGoalMiB});
    }
    return {};
}

} // namespace starling::bench
