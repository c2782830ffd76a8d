// SPDX-License-Identifier: Apache-2.0
/// How fast payload gets from one agent to another over a network of the lab's own: unshaped, with a rate,
/// and with loss. With --programs it measures another build's agents in the same way.
#include "payload_pair.h"
#include "site_download.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QTemporaryDir>

#include <cstdio>

using namespace starling;
using namespace starling::lab;

namespace {

constexpr int kCannotMeasure = 77; ///< as ctest is told
constexpr Pair kOpenHosts{Place::Open, Place::Open};

Result<PayloadOutcome> measure(const PayloadPlan& plan)
{
    const auto pair = PayloadPair::create(plan, kOpenHosts);
    return pair ? (*pair)->play() : Result<PayloadOutcome>(tl::unexpected<Error>(pair.error()));
}

Result<SiteOutcome> measure(const SitePlan& plan)
{
    const auto site = SiteDownload::create(plan);
    return site ? (*site)->play() : Result<SiteOutcome>(tl::unexpected<Error>(site.error()));
}

int report(const Error& error)
{
    std::fprintf(stderr, "starling-lab-transfer: %s\n", toString(error).c_str());
    return 1;
}

int measureSite(const PayloadPlan& options, std::size_t devices)
{
    const SitePlan plan{.directory = options.directory,
                        .programs = options.programs,
                        .devices = devices,
                        .mebibytes = options.mebibytes,
                        .megabits = options.megabits == 0 ? SitePlan().megabits : options.megabits};
    const auto outcome = measure(plan);
    if (!outcome)
        return report(outcome.error());
    std::string shares;
    for (const std::uint64_t bytes : outcome->fromOrigin)
        shares += (shares.empty() ? "" : ",") + std::to_string(bytes);
    std::printf("{\"mebibytes\":%zu,\"devices\":%zu,\"rate_mbit\":%u,\"seconds\":%.2f,\"came_in\":%llu,"
                "\"went_out\":%llu,\"times\":%.2f,\"from_origin\":[%s]}\n",
                plan.mebibytes, plan.devices, plan.megabits, outcome->seconds,
                static_cast<unsigned long long>(outcome->cameIn),
                static_cast<unsigned long long>(outcome->wentOut), outcome->times, shares.c_str());
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app(
        "Measures a transfer between two agents in network namespaces of its own and prints one line "
        "of JSON. The payload is in memory (page cache) at the sender.",
        "starling-lab-transfer");
    PayloadPlan options;
    std::string programs;
    options.mebibytes = 64;
    app.add_option("--programs", programs,
                   "Where starling and starling-agent are; the default is this build's");
    app.add_option("--size", options.mebibytes, "Of the payload, in MiB")
        ->check(CLI::Range(1, 4'096))
        ->capture_default_str();
    app.add_option("--loss", options.lossPermille, "Of packets on each way, in thousandths")
        ->check(CLI::Range(0, 999));
    app.add_option("--rate", options.megabits, "Of each way, in Mbit/s; 0: as fast as it goes");
    std::size_t devices = 0;
    app.add_option("--site", devices,
                   "So many devices behind one NAT, with an uplink of --rate (20 by default), which the "
                   "payload is to cross once")
        ->check(CLI::Range(1, 32));
    CLI11_PARSE(app, argc, argv);
    if (const std::string& obstacle = enterLab(); !obstacle.empty()) {
        std::fprintf(stderr, "starling-lab-transfer: SKIPPED: %s\n", obstacle.c_str());
        return kCannotMeasure;
    }
    const QCoreApplication application(argc, argv);
    options.programs = programs;
    if (programs.empty())
        options.programs =
            std::filesystem::path(QCoreApplication::applicationDirPath().toStdString()).parent_path() / "bin";
    const QTemporaryDir workspace;
    options.directory = workspace.path().toStdString();
    if (devices > 0)
        return measureSite(options, devices);
    const auto outcome = measure(options);
    if (!outcome)
        return report(outcome.error());
    std::printf("{\"mebibytes\":%zu,\"loss_permille\":%u,\"rate_mbit\":%u,\"seconds\":%.2f,\"mbit\":%.0f}\n",
                options.mebibytes, options.lossPermille, options.megabits, outcome->seconds,
                outcome->megabits);
    return 0;
}
