// SPDX-License-Identifier: Apache-2.0
#include "swarm_agents.h"

#include <QTcpSocket>
#include <QTemporaryDir>
#include <QtTest>

#include <atomic>

using namespace starling;
using namespace starling::test;

namespace {

/// A BitTorrent peer made by hand, byte by byte, from the layout in the documentation.
class RawPeer
{
public:
    enum class Extensions : std::uint8_t { No, Yes };

    RawPeer(const Endpoint& to, const InfoHash& payload, Extensions extensions)
        : m_challenge(randomBytes(32, 4711))
    {
        const auto& a = to.address;
        m_socket.connectToHost(QStringLiteral("%1.%2.%3.%4").arg(a[12]).arg(a[13]).arg(a[14]).arg(a[15]),
                               to.port);
        m_socket.waitForConnected(60'000);
        ByteWriter writer;
        writer.u8(19);
        writer.raw(viewOf("BitTorrent protocol"));
        writer.u64(extensions == Extensions::Yes ? 0x0000'0000'0010'0000u : 0u);
        writer.raw(payload.bytes().first(20));
        writer.raw(viewOf("-XX0000-")); // two connections with the same peer id would count as one peer
        crypto::SystemRandom().fill(m_peerId);
        writer.raw(m_peerId);
        send(writer.take());
    }

    /// Reads the other side's handshakes; false if it hangs up before.
    bool readHandshakes()
    {
        if (!await(68))
            return false;
        m_received.remove(0, 68);
        for (;;) {
            const auto message = readMessage();
            if (message.size() < 2)
                return false;
            if (message.startsWith(QByteArray("\x14\0", 2))) {
                m_handshake = message.mid(2);
                return true;
            }
        }
    }

    Bytes theirChallenge() const { return field("1:n32:", 32); }
    Bytes theirCertificate() const { return field("1:c96:", 96); }
    const Bytes& challenge() const { return m_challenge; }

    void sendExtendedHandshake(ByteView certificate, ByteView challenge)
    {
        ByteWriter writer;
        writer.u8(20);
        writer.u8(0);
        writer.raw(viewOf("d1:md9:st_memberi33ee9:st_memberd1:c" + std::to_string(certificate.size()) + ":"));
        writer.raw(certificate);
        writer.raw(viewOf("1:n" + std::to_string(challenge.size()) + ":"));
        writer.raw(challenge);
        writer.raw(viewOf("ee"));
        sendMessage(writer.take());
    }
    void sendExtendedHandshakeWithoutMembership()
    {
        ByteWriter writer;
        writer.u8(20);
        writer.u8(0);
        writer.raw(viewOf("d1:mdee"));
        sendMessage(writer.take());
    }

    /// What `proof`'s device must sign on this connection, for `payload`.
    crypto::Signature prove(const FleetProof& proof, const InfoHash& payload) const
    {
        Bytes transcript;
        append(transcript, crypto::sha256(proof.certificate()).bytes());
        append(transcript, crypto::sha256(theirCertificate()).bytes());
        append(transcript, m_challenge);
        append(transcript, theirChallenge());
        Bytes message = toBytes("starling/1/peer");
        message.resize(32);
        append(message, payload.bytes());
        append(message, crypto::sha256(transcript).bytes());
        return proof.prove(message);
    }
    void sendProof(ByteView signature, std::uint8_t version = 1)
    {
        ByteWriter writer;
        writer.u8(20);
        writer.u8(22);
        writer.u8(version);
        writer.raw(signature);
        sendMessage(writer.take());
    }

    /// Shows interest and asks for the first block without waiting to be unchoked.
    void askForABlock()
    {
        ByteWriter interested;
        interested.u8(2);
        sendMessage(interested.take());
        ByteWriter request;
        request.u8(6);
        request.u32(0);
        request.u32(0);
        request.u32(16 * 1024);
        sendMessage(request.take());
    }
    /// Reads on until a message of this kind, or until the other side hangs up (false).
    bool readUntil(char kind)
    {
        for (;;) {
            const auto message = readMessage();
            if (message.isNull())
                return false;
            if (message.startsWith(kind))
                return true;
        }
    }
    static constexpr char kUnchoke = 1;
    static constexpr char kPiece = 7;

private:
    Bytes field(const char* prefix, int size) const
    {
        const auto at = m_handshake.indexOf(prefix);
        const auto value = m_handshake.mid(at + qsizetype(std::strlen(prefix)), size);
        return toBytes(viewOf({value.constData(), std::size_t(value.size())}));
    }
    void send(const Bytes& bytes)
    {
        m_socket.write(reinterpret_cast<const char*>(bytes.data()), qint64(bytes.size()));
        m_socket.waitForBytesWritten(60'000);
    }
    void sendMessage(const Bytes& body)
    {
        ByteWriter writer;
        writer.sized(body);
        send(writer.take());
    }
    bool await(qsizetype bytes)
    {
        while (m_received.size() < bytes) {
            if (m_socket.bytesAvailable() == 0 && !m_socket.waitForReadyRead(90'000))
                return false;
            m_received += m_socket.readAll();
        }
        return true;
    }
    /// The next message; empty for a keep-alive, null at the end.
    QByteArray readMessage()
    {
        if (!await(4))
            return {};
        const auto size = qFromBigEndian<quint32>(m_received.constData());
        if (!await(4 + qsizetype(size)))
            return {};
        const auto message = m_received.mid(4, qsizetype(size));
        m_received.remove(0, 4 + qsizetype(size));
        return message.isNull() ? QByteArray("") : message;
    }

    Bytes m_challenge;
    Bytes m_peerId = Bytes(12);
    QTcpSocket m_socket;
    QByteArray m_received;
    QByteArray m_handshake;
};

} // namespace

/// Who is let into a swarm.
/// A device that hears, once it is set, that every peer is denied.
class DenyingProof final : public FleetProof
{
public:
    using FleetProof::FleetProof;
    Status stillAdmits(const NodeId& node) const override
    {
        if (isSet)
            return fail(Errc::Denied, "peer " + node.shortHex());
        return {};
    }
    std::atomic<bool> isSet = false;
};

class TestSwarmMembers : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void membersRefuseAStranger();
    void membersRefuseAnotherFleet();
    void openSwarmServesAStranger();
    void openSwarmStillKnowsItsMembers();
    void handMadeProofIsServed();
    void proofForAnotherPayloadIsRefused();
    void proofFromAnotherConnectionIsRefused();
    void proofByAnotherDeviceIsRefused();
    void certificateReflectedAtItsOwnerIsRefused();
    void challengeReflectedAtItsMakerIsRefused();
    void peerWithoutExtensionsIsRefused();
    void peerWithoutMembershipExtensionIsRefused();
    void peerThatNeverProvesIsRefusedInTime();
    void malformedMembershipIsRefused_data();
    void malformedMembershipIsRefused();
    void overlongProofIsRefused();
    void unknownProofVersionIsRefused();
    void aPeerThatIsDeniedMeanwhileIsCutOff();

private:
    std::shared_ptr<FleetProof> device()
    {
        return std::make_shared<FleetProof>(*m_fleet, crypto::SecretKey::generate());
    }
    std::filesystem::path directory(const char* name) const
    {
        return std::filesystem::path(m_directory->path().toStdString()) / QTest::currentTestFunction() / name;
    }
    /// A member that seeds m_release.
    std::unique_ptr<TestAgent> makeSeed(swarm::Config config = TestAgent::onLoopback(),
                                        std::shared_ptr<FleetProof> proof = nullptr);
    /// That `raw` gets no payload and is refused with `code`.
    void requireRefused(TestAgent& seed, RawPeer& raw, Errc code);

    std::unique_ptr<crypto::SecretKey> m_fleet;
    std::unique_ptr<QTemporaryDir> m_directory;
    std::optional<TestRelease> m_release;
};

void TestSwarmMembers::initTestCase()
{
    QVERIFY(crypto::initialize());
    m_fleet = std::make_unique<crypto::SecretKey>(crypto::SecretKey::generate());
    m_directory = std::make_unique<QTemporaryDir>();
    QVERIFY(m_directory->isValid());
    m_release = TestRelease::ofSize(200'000);
}

std::unique_ptr<TestAgent> TestSwarmMembers::makeSeed(swarm::Config config, std::shared_ptr<FleetProof> proof)
{
    m_release->writeTo(directory("seed"));
    auto seed = std::make_unique<TestAgent>(config, proof ? std::move(proof) : device());
    STARLING_ASSERT((*seed)->add(m_release->toSeed(directory("seed"))).has_value());
    return seed;
}

void TestSwarmMembers::requireRefused(TestAgent& seed, RawPeer& raw, Errc code)
{
    raw.askForABlock();
    QVERIFY(seed.waitFor<swarm::PeerRefused>());
    QCOMPARE(codeName(seed.first<swarm::PeerRefused>()->error.code), codeName(code));
    QVERIFY(!raw.readUntil(RawPeer::kPiece));
    QCOMPARE(seed.sentBytes(), std::uint64_t(0));
}

void TestSwarmMembers::membersRefuseAStranger()
{
    const auto seed = makeSeed();
    auto open = TestAgent::onLoopback();
    open.admission = swarm::Admission::Open;
    TestAgent stranger(open, nullptr);
    QVERIFY(stranger->add(m_release->toFetch(directory("peer"))));
    stranger->addPeer(m_release->hash(), seed->endpoint());
    QVERIFY(seed->waitForRefusal(Errc::NotAdmitted));
    QVERIFY(stranger.waitUntil([&] { return stranger->progress(m_release->hash())->peers == 0; }));
    QCOMPARE(seed->sentBytes(), std::uint64_t(0));
    QCOMPARE(stranger.doneBytes(m_release->hash()), std::uint64_t(0));
}

void TestSwarmMembers::membersRefuseAnotherFleet()
{
    const auto seed = makeSeed();
    const auto otherFleet = crypto::SecretKey::generate();
    TestAgent other(std::make_shared<FleetProof>(otherFleet, crypto::SecretKey::generate()));
    QVERIFY(other->add(m_release->toFetch(directory("peer"))));
    other->addPeer(m_release->hash(), seed->endpoint());
    // Both sides check; who hangs up first decides which of them sees the other's certificate.
    QVERIFY(seed->waitUntil([&] {
        other.poll();
        return seed->first<swarm::PeerRefused>() || other.first<swarm::PeerRefused>();
    }));
    QCOMPARE(seed->sentBytes(), std::uint64_t(0));
    QCOMPARE(other.doneBytes(m_release->hash()), std::uint64_t(0));
}

void TestSwarmMembers::openSwarmServesAStranger()
{
    auto open = TestAgent::onLoopback();
    open.admission = swarm::Admission::Open;
    const auto seed = makeSeed(open);
    TestAgent stranger(open, nullptr);
    QVERIFY(stranger->add(m_release->toFetch(directory("peer"))));
    stranger->addPeer(m_release->hash(), seed->endpoint());
    QVERIFY(stranger.waitFor<swarm::Completed>());
    QVERIFY(m_release->isIn(directory("peer")));
    QVERIFY(seed->hasGiven(NodeId(), m_release->size()));
    QCOMPARE(stranger.trafficWith(NodeId()).bytesFrom, m_release->size());
}

void TestSwarmMembers::openSwarmStillKnowsItsMembers()
{
    auto open = TestAgent::onLoopback();
    open.admission = swarm::Admission::Open;
    const auto seed = makeSeed(open);
    const auto proof = device();
    TestAgent peer(proof);
    QVERIFY(peer->add(m_release->toFetch(directory("peer"))));
    peer->addPeer(m_release->hash(), seed->endpoint());
    QVERIFY(peer.waitFor<swarm::Completed>());
    QVERIFY(seed->hasGiven(proof->node(), m_release->size()));
}

void TestSwarmMembers::aPeerThatIsDeniedMeanwhileIsCutOff()
{
    const auto denying = std::make_shared<DenyingProof>(*m_fleet, crypto::SecretKey::generate());
    const auto seed = makeSeed(TestAgent::onLoopback(), denying);
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.challenge());
    raw.sendProof(raw.prove(*proof, m_release->hash()));
    raw.askForABlock();
    QVERIFY(raw.readUntil(RawPeer::kUnchoke));
    denying->isSet = true;
    QVERIFY(seed->waitFor<swarm::PeerRefused>());
    QCOMPARE(codeName(seed->first<swarm::PeerRefused>()->error.code), codeName(Errc::Denied));
    QVERIFY(!raw.readUntil('\x7f')); // no such message comes before it hangs up
}

void TestSwarmMembers::handMadeProofIsServed()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.challenge());
    raw.sendProof(raw.prove(*proof, m_release->hash()));
    raw.askForABlock(); // drives the unchoking
    QVERIFY(raw.readUntil(RawPeer::kUnchoke));
    raw.askForABlock();
    QVERIFY(raw.readUntil(RawPeer::kPiece));
    QVERIFY(seed->waitUntil([&] { return seed->trafficWith(proof->node()).bytesTo > 0; }));
    QVERIFY(!seed->first<swarm::PeerRefused>());
}

void TestSwarmMembers::proofForAnotherPayloadIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    const auto other = TestRelease::ofSize(50'000, 77);
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.challenge());
    raw.sendProof(raw.prove(*proof, other.hash()));
    requireRefused(*seed, raw, Errc::BadSignature);
}

void TestSwarmMembers::proofFromAnotherConnectionIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer first(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(first.readHandshakes());
    const auto recorded = first.prove(*proof, m_release->hash());
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), first.challenge());
    raw.sendProof(recorded);
    requireRefused(*seed, raw, Errc::BadSignature);
}

