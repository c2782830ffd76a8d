// SPDX-License-Identifier: Apache-2.0
/// The fleet that is looked at: what its observer is told, and that each story is what it is called.
#include "crypto/signing.h"
#include "sim/demo_fleet.h"

#include <QtTest>

using namespace starling;
using namespace starling::sim;
using namespace std::chrono_literals;

namespace {

constexpr Duration kSlowest = 250s; ///< the slow site has it by then, before the third release comes

/// The newest receipt of each device, as of some time.
class Watch
{
public:
    explicit Watch(const DemoConfig& config)
        : fleet(config)
    {
    }
    void until(Duration time)
    {
        while (fleet.advance(time, 10'000)) { }
        for (board::DeviceReceipt& receipt : fleet.collect()) {
            const NodeId node = receipt.receipt.node;
            heard.push_back(receipt);
            newest.insert_or_assign(node, std::move(receipt));
        }
    }
    /// Devices at that version and phase; of `site`, if it is not empty.
    std::size_t count(std::uint64_t version, trust::Phase phase, const std::string& label = {},
                      const std::string& value = {}) const
    {
        return static_cast<std::size_t>(std::count_if(newest.begin(), newest.end(), [&](const auto& each) {
            const board::DeviceReceipt& device = each.second;
            return !device.receipt.entries.empty() && device.receipt.entries[0].revision.version == version
                && device.receipt.entries[0].phase == phase
                && (label.empty() || device.certificate.labels.at(label) == value);
        }));
    }
    std::size_t ofLabel(const std::string& label, const std::string& value) const
    {
        return static_cast<std::size_t>(std::count_if(newest.begin(), newest.end(), [&](const auto& each) {
            return each.second.certificate.labels.at(label) == value;
        }));
    }
    DemoFleet fleet;
    std::vector<board::DeviceReceipt> heard;
    std::map<NodeId, board::DeviceReceipt> newest;
};

bool isSame(const board::DeviceReceipt& a, const board::DeviceReceipt& b)
{
    return a.receipt == b.receipt && a.certificate == b.certificate;
}

/// Four devices at each site, and two slots.
class Sites final : public Cast
{
public:
    std::string name(NodeIndex) const override { return {}; }
    std::map<std::string, std::string> labels(NodeIndex) const override { return {}; }
    Duration payloadTime(NodeIndex, std::uint64_t) const override { return 1s; }
    unsigned uploadSlots(std::uint64_t version) const override { return version == 1 ? 100 : 2; }
    std::size_t site(NodeIndex device) const override { return device / 4; }
    std::vector<Stage> course(NodeIndex, std::uint64_t) const override { return {}; }
};

} // namespace

class TestDemoFleet : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void beginsWithAFleetThatIsHealthy_data()
    {
        QTest::addColumn<unsigned>("devices");
        QTest::newRow("the least") << DemoConfig::kLeastDevices;
        QTest::newRow("shipped links") << 10U;
        QTest::newRow("model links") << 40U;
    }
    void beginsWithAFleetThatIsHealthy()
    {
        QFETCH(unsigned, devices);
        Watch watch({devices, 7, DemoStory::Happy});
        watch.until(DemoFleet::kOpening);
        QCOMPARE(watch.newest.size(), std::size_t{devices});
        QCOMPARE(watch.count(1, trust::Phase::Healthy), std::size_t{devices});
        QCOMPARE(watch.fleet.releases().size(), std::size_t{1});
        QVERIFY(!watch.fleet.links().empty());
    }

    void sameSeedTellsTheSame()
    {
        Watch one({12, 3, DemoStory::FailingVersion}), other({12, 3, DemoStory::FailingVersion}),
            another({12, 4, DemoStory::FailingVersion});
        one.until(70s);
        while (other.fleet.now() < 70s) // in steps of another size
            other.until(std::min<Duration>(70s, other.fleet.now() + 777ms));
        another.until(70s);
        QVERIFY(one.heard.size() > 60);
        QVERIFY(
            std::equal(one.heard.begin(), one.heard.end(), other.heard.begin(), other.heard.end(), isSame));
        QVERIFY(!std::equal(one.heard.begin(), one.heard.end(), another.heard.begin(), another.heard.end(),
                            isSame));
    }

