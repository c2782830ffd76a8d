// SPDX-License-Identifier: Apache-2.0
#include "crypto/signing.h"
#include "limits.h"
#include "overlay.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QTemporaryDir>

#include <array>
#include <cstdio>

namespace {

using namespace starling;
using namespace starling::bench;

struct Measurement
{
    const char* figures; ///< what it reports, separated by blanks
    Status (*measure)(const Bench&, Report&);
};

/// What another program measures, which has the window's libraries.
enum ConsoleFigure : std::size_t { Memory, Filter, Grid, Lens, Intake, Read, Start };
constexpr std::array kConsoleFigures{"console-memory", "console-filter", "console-grid", "console-lens",
                                     "console-intake", "console-read",   "console-start"};
template <ConsoleFigure Which> Status measureConsole(const Bench& bench, Report& report)
{
    return measureByConsole(bench, report, kConsoleFigures[Which]);
}

constexpr std::array kMeasurements{
    Measurement{"create-throughput create-memory", measureCreate},
    Measurement{"transfer-throughput", measureTransfer},
    Measurement{"transfer-memory", measureTransferMemory},
    Measurement{"idle-agent", measureIdle},
    Measurement{"notice-size", measureNotice},
    Measurement{"overlay-100", measureOverlay100},
    Measurement{"overlay-400", measureOverlay400},
    Measurement{"overlay-idle", measureOverlayIdle},
    Measurement{"overlay-crash", measureOverlayCrash},
    Measurement{"sim-speed", measureSimulator},
    Measurement{"sim-10k", measureSim10k},
    Measurement{"sim-100k", measureSim100k},
    Measurement{"sim-1m", measureSim1m},
    Measurement{"sim-loss", measureSimLoss},
    Measurement{"sim-mass-crash", measureSimMassCrash},
    Measurement{"sim-hostile", measureSimHostile},
    Measurement{"limit-upload", measureUploadLimit},
    Measurement{"limit-download", measureDownloadLimit},
    Measurement{"console-memory", measureConsole<Memory>},
    Measurement{"console-filter console-facets", measureConsole<Filter>},
    Measurement{"console-grid", measureConsole<Grid>},
    Measurement{"console-lens", measureConsole<Lens>},
    Measurement{"console-intake", measureConsole<Intake>},
    Measurement{"console-read", measureConsole<Read>},
    Measurement{"console-start", measureConsole<Start>},
};

bool reports(const Measurement& measurement, const std::string& figure)
{
    return (" " + std::string(measurement.figures) + " ").find(" " + figure + " ") != std::string::npos;
}

bool isKnown(const std::string& figure)
{
    for (const Measurement& measurement : kMeasurements)
        if (reports(measurement, figure))
            return true;
    std::fprintf(stderr, "starling-bench: no figure is called '%s'\n", figure.c_str());
    return false;
}

/// The answer to the program that started this one: a number, or figures, on standard output.
int measureInside(const Bench& bench, const std::string& key)
{
    if (key.starts_with("overlay-")) {
        if (const auto measured = measureOverlayInside(bench, key); !measured) {
            std::fprintf(stderr, "%s\n", toString(measured.error()).c_str());
            return 1;
        }
        return 0;
    }
    const auto rate = megabitsPerSecondWithLimit(bench, key);
    if (!rate) {
        std::fprintf(stderr, "%s\n", toString(rate.error()).c_str());
        return 1;
    }
    std::printf("%.4f\n", *rate);
    return 0;
}

int measureAll(const Bench& bench, const std::vector<std::string>& figures)
{
    Report report;
    bool allRan = true;
    for (const Measurement& measurement : kMeasurements) {
        bool isWanted = figures.empty();
        for (const std::string& figure : figures)
            isWanted = isWanted || reports(measurement, figure);
        if (!isWanted)
            continue;
        if (const auto measured = measurement.measure(bench, report); !measured) {
            std::fprintf(stderr, "starling-bench: %s: %s\n", measurement.figures,
                         toString(measured.error()).c_str());
            allRan = false;
        }
    }
    return allRan && (bench.isQuick || report.allHold()) ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    CLI::App app(
        "Measures Starling beside its peers. One JSON line for each figure on standard output.\n"
        "Exit status: 0, or 1 if a figure of a full run does not hold or could not be measured; 2 usage.",
        "starling-bench");
    std::vector<std::string> figures;
    std::string inside, workspace;
    Bench bench;
    app.add_flag("--quick", bench.isQuick,
                 "Small sizes and one run, to see that the benchmarks work: no figure has to hold");
    app.add_option("FIGURE", figures, "Which; all of them without one");
    app.add_option("--inside", inside)->group(""); // for itself, in a network namespace
    app.add_option("--workspace", workspace)->group("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    for (const std::string& figure : figures)
        if (!isKnown(figure))
            return 2;
    if (auto ready = crypto::initialize(); !ready)
        return 1;
    bench.programs = QCoreApplication::applicationDirPath().toStdString();
    if (!inside.empty()) {
        bench.workspace = workspace;
        return measureInside(bench, inside);
    }
    const QTemporaryDir directory;
    if (!directory.isValid()) {
        std::fprintf(stderr, "starling-bench: no temporary directory: %s\n",
                     qPrintable(directory.errorString()));
        return 1;
    }
    bench.workspace = directory.path().toStdString();
    return measureAll(bench, figures);
}
