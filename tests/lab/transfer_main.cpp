// SPDX-License-Identifier: Apache-2.0
/// How fast payload gets from one agent to another over a network of the lab's own: unshaped, with a rate,
/// and with loss. With --programs it measures another build's agents in the same way.
#include "payload_pair.h"

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
    const auto outcome = measure(options);
    if (!outcome) {
        std::fprintf(stderr, "starling-lab-transfer: %s\n", toString(outcome.error()).c_str());
        return 1;
    }
    std::printf("{\"mebibytes\":%zu,\"loss_permille\":%u,\"rate_mbit\":%u,\"seconds\":%.2f,\"mbit\":%.0f}\n",
                options.mebibytes, options.lossPermille, options.megabits, outcome->seconds,
                outcome->megabits);
    return 0;
}
