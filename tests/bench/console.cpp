// SPDX-License-Identifier: Apache-2.0
/// What the console does with 100,000 devices: a program of its own, since it needs the window's libraries.
#include "figure.h"
#include "fleetview/facets.h"
#include "fleetview/rows.h"
#include "fleetview_samples.h"
#include "grid_painter.h"

#include <QApplication>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

using namespace starling;
using namespace starling::bench;

/// The middle one of several times, in milliseconds of the processor: other programs do not count.
template <class Work> double millisecondsOf(int runs, Work work)
{
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const std::clock_t begin = std::clock();
        work(i);
        times.push_back(1e3 * static_cast<double>(std::clock() - begin)
                        / static_cast<double>(CLOCKS_PER_SEC));
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

void add(Report& report, const char* name, const char* of, double milliseconds, double goal)
{
    report.add({name, of, milliseconds, "ms", "", {}, Holds::AtMost, goal});
}

} // namespace

int main(int argc, char** argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const bool isQuick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
    const std::uint32_t devices = isQuick ? 2'000 : 100'000;
    const int runs = isQuick ? 1 : 15;
    Report report;
    fleetview::Fleet fleet(samples::kBegin);
    auto reports = samples::reportsOf(devices, 40);
    fleet.take(reports, {}, samples::kBegin);
    fleetview::PicturePtr picture = fleet.picture(samples::kBegin);

    const auto query = fleetview::Query::parse("site=site-1* and not (state=healthy or model=gw3)");
    add(report, "console-filter", "a query and sorting by state",
        millisecondsOf(runs,
                       [&](int) {
                           return fleetview::selectRows(*picture, *query, fleetview::SortBy::Standing,
                                                        fleetview::SortOrder::Descending)
                               .size();
                       }),
        300);
    add(report, "console-filter", "all, sorted by name",
        millisecondsOf(runs,
                       [&](int) {
                           return fleetview::selectRows(*picture, {}, fleetview::SortBy::Name,
                                                        fleetview::SortOrder::Ascending)
                               .size();
                       }),
        300);
    add(report, "console-facets", "",
        millisecondsOf(runs, [&](int) { return fleetview::facetsOf(picture->devices).size(); }), 300);

    window::GridPainter painter;
    painter.setTheme(window::Theme::of(window::Look::Light, QPalette()));
    painter.show(picture, "site", {1'000, 700}, 1);
    add(report, "console-grid", "all painted anew", millisecondsOf(runs, [&](int) { painter.repaint(); }),
        16);
    add(report, "console-intake", "the whole fleet, one in a hundred has changed",
        millisecondsOf(runs,
                       [&](int run) {
                           for (std::uint32_t i = static_cast<std::uint32_t>(run) % 100; i < devices;
                                i += 100)
                               reports[i].receipt.entries[0].detail = std::to_string(run);
                           // Taking receipts in is the feed's thread's; the window's shows what came of it.
                           fleet.take(reports, {}, samples::kBegin + std::chrono::seconds(run + 1));
                           return 0;
                       }),
        1'000);
    picture = fleet.picture(samples::kBegin + std::chrono::hours(1));
    add(report, "console-lens", "planned anew, and changes painted",
        millisecondsOf(1,
                       [&](int) {
                           painter.show(picture, "site", {1'000, 700}, 1);
                       }),
        150);
    return isQuick || report.allHold() ? 0 : 1;
}
