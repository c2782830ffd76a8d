// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace starling::sim {

namespace {

/// Six digits that count: enough for a measurement, and valid JSON.
std::string number(double value)
{
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), value >= 1e6 ? "%.0f" : "%.6g", value);
    return text.data();
}

std::string quoted(const std::string& text)
{
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return result + '"';
}

std::string milliseconds(const std::optional<Duration>& time)
{
    return time ? number(static_cast<double>(time->count()) / 1e6) : "null";
}

double seconds(Duration time)
{
    return static_cast<double>(time.count()) / 1e9;
}

double perSecond(double count, double time)
{
    return time > 0 ? count / time : 0;
}

double perNode(std::uint64_t count, const Outcome& outcome)
{
    return static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(outcome.nodes, 1));
}

std::string verificationName(Scenario::Verification verification)
{
    return verification == Scenario::Verification::Each ? "each" : "shared";
}

std::string linksName(Scenario::Links links)
{
    return links == Scenario::Links::Shipped ? "shipped" : "model";
}

double kibibytesPerNode(const Run& run)
{
    return perNode(run.peakResidentBytes, run.outcome) / 1024;
}

std::string expectationsJson(const Outcome& outcome)
{
    std::string text;
    for (const Judgement& judgement : outcome.judgements)
        text += (text.empty() ? "" : ",") + std::string("{\"expect\":") + quoted(judgement.expectation)
            + ",\"holds\":" + (judgement.holds ? "true" : "false") + ",\"found\":" + quoted(judgement.found)
            + "}";
    return "[" + text + "]";
}

std::string releasesJson(const Outcome& outcome)
{
    std::string text;
    for (const Spread& release : outcome.releases)
        text += (text.empty() ? "" : ",") + std::string("{\"at\":") + number(seconds(release.at))
            + ",\"reached\":" + std::to_string(release.reached) + ",\"median\":"
            + milliseconds(release.median) + ",\"p99\":" + milliseconds(release.p99) + ",\"last\":"
            + milliseconds(release.last) + ",\"redundancy\":" + number(release.redundancy) + "}";
    return "[" + text + "]";
}

std::string row(const std::string& name, const std::string& value)
{
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%-22s ", name.c_str());
    return text.data() + value + "\n";
}

} // namespace

std::string jsonLine(const Run& run)
{
    const Outcome& o = run.outcome;
    const auto events = static_cast<double>(o.events);
    std::string mishaps;
    for (const std::string& mishap : o.mishaps)
        mishaps += (mishaps.empty() ? "" : ",") + quoted(mishap);
    return "{\"scenario\":" + quoted(run.scenario) + ",\"seed\":" + std::to_string(run.seed) + ",\"nodes\":"
        + std::to_string(o.nodes) + ",\"verification\":" + quoted(verificationName(run.verification))
        + ",\"links\":" + quoted(linksName(run.links)) + ",\"events\":" + std::to_string(o.events)
        + ",\"virtual_seconds\":" + number(seconds(o.virtualTime)) + ",\"wall_seconds\":"
        + number(run.wallSeconds) + ",\"cpu_seconds\":" + number(run.cpuSeconds) + ",\"setup_seconds\":"
        + number(run.setupSeconds) + ",\"kib_per_node\":" + number(kibibytesPerNode(run))
        + ",\"events_per_second\":" + number(perSecond(events, run.cpuSeconds)) + ",\"times_real_time\":"
        + number(perSecond(seconds(o.virtualTime), run.wallSeconds)) + ",\"delivered_percent\":"
        + number(100 * o.delivered) + ",\"delivery_ms\":{\"median\":" + milliseconds(o.medianDelivery)
        + ",\"p99\":" + milliseconds(o.p99Delivery) + ",\"last\":" + milliseconds(o.lastDelivery) + "}"
        + ",\"releases\":" + releasesJson(o) + ",\"datagrams\":" + std::to_string(o.datagrams)
        + ",\"lost_datagrams\":" + std::to_string(o.lostDatagrams) + ",\"retransmissions\":"
        + std::to_string(o.retransmissions) + ",\"messages_per_node\":" + number(perNode(o.messages, o))
        + ",\"bytes_per_node\":" + number(perNode(o.datagramBytes, o)) + ",\"honest_bytes_per_node\":"
        + number(o.honestBytesPerNode) + ",\"notices_taken\":" + std::to_string(o.taken)
        + ",\"notices_refused\":" + std::to_string(o.refused) + ",\"redundancy\":" + number(o.redundancy)
        + ",\"trace\":" + quoted(o.trace.hex()) + ",\"expectations\":" + expectationsJson(o)
        + ",\"mishaps\":[" + mishaps + "]" + ",\"holds\":" + (o.holds() ? "true" : "false")
        + ",\"repeat\":" + quoted(run.repeat) + "}\n";
}

std::string table(const Run& run)
{
    const Outcome& o = run.outcome;
    const auto events = static_cast<double>(o.events);
    std::string text = row("scenario", run.scenario + ", seed " + std::to_string(run.seed))
        + row("nodes",
              std::to_string(o.nodes) + ", " + linksName(run.links) + " links, verification "
                  + verificationName(run.verification) + ", " + number(kibibytesPerNode(run))
                  + " KiB of memory each")
        + row("virtual time",
              number(seconds(o.virtualTime)) + " s in " + number(run.wallSeconds)
                  + " s: " + number(perSecond(seconds(o.virtualTime), run.wallSeconds))
                  + " times real time, after " + number(run.setupSeconds) + " s to make the fleet")
        + row("events",
              std::to_string(o.events) + ", " + number(perSecond(events, run.cpuSeconds))
                  + " a second of the processor")
        + row("delivered", number(100 * o.delivered) + " % of the nodes that are up")
        + row("time of delivery",
              "median " + milliseconds(o.medianDelivery) + " ms, 99 % " + milliseconds(o.p99Delivery)
                  + " ms, last " + milliseconds(o.lastDelivery) + " ms")
        + row("per node",
              number(perNode(o.messages, o)) + " messages, "
                  + toString(ByteCount{static_cast<std::uint64_t>(perNode(o.datagramBytes, o))}) + " sent")
        + row("datagrams",
              std::to_string(o.datagrams) + ", " + std::to_string(o.lostDatagrams) + " lost, "
                  + std::to_string(o.retransmissions) + " retransmissions")
        + row("notices",
              std::to_string(o.taken) + " taken, " + number(o.redundancy) + " superfluous for each, "
                  + std::to_string(o.refused) + " refused")
        + row("trace", o.trace.hex());
    for (const Judgement& judgement : o.judgements)
        text +=
            row(judgement.holds ? "holds" : "DOES NOT HOLD", judgement.expectation + ": " + judgement.found);
    for (const std::string& mishap : o.mishaps)
        text += row("NOT DONE", mishap);
    if (!o.holds())
        text += row("to see it again", run.repeat);
    return text;
}

} // namespace starling::sim
