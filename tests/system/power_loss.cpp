// SPDX-License-Identifier: Apache-2.0
#include "power_loss.h"

#include <algorithm>
#include <csignal>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using node::StepMoment;
using trust::Phase;

namespace {

const std::string kCrashing = std::string(STARLING_BINARY_DIR) + "/tests/starling-agent-crashing";
constexpr auto kDeathLimit = 90s; // most of it for busy machines

const char* momentName(StepMoment moment)
{
    return moment == StepMoment::BeforeWrite ? "before" : "after";
}

std::string line(const char* action, const Spot& spot, std::uint64_t version)
{
    return std::string(action) + " " + toString(spot) + " " + std::to_string(version) + "\n";
}

/// In which phase the record is after the death; nothing: there is none.
std::optional<Phase> phaseAt(const Spot& spot)
{
    if (spot.event == "begin")
        return spot.moment == StepMoment::BeforeWrite ? std::optional<Phase>() : Phase::Announced;
    for (const update::Transition& transition : update::transitions())
        if (spot.moment == StepMoment::AfterWrite && transition.from == spot.from
            && update::eventName(transition.event) == spot.event)
            return transition.to;
    return spot.from;
}

} // namespace

std::string toString(const Spot& spot)
{
    return std::string(trust::phaseName(spot.from)) + " " + spot.event + " " + momentName(spot.moment);
}

// --- What scenarios are made of

PowerLoss::Device PowerLoss::newDevice(const std::string& name, const support::Overrides& overrides)
{
    Device device;
    device.index = m_next++;
    device.outcome.name = name;
    if (device.index >= m_fleet.size())
        qFatal("the fleet is too small for %zu devices", device.index + 1);
    if (auto configured = m_fleet.configure(device.index, overrides); !configured)
        fail(device, toString(configured.error()));
    return device;
}

std::size_t PowerLoss::giveSeed(Device& device)
{
    const std::size_t seed = m_next++;
    if (seed >= m_fleet.size())
        qFatal("the fleet is too small for %zu devices", seed + 1);
    auto configured = m_fleet.configure(seed, {{"agent.deploy", "none"}});
    if (configured)
        configured =
            m_fleet.configure(device.index, {{"agent.neighbours", toString(m_fleet.endpoint(seed))}});
    if (configured)
        configured = m_fleet.start(seed);
    if (!configured)
        fail(device, "seed: " + toString(configured.error()));
    return seed;
}

void PowerLoss::plan(const Device& device, const std::string& lines)
{
    writeText(file(device, "crash.plan"), lines);
    std::error_code error;
    fs::remove(file(device, "crash.reached"), error);
}

void PowerLoss::fail(Device& device, const std::string& problem)
{
    if (device.outcome.problem.empty())
        device.outcome.problem =
            problem + "\n  " + describe(m_fleet, device.index) + "\n" + tailOf(m_fleet.log(device.index));
}

bool PowerLoss::startCrashing(Device& device)
{
    if (auto started = m_fleet.start(device.index, kCrashing);
        !started && m_fleet.waitForEnd(device.index, 0s) != -SIGKILL)
        fail(device, toString(started.error()));
    return device.outcome.problem.empty();
}

bool PowerLoss::startNormal(Device& device)
{
    if (auto started = m_fleet.start(device.index); !started)
        fail(device, toString(started.error()));
    return device.outcome.problem.empty();
}

bool PowerLoss::expectPush(Device& device, std::size_t agent, const Release& release)
{
    const support::CommandResult pushed = push(m_fleet, agent, release);
    if (pushed.exitCode != 0)
        fail(device,
             "push ended with " + std::to_string(pushed.exitCode) + ": " + pushed.errors.toStdString());
    return device.outcome.problem.empty();
}

bool PowerLoss::expectPhase(Device& device, std::uint64_t version, Phase phase, const std::string& uri)
{
    if (!waitForPhase(m_fleet, device.index, version, phase, uri))
        fail(device,
             "version " + std::to_string(version) + " is not " + std::string(trust::phaseName(phase)));
    return device.outcome.problem.empty();
}

