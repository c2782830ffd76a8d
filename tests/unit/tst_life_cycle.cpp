// SPDX-License-Identifier: Apache-2.0
#include "update/life_cycle.h"

#include <QTest>

#include <set>

using namespace starling;
using namespace starling::update;

namespace {

constexpr auto kFirstPhase = static_cast<int>(Phase::Announced);
constexpr auto kLastPhase = static_cast<int>(Phase::RolledBack);
constexpr auto kLastEvent = static_cast<int>(Event::Resume);

ResourceUri uri()
{
    return ResourceUri::parse("fw/gateway").value();
}

InfoHash hashOf(char c)
{
    return InfoHash::fromBytes(viewOf(std::string(32, c))).value();
}

Record recordIn(Phase phase)
{
    Record record{.uri = uri(), .revision = {1, 7}, .infoHash = hashOf('h')};
    record.phase = phase;
    return record;
}

std::uint16_t number(Errc code)
{
    return static_cast<std::uint16_t>(code);
}

/// Takes the events one after the other and returns the last step.
Step walk(LifeCycle& cycle, std::initializer_list<Event> events)
{
    std::optional<Step> last;
    for (const Event event : events) {
        auto step = cycle.handle(event);
        if (!step)
            qFatal("%s", toString(step.error()).c_str());
        last = std::move(*step);
    }
    return *last;
}

// The contract, written out once more so that no row of the table changes unnoticed.
constexpr const char* kGolden =
    R"(announced    accept            -> accepted     prepare
announced    exclude           -> failed       conclude
announced    supersede         -> failed       conclude
accepted     start-download    -> downloading  download
accepted     supersede         -> failed       conclude
downloading  download-blocked  -> downloading  retry-download
downloading  payload-complete  -> verifying    verify
downloading  give-up           -> failed       conclude
downloading  supersede         -> failed       conclude
verifying    payload-verified  -> staged       offer
verifying    payload-wrong     -> downloading  download
verifying    give-up           -> failed       conclude
verifying    supersede         -> failed       conclude
staged       start-deploy      -> deploying    deploy
staged       supersede         -> failed       conclude
deploying    deployed          -> checking     check
deploying    deploy-failed     -> rolling-back roll-back
checking     check-passed      -> healthy      conclude
checking     check-failed      -> rolling-back roll-back
rolling-back rollback-done     -> rolled-back  conclude
rolling-back rollback-failed   -> failed       conclude
)";

} // namespace