void TestSwarmMembers::proofByAnotherDeviceIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(device()->certificate(), raw.challenge()); // not proof's
    raw.sendProof(raw.prove(*proof, m_release->hash()));
    requireRefused(*seed, raw, Errc::BadSignature);
}

void TestSwarmMembers::certificateReflectedAtItsOwnerIsRefused()
{
    const auto seed = makeSeed();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(raw.theirCertificate(), raw.challenge());
    requireRefused(*seed, raw, Errc::NotAdmitted);
}

void TestSwarmMembers::challengeReflectedAtItsMakerIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.theirChallenge());
    requireRefused(*seed, raw, Errc::NotAdmitted);
}

void TestSwarmMembers::peerWithoutExtensionsIsRefused()
{
    const auto seed = makeSeed();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::No);
    requireRefused(*seed, raw, Errc::NotAdmitted);
}

void TestSwarmMembers::peerWithoutMembershipExtensionIsRefused()
{
    const auto seed = makeSeed();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshakeWithoutMembership();
    requireRefused(*seed, raw, Errc::NotAdmitted);
}

void TestSwarmMembers::peerThatNeverProvesIsRefusedInTime()
{
    auto config = TestAgent::onLoopback();
    config.admissionTimeout = std::chrono::milliseconds(300);
    const auto seed = makeSeed(config);
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(device()->certificate(), raw.challenge());
    requireRefused(*seed, raw, Errc::NotAdmitted);
}