bool PowerLoss::expectRoot(Device& device, std::uint64_t version, std::optional<Phase> phase)
{
    const auto inPlace = installedVersion(m_fleet.deviceRoot(device.index));
    if (!inPlace) {
        fail(device, toString(inPlace.error()));
        return false;
    }
    const bool mayBeNew = phase && *phase >= Phase::Deploying;
    const bool mustBeNew = phase == Phase::Healthy;
    if ((*inPlace == device.previous && !mustBeNew) || (*inPlace == version && mayBeNew))
        return true;
    fail(device, "version " + std::to_string(*inPlace) + " is in place");
    return false;
}

bool PowerLoss::expectDeath(Device& device, const Spot& spot, std::uint64_t version)
{
    if (!device.outcome.problem.empty())
        return false;
    const auto end = m_fleet.waitForEnd(device.index, kDeathLimit);
    if (end != -SIGKILL || fs::exists(file(device, "crash.plan"))) {
        fail(device,
             "was not hit at " + toString(spot)
                 + (end ? ": it ended with " + std::to_string(*end) : ": it runs on"));
        return false;
    }
    device.outcome.hits.insert(spot);
    const auto phase = phaseAt(spot);
    if (!expectRoot(device, version, phase))
        return false;
    const auto kept = readState(m_fleet.state(device.index));
    if (!kept) {
        fail(device, "state after " + toString(spot) + ": " + toString(kept.error()));
        return false;
    }
    const auto record = kept->records.find(version);
    const auto found = record == kept->records.end() ? std::optional<Phase>() : record->second.phase;
    if (found != phase)
        fail(device,
             "after " + toString(spot) + " the record says "
                 + std::string(found ? trust::phaseName(*found) : "nothing"));
    if (kept->floor < device.previous || (phase && kept->floor < version))
        fail(device, "after " + toString(spot) + " the floor is " + std::to_string(kept->floor));
    if (kept->installed != (phase == Phase::Healthy ? version : device.previous))
        fail(device,
             "after " + toString(spot) + " version " + std::to_string(kept->installed)
                 + " is noted as in place");
    return device.outcome.problem.empty();
}

bool PowerLoss::dieResuming(Device& device, const Spot& spot, std::uint64_t version)
{
    const auto phase = phaseAt(spot);
    if (spot.moment == StepMoment::BeforeWrite || !phase || update::isFinal(*phase))
        return device.outcome.problem.empty();
    for (const StepMoment moment : {StepMoment::BeforeWrite, StepMoment::AfterWrite}) {
        const Spot resumption{*phase, "resume", moment};
        plan(device, line("kill", resumption, version));
        if (!startCrashing(device) || !expectDeath(device, resumption, version))
            return false;
    }
    return true;
}

void PowerLoss::expectEnd(Device& device, std::uint64_t version, Phase phase, std::uint64_t inPlace)
{
    if (!device.outcome.problem.empty() || !expectPhase(device, version, phase))
        return;
    if (auto stopped = m_fleet.stop(device.index); !stopped)
        return fail(device, toString(stopped.error()));
    const auto found = installedVersion(m_fleet.deviceRoot(device.index));
    if (!found || *found != inPlace)
        return fail(device,
                    "in the end " + (found ? "version " + std::to_string(*found) : toString(found.error()))
                        + " is in place");
    const auto kept = readState(m_fleet.state(device.index));
    if (!kept)
        return fail(device, "state in the end: " + toString(kept.error()));
    for (const auto& [each, record] : kept->records)
        if (!update::isFinal(record.phase) && record.phase != phase)
            fail(device,
                 "in the end version " + std::to_string(each) + " is "
                     + std::string(trust::phaseName(record.phase)));
    if (kept->floor != version)
        fail(device, "in the end the floor is " + std::to_string(kept->floor));
    if (kept->installed != (phase == Phase::Healthy ? version : device.previous))
        fail(device, "in the end version " + std::to_string(kept->installed) + " is noted as in place");
}