class TestLifeCycle : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void printsTheTable() { QCOMPARE(printTransitions(), std::string(kGolden)); }

    void hasOneTransitionForAPair()
    {
        std::set<std::pair<Phase, Event>> pairs;
        for (const Transition& t : transitions())
            QVERIFY2(pairs.insert({t.from, t.event}).second, printTransitions().c_str());
    }

    void takesEveryPairOfTheTableAndRefusesEveryOther()
    {
        std::size_t taken = 0;
        for (int p = kFirstPhase; p <= kLastPhase; ++p) {
            for (int e = 0; e <= kLastEvent; ++e) {
                const auto phase = static_cast<Phase>(p);
                const auto event = static_cast<Event>(e);
                const auto table = transitions();
                const auto row = std::find_if(table.begin(), table.end(), [&](const Transition& t) {
                    return t.from == phase && t.event == event;
                });
                auto cycle = LifeCycle::restore(recordIn(phase), {});
                const auto step = cycle.handle(event);
                QCOMPARE(step.has_value(), row != table.end());
                if (!step) {
                    QCOMPARE(step.error().code, Errc::Refused);
                    QVERIFY(step.error().context.find(eventName(event)) != std::string::npos);
                    QVERIFY(cycle.record() == recordIn(phase));
                    continue;
                }
                ++taken;
                QCOMPARE(step->from, phase);
                QCOMPARE(step->event, event);
                QCOMPARE(step->effect, row->effect);
                QCOMPARE(step->record.phase, row->to);
                QVERIFY(step->record == cycle.record());
            }
        }
        QCOMPARE(taken, transitions().size());
    }

    void leadsFromEveryPhaseToAFinalOne()
    {
        std::set<Phase> ending;
        for (int p = kFirstPhase; p <= kLastPhase; ++p)
            if (isFinal(static_cast<Phase>(p)))
                ending.insert(static_cast<Phase>(p));
        QCOMPARE(ending.size(), std::size_t{3});
        for (const Transition& t : transitions())
            QVERIFY(!isFinal(t.from));
        for (int round = kFirstPhase; round <= kLastPhase; ++round)
            for (const Transition& t : transitions())
                if (ending.contains(t.to))
                    ending.insert(t.from);
        QCOMPARE(ending.size(), static_cast<std::size_t>(kLastPhase));
    }

    void namesEveryEventAndEffectOnce()
    {
        std::set<std::string_view> names;
        for (int e = 0; e <= kLastEvent; ++e)
            names.insert(eventName(static_cast<Event>(e)));
        QCOMPARE(names.size(), static_cast<std::size_t>(kLastEvent) + 1);
        names.clear();
        for (int e = 0; e <= static_cast<int>(Effect::Conclude); ++e)
            names.insert(effectName(static_cast<Effect>(e)));
        QCOMPARE(names.size(), static_cast<std::size_t>(Effect::Conclude) + 1);
    }

    void goesFromAnnouncedToHealthy()
    {
        auto cycle = LifeCycle::begin(uri(), {1, 7}, hashOf('h'), {});
        QVERIFY(cycle.record() == recordIn(Phase::Announced));
        const Step first = cycle.resume();
        QCOMPARE(first.effect, Effect::Decide);
        QVERIFY(first.record == recordIn(Phase::Announced));
        const Step last =
            walk(cycle,
                 {Event::Accept, Event::StartDownload, Event::PayloadComplete, Event::PayloadVerified,
                  Event::StartDeploy, Event::Deployed, Event::CheckPassed});
        QVERIFY(last.record == recordIn(Phase::Healthy));
        QCOMPARE(last.effect, Effect::Conclude);
    }

    void repeatsTheEffectOfEveryPhaseAfterARestart()
    {
        const std::map<Phase, Effect> effects{
            {Phase::Announced, Effect::Decide},     {Phase::Accepted, Effect::Prepare},
            {Phase::Downloading, Effect::Download}, {Phase::Verifying, Effect::Verify},
            {Phase::Staged, Effect::Offer},         {Phase::Deploying, Effect::Deploy},
            {Phase::Checking, Effect::Check},       {Phase::RollingBack, Effect::RollBack},
            {Phase::Healthy, Effect::Conclude},     {Phase::Failed, Effect::Conclude},
            {Phase::RolledBack, Effect::Conclude},
        };
        QCOMPARE(effects.size(), static_cast<std::size_t>(kLastPhase));
        for (const auto& [phase, effect] : effects) {
            auto cycle = LifeCycle::restore(recordIn(phase), {});
            const Step step = cycle.resume();
            Record expected = recordIn(phase);
            expected.attempts = isFinal(phase) ? 0 : 1;
            QVERIFY2(step.record == expected, std::string(trust::phaseName(phase)).c_str());
            QVERIFY(cycle.record() == expected);
            QCOMPARE(step.from, phase);
            QCOMPARE(step.event, Event::Resume);
            QCOMPARE(step.effect, effect);
        }
    }

    void goesOnWhereItWasAfterARestartInAnyPhase()
    {
        const std::initializer_list<Event> way{
            Event::Accept,      Event::StartDownload, Event::PayloadComplete, Event::PayloadVerified,
            Event::StartDeploy, Event::Deployed,      Event::CheckPassed};
        auto cycle = LifeCycle::begin(uri(), {1, 7}, hashOf('h'), {});
        for (const Event event : way) {
            cycle = LifeCycle::restore(cycle.record(), {});
            cycle.resume();
            QCOMPARE(cycle.record().attempts, 1u);
            QVERIFY(cycle.handle(event).has_value());
            QCOMPARE(cycle.record().attempts, 0u);
        }
        QVERIFY(cycle.record() == recordIn(Phase::Healthy));
    }

    void rollsBackWhatWasInterruptedTooOften_data()
    {
        QTest::addColumn<int>("phase");
        QTest::addColumn<int>("event");
        QTest::addColumn<int>("code");
        QTest::newRow("deployment") << int(Phase::Deploying) << int(Event::DeployFailed)
                                    << int(Errc::DeployFailed);
        QTest::newRow("health check")
            << int(Phase::Checking) << int(Event::CheckFailed) << int(Errc::HealthFailed);
    }

    void rollsBackWhatWasInterruptedTooOften()
    {
        QFETCH(int, phase);
        QFETCH(int, event);
        QFETCH(int, code);
        Record stored = recordIn(static_cast<Phase>(phase));
        for (std::uint32_t interrupted = 1; interrupted < 3; ++interrupted) {
            auto cycle = LifeCycle::restore(stored, {});
            stored = cycle.resume().record;
            QCOMPARE(stored.phase, static_cast<Phase>(phase));
            QCOMPARE(stored.attempts, interrupted);
        }
        auto cycle = LifeCycle::restore(stored, {});
        const Step step = cycle.resume();
        QCOMPARE(step.event, static_cast<Event>(event));
        QCOMPARE(step.effect, Effect::RollBack);
        QCOMPARE(step.record.phase, Phase::RollingBack);
        QCOMPARE(int(step.record.code), code);
        QCOMPARE(step.record.attempts, 0u);
        QVERIFY(!step.record.detail.empty());
    }

    void repeatsARollbackForEver()
    {
        Record stored = recordIn(Phase::RollingBack);
        stored.attempts = 4'294'967'295u;
        auto cycle = LifeCycle::restore(stored, {});
        const Step step = cycle.resume();
        QCOMPARE(step.effect, Effect::RollBack);
        QCOMPARE(step.record.attempts, 4'294'967'295u);
    }

    void givesUpOnAPayloadThatIsWrongTooOften()
    {
        auto cycle = LifeCycle::restore(recordIn(Phase::Downloading), {});
        for (std::uint32_t wrong = 1; wrong < 3; ++wrong) {
            const Step again = walk(cycle, {Event::PayloadComplete, Event::PayloadWrong});
            QCOMPARE(again.effect, Effect::Download);
            QCOMPARE(again.record.wrongPayloads, wrong);
            QCOMPARE(again.record.code, number(Errc::PayloadMismatch));
            cycle = LifeCycle::restore(again.record, {}); // a restart does not start the count anew
        }
        const Step last = walk(cycle, {Event::PayloadComplete, Event::PayloadWrong});
        QCOMPARE(last.event, Event::GiveUp);
        QCOMPARE(last.effect, Effect::Conclude);
        QCOMPARE(last.record.phase, Phase::Failed);
        QCOMPARE(last.record.code, number(Errc::PayloadMismatch));
    }

    void waitsLongerAfterEachBlockedDownload()
    {
        using std::chrono::minutes;
        using std::chrono::seconds;
        auto cycle = LifeCycle::restore(recordIn(Phase::Downloading), {});
        QVERIFY(cycle.retryDelay() == seconds(5));
        Duration expected = seconds(5);
        for (int i = 0; i < 40; ++i) {
            const auto step = cycle.handle(Event::DownloadBlocked, Error{Errc::QuotaExceeded, "8 GiB"});
            QVERIFY(step.has_value());
            QCOMPARE(step->effect, Effect::RetryDownload);
            QCOMPARE(step->record.attempts, static_cast<std::uint32_t>(i) + 1);
            QCOMPARE(step->record.code, number(Errc::QuotaExceeded));
            QVERIFY(cycle.retryDelay() == expected);
            expected = std::min<Duration>(expected * 2, minutes(10));
        }
        QVERIFY(cycle.retryDelay() == minutes(10));
    }

    void clearsTroubleThatIsOver()
    {
        auto cycle = LifeCycle::restore(recordIn(Phase::Downloading), {});
        QVERIFY(cycle.handle(Event::DownloadBlocked, Error{Errc::DiskFull, "no space"}).has_value());
        QCOMPARE(cycle.record().detail, std::string("no space"));
        QVERIFY(cycle.handle(Event::PayloadComplete).has_value());
        QCOMPARE(cycle.record().code, std::uint16_t{0});
        QVERIFY(cycle.record().detail.empty());
    }

    void keepsWhyItRolledBack()
    {
        auto cycle = LifeCycle::restore(recordIn(Phase::Deploying), {});
        QVERIFY(cycle.handle(Event::DeployFailed, Error{Errc::DeployTimeout, "after 300 s"}).has_value());
        const auto done = cycle.handle(Event::RollbackDone);
        QVERIFY(done.has_value());
        QCOMPARE(done->record.phase, Phase::RolledBack);
        QCOMPARE(done->record.code, number(Errc::DeployTimeout));
        QCOMPARE(done->record.detail, std::string("after 300 s"));
    }

    void keepsTheTroubleThatItGivesUpOn()
    {
        auto cycle = LifeCycle::restore(recordIn(Phase::Downloading), {});
        QVERIFY(cycle.handle(Event::DownloadBlocked, Error{Errc::QuotaExceeded, "8 GiB"}).has_value());
        const auto step = cycle.handle(Event::GiveUp);
        QVERIFY(step.has_value());
        QCOMPARE(step->record.code, number(Errc::QuotaExceeded));
        QCOMPARE(step->record.detail, std::string("8 GiB"));
    }

    void setsACodeForTroubleWithoutParticulars()
    {
        const std::map<std::pair<Phase, Event>, Errc> codes{
            {{Phase::Announced, Event::Exclude}, Errc::Incompatible},
            {{Phase::Announced, Event::Supersede}, Errc::Superseded},
            {{Phase::Staged, Event::Supersede}, Errc::Superseded},
            {{Phase::Downloading, Event::DownloadBlocked}, Errc::DiskFull},
            {{Phase::Downloading, Event::GiveUp}, Errc::Timeout},
            {{Phase::Verifying, Event::PayloadWrong}, Errc::PayloadMismatch},
            {{Phase::Deploying, Event::DeployFailed}, Errc::DeployFailed},
            {{Phase::Checking, Event::CheckFailed}, Errc::HealthFailed},
            {{Phase::RollingBack, Event::RollbackFailed}, Errc::RollbackFailed},
        };
        for (const auto& [pair, code] : codes) {
            auto cycle = LifeCycle::restore(recordIn(pair.first), {});
            const auto step = cycle.handle(pair.second);
            QVERIFY(step.has_value());
            QCOMPARE(step->record.code, number(code));
        }
    }

    void makesPlainTextOfDetails()
    {
        auto cycle = LifeCycle::restore(recordIn(Phase::Deploying), {});
        const std::string said = std::string("line 1\nline\t2\x1b[31m\xff\0", 20) + std::string(1000, 'x');
        QVERIFY(cycle.handle(Event::DeployFailed, Error{Errc::DeployFailed, said}).has_value());
        const std::string& detail = cycle.record().detail;
        QCOMPARE(detail.size(), kMaxDetailBytes);
        QVERIFY(detail.starts_with("line 1 line 2?[31m??"));
        QVERIFY(std::all_of(detail.begin(), detail.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    }
};

QTEST_GUILESS_MAIN(TestLifeCycle)
#include "tst_life_cycle.moc"
