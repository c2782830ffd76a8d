// SPDX-License-Identifier: Apache-2.0
#include "console_bench.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace starling::bench {

namespace {

constexpr std::array kWay{trust::Phase::Downloading, trust::Phase::Staged, trust::Phase::Checking,
                          trust::Phase::Healthy};
constexpr std::uint32_t kSites = 40;
constexpr std::uint32_t kMoments = 120; ///< in which steps were seen: some minutes of a rollout

} // namespace

double threadMilliseconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double middleOf(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double millisecondsOf(int runs, const std::function<void(int run)>& work)
{
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const double begin = threadMilliseconds();
        work(i);
        times.push_back(threadMilliseconds() - begin);
    }
    return middleOf(std::move(times));
}

void addTime(Report& report, const char* name, const std::string& of, double milliseconds, double goal)
{
    report.add({name, of, milliseconds, "ms", "", {}, Holds::AtMost, goal});
}

LargeFleet::LargeFleet(std::uint32_t devices)
    : m_devices(devices)
    , m_said(devices, 0)
    , m_fleet(m_now)
{
    std::vector<fleetview::Report> all;
    all.reserve(devices);
    for (std::uint32_t i = 0; i < devices; ++i)
        all.push_back(next(i));
    m_fleet.take(std::move(all), known(), m_now);
    // All but a few go their way, each of its steps at one of many moments.
    for (std::uint32_t moment = 0; moment < kMoments; ++moment)
        listen(devices * 3 / kMoments * 9 / 10);
    m_picture = m_fleet.picture(m_now);
}

std::vector<fleetview::KnownRelease> LargeFleet::known() const
{
    return {{*ResourceUri::parse("fw/gateway"), {0, 2}, InfoHash(), "2.4.1", 48'200'000, samples::kBegin}};
}

/// What the device says next; after the last it begins anew, and some fail.
fleetview::Report LargeFleet::next(std::uint32_t device)
{
    const std::uint8_t said = m_said[device]++;
    trust::Phase phase = kWay[said % kWay.size()];
    if (phase == trust::Phase::Healthy && device % 50 == 7)
        phase = trust::Phase::Failed;
    const auto code =
        phase == trust::Phase::Failed ? static_cast<std::uint16_t>(Errc::HealthFailed) : std::uint16_t{0};
    const std::uint32_t site = device % kSites;
    fleetview::Report report =
        samples::reportOf(device, {samples::entryOf(phase, 2, "fw/gateway", code)},
                          {{"site", "site-" + std::to_string(site)},
                           {"model", device % 3 == 0 ? "gw2" : "gw3"},
                           {"lat", std::to_string(-50.0 + 3 * static_cast<double>(site))},
                           {"lon", std::to_string(-170.0 + 8.4 * static_cast<double>(site * 7 % kSites))}});
    report.receipt.sequence = said + 1U;
    return report;
}

void LargeFleet::listen(std::uint32_t changed)
{
    m_now += std::chrono::seconds(1);
    std::vector<fleetview::Report> reports;
    reports.reserve(changed);
    for (std::uint32_t i = 0; i < changed; ++i) {
        reports.push_back(next(m_next));
        m_next = (m_next + 7) % m_devices; // scattered over sites, and all of them in the end
    }
    m_fleet.hear(std::move(reports), known(), m_now);
}

fleetview::PicturePtr LargeFleet::hear(std::uint32_t changed)
{
    m_picture.reset(); // as in a feed, which keeps none
    listen(changed);
    return m_fleet.picture(m_now);
}

} // namespace starling::bench
