// SPDX-License-Identifier: Apache-2.0
/// What starling-bench-console measures: what the console does with a large fleet. Times are the processor's,
/// so that other programs count little.
#pragma once

#include "figure.h"
#include "fleetview/fleet.h"
#include "fleetview_samples.h"

#include <QString>
#include <functional>
#include <vector>

namespace starling::bench {

struct ConsoleBench
{
    bool isQuick = false;
    std::uint32_t devices = 100'000;
    int runs = 15;
};

void measureFilter(const ConsoleBench& bench, Report& report); ///< console-filter, console-facets
void measureGrid(const ConsoleBench& bench, Report& report); ///< console-grid
void measureLens(const ConsoleBench& bench, Report& report); ///< console-lens
void measureIntake(const ConsoleBench& bench, Report& report); ///< console-intake
void measureMemory(const ConsoleBench& bench, Report& report); ///< console-memory
void measureReading(const ConsoleBench& bench, Report& report); ///< console-read
void measureStart(const ConsoleBench& bench, Report& report); ///< console-start

// What they share

/// Of this thread, in milliseconds.
double threadMilliseconds();
/// `value` of `name`, at most `goal`.
void addTime(Report& report, const char* name, const std::string& of, double milliseconds, double goal);
double middleOf(std::vector<double> values);
/// The middle one of several times of the processor.
double millisecondsOf(int runs, const std::function<void(int run)>& work);

/// A fleet of so many devices on 40 sites that fetch and install, in waves, what an agent holds.
class LargeFleet
{
public:
    explicit LargeFleet(std::uint32_t devices);
    /// So many of them say something else; what a feed shows then.
    fleetview::PicturePtr hear(std::uint32_t changed);
    /// Of before the first hear().
    const fleetview::PicturePtr& picture() const { return m_picture; }

private:
    void listen(std::uint32_t changed);
    std::vector<fleetview::KnownRelease> known() const;
    fleetview::Report next(std::uint32_t device);
    std::uint32_t m_devices;
    std::vector<std::uint8_t> m_said; ///< how far each is
    std::uint32_t m_next = 0;
    UtcTime m_now = samples::kBegin;
    fleetview::Fleet m_fleet;
    fleetview::PicturePtr m_picture;
};

} // namespace starling::bench