Outcome PowerLoss::finish(Device& device)
{
    m_fleet.kill(device.index);
    return device.outcome;
}

// --- Scenarios

Outcome PowerLoss::pushed(const Pushed& run)
{
    Device device =
        newDevice(run.release->payload.filename().string() + (run.hasPrevious ? " over 1" : " over nothing"),
                  {{"agent.labels", "model=b"}});
    plan(device, line("kill", run.spot, 2));
    if (!startCrashing(device))
        return finish(device);
    if (run.hasPrevious) {
        if (!expectPush(device, device.index, m_releases.previous) || !expectPhase(device, 1, Phase::Healthy))
            return finish(device);
        device.previous = 1;
    }
    push(m_fleet, device.index, *run.release); // whose agent dies
    if (!expectDeath(device, run.spot, 2) || !dieResuming(device, run.spot, 2) || !startNormal(device))
        return finish(device);
    // Whoever pushed was told that nothing came of it.
    if (!updateOf(m_fleet, device.index, 2))
        expectPush(device, device.index, *run.release);
    expectEnd(device, 2, run.end, run.inPlace);
    return finish(device);
}

Outcome PowerLoss::supersededUnwritten(const Spot& spot)
{
    Device device = newDevice("superseded while nothing can be written", {});
    const std::size_t seed = giveSeed(device);
    const Spot begun{Phase::Announced, "begin", StepMoment::AfterWrite};
    const std::string rest =
        line("room", {Phase::Announced, "begin", StepMoment::BeforeWrite}, 2) + line("kill", spot, 1);
    if (spot.from == Phase::Announced) {
        // Version 1 is announced when the power goes; after that, going on with it cannot be written.
        plan(device, line("kill", begun, 1));
        if (!startCrashing(device) || !expectPush(device, seed, m_releases.previous)
            || !expectDeath(device, begun, 1))
            return finish(device);
        plan(device, line("full", {Phase::Announced, "resume", StepMoment::BeforeWrite}, 1) + rest);
        startCrashing(device);
    } else {
        plan(device, line("full", {Phase::Announced, "accept", StepMoment::BeforeWrite}, 1) + rest);
        if (startCrashing(device))
            expectPush(device, seed, m_releases.previous);
    }
    if (!support::waitUntil([&] { return fs::exists(file(device, "crash.reached")); }, kDeathLimit))
        fail(device, "the disk does not become full");
    expectPush(device, seed, m_releases.good);
    if (!device.outcome.problem.empty())
        return finish(device);
    // Only its end became durable, or not even that: what was decided meanwhile could not be written.
    const auto end = m_fleet.waitForEnd(device.index, kDeathLimit);
    const auto kept = end == -SIGKILL ? readState(m_fleet.state(device.index))
                                      : Result<Kept>(starling::fail(Errc::Timeout, "it runs on"));
    if (!kept) {
        fail(device, toString(kept.error()));
        return finish(device);
    }
    device.outcome.hits.insert(spot);
    const Phase expected = spot.moment == StepMoment::BeforeWrite ? Phase::Announced : Phase::Failed;
    if (!kept->records.contains(1) || kept->records.at(1).phase != expected || kept->floor != 2)
        fail(device,
             "after " + toString(spot) + " floor " + std::to_string(kept->floor) + " and another record");
    expectRoot(device, 1, expected == Phase::Failed ? std::nullopt : std::optional(expected));
    if (startNormal(device))
        expectEnd(device, 2, Phase::Healthy, 2);
    m_fleet.kill(seed);
    return finish(device);
}

