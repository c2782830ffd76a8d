// SPDX-License-Identifier: Apache-2.0
/// How fast payload gets from one agent to another over a network of the lab's own: unshaped, with a rate,
/// and with loss. With --programs it measures another build's agents in the same way.
#include "base/random.h"
#include "fleet.h"
#include "internet.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QTemporaryDir>

#include <chrono>
#include <cstdio>
#include <fstream>

using namespace starling;
using namespace starling::lab;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int kCannotMeasure = 77; ///< as ctest is told
constexpr std::uint16_t kLinkPort = 7891; ///< the agents' default
constexpr const char* kUri = "fw/transfer";
constexpr auto kPatience = std::chrono::minutes(5);

struct Options
{
    std::string programs;
    std::size_t mebibytes = 64;
    unsigned lossPermille = 0;
    unsigned megabits = 0;
};

Status writeNoise(const fs::path& file, std::size_t bytes)
{
    Bytes block(1024 * 1024);
    SeededRandom random(bytes);
    std::ofstream out(file, std::ios::binary);
    for (std::size_t done = 0; done < bytes; done += block.size()) {
        random.fill(block);
        out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(block.size()));
    }
    return out.flush() ? Status() : Status(fail(Errc::Io, file.string()));
}

/// What arrives is lost at random; what leaves waits for its turn.
Status shape(const Network& host, const Options& options)
{
    if (options.lossPermille > 0) {
        const QByteArray rule = "iifname \"out\" numgen random mod 1000 < "
            + QByteArray::number(options.lossPermille) + " drop\n";
        if (auto set = host.nft("table ip shape {\nchain input {\ntype filter hook input priority 0\n" + rule
                                + "}\n}\n");
            !set)
            return set;
    }
    if (options.megabits == 0)
        return {};
    const auto set = host.run(QStringLiteral("tc"),
                              {QStringLiteral("qdisc"), QStringLiteral("add"), QStringLiteral("dev"),
                               QStringLiteral("out"), QStringLiteral("root"), QStringLiteral("tbf"),
                               QStringLiteral("rate"), QStringLiteral("%1mbit").arg(options.megabits),
                               QStringLiteral("burst"), QStringLiteral("64kb"), QStringLiteral("latency"),
                               QStringLiteral("50ms")});
    return set ? Status() : Status(tl::unexpected<Error>(set.error()));
}

std::optional<trust::Phase> phaseOf(const support::Fleet& fleet, std::size_t agent)
{
    const auto updates = fleet.ask<control::UpdatesReply>(agent, control::UpdatesRequest{});
    if (!updates || updates->updates.empty())
        return std::nullopt;
    return updates->updates.front().phase;
}

/// Seconds from the first word of fetching until all is there.
Result<double> transfer(support::Fleet& fleet, const fs::path& payload)
{
    const auto torrent =
        fleet.makeRelease(payload, kUri, 1, {QStringLiteral("--deploy"), QStringLiteral("none")});
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    const auto pushed =
        fleet.starling({QStringLiteral("--agent"), QString::fromStdString(fleet.socket(0).string()),
                        QStringLiteral("push"), QString::fromStdString(torrent->string()),
                        QStringLiteral("--in-place"), QString::fromStdString(payload.string())});
    if (pushed.exitCode != 0)
        return fail(Errc::Refused, pushed.errors.toStdString());
    if (!support::waitUntil([&] { return phaseOf(fleet, 1) >= trust::Phase::Downloading; }, 30s))
        return fail(Errc::Timeout, "the second agent does not begin");
    const auto begin = std::chrono::steady_clock::now();
    if (!support::waitUntil([&] { return phaseOf(fleet, 1) > trust::Phase::Downloading; }, kPatience))
        return fail(Errc::Timeout, "the second agent does not get all of it");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Result<double> measure(const Options& options, const fs::path& workspace)
{
    auto internet = Internet::create();
    if (!internet)
        return tl::unexpected<Error>(internet.error());
    std::vector<Internet::Host> hosts;
    for (const char* name : {"one", "two"}) {
        auto host = (*internet)->addPublicHost(name, 1);
        if (!host)
            return tl::unexpected<Error>(host.error());
        if (auto shaped = shape(*host->network, options); !shaped)
            return tl::unexpected<Error>(shaped.error());
        hosts.push_back(std::move(*host));
    }
    support::FleetPlan plan;
    plan.directory = workspace;
    plan.programs = options.programs;
    plan.agents = hosts.size();
    plan.prepare = [&](std::size_t agent, QProcess& process) { hosts[agent].network->prepare(process); };
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());
    const auto listenOf = [&](std::size_t agent) {
        Endpoint endpoint = hosts[agent].addresses.front();
        endpoint.port = kLinkPort;
        return toString(endpoint);
    };
    for (std::size_t i = 0; i < hosts.size(); ++i)
        if (auto set = (*fleet)->configure(
                i, {{"agent.listen", listenOf(i)}, {"agent.neighbours", i == 0 ? "" : listenOf(0)}});
            !set)
            return tl::unexpected<Error>(set.error());
    if (auto started = (*fleet)->startAll(); !started)
        return tl::unexpected<Error>(started.error());
    const fs::path payload = workspace / "payload.img";
    if (auto written = writeNoise(payload, options.mebibytes * 1024 * 1024); !written)
        return tl::unexpected<Error>(written.error());
    return transfer(**fleet, payload);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app(
        "Measures a transfer between two agents in network namespaces of its own and prints one line "
        "of JSON. The payload is in memory (page cache) at the sender.",
        "starling-lab-transfer");
    Options options;
    app.add_option("--programs", options.programs,
                   "Where starling and starling-agent are; the default is this build's");
    app.add_option("--size", options.mebibytes, "Of the payload, in MiB")
        ->check(CLI::Range(1, 4'096))
        ->capture_default_str();
    app.add_option("--loss", options.lossPermille, "Of packets on each way, in thousandths")
        ->check(CLI::Range(0, 999));
    app.add_option("--rate", options.megabits, "Of each way, in Mbit/s; 0: as fast as it goes");
    CLI11_PARSE(app, argc, argv);
    if (const std::string& obstacle = enterLab(); !obstacle.empty()) {
        std::fprintf(stderr, "starling-lab-transfer: SKIPPED: %s\n", obstacle.c_str());
        return kCannotMeasure;
    }
    const QCoreApplication application(argc, argv);
    if (options.programs.empty())
        options.programs =
            fs::path(QCoreApplication::applicationDirPath().toStdString()).parent_path() / "bin";
    const QTemporaryDir workspace;
    const auto seconds = measure(options, workspace.path().toStdString());
    if (!seconds) {
        std::fprintf(stderr, "starling-lab-transfer: %s\n", toString(seconds.error()).c_str());
        return 1;
    }
    std::printf("{\"mebibytes\":%zu,\"loss_permille\":%u,\"rate_mbit\":%u,\"seconds\":%.2f,\"mbit\":%.0f}\n",
                options.mebibytes, options.lossPermille, options.megabits, *seconds,
                static_cast<double>(options.mebibytes) * 8.388608 / *seconds);
    return 0;
}
