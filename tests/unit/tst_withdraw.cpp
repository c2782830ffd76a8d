// SPDX-License-Identifier: Apache-2.0
/// Releases that are taken back: what a board takes, and what whole nodes do then.
#include "node_fixture.h"

using namespace starling;
using namespace starling::node;
using namespace starling::node::fixture;
using release::Board;
using release::Examined;
using trust::Phase;

using Verdict = Examined::Verdict;

namespace {

trust::Envelope envelopeOf(const trust::Withdrawal& withdrawal, std::vector<unsigned char> signers = {21})
{
    trust::Envelope envelope{trust::Kind::Withdraw, withdrawal.serialize(), {}};
    for (const unsigned char signer : signers)
        envelope.sign(samples::trustSet().fleet(), samples::key(signer));
    return envelope;
}

Bytes withdrawalOf(const release::TorrentFile& torrent, std::vector<unsigned char> signers = {21})
{
    const release::UpdateInfo& update = torrent.info.update;
    return release::noticeOf(
        trust::Kind::Withdraw,
        envelopeOf({update.uri, update.revision, torrent.infoHash}, std::move(signers)).serialize());
}

release::TorrentFile releaseOf(std::string_view uri, std::uint64_t version,
                               std::vector<unsigned char> signers = {21}, std::uint64_t seed = 1)
{
    auto torrent = samples::single(5, samples::update(uri, version), seed);
    for (const unsigned char signer : signers)
        torrent.sign(samples::trustSet().fleet(), samples::key(signer));
    return torrent;
}

Bytes noticeOf(const release::TorrentFile& torrent)
{
    return release::noticeOf(trust::Kind::Release, torrent.notice());
}

Board emptyBoard()
{
    return Board(samples::trustSet(), trust::Floors());
}

std::size_t withdrawalsOn(const Board& board)
{
    return static_cast<std::size_t>(
        std::count_if(board.entries().begin(), board.entries().end(),
                      [](const auto& item) { return item.first.kind == trust::Kind::Withdraw; }));
}

Errc refusalOf(Board& board, const Bytes& notice)
{
    const std::size_t before = board.entries().size();
    const Examined examined = board.examine(notice);
    if (examined.verdict != Verdict::Refused || board.entries().size() != before)
        return Errc::Usage;
    return examined.error->code;
}

std::optional<Updater::View> viewOf(const Node& node, const InfoHash& payload)
{
    for (const Updater::View& view : node.updater().views())
        if (view.record.infoHash == payload)
            return view;
    return std::nullopt;
}

bool isWithdrawnAt(const Node& node, const InfoHash& payload)
{
    const auto view = viewOf(node, payload);
    return view && view->record.phase == Phase::Failed
        && view->record.code == static_cast<std::uint16_t>(Errc::Withdrawn);
}

} // namespace