    void happyEndsWithEverybodyHealthy()
    {
        Watch watch({40, 7, DemoStory::Happy});
        watch.until(55s);
        QVERIFY(watch.count(2, trust::Phase::Downloading) > 0);
        watch.until(120s);
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40});
        // What it gave and took itself is all that the observer knows of who gave to whom.
        QVERIFY(!watch.fleet.traffic().empty());
    }

    void servesAsManyAsThereAreSlots()
    {
        const Sites sites;
        SeededRandom random(1);
        SwarmModel swarm(&sites);
        const std::vector<NodeIndex> near{1, 8};
        QVERIFY(swarm.claim(0, 2, near, random) == 1U); // at the same site
        QVERIFY(swarm.claim(0, 2, near, random) == 1U);
        QVERIFY(swarm.claim(0, 2, near, random) == 8U);
        QVERIFY(swarm.claim(0, 2, near, random) == 8U);
        QVERIFY(!swarm.claim(0, 2, near, random));
        swarm.release(1);
        QVERIFY(swarm.claim(9, 2, near, random) == 1U); // of another site
        QVERIFY(!swarm.claim(9, 2, near, random));
        // Of a payload that it knows to be there, holders of the own site are among those that are asked.
        const auto payload = *InfoHash::fromBytes(std::vector<std::byte>(32, std::byte{1}));
        QVERIFY(swarm.some(payload, 0, random).empty());
        for (const NodeIndex holder : {2U, 21U, 22U, 23U})
            swarm.add(payload, holder);
        const auto asked = swarm.some(payload, 0, random);
        QCOMPARE(std::count(asked.begin(), asked.begin() + 4, 2U), std::ptrdiff_t{4});
        QVERIFY(
            std::all_of(asked.begin(), asked.end(), [](NodeIndex node) { return node == 2 || node > 20; }));
        // Nobody waits long in a fleet whose publisher serves eight at a time.
        Watch watch({40, 7, DemoStory::Happy});
        watch.until(48s);
        QVERIFY(watch.fleet.traffic().size()
                <= 2 * 8 + 39); // of the first release everybody, of the second 8 and 8
    }

    void makesALargeFleetBitByBit()
    {
        Watch watch({DemoConfig::kMostSmall + 1, 7, DemoStory::Happy});
        QCOMPARE(watch.fleet.made(), 0U);
        QVERIFY(watch.fleet.advance(1s, DemoFleet::kEventsOfMaking * 10));
        QCOMPARE(watch.fleet.made(), 10U);
        QVERIFY(!watch.fleet.isMade() && watch.fleet.now() == 0s);
        while (!watch.fleet.isMade())
            watch.fleet.advance(1s, 100'000);
        QVERIFY(watch.fleet.links().empty()); // the observer comes last
        watch.until(watch.fleet.opening());
        QVERIFY(watch.fleet.links().size() > 20);
        QCOMPARE(watch.count(1, trust::Phase::Healthy), std::size_t{DemoConfig::kMostSmall + 1});
        watch.until(watch.fleet.opening() + 110s);
        const std::size_t newer = watch.newest.size() - watch.count(1, trust::Phase::Healthy);
        QVERIFY2(newer > DemoConfig::kMostSmall / 2, qPrintable(QString::number(newer)));
        QVERIFY(watch.count(2, trust::Phase::Healthy) > 100);
    }

    void slowSiteLagsBehind()
    {
        Watch watch({40, 7, DemoStory::SlowSite});
        watch.until(85s);
        const std::size_t slow = watch.ofLabel("site", "hamburg");
        QVERIFY(slow > 2);
        QVERIFY(watch.count(2, trust::Phase::Downloading, "site", "hamburg") > slow / 2);
        const auto elsewhere = [&](trust::Phase phase) {
            return watch.count(2, phase) - watch.count(2, phase, "site", "hamburg");
        };
        QCOMPARE(elsewhere(trust::Phase::Downloading), std::size_t{0});
        QVERIFY(elsewhere(trust::Phase::Healthy) > (40 - slow) / 2);
        watch.until(kSlowest);
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40});
    }

    void failingVersionIsRolledBackOnOneModel()
    {
        Watch watch({40, 7, DemoStory::FailingVersion});
        watch.until(120s);
        const std::size_t failing = watch.ofLabel("model", "gw3");
        QVERIFY(failing > 10);
        QCOMPARE(watch.count(2, trust::Phase::RolledBack, "model", "gw3"), failing);
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40} - failing);
        const auto rolledBack = std::find_if(watch.heard.begin(), watch.heard.end(), [](const auto& each) {
            return !each.receipt.entries.empty() && each.receipt.entries[0].phase == trust::Phase::RolledBack;
        });
        QCOMPARE(rolledBack->receipt.entries[0].code, static_cast<std::uint16_t>(Errc::HealthFailed));
        watch.until(340s); // the next one repairs it
        QCOMPARE(watch.count(3, trust::Phase::Healthy), std::size_t{40});
    }

    void partitionKeepsSitesFromTheReleaseUntilItHeals()
    {
        Watch watch({40, 7, DemoStory::Partition});
        watch.until(125s);
        const std::size_t before = watch.count(1, trust::Phase::Healthy);
        QVERIFY(before > 5 && before < 20); // about a third, still as they were last heard
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40} - before);
        watch.until(190s);
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40});
    }

    void forgedReleasesAreRefusedAndReported()
    {
        Watch watch({40, 7, DemoStory::Forged});
        watch.until(130s);
        QCOMPARE(watch.count(2, trust::Phase::Healthy), std::size_t{40});
        std::uint64_t alarms = 0;
        for (const auto& [node, device] : watch.newest)
            for (const auto& [name, times] : device.receipt.alarms)
                alarms += times;
        QVERIFY(alarms > 0);
        QCOMPARE(watch.fleet.releases().size(), std::size_t{2}); // and none that was forged
    }

    void tellsWhyTheObserverRefused()
    {
        Watch watch({10, 7, DemoStory::Forged}); // a forger is next to it
        watch.until(60s);
        const auto refusals = watch.fleet.collectRefusals();
        QVERIFY(watch.fleet.refused() > 0);
        QVERIFY(refusals.size() >= watch.fleet.refused()); // of receipts, too
        QVERIFY(refusals.front().code == Errc::UnknownKey || refusals.front().code == Errc::BadSignature);
        QVERIFY(watch.fleet.collectRefusals().empty());
    }

    void knowsItsStoriesByName()
    {
        for (const DemoStory story : kDemoStories)
            QVERIFY(storyNamed(storyName(story)) == story);
        QVERIFY(!storyNamed("tragedy"));
    }

    void refusesFleetsThatCannotBe()
    {
        for (const unsigned devices : {0U, 2U, DemoConfig::kMaxDevices + 1})
            QCOMPARE(validate(DemoConfig{devices, 7, DemoStory::Happy}).error().code, Errc::Usage);
        QVERIFY(validate(DemoConfig{DemoConfig::kMaxDevices, 7, DemoStory::Happy}));
    }
};

QTEST_GUILESS_MAIN(TestDemoFleet)
#include "tst_demo_fleet.moc"
