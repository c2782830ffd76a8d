// SPDX-License-Identifier: Apache-2.0
/// SIGKILL before and after every transition of the life cycle, in situations that really lead to it; then
/// the agent is started again. Prints which transitions were hit, and fails if one was not.
#include "power_loss.h"

#include <QtTest>

#include <cstdio>
#include <functional>
#include <mutex>
#include <thread>

namespace starling::scenario {

using node::StepMoment;
using trust::Phase;

namespace {

constexpr std::size_t kDevices = 120;
/// Scenarios mostly wait: for disks, processes and timers.
constexpr unsigned kThreads = 4;
constexpr StepMoment kMoments[] = {StepMoment::BeforeWrite, StepMoment::AfterWrite};

using Scenario = std::function<Outcome()>;

Releases makeReleases(const support::Fleet& fleet, const std::filesystem::path& parent)
{
    const auto make = [&](const PayloadPlan& plan, const QStringList& more = {}) {
        return makeRelease(fleet, parent, plan, deployOptions(more));
    };
    Releases all;
    all.previous = make({.version = 1, .name = "previous"});
    all.good = make({.version = 2, .name = "good"});
    all.badInstall = make({.version = 2, .name = "bad-install", .installEnds = "exit 7"});
    all.badCheck = make({.version = 2, .name = "bad-check", .checkEnds = "exit 9"});
    all.undone = make({.version = 2, .name = "undone", .checkEnds = "exit 9"},
                      {QStringLiteral("--rollback"), QStringLiteral("undo.sh")});
    all.excluded =
        make({.version = 2, .name = "excluded"}, {QStringLiteral("--require"), QStringLiteral("model=a")});
    all.large = make({.version = 1, .name = "large", .partBytes = 150'000});
    all.largeNext = make({.version = 2, .name = "large-next"});
    all.other = makeRelease(fleet, parent, {.version = 1, .name = "other", .partBytes = 150'000},
                            {QStringLiteral("--deploy"), QStringLiteral("none")}, "fw/other");
    return all;
}

void addPushes(std::vector<Scenario>& scenarios, PowerLoss& bench, const Releases& releases)
{
    const std::vector<std::pair<Phase, std::string>> way{{Phase::Announced, "begin"},
                                                         {Phase::Announced, "accept"},
                                                         {Phase::Accepted, "start-download"},
                                                         {Phase::Downloading, "payload-complete"},
                                                         {Phase::Verifying, "payload-verified"},
                                                         {Phase::Staged, "start-deploy"},
                                                         {Phase::Deploying, "deployed"},
                                                         {Phase::Checking, "check-passed"}};
    std::vector<PowerLoss::Pushed> plans;
    for (const StepMoment moment : kMoments) {
        for (const auto& [from, event] : way)
            for (const bool hasPrevious : {true, false})
                plans.push_back({{from, event, moment}, &releases.good, hasPrevious, Phase::Healthy, 2});
        plans.push_back({{Phase::Announced, "exclude", moment}, &releases.excluded, true, Phase::Failed, 1});
        plans.push_back(
            {{Phase::Deploying, "deploy-failed", moment}, &releases.badInstall, true, Phase::RolledBack, 1});
        plans.push_back(
            {{Phase::Deploying, "deploy-failed", moment}, &releases.badInstall, false, Phase::Failed, 0});
        plans.push_back(
            {{Phase::Checking, "check-failed", moment}, &releases.badCheck, true, Phase::RolledBack, 1});
        plans.push_back(
            {{Phase::RollingBack, "rollback-done", moment}, &releases.badCheck, true, Phase::RolledBack, 1});
        plans.push_back(
            {{Phase::RollingBack, "rollback-done", moment}, &releases.undone, false, Phase::RolledBack, 0});
        // Nothing to go back to: the version that is in place stays, wholly.
        plans.push_back(
            {{Phase::RollingBack, "rollback-failed", moment}, &releases.badCheck, false, Phase::Failed, 2});
    }
    for (const PowerLoss::Pushed& plan : plans)
        scenarios.push_back([&bench, plan] { return bench.pushed(plan); });
}

void addOthers(std::vector<Scenario>& scenarios, PowerLoss& bench)
{
    for (const StepMoment moment : kMoments) {
        const auto add = [&](Phase from, const char* event, Outcome (PowerLoss::*run)(const Spot&)) {
            scenarios.push_back(
                [&bench, run, spot = Spot{from, event, moment}] { return (bench.*run)(spot); });
        };
        add(Phase::Announced, "supersede", &PowerLoss::supersededUnwritten);
        add(Phase::Accepted, "supersede", &PowerLoss::supersededUnwritten);
        add(Phase::Downloading, "download-blocked", &PowerLoss::blockedByQuota);
        add(Phase::Downloading, "supersede", &PowerLoss::blockedByQuota);
        add(Phase::Downloading, "give-up", &PowerLoss::tooLargeForQuota);
        add(Phase::Verifying, "payload-wrong", &PowerLoss::damaged);
        add(Phase::Verifying, "give-up", &PowerLoss::damaged);
        add(Phase::Verifying, "supersede", &PowerLoss::supersededVerifying);
        add(Phase::Staged, "supersede", &PowerLoss::supersededStaged);
    }
}

std::vector<Outcome> runAll(const std::vector<Scenario>& scenarios)
{
    std::vector<Outcome> outcomes;
    std::mutex mutex;
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < scenarios.size(); i = next++) {
                Outcome outcome = scenarios[i]();
                const std::lock_guard lock(mutex);
                outcomes.push_back(std::move(outcome));
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    return outcomes;
}

/// The rows: every transition, the begin, and the resumption of every phase that is not final.
std::vector<std::pair<Phase, std::string>> allRows()
{
    std::vector<std::pair<Phase, std::string>> rows{{Phase::Announced, "begin"}};
    for (const update::Transition& transition : update::transitions())
        rows.emplace_back(transition.from, update::eventName(transition.event));
    std::set<Phase> resumed;
    for (const update::Transition& transition : update::transitions())
        if (resumed.insert(transition.from).second)
            rows.emplace_back(transition.from, "resume");
    return rows;
}

} // namespace

class TestPowerLoss : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void goesOnAfterEveryTransition()
    {
        QTemporaryDir directory;
        QVERIFY(directory.isValid());
        auto fleet =
            support::Fleet::create({.directory = directory.path().toStdString(),
                                    .programs = programs(),
                                    .agents = kDevices,
                                    .agentProgram = "starling-agent",
                                    .neighbors = [](std::size_t) { return std::vector<std::size_t>(); }});
        QVERIFY2(fleet.has_value(), fleet ? "" : toString(fleet.error()).c_str());
        const Releases releases = makeReleases(**fleet, directory.path().toStdString());
        PowerLoss bench(**fleet, releases);
        std::vector<Scenario> scenarios;
        addOthers(scenarios, bench); // the longer ones first
        addPushes(scenarios, bench, releases);
        const std::vector<Outcome> outcomes = runAll(scenarios);

        std::set<Spot> hits;
        int problems = 0;
        for (const Outcome& outcome : outcomes) {
            hits.insert(outcome.hits.begin(), outcome.hits.end());
            problems += outcome.problem.empty() ? 0 : 1;
            if (!outcome.problem.empty())
                std::printf("PROBLEM: %s: %s\n", outcome.name.c_str(), outcome.problem.c_str());
        }
        int missed = 0;
        std::printf("\n%-14s %-18s %-8s %-8s\n", "phase", "event", "before", "after");
        for (const auto& [from, event] : allRows()) {
            const bool before = hits.contains({from, event, StepMoment::BeforeWrite});
            const bool after = hits.contains({from, event, StepMoment::AfterWrite});
            missed += (before ? 0 : 1) + (after ? 0 : 1);
            std::printf("%-14s %-18s %-8s %-8s\n", std::string(trust::phaseName(from)).c_str(), event.c_str(),
                        before ? "hit" : "MISSED", after ? "hit" : "MISSED");
        }
        std::printf("%zu scenarios, %d with a problem, %d spots missed\n", outcomes.size(), problems, missed);
        std::fflush(stdout);
        QCOMPARE(missed, 0);
        QCOMPARE(problems, 0);
    }

    /// The one that was being deployed goes on before the one that waited for its turn, and each gets its own
    /// outcome.
    void keepsTwoReleasesApart()
    {
        QTemporaryDir directory;
        QVERIFY(directory.isValid());
        const std::filesystem::path work = directory.path().toStdString();
        const auto fleet = makeFleet(directory, {.agents = 1});
        const Release waiting = makeRelease(*fleet, work, {.name = "waiting"}, deployOptions());
        // It is over when this test says so, however long the rest takes.
        const Release failing =
            makeRelease(*fleet, work,
                        {.name = "failing",
                         .installEnds = "echo begun >> \"$STARLING_ROOT/begun\"\n"
                                        "until [ -e \"$STARLING_ROOT/go-on\" ]; do sleep 0.1; done\nexit 7"},
                        deployOptions(), "fw/alpha");
        const auto begins = [&](std::size_t times) {
            return support::waitUntil(
                [&] { return readText(fleet->deviceRoot(0) / "begun").size() == times * 6; }, // "begun\n"
                std::chrono::seconds(90));
        };
        QVERIFY(start(*fleet, 0));
        QCOMPARE(push(*fleet, 0, failing).exitCode, 0);
        QVERIFY2(begins(1), describe(*fleet, 0).c_str());
        QCOMPARE(push(*fleet, 0, waiting).exitCode, 0);
        QVERIFY2(waitForPhase(*fleet, 0, 1, Phase::Staged), describe(*fleet, 0).c_str());
        fleet->kill(0);
        QVERIFY(start(*fleet, 0));
        QVERIFY2(begins(2), describe(*fleet, 0).c_str());
        const auto waits = updateOf(*fleet, 0, 1);
        QVERIFY2(waits && waits->phase == Phase::Staged, describe(*fleet, 0).c_str());
        writeText(fleet->deviceRoot(0) / "go-on", "");
        QVERIFY2(waitForPhase(*fleet, 0, 1, Phase::Healthy), describe(*fleet, 0).c_str());
        const auto failed = updateOf(*fleet, 0, 1, "fw/alpha");
        QVERIFY2(failed && failed->phase == Phase::Failed, describe(*fleet, 0).c_str());
        QCOMPARE(failed->code, static_cast<std::uint16_t>(Errc::DeployFailed));
        QCOMPARE(installedVersion(fleet->deviceRoot(0)).value_or(0), 1u);
    }
};

} // namespace starling::scenario

using starling::scenario::TestPowerLoss;
QTEST_GUILESS_MAIN(TestPowerLoss)
#include "tst_power_loss.moc"
