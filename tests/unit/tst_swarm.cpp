// SPDX-License-Identifier: Apache-2.0
#include "swarm_agents.h"

#include <QTemporaryDir>
#include <QtTest>

#include <csignal>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

using namespace starling;
using namespace starling::test;

/// Transfers between real swarms of one fleet, and what can go wrong on disks.
class TestSwarm : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void fetchesADirectoryWithoutPieceLayers();
    void countsBytesByNode();
    void resumesWhereItWas();
    void twoHalvesCompleteEachOther();
    void asksOnlyWhomItMay();
    void asksSomebodyNoLonger();
    void asksAgainWhomItMayAgain();
    void seedsWithoutPieceLayersAfterOneCheck();
    void uploadLimitHolds();
    void downloadLimitHolds();
    void fileSizeLimitIsTroubleUntilRetried();
    void fullDiskIsTroubleUntilRetried();
    void seedWithoutItsFilesIsTroubleUntilRetried();
    void seedWithATruncatedFileIsTrouble();
    void fileThatVanishesWhileSeedingIsTrouble();
    void fileThatChangesBeforeSeedingIsTroubleAndStaysAsItIs();
    void bansAPeerThatSendsCorruptPieces();
    void recheckFetchesDamagedFilesAgain();
    void damagedResumeDataCostsOnlyACheck();
    void remainsOfAnEarlierFetchAreNoPeersFault();
    void resumeDataOfVanishedFilesIsNotBelieved();
    void refusesInfoThatIsNotWhatItClaims();
    void refusesLegacyInfo();
    void refusesTheSamePayloadTwice();
    void refusesAPortInUse();
    void refusesMembersWithoutAProof();
    void isGoneQuickly();

private:
    std::shared_ptr<FleetProof> device()
    {
        return std::make_shared<FleetProof>(*m_fleet, crypto::SecretKey::generate());
    }
    std::filesystem::path directory(const char* name)
    {
        const auto path =
            std::filesystem::path(m_directory->path().toStdString()) / QTest::currentTestFunction() / name;
        std::filesystem::create_directories(path);
        return path;
    }
    double secondsToFetch(BytesPerSecond upload, BytesPerSecond download, std::size_t bytes);
    void outgrow(const std::filesystem::path& target, const TestRelease& release,
                 const std::function<void()>& makeRoom);

    std::unique_ptr<crypto::SecretKey> m_fleet;
    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestSwarm::initTestCase()
{
    QVERIFY(crypto::initialize());
    m_fleet = std::make_unique<crypto::SecretKey>(crypto::SecretKey::generate());
    m_directory = std::make_unique<QTemporaryDir>();
    QVERIFY(m_directory->isValid());
}

void TestSwarm::fetchesADirectoryWithoutPieceLayers()
{
    const auto release = TestRelease::ofSize(5'000'001);
    release.writeTo(directory("seed"));
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    const auto progress = peer->progress(release.hash());
    QCOMPARE(progress->doneBytes, release.size());
    QCOMPARE(progress->totalBytes, release.size());
    QVERIFY(progress->isSeeding);
    QCOMPARE(progress->pieces.size(), (release.torrent.info.pieceCount() + 7) / 8);
    QCOMPARE(int(progress->pieces[0]), 0xff);
    QVERIFY(!seed.first<swarm::Completed>());
}

void TestSwarm::countsBytesByNode()
{
    const auto release = TestRelease::ofSize(1'000'000);
    release.writeTo(directory("seed"));
    const auto seedProof = device();
    const auto peerProof = device();
    TestAgent seed(seedProof);
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    {
        TestAgent peer(peerProof);
        QVERIFY(peer->add(release.toFetch(directory("peer"))));
        peer->addPeer(release.hash(), seed.endpoint());
        QVERIFY(peer.waitFor<swarm::Completed>());
        QCOMPARE(peer.trafficWith(seedProof->node()).bytesFrom, release.size());
        QVERIFY(peer.trafficWith(seedProof->node()).endpoint == seed.endpoint());
    }
    // The peer has left; what it got stays on the account.
    QVERIFY(seed.hasGiven(peerProof->node(), release.size()));
    QVERIFY(seed.trafficWith(peerProof->node()).payload == release.hash());
}

