// SPDX-License-Identifier: Apache-2.0
/// What the console does with 100,000 devices: a program of its own, since it needs the window's libraries.
#include "console_bench.h"
#include "fleetview/facets.h"
#include "fleetview/rows.h"
#include "grid_painter.h"
#include "resources.h"

#include <QApplication>
#include <QSettings>
#include <QStyleFactory>
#include <QTemporaryDir>

#include <array>
#include <cstdio>
#include <cstring>

namespace starling::bench {

void measureFilter(const ConsoleBench& bench, Report& report)
{
    constexpr double kGoal = 300; ///< the console specification's
    const LargeFleet fleet(bench.devices);
    const fleetview::PicturePtr& picture = fleet.picture();
    const auto query = fleetview::Query::parse("site=site-1* and not (state=healthy or model=gw3)");
    addTime(report, "console-filter", "a query and sorting by state",
            millisecondsOf(bench.runs,
                           [&](int) {
                               fleetview::selectRows(*picture, *query, fleetview::SortBy::Standing,
                                                     fleetview::SortOrder::Descending);
                           }),
            kGoal);
    addTime(report, "console-filter", "all, sorted by name",
            millisecondsOf(bench.runs,
                           [&](int) {
                               fleetview::selectRows(*picture, {}, fleetview::SortBy::Name,
                                                     fleetview::SortOrder::Ascending);
                           }),
            kGoal);
    addTime(report, "console-facets", "",
            millisecondsOf(bench.runs, [&](int) { fleetview::facetsOf(picture->devices); }), kGoal);
}

void measureGrid(const ConsoleBench& bench, Report& report)
{
    const LargeFleet fleet(bench.devices);
    window::GridPainter painter;
    painter.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    painter.show(fleet.picture(), "site", {1'000, 700}, 1);
    addTime(report, "console-grid", "all painted anew",
            millisecondsOf(bench.runs, [&](int) { painter.repaint(); }), 16);
}

} // namespace starling::bench

namespace {

using namespace starling::bench;

struct Measurement
{
    const char* figures; ///< what it reports, separated by blanks
    void (*measure)(const ConsoleBench&, Report&);
};

constexpr std::array kMeasurements{
    Measurement{"console-memory", measureMemory}, // first: what others leave behind is not in it
    Measurement{"console-filter console-facets", measureFilter},
    Measurement{"console-grid", measureGrid},
    Measurement{"console-lens", measureLens},
    Measurement{"console-intake", measureIntake},
    Measurement{"console-read", measureReading},
    Measurement{"console-start", measureStart},
};

bool reports(const Measurement& measurement, const std::string& figure)
{
    return (" " + std::string(measurement.figures) + " ").find(" " + figure + " ") != std::string::npos;
}

} // namespace

int main(int argc, char** argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir home; // nothing of whoever measures is read or changed
    for (const char* name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"})
        qputenv(name, home.path().toUtf8());
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("starling"));
    QApplication::setApplicationName(QStringLiteral("starling-bench-console"));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    starling::window::loadResources();
    ConsoleBench bench;
    std::vector<std::string> figures;
    for (int i = 1; i < argc; ++i)
        if (std::strcmp(argv[i], "--quick") == 0)
            bench = {true, 2'000, 1};
        else
            figures.emplace_back(argv[i]);
    Report report;
    bool hasMeasured = false;
    for (const Measurement& measurement : kMeasurements) {
        bool isWanted = figures.empty();
        for (const std::string& figure : figures)
            isWanted = isWanted || reports(measurement, figure);
        if (isWanted)
            measurement.measure(bench, report);
        hasMeasured = hasMeasured || isWanted;
    }
    if (!hasMeasured) {
        std::fprintf(stderr, "starling-bench-console: none of these is a figure\n");
        return 2;
    }
    return bench.isQuick || report.allHold() ? 0 : 1;
}