void TestSwarmMembers::malformedMembershipIsRefused_data()
{
    QTest::addColumn<int>("certificateBytes");
    QTest::addColumn<int>("challengeBytes");
    QTest::newRow("no certificate") << 0 << 32;
    QTest::newRow("huge certificate") << 8 * 1024 + 1 << 32;
    QTest::newRow("no challenge") << 96 << 0;
    QTest::newRow("short challenge") << 96 << 31;
    QTest::newRow("long challenge") << 96 << 33;
}

void TestSwarmMembers::malformedMembershipIsRefused()
{
    QFETCH(int, certificateBytes);
    QFETCH(int, challengeBytes);
    const auto seed = makeSeed();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(randomBytes(std::size_t(certificateBytes), 1),
                              randomBytes(std::size_t(challengeBytes), 2));
    requireRefused(*seed, raw, Errc::Malformed);
}

void TestSwarmMembers::overlongProofIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.challenge());
    auto signature = toBytes(ByteView(raw.prove(*proof, m_release->hash())));
    signature.push_back(std::byte{0});
    raw.sendProof(signature);
    requireRefused(*seed, raw, Errc::Malformed);
}

void TestSwarmMembers::unknownProofVersionIsRefused()
{
    const auto seed = makeSeed();
    const auto proof = device();
    RawPeer raw(seed->endpoint(), m_release->hash(), RawPeer::Extensions::Yes);
    QVERIFY(raw.readHandshakes());
    raw.sendExtendedHandshake(proof->certificate(), raw.challenge());
    raw.sendProof(raw.prove(*proof, m_release->hash()), 2);
    requireRefused(*seed, raw, Errc::UnsupportedFormat);
}

QTEST_GUILESS_MAIN(TestSwarmMembers)
#include "tst_swarm_members.moc"
