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