void TestSwarm::resumesWhereItWas()
{
    const auto release = TestRelease::ofSize(4'000'000);
    release.writeTo(directory("seed"));
    auto slowly = TestAgent::onLoopback();
    slowly.uploadLimit = {500'000}; // not all of it before this thread has had its turn
    const auto seedProof = device();
    TestAgent seed(slowly, seedProof);
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    auto payload = release.toFetch(directory("peer"));
    std::uint64_t before = 0;
    {
        TestAgent peer(device());
        QVERIFY(peer->add(payload));
        peer->addPeer(release.hash(), seed.endpoint());
        QVERIFY(peer.waitUntil([&] { return peer.doneBytes(release.hash()) > release.size() / 3; }));
        before = peer.doneBytes(release.hash());
        peer->requestResumeData();
        QVERIFY(peer.waitFor<swarm::ResumeData>());
        payload.resumeData = peer.first<swarm::ResumeData>()->data;
        QVERIFY(!peer.first<swarm::Completed>());
    }
    seed->setLimits({}, {});
    TestAgent peer(device());
    QVERIFY(peer->add(payload));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    QVERIFY(peer.trafficWith(seedProof->node()).bytesFrom <= release.size() - before);
}

void TestSwarm::twoHalvesCompleteEachOther()
{
    const auto release = TestRelease::ofSize(3'000'000);
    release.writeTo(directory("left"));
    release.writeTo(directory("right"));
    std::filesystem::remove(directory("left") / TestRelease::kName / "a.bin");
    std::filesystem::remove(directory("right") / TestRelease::kName / "sub/b.bin");
    const auto leftProof = device();
    const auto rightProof = device();
    TestAgent left(leftProof), right(rightProof);
    QVERIFY(left->add(release.toFetch(directory("left"))));
    QVERIFY(right->add(release.toFetch(directory("right"))));
    left->addPeer(release.hash(), right.endpoint());
    // Both must be polled: each first finds out what it has.
    QVERIFY(left.waitUntil([&] {
        right.poll();
        return left.first<swarm::Completed>() && right.first<swarm::Completed>();
    }));
    QVERIFY(release.isIn(directory("left")));
    QVERIFY(release.isIn(directory("right")));
    QCOMPARE(left.trafficWith(rightProof->node()).bytesFrom, std::uint64_t(1'500'000));
    QCOMPARE(right.trafficWith(leftProof->node()).bytesFrom, std::uint64_t(1'500'000));
}

void TestSwarm::asksOnlyWhomItMay()
{
    const auto release = TestRelease::ofSize(2'000'000);
    release.writeTo(directory("seed"));
    auto slowly = TestAgent::onLoopback();
    slowly.uploadLimit = {1'500'000};
    const auto oneProof = device(), otherProof = device();
    TestAgent one(slowly, oneProof), other(otherProof), peer(device());
    QVERIFY(one->add(release.toSeed(directory("seed"))));
    QVERIFY(other->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->askOnly(release.hash(), std::set{oneProof->node()});
    peer->addPeer(release.hash(), other.endpoint());
    QVERIFY(peer.waitUntil([&] { return peer->progress(release.hash())->peers == 1; }));
    peer->addPeer(release.hash(), one.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QCOMPARE(peer.trafficWith(oneProof->node()).bytesFrom, release.size());
    QCOMPARE(peer.trafficWith(otherProof->node()).bytesFrom, std::uint64_t(0));
}

void TestSwarm::asksSomebodyNoLonger()
{
    const auto release = TestRelease::ofSize(3'500'000);
    release.writeTo(directory("seed"));
    auto slowly = TestAgent::onLoopback();
    slowly.uploadLimit = {1'500'000};
    const auto oneProof = device(), otherProof = device();
    TestAgent one(oneProof), other(slowly, otherProof), peer(device()), witness(device());
    QVERIFY(one->add(release.toSeed(directory("seed"))));
    QVERIFY(other->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    QVERIFY(witness->add(release.toFetch(directory("witness"))));
    peer->addPeer(release.hash(), other.endpoint());
    QVERIFY(peer.waitUntil([&] { return peer.trafficWith(otherProof->node()).bytesFrom > 100'000; }));
    peer->askOnly(release.hash(), std::set{oneProof->node()});
    // With an equal share of what there is, the first one would be there first.
    witness->addPeer(release.hash(), other.endpoint());
    QVERIFY(witness.waitFor<swarm::Completed>());
    peer.poll();
    QVERIFY(!peer.first<swarm::Completed>());
    peer->addPeer(release.hash(), one.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(peer.trafficWith(oneProof->node()).bytesFrom > 0);
}

void TestSwarm::asksAgainWhomItMayAgain()
{
    const auto release = TestRelease::ofSize(1'000'000);
    release.writeTo(directory("seed"));
    TestAgent seed(device()), peer(device()), witness(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    QVERIFY(witness->add(release.toFetch(directory("witness"))));
    peer->askOnly(release.hash(), std::set<NodeId>());
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitUntil([&] { return peer->progress(release.hash())->peers == 1; }));
    // The one serves the other all the same.
    witness->addPeer(release.hash(), seed.endpoint());
    QVERIFY(witness.waitFor<swarm::Completed>());
    QCOMPARE(peer.doneBytes(release.hash()), std::uint64_t(0));
    peer->askOnly(release.hash(), std::nullopt);
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
}

void TestSwarm::seedsWithoutPieceLayersAfterOneCheck()
{
    const auto release = TestRelease::ofSize(2'000'000);
    release.writeTo(directory("seed"));
    TestAgent seed(device()), peer(device());
    auto payload = release.toSeed(directory("seed"));
    payload.layers.clear();
    QVERIFY(seed->add(payload));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
}

double TestSwarm::secondsToFetch(BytesPerSecond upload, BytesPerSecond download, std::size_t bytes)
{
    const auto release = TestRelease::ofSize(bytes);
    release.writeTo(directory("seed"));
    auto sending = TestAgent::onLoopback();
    sending.uploadLimit = upload;
    auto receiving = TestAgent::onLoopback();
    receiving.downloadLimit = download;
    TestAgent seed(sending, device()), peer(receiving, device());
    if (!seed->add(release.toSeed(directory("seed"))) || !peer->add(release.toFetch(directory("peer"))))
        return 0;
    QElapsedTimer timer;
    timer.start();
    peer->addPeer(release.hash(), seed.endpoint());
    if (!peer.waitFor<swarm::Completed>())
        return 0;
    return double(timer.elapsed()) / 1000;
}

void TestSwarm::uploadLimitHolds()
{
    // 1 Mbit/s, on loopback, where libtorrent by itself knows no limits
    const double seconds = secondsToFetch({125'000}, {}, 500'000);
    QVERIFY2(seconds >= 4.0 / 1.1 && seconds < 40, qPrintable(QString::number(seconds)));
}

void TestSwarm::downloadLimitHolds()
{
    const double seconds = secondsToFetch({}, {125'000}, 500'000);
    QVERIFY2(seconds >= 4.0 / 1.1 && seconds < 40, qPrintable(QString::number(seconds)));
}

/// Fetches `release`, already in directory("seed"), into a `target` that is too small until `makeRoom`.
void TestSwarm::outgrow(const std::filesystem::path& target, const TestRelease& release,
                        const std::function<void()>& makeRoom)
{
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(target)));
    peer->addPeer(release.hash(), seed.endpoint());
    const bool isTrouble = peer.waitForTrouble(Errc::DiskFull);
    makeRoom();
    QVERIFY(isTrouble);
    QVERIFY(!peer.first<swarm::Completed>());
    peer->retry(release.hash());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(target));
}

void TestSwarm::fileSizeLimitIsTroubleUntilRetried()
{
    const auto release = TestRelease::ofSize(4'000'000);
    release.writeTo(directory("seed"));
    rlimit usual{};
    QCOMPARE(getrlimit(RLIMIT_FSIZE, &usual), 0);
    std::signal(SIGXFSZ, SIG_IGN); // the write fails with EFBIG instead
    rlimit tight = usual;
    tight.rlim_cur = 1'000'000;
    QCOMPARE(setrlimit(RLIMIT_FSIZE, &tight), 0);
    outgrow(directory("peer"), release, [&] { setrlimit(RLIMIT_FSIZE, &usual); });
}

void TestSwarm::fullDiskIsTroubleUntilRetried()
{
    // The mount lives in a namespace of this thread and of the threads it starts from here on.
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        QSKIP("needs the right to mount");
    const auto release = TestRelease::ofSize(4'000'000);
    release.writeTo(directory("seed"));
    const auto disk = directory("disk");
    QCOMPARE(mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m"), 0);
    outgrow(disk, release,
            [&] { QCOMPARE(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0); });
    QCOMPARE(umount2(disk.c_str(), MNT_DETACH), 0);
}

void TestSwarm::seedWithoutItsFilesIsTroubleUntilRetried()
{
    const auto release = TestRelease::ofSize(500'000);
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(seed.waitForTrouble(Errc::PayloadMissing));
    QVERIFY(!seed.isSeeding(release.hash()));

    seed.forgetEvents();
    seed->retry(release.hash());
    QVERIFY(seed.waitForTrouble(Errc::PayloadMissing)); // still

    release.writeTo(directory("seed"));
    seed->retry(release.hash());
    QVERIFY(seed.waitUntil([&] { return seed.isSeeding(release.hash()); }));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
}

void TestSwarm::seedWithATruncatedFileIsTrouble()
{
    const auto release = TestRelease::ofSize(500'000);
    release.writeTo(directory("seed"));
    std::filesystem::resize_file(directory("seed") / TestRelease::kName / "a.bin", 100);
    TestAgent seed(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(seed.waitForTrouble(Errc::PayloadMissing));
    QVERIFY(seed.first<swarm::Trouble>()->error.context.find("a.bin") != std::string::npos);
}

void TestSwarm::fileThatVanishesWhileSeedingIsTrouble()
{
    const auto release = TestRelease::ofSize(500'000);
    release.writeTo(directory("seed"));
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(seed.waitUntil([&] { return seed.isSeeding(release.hash()); }));
    std::filesystem::remove(directory("seed") / TestRelease::kName / "a.bin");
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(seed.waitForTrouble(Errc::PayloadMissing));
    QVERIFY(!seed.isSeeding(release.hash()));
    QVERIFY(seed.waitUntil([&] { return seed->progress(release.hash())->peers == 0; }));
}

void TestSwarm::fileThatChangesBeforeSeedingIsTroubleAndStaysAsItIs()
{
    const auto release = TestRelease::ofSize(500'000);
    release.writeTo(directory("seed"));
    const auto path = directory("seed") / TestRelease::kName / "a.bin";
    const auto other = randomBytes(release.files.at("a.bin").size(), 99);
    writeFile(path, other);
    release.writeTo(directory("good"));
    TestAgent seed(device()), good(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(good->add(release.toSeed(directory("good"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    seed->addPeer(release.hash(), good.endpoint());
    QVERIFY(seed.waitForTrouble(Errc::PayloadChanged));
    QVERIFY(!seed.isSeeding(release.hash()));
    peer->addPeer(release.hash(), good.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    QVERIFY(readFile(path) == other); // somebody's file: not overwritten from the swarm
}

void TestSwarm::bansAPeerThatSendsCorruptPieces()
{
    const auto release = TestRelease::ofSize(500'000);
    release.writeTo(directory("bad"));
    release.writeTo(directory("good"));
    const auto badProof = device();
    TestAgent bad(badProof), good(device()), first(device()), peer(device());
    // libtorrent hashes a seed's pieces once, before it first sends them: afterwards it can be made to lie.
    QVERIFY(bad->add(release.toSeed(directory("bad"))));
    QVERIFY(first->add(release.toFetch(directory("first"))));
    first->addPeer(release.hash(), bad.endpoint());
    QVERIFY(first.waitFor<swarm::Completed>());
    for (const auto& [path, bytes] : release.files)
        writeFile(directory("bad") / TestRelease::kName / path, randomBytes(bytes.size(), 99));

    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), bad.endpoint());
    QVERIFY(peer.waitForRefusal(Errc::PayloadMismatch));
    QVERIFY(peer.first<swarm::PeerRefused>()->endpoint == bad.endpoint());
    // From another port it is still the same node.
    peer.forgetEvents();
    TestAgent again(badProof);
    QVERIFY(again->add(release.toFetch(directory("again"))));
    again->addPeer(release.hash(), peer.endpoint());
    QVERIFY(peer.waitForRefusal(Errc::PayloadMismatch));

    QVERIFY(good->add(release.toSeed(directory("good"))));
    peer->addPeer(release.hash(), good.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
}

void TestSwarm::recheckFetchesDamagedFilesAgain()
{
    const auto release = TestRelease::ofSize(1'000'000);
    release.writeTo(directory("seed"));
    const auto seedProof = device();
    TestAgent seed(seedProof), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    auto damaged = release.files.at("a.bin");
    damaged[1000] ^= std::byte{1};
    writeFile(directory("peer") / TestRelease::kName / "a.bin", damaged);
    peer.forgetEvents();
    peer->recheck(release.hash());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    // Without piece layers nobody knows which piece of the damaged file is wrong, so all of it comes again.
    QCOMPARE(peer.trafficWith(seedProof->node()).bytesFrom, release.size() + damaged.size());
}

void TestSwarm::damagedResumeDataCostsOnlyACheck()
{
    const auto release = TestRelease::ofSize(500'000);
    release.writeTo(directory("peer"));
    for (const auto& data : {toBytes("d4:spam"), randomBytes(4'000, 7), toBytes("de"), toBytes("i1e")}) {
        TestAgent peer(device());
        auto payload = release.toFetch(directory("peer"));
        payload.resumeData = data;
        QVERIFY(peer->add(payload));
        QVERIFY(peer.waitFor<swarm::Completed>()); // all was there already
        QVERIFY(peer->traffic().empty());
    }
}

void TestSwarm::remainsOfAnEarlierFetchAreNoPeersFault()
{
    const auto release = TestRelease::ofSize(2'000'000);
    release.writeTo(directory("seed"));
    // One file as a fetch leaves it that was killed half-way, with holes; one that is short; nothing is
    // recorded.
    auto holes = release.files.at("a.bin");
    std::fill(holes.begin() + 300'000, holes.begin() + 700'000, std::byte{0});
    writeFile(directory("peer") / TestRelease::kName / "a.bin", holes);
    writeFile(directory("peer") / TestRelease::kName / "sub/b.bin", randomBytes(100'000, 3));
    TestAgent seed(device()), peer(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    QVERIFY(peer->add(release.toFetch(directory("peer"))));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    QVERIFY(!peer.first<swarm::PeerRefused>());
}

void TestSwarm::resumeDataOfVanishedFilesIsNotBelieved()
{
    const auto release = TestRelease::ofSize(1'000'000);
    release.writeTo(directory("seed"));
    TestAgent seed(device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    auto payload = release.toFetch(directory("peer"));
    {
        TestAgent peer(device());
        QVERIFY(peer->add(payload));
        peer->addPeer(release.hash(), seed.endpoint());
        QVERIFY(peer.waitFor<swarm::Completed>());
        peer->requestResumeData();
        QVERIFY(peer.waitFor<swarm::ResumeData>());
        payload.resumeData = peer.first<swarm::ResumeData>()->data;
    }
    std::filesystem::remove(directory("peer") / TestRelease::kName / "a.bin");
    TestAgent peer(device());
    QVERIFY(peer->add(payload));
    peer->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(release.isIn(directory("peer")));
    QVERIFY(!peer.first<swarm::PeerRefused>());
}

void TestSwarm::refusesInfoThatIsNotWhatItClaims()
{
    TestAgent agent(device());
    const auto release = TestRelease::ofSize(100'000);
    auto payload = release.toFetch(directory("peer"));
    payload.infoBytes.back() = std::byte{'x'};
    QCOMPARE(agent->add(payload).error().code, Errc::Malformed);
    for (const auto& bytes :
         {Bytes{}, toBytes("i1e"), toBytes("de"), toBytes("d4:name"), randomBytes(300, 5)}) {
        payload.infoBytes = bytes;
        payload.infoHash = *InfoHash::fromBytes(crypto::sha256(bytes).bytes());
        QCOMPARE(agent->add(payload).error().code, Errc::Malformed);
        QVERIFY(!agent->progress(payload.infoHash));
    }
    payload.infoBytes = Bytes(release::InfoLimits::kMaxInfoBytes + 1, std::byte{'d'});
    QCOMPARE(agent->add(payload).error().code, Errc::TooLarge);
}

void TestSwarm::refusesLegacyInfo()
{
    TestAgent agent(device());
    swarm::Payload payload;
    payload.infoBytes =
        toBytes("d6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae");
    payload.infoHash = *InfoHash::fromBytes(crypto::sha256(payload.infoBytes).bytes());
    payload.directory = directory("peer");
    QCOMPARE(agent->add(payload).error().code, Errc::Malformed);
}

void TestSwarm::refusesTheSamePayloadTwice()
{
    TestAgent agent(device());
    const auto release = TestRelease::ofSize(100'000);
    QVERIFY(agent->add(release.toFetch(directory("peer"))));
    QCOMPARE(agent->add(release.toFetch(directory("peer"))).error().code, Errc::AlreadyExists);
    agent->remove(release.hash());
    QVERIFY(!agent->progress(release.hash()));
    QVERIFY(agent->add(release.toFetch(directory("peer"))));
}

void TestSwarm::refusesAPortInUse()
{
    auto config = TestAgent::onLoopback();
    config.admission = swarm::Admission::Open;
    TestAgent first(config, device());
    QVERIFY(first->port() != 0);
    config.listen.port = first->port();
    auto second = swarm::Swarm::create(config, device(), [] {});
    QVERIFY(!second);
    QCOMPARE(second.error().code, Errc::PortInUse);
}

void TestSwarm::refusesMembersWithoutAProof()
{
    auto made = swarm::Swarm::create(TestAgent::onLoopback(), nullptr, [] {});
    QVERIFY(!made);
    QCOMPARE(made.error().code, Errc::Usage);
}

void TestSwarm::isGoneQuickly()
{
    const auto release = TestRelease::ofSize(4'000'000);
    release.writeTo(directory("seed"));
    auto slowly = TestAgent::onLoopback();
    slowly.uploadLimit = {100'000};
    TestAgent seed(slowly, device());
    QVERIFY(seed->add(release.toSeed(directory("seed"))));
    auto peer = std::make_unique<TestAgent>(device());
    QVERIFY((*peer)->add(release.toFetch(directory("peer"))));
    (*peer)->addPeer(release.hash(), seed.endpoint());
    QVERIFY(peer->waitUntil([&] { return peer->doneBytes(release.hash()) > 0; }));
    QElapsedTimer timer;
    timer.start();
    peer.reset();
    // The rest of the payload takes 40 s.
    QVERIFY2(timer.elapsed() < 10'000, qPrintable(QString::number(timer.elapsed())));
}

QTEST_GUILESS_MAIN(TestSwarm)
#include "tst_swarm.moc"
