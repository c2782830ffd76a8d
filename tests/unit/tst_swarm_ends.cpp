// SPDX-License-Identifier: Apache-2.0
/// When connections between swarms end, and who begins them: nobody who still lacks something is left.
#include "swarm_agents.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

using namespace starling;
using namespace starling::test;

class TestSwarmEnds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void whoFollowsIsDoneWithTheFirst();
    void whoHasAllConnectsToNobody();
    void twoThatHaveAllPart();

private:
    std::filesystem::path directory(const char* name) const
    {
        return m_directory->path().toStdString() + "/" + name;
    }
    static std::shared_ptr<FleetProof> device()
    {
        static const auto fleet = crypto::SecretKey::generate();
        return std::make_shared<FleetProof>(fleet, crypto::SecretKey::generate());
    }

    std::unique_ptr<QTemporaryDir> m_directory;
};

/// As devices of a site do: one fetches from outside, the others from that one. They have all that it has,
/// and then it gets the last piece.
void TestSwarmEnds::whoFollowsIsDoneWithTheFirst()
{
    constexpr std::size_t kFollowers = 4;
    const auto release =
        TestRelease::make({{"most", randomBytes(1'000'000, 1)}, {"rest", randomBytes(16'384, 2)}});
    release.writeTo(directory("seed"));
    release.writeTo(directory("first"));
    std::filesystem::remove(directory("first") / TestRelease::kName / "rest");
    const auto firstProof = device();
    TestAgent seed(device()), first(firstProof);
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(first->add(release.toFetch(directory("first"))));
    std::vector<std::unique_ptr<TestAgent>> followers;
    for (std::size_t i = 0; i < kFollowers; ++i) {
        auto& follower = *followers.emplace_back(std::make_unique<TestAgent>(device()));
        QVERIFY(follower->add(release.toFetch(directory(std::to_string(i).c_str()))));
        follower->addPeer(release.hash(), first.endpoint());
    }
    for (const auto& follower : followers)
        QVERIFY(follower->waitUntil([&] {
            first.poll(); // it finds out what it has
            return follower->doneBytes(release.hash()) == 1'000'000;
        }));
    first->addPeer(release.hash(), seed.endpoint());
    QVERIFY(first.waitFor<swarm::Completed>());
    QElapsedTimer since;
    since.start();
    for (const auto& follower : followers)
        QVERIFY(follower->waitFor<swarm::Completed>());
    // A piece takes milliseconds; whoever is cut off comes back after two seconds.
    QVERIFY2(since.elapsed() < 1'900, qPrintable(QString::number(since.elapsed())));
}

void TestSwarmEnds::whoHasAllConnectsToNobody()
{
    const auto release = TestRelease::ofSize(3'000'000);
    release.writeTo(directory("seed"));
    auto slowly = TestAgent::onLoopback();
    slowly.uploadLimit = {1'500'000};
    TestAgent seed(slowly, device()), peer(device()), witness(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    QVERIFY(witness->add(release.toFetch(directory("witness"))));
    seed->addPeer(release.hash(), peer.endpoint());
    // Longer than libtorrent's second between two looks at whom to connect to.
    witness->addPeer(release.hash(), seed.endpoint());
    QVERIFY(witness.waitFor<swarm::Completed>());
    QCOMPARE(peer->progress(release.hash())->peers, std::size_t(0));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
}

void TestSwarmEnds::twoThatHaveAllPart()
{
    const auto release = TestRelease::ofSize(1'000'000);
    release.writeTo(directory("seed"));
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(peer.waitUntil([&] { return peer->progress(release.hash())->peers == 0; }));
    QVERIFY(seed.waitUntil([&] { return seed->progress(release.hash())->peers == 0; }));
}

QTEST_GUILESS_MAIN(TestSwarmEnds)
#include "tst_swarm_ends.moc"