Outcome PowerLoss::blockedByQuota(const Spot& spot)
{
    Device device = newDevice("quota", {{"swarm.quota", "500 KiB"}});
    const std::size_t seed = giveSeed(device);
    plan(device, line("kill", spot, 1));
    const bool isBlocked = startCrashing(device) && expectPush(device, device.index, m_releases.other)
        && expectPhase(device, 1, Phase::Healthy, m_releases.other.uri)
        && expectPush(device, seed, m_releases.large);
    const bool isSuperseded = spot.event == "supersede";
    if (isBlocked && isSuperseded) {
        expectPhase(device, 1, Phase::Downloading);
        expectPush(device, seed, m_releases.largeNext);
    }
    if (!isBlocked || !expectDeath(device, spot, 1))
        return finish(device);
    if (auto configured = m_fleet.configure(device.index, {{"swarm.quota", "8 MiB"}}); !configured)
        fail(device, toString(configured.error()));
    if (dieResuming(device, spot, 1) && startNormal(device))
        expectEnd(device, isSuperseded ? 2 : 1, Phase::Healthy, isSuperseded ? 2 : 1);
    m_fleet.kill(seed);
    return finish(device);
}

Outcome PowerLoss::tooLargeForQuota(const Spot& spot)
{
    Device device = newDevice("larger than the quota", {{"swarm.quota", "100 KiB"}});
    const std::size_t seed = giveSeed(device);
    plan(device, line("kill", spot, 1));
    if (startCrashing(device) && expectPush(device, seed, m_releases.large) && expectDeath(device, spot, 1)
        && startNormal(device))
        expectEnd(device, 1, Phase::Failed, 0);
    m_fleet.kill(seed);
    return finish(device);
}

Outcome PowerLoss::damaged(const Spot& spot)
{
    const bool givesUp = spot.event == "give-up";
    Device device = newDevice(givesUp ? "damaged on disk twice" : "damaged on disk", {});
    const std::size_t seed = giveSeed(device);
    const std::string damage =
        line("damage", {Phase::Downloading, "payload-complete", StepMoment::AfterWrite}, 1);
    plan(device, damage + (givesUp ? damage : "") + line("kill", spot, 1));
    if (!startCrashing(device) || !expectPush(device, seed, m_releases.previous)
        || !expectDeath(device, spot, 1) || !startNormal(device))
        return finish(device);
    // The normal agent has a third try.
    if (givesUp && spot.moment == StepMoment::AfterWrite)
        expectEnd(device, 1, Phase::Failed, 0);
    else
        expectEnd(device, 1, Phase::Healthy, 1);
    m_fleet.kill(seed);
    return finish(device);
}

Outcome PowerLoss::supersededVerifying(const Spot& spot)
{
    Device device = newDevice("superseded while verified", {});
    const std::size_t seed = giveSeed(device);
    plan(device,
         line("stall", {Phase::Downloading, "payload-complete", StepMoment::AfterWrite}, 1)
             + line("kill", spot, 1));
    if (!startCrashing(device) || !expectPush(device, seed, m_releases.previous))
        return finish(device);
    if (!support::waitUntil([&] { return fs::exists(file(device, "crash.reached")); }, kDeathLimit))
        fail(device, "version 1 does not arrive");
    if (expectPush(device, seed, m_releases.good) && expectDeath(device, spot, 1) && startNormal(device))
        expectEnd(device, 2, Phase::Healthy, 2);
    m_fleet.kill(seed);
    return finish(device);
}

Outcome PowerLoss::supersededStaged(const Spot& spot)
{
    Device device = newDevice("superseded on a relay", {{"agent.deploy", "none"}});
    plan(device, line("kill", spot, 1));
    if (!startCrashing(device) || !expectPush(device, device.index, m_releases.previous)
        || !expectPhase(device, 1, Phase::Staged))
        return finish(device);
    push(m_fleet, device.index, m_releases.good); // whose agent dies
    if (expectDeath(device, spot, 1) && startNormal(device))
        expectEnd(device, 2, Phase::Staged, 0);
    return finish(device);
}

} // namespace starling::scenario
