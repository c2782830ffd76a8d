// SPDX-License-Identifier: Apache-2.0
/// Fleets of real processes beside as many Serf agents, in a network namespace of their own.
#include "overlay.h"

#include "fleet.h"
#include "inside.h"

#include <QFile>

#include <algorithm>
#include <cstdio>

namespace starling::bench {

using namespace std::chrono_literals;

namespace {

constexpr double kEthernetBytes = 14; // the loopback interface counts a header that is none of IP's
constexpr auto kInsideLimit = std::chrono::minutes(55);

QByteArray loopback(const char* counter)
{
    QFile file(QStringLiteral("/proc/self/net/dev"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    for (const QByteArray& line : file.readAll().split('\n')) {
        const QByteArray text = line.simplified();
        if (text.startsWith("lo:"))
            return text.split(' ').value(QByteArrayView(counter) == "bytes" ? 9 : 10);
    }
    return {};
}

/// What the goals of performance.md are for so many nodes.
struct Goals
{
    double medianMs, worstMs, formationSeconds;
};

Goals goalsFor(std::size_t nodes)
{
    return nodes > 100 ? Goals{100, 300, 10} : Goals{30, 100, 3};
}

const char* peerName(const std::optional<OverlayRun>& peer)
{
    return peer ? "serf agent" : "";
}

void reportNotices(Report& report, const std::string& figure, const OverlayRun& ours,
                   const std::optional<OverlayRun>& peer, std::size_t nodes)
{
    const Goals goals = goalsFor(nodes);
    const auto of = [&](const auto& pick) {
        return peer ? std::optional<double>(pick(*peer)) : std::nullopt;
    };
    const auto line = [&](const char* what, const char* unit, double goal, const auto& pick) {
        report.add({figure, what, pick(ours), unit, peerName(peer), of(pick), Holds::AtMost, goal});
    };
    line("notice to the last node, median", "ms", goals.medianMs,
         [](const OverlayRun& run) { return median(run.lastMs); });
    line("notice to the last node, worst", "ms", goals.worstMs,
         [](const OverlayRun& run) { return *std::max_element(run.lastMs.begin(), run.lastMs.end()); });
    line("nodes that missed a notice", "", 0,
         [](const OverlayRun& run) { return static_cast<double>(run.missed); });
    line("sent per node and notice", "bytes", 800, [](const OverlayRun& run) { return run.bytesPerNotice; });
    line("formed after the last launch", "s", goals.formationSeconds,
         [](const OverlayRun& run) { return run.formationSeconds; });
}

OverlayPlan planFor(const Bench& bench, const std::string& figure)
{
    OverlayPlan plan;
    plan.nodes = figure == "overlay-400" ? 400 : 100;
    if (figure == "overlay-400")
        plan.notices = 30;
    plan.idle = figure == "overlay-idle" ? 600s : 60s;
    plan.hasCrash = figure == "overlay-crash" || figure == "overlay-idle";
    if (figure == "overlay-idle" || figure == "overlay-crash")
        plan.notices = 3;
    plan.network = figure == "overlay-crash" ? "lan" : "wan";
    if (bench.isQuick) {
        plan.nodes = 8;
        plan.notices = std::min<std::size_t>(plan.notices, 2);
        plan.idle = 3s;
        plan.settling = 0s;
        plan.network = "lan";
    }
    return plan;
}

Status measureOverlay(const Bench& bench, Report& report, const std::string& figure)
{
    const auto inside = runInside(bench, figure, kInsideLimit);
    if (!inside)
        return tl::unexpected<Error>(inside.error());
    if (!inside->skipped.empty()) {
        report.skip(figure, inside->skipped);
        return {};
    }
    for (const QByteArray& line : inside->output.split('\n'))
        if (!line.trimmed().isEmpty())
            report.relay(line.trimmed().toStdString());
    return {};
}

} // namespace

double loopbackBytes()
{
    return loopback("bytes").toDouble() - kEthernetBytes * loopback("packets").toDouble();
}

Status measureOverlayInside(const Bench& bench, const std::string& figure)
{
    if (auto up = support::mustRun(
            QStringLiteral("ip"),
            {QStringLiteral("link"), QStringLiteral("set"), QStringLiteral("lo"), QStringLiteral("up")});
        !up)
        return tl::unexpected<Error>(up.error());
    const OverlayPlan plan = planFor(bench, figure);
    const auto ours = runAgents(bench, plan);
    if (!ours)
        return tl::unexpected<Error>(ours.error());
    std::fprintf(stderr, "%s: %.0f bytes per node and notice; idle %.1f B/s, %.3f %% CPU per node\n",
                 figure.c_str(), ours->bytesPerNotice, ours->idleBytesPerSecond, ours->cpuPercent);
    std::optional<OverlayRun> peer;
    if (figure != "overlay-400") { // it does not form (performance.md 1.2)
        if (auto theirs = runSerf(bench, plan))
            peer = *theirs;
        else
            std::fprintf(stderr, "%s: no peer: %s\n", figure.c_str(), toString(theirs.error()).c_str());
    }
    Report report;
    if (figure == "overlay-100" || figure == "overlay-400")
        reportNotices(report, figure, *ours, peer, plan.nodes);
    const auto ofPeer = [&](double OverlayRun::*member) {
        return peer ? std::optional<double>((*peer).*member) : std::nullopt;
    };
    const bool isLan = plan.network == "lan";
    if (figure == "overlay-400")
        report.add({figure, "CPU of all, of two processors",
                    ours->cpuPercent * static_cast<double>(plan.nodes) / 2, "%", "", std::nullopt,
                    Holds::AtMost, 20});
    else if (figure != "overlay-100") {
        report.add({figure, isLan ? "sent per node, lan" : "sent per node, wan", ours->idleBytesPerSecond,
                    "B/s", peerName(peer), ofPeer(&OverlayRun::idleBytesPerSecond), Holds::AtMost,
                    isLan ? 60.0 : 30.0});
        report.add({figure, "CPU per node", ours->cpuPercent, "%", peerName(peer),
                    ofPeer(&OverlayRun::cpuPercent), Holds::AtMost, 0.05});
        if (ours->crashKnownSeconds)
            report.add({figure,
                        isLan ? "crash known by its neighbours, lan" : "crash known by its neighbours, wan",
                        *ours->crashKnownSeconds, "s", peer && peer->crashKnownSeconds ? "serf agent" : "",
                        peer ? peer->crashKnownSeconds : std::nullopt, Holds::AtMost, isLan ? 5.0 : 30.0});
    }
    return {};
}

Status measureOverlay100(const Bench& bench, Report& report)
{
    return measureOverlay(bench, report, "overlay-100");
}

Status measureOverlay400(const Bench& bench, Report& report)
{
    if (bench.isQuick)
        return {}; // as overlay-100
    return measureOverlay(bench, report, "overlay-400");
}

Status measureOverlayIdle(const Bench& bench, Report& report)
{
    if (bench.isQuick)
        return {}; // as overlay-crash
    return measureOverlay(bench, report, "overlay-idle");
}

Status measureOverlayCrash(const Bench& bench, Report& report)
{
    return measureOverlay(bench, report, "overlay-crash");
}

} // namespace starling::bench