class TestWithdraw : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void init()
    {
        m_first = std::make_unique<Device>(50);
        m_second = std::make_unique<Device>(51);
        m_third = std::make_unique<Device>(52);
    }

    void cleanup()
    {
        m_nodes.clear();
        m_first.reset();
        m_second.reset();
        m_third.reset();
    }

    void anyOneKeyOfTheScopeIsEnough()
    {
        Board board = emptyBoard();
        const auto torrent = releaseOf("fw/pair/a", 3, {21, 22});
        QCOMPARE(board.examine(noticeOf(torrent)).verdict, Verdict::Taken);
        QVERIFY(!board.withdrawalOf(torrent));
        const Examined taken = board.examine(withdrawalOf(torrent, {23}));
        QCOMPARE(taken.verdict, Verdict::Taken);
        QVERIFY(taken.withdrawal && taken.withdrawal->infoHash == torrent.infoHash);
        QCOMPARE(board.withdrawalOf(torrent)->code, Errc::Withdrawn);
        QCOMPARE(board.examine(withdrawalOf(torrent, {23})).verdict, Verdict::Duplicate);
        // The floor stays where it is, and so does the notice from which others learn of it.
        QVERIFY(board.floors().find(torrent.info.update.uri)->revision == torrent.info.update.revision);
        QVERIFY(board.find({trust::Kind::Release, "fw/pair/a"}));
    }

    void nobodyElseWithdraws()
    {
        Board board = emptyBoard();
        const auto torrent = releaseOf("fw/a", 3);
        QCOMPARE(refusalOf(board, withdrawalOf(torrent, {})), Errc::Unsigned);
        QCOMPARE(refusalOf(board, withdrawalOf(torrent, {21, 22})), Errc::TooLarge);
        QCOMPARE(refusalOf(board, withdrawalOf(torrent, {31})), Errc::WrongScope);
        QCOMPARE(refusalOf(board, withdrawalOf(torrent, {11})), Errc::WrongScope);
        QCOMPARE(refusalOf(board, withdrawalOf(torrent, {99})), Errc::UnknownKey);
        QCOMPARE(refusalOf(board, withdrawalOf(releaseOf("app/a", 3))), Errc::WrongScope);
        QCOMPARE(refusalOf(board,
                           release::noticeOf(
                               trust::Kind::Withdraw,
                               envelopeOf({torrent.info.update.uri, {1, 3}, torrent.infoHash}).serialize())),
                 Errc::WrongEpoch);
        QCOMPARE(refusalOf(board,
                           release::noticeOf(
                               trust::Kind::Withdraw,
                               envelopeOf({torrent.info.update.uri, {0, 0}, torrent.infoHash}).serialize())),
                 Errc::Malformed);
        // A signature for a release is none for its withdrawal.
        trust::Envelope envelope = envelopeOf({torrent.info.update.uri, {0, 3}, torrent.infoHash});
        envelope.signatures = torrent.signatures;
        QCOMPARE(refusalOf(board, release::noticeOf(trust::Kind::Withdraw, envelope.serialize())),
                 Errc::BadSignature);
    }

    void namesOneContentOnly()
    {
        Board board = emptyBoard();
        const auto bad = releaseOf("fw/a", 3, {21}, 1), good = releaseOf("fw/a", 3, {21}, 2);
        QCOMPARE(board.examine(withdrawalOf(bad)).verdict, Verdict::Taken);
        QVERIFY(board.withdrawalOf(bad));
        QVERIFY(!board.withdrawalOf(good));
        QVERIFY(!board.withdrawalOf(releaseOf("fw/a", 4)));
    }

    void aLaterReleaseEndsIt()
    {
        Board board = emptyBoard();
        const auto third = releaseOf("fw/a", 3), fourth = releaseOf("fw/a", 4);
        QCOMPARE(board.examine(withdrawalOf(third)).verdict, Verdict::Taken);
        QCOMPARE(board.examine(noticeOf(third)).verdict, Verdict::Taken);
        QCOMPARE(board.examine(withdrawalOf(releaseOf("fw/b", 1))).verdict, Verdict::Taken);
        const Examined taken = board.examine(noticeOf(fourth));
        QCOMPARE(taken.verdict, Verdict::Taken);
        QCOMPARE(taken.covered.size(), std::size_t{1});
        QCOMPARE(withdrawalsOn(board), std::size_t{1});
        QCOMPARE(board.examine(withdrawalOf(third)).verdict, Verdict::Stale);
        QCOMPARE(withdrawalsOn(board), std::size_t{1});
    }

    void oneStolenKeyTakesNoPlaceFromAnother()
    {
        Board board = emptyBoard();
        for (std::uint64_t version = 1; version <= release::Withdrawals::kMaxOfSigner; ++version)
            QCOMPARE(board.examine(withdrawalOf(releaseOf("fw/a", version))).verdict, Verdict::Taken);
        QCOMPARE(refusalOf(board, withdrawalOf(releaseOf("fw/a", 1'000))), Errc::TooLarge);
        QCOMPARE(board.examine(withdrawalOf(releaseOf("fw/a", 1'000), {22})).verdict, Verdict::Taken);
    }

    void leavesWithTheKeyThatSignedIt()
    {
        Board board = emptyBoard();
        const auto torrent = releaseOf("fw/a", 3);
        QCOMPARE(board.examine(withdrawalOf(torrent, {21})).verdict, Verdict::Taken);
        QCOMPARE(board.examine(withdrawalOf(torrent, {22})).verdict, Verdict::Taken);
        trust::RootDocument root = samples::rootDocument();
        root.previous = trust::Envelope::parse(samples::trustSet().chain().front())->payloadHash();
        root.number = 2;
        root.scopes[0].role.keys.erase(samples::key(21).id());
        QCOMPARE(board
                     .examine(release::noticeOf(trust::Kind::Root,
                                                samples::signRoot(root, samples::trustSet().fleet(), {1, 2})))
                     .verdict,
                 Verdict::Taken);
        QCOMPARE(withdrawalsOn(board), std::size_t{1});
        QVERIFY(board.withdrawalOf(torrent));
    }

    void devicesThatFetchItStop()
    {
        Node* first = start(*m_first);
        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        const auto torrent = signedRelease(contents());
        QVERIFY(first->publish(torrent).has_value()); // its notice: nobody has the payload
        for (Node* node : {first, second})
            QTRY_VERIFY(phaseAt(*node, torrent.infoHash) == Phase::Downloading);

        const auto published = second->publishNotice(withdrawalOf(torrent));
        QVERIFY(published && *published);
        for (Node* node : {first, second})
            QTRY_VERIFY(isWithdrawnAt(*node, torrent.infoHash));
        QVERIFY(first->refusals().empty() && second->refusals().empty());
        const auto pushed = push(*first, torrent, streamOf(torrent, contents()));
        QCOMPARE(pushed.error().code, Errc::Withdrawn);
        // It stays withdrawn.
        m_nodes.clear();
        QVERIFY(isWithdrawnAt(*start(*m_first), torrent.infoHash));
    }

    void devicesThatHearOfItFirstNeverBegin()
    {
        Node* first = start(*m_first);
        const auto torrent = signedRelease(contents());
        QVERIFY(first->publishNotice(withdrawalOf(torrent)));
        m_second->config.neighbors = {first->listenEndpoint()};
        std::vector<Phase> phases;
        m_second->observer = [&](const update::Step& step, StepMoment moment) {
            if (moment == StepMoment::AfterWrite)
                phases.push_back(step.record.phase);
        };
        Node* second = start(*m_second);
        QTRY_COMPARE(withdrawalsOn(second->board()), std::size_t{1});
        QVERIFY(first->publish(torrent).has_value());
        QTRY_VERIFY(isWithdrawnAt(*second, torrent.infoHash));
        QVERIFY(phases == (std::vector<Phase>{Phase::Announced, Phase::Failed}));
    }

    void whoHasItInPlaceKeepsItAndServesNobody()
    {
        Node* first = start(*m_first);
        const auto torrent = signedRelease(contents());
        QVERIFY(push(*first, torrent, streamOf(torrent, contents())).has_value());
        QTRY_VERIFY(phaseAt(*first, torrent.infoHash) == Phase::Healthy);
        QVERIFY(first->publishNotice(withdrawalOf(torrent)));
        QVERIFY(phaseAt(*first, torrent.infoHash) == Phase::Healthy);
        QCOMPARE(viewOf(*first, torrent.infoHash)->payloadTrouble->code, Errc::Withdrawn);
        m_nodes.clear();
        first = start(*m_first);
        QCOMPARE(viewOf(*first, torrent.infoHash)->payloadTrouble->code, Errc::Withdrawn);

        m_second->config.neighbors = {first->listenEndpoint()};
        Node* second = start(*m_second);
        QTRY_VERIFY(isWithdrawnAt(*second, torrent.infoHash));
        // A later version gets both out of it, and the withdrawal off their boards.
        const auto next = signedRelease(contents(), samples::update("fw/gateway", 2));
        QVERIFY(push(*second, next, streamOf(next, contents())).has_value());
        for (Node* node : {first, second}) {
            QTRY_VERIFY(phaseAt(*node, next.infoHash) == Phase::Healthy);
            QCOMPARE(withdrawalsOn(node->board()), std::size_t{0});
        }
        m_nodes.clear();
        QCOMPARE(withdrawalsOn(start(*m_first)->board()), std::size_t{0});
    }

    // The withdrawal was stored, and then the power went before the record was.
    void isFollowedAfterARestart()
    {
        const auto torrent = signedRelease(contents());
        QVERIFY(start(*m_first)->publish(torrent).has_value());
        QTRY_VERIFY(phaseAt(*m_nodes.back(), torrent.infoHash) == Phase::Downloading);
        m_nodes.clear();
        {
            const Bytes notice = withdrawalOf(torrent);
            Board board = emptyBoard();
            const Examined taken = board.examine(notice);
            auto store = store::Store::open(m_first->config.state);
            QVERIFY(store.has_value());
            QVERIFY(store->putNotice({static_cast<std::uint8_t>(taken.key.kind), taken.key.name, notice})
                        .has_value());
        }
        QVERIFY(isWithdrawnAt(*start(*m_first), torrent.infoHash));
    }

private:
    Node* start(const Device& device)
    {
        auto node = device.start();
        if (!node)
            qFatal("%s", node.error().context.c_str());
        m_nodes.push_back(std::move(*node));
        return m_nodes.back().get();
    }

    std::unique_ptr<Device> m_first, m_second, m_third;
    std::vector<std::unique_ptr<Node>> m_nodes;
};

QTEST_GUILESS_MAIN(TestWithdraw)
#include "tst_withdraw.moc"
