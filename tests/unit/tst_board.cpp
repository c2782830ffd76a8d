// SPDX-License-Identifier: Apache-2.0
#include "release_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

using Verdict = Examined::Verdict;

namespace {

/// Everything that examine() may change.
struct State
{
    std::map<BoardKey, Bytes> entries;
    std::map<ResourceUri, trust::Floor> floors;
    std::map<NodeId, trust::Subscription> subscriptions;
    std::vector<Bytes> chain;
    bool operator==(const State&) const = default;
};

State stateOf(const Board& board)
{
    State state{{}, board.floors().all(), board.subscriptions(), board.trust().chain()};
    for (const auto& [key, entry] : board.entries())
        state.entries.emplace(key, entry.bytes);
    return state;
}

Board emptyBoard()
{
    return Board(trustSet(), trust::Floors());
}

/// The code with which `notice` is refused; NotFound if it is not, Usage if the refusal changed something.
Errc refusal(Board& board, const Bytes& notice)
{
    const State before = stateOf(board);
    const Examined examined = board.examine(notice);
    if (examined.verdict != Verdict::Refused || !examined.error)
        return Errc::NotFound;
    return stateOf(board) == before ? examined.error->code : Errc::Usage;
}

/// What a verdict other than Taken must leave alone, too.
bool changesNothing(Board& board, const Bytes& notice, Verdict expected)
{
    const State before = stateOf(board);
    return board.examine(notice).verdict == expected && stateOf(board) == before;
}

Bytes releaseOf(std::string_view uri, std::uint64_t version, std::uint64_t seed = 1, std::uint64_t epoch = 0,
                std::vector<unsigned char> signers = {21})
{
    return releaseNotice(single(5, update(uri, version, epoch), seed), std::move(signers));
}

BoardKey releaseKey(std::string name)
{
    return {trust::Kind::Release, std::move(name)};
}

trust::RootDocument nextRoot(const trust::TrustSet& trust)
{
    trust::RootDocument root = trust.root();
    const auto held = trust::Envelope::parse(trust.chain().back());
    root.previous = held->payloadHash();
    ++root.number;
    return root;
}

Bytes rootNotice(const trust::RootDocument& root, std::vector<unsigned char> signers = {1, 2})
{
    return noticeOf(trust::Kind::Root, signRoot(root, trustSet().fleet(), std::move(signers)));
}

} // namespace

class TestBoard : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void showsTheTrustedRootFromTheStart();
    void takesAReleaseAndRaisesTheFloor();
    void takesTheNewerReleaseInPlaceOfTheOlder();
    void knowsADuplicateWhateverItsSignatures();
    void refusesARollback();
    void refusesEquivocation();
    void putsTheFloorsOwnReleaseBackAfterARestart();
    void refusesReleasesThatAreNotAuthorized();
    void refusesNoticesWithPieceLayers();
    void refusesMalformedNotices();
    void refusesEveryKindAsEveryOther();
    void advancesTheRoot();
    void refusesRootsOutOfTurn();
    void dropsReleasesOfADroppedKeyButKeepsFloors();
    void recoversFromTheHighestVersionByANewEpoch();
    void refusesMoreReleasesThanItHolds();
    void listsWhatVerifiesOthersFirst();
};

void TestBoard::showsTheTrustedRootFromTheStart()
{
    Board board = emptyBoard();
    QCOMPARE(board.entries().size(), std::size_t{1});
    const BoardEntry* root = board.find({trust::Kind::Root, "root"});
    QVERIFY(root);
    QCOMPARE(root->rank.version, std::uint64_t{1});
    QVERIFY(changesNothing(board, root->bytes, Verdict::Duplicate));
}

void TestBoard::takesAReleaseAndRaisesTheFloor()
{
    Board board = emptyBoard();
    const Bytes notice = releaseOf("fw/a", 7);
    const Examined examined = board.examine(notice);
    QCOMPARE(examined.verdict, Verdict::Taken);
    QVERIFY(!examined.error);
    QVERIFY(examined.key == releaseKey("fw/a"));
    QVERIFY(examined.rank == (trust::Revision{0, 7}));
    QVERIFY(examined.release.has_value());
    QCOMPARE(examined.release->infoHash().hex(), examined.id.hex());
    const BoardEntry* entry = board.find(examined.key);
    QVERIFY(entry);
    QVERIFY(entry->bytes == notice);
    QCOMPARE(entry->id.hex(), examined.id.hex());
    const trust::Floor* floor = board.floors().find(*ResourceUri::parse("fw/a"));
    QVERIFY(floor);
    QVERIFY(floor->revision == (trust::Revision{0, 7}));
    QCOMPARE(floor->infoHash.hex(), examined.id.hex());
    QCOMPARE(board.find(releaseKey("fw/b")), nullptr);
}

void TestBoard::takesTheNewerReleaseInPlaceOfTheOlder()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(releaseOf("fw/a", 1)).verdict, Verdict::Taken);
    QCOMPARE(board.examine(releaseOf("fw/b", 1)).verdict, Verdict::Taken);
    const Bytes newer = releaseOf("fw/a", 3);
    QCOMPARE(board.examine(newer).verdict, Verdict::Taken);
    QCOMPARE(board.entries().size(), std::size_t{3});
    QVERIFY(board.find(releaseKey("fw/a"))->bytes == newer);
}

void TestBoard::knowsADuplicateWhateverItsSignatures()
{
    Board board = emptyBoard();
    const Bytes notice = releaseOf("fw/a", 1);
    QCOMPARE(board.examine(notice).verdict, Verdict::Taken);
    QVERIFY(changesNothing(board, notice, Verdict::Duplicate));
    QVERIFY(changesNothing(board, releaseOf("fw/a", 1, 1, 0, {22}), Verdict::Duplicate));
    QVERIFY(changesNothing(board, releaseOf("fw/a", 1, 1, 0, {21, 22, 99}), Verdict::Duplicate));
    // The same content does not excuse signatures that would not have been enough.
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 0, {})), Errc::Unsigned);
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 0, {99})), Errc::UnknownKey);
}

void TestBoard::refusesARollback()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(releaseOf("fw/a", 5)).verdict, Verdict::Taken);
    QCOMPARE(refusal(board, releaseOf("fw/a", 4)), Errc::Rollback);
    QCOMPARE(refusal(board, releaseOf("fw/a", 1)), Errc::Rollback);

    Board restarted(trustSet(), board.floors());
    QCOMPARE(refusal(restarted, releaseOf("fw/a", 4)), Errc::Rollback);
}

void TestBoard::refusesEquivocation()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(releaseOf("fw/a", 5, 1)).verdict, Verdict::Taken);
    QCOMPARE(refusal(board, releaseOf("fw/a", 5, 2)), Errc::Equivocation);
}

void TestBoard::putsTheFloorsOwnReleaseBackAfterARestart()
{
    Board board = emptyBoard();
    const Bytes notice = releaseOf("fw/a", 5);
    QCOMPARE(board.examine(notice).verdict, Verdict::Taken);
    Board restarted(trustSet(), board.floors());
    QCOMPARE(refusal(restarted, releaseOf("fw/a", 5, 2)), Errc::Equivocation);
    QCOMPARE(restarted.examine(notice).verdict, Verdict::Taken);
    QVERIFY(stateOf(restarted) == stateOf(board));
}

void TestBoard::refusesReleasesThatAreNotAuthorized()
{
    Board board = emptyBoard();
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 0, {})), Errc::Unsigned);
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 0, {99})), Errc::UnknownKey);
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 0, {31})), Errc::WrongScope);
    QCOMPARE(refusal(board, releaseOf("fwx/a", 1)), Errc::WrongScope);
    QCOMPARE(refusal(board, releaseOf("fw/secret/x", 1)), Errc::WrongScope);
    QCOMPARE(refusal(board, releaseOf("fw/pair", 1)), Errc::BelowThreshold);
    QCOMPARE(refusal(board, releaseOf("fw/a", 1, 1, 1)), Errc::WrongEpoch);
    TorrentFile elsewhere = single(5, update("fw/a"));
    elsewhere.sign(FleetId(), key(21));
    QCOMPARE(refusal(board, noticeOf(trust::Kind::Release, elsewhere.notice())), Errc::BadSignature);
    QCOMPARE(board.examine(releaseOf("fw/pair", 1, 1, 0, {21, 23})).verdict, Verdict::Taken);
}

void TestBoard::refusesNoticesWithPieceLayers()
{
    Board board = emptyBoard();
    for (const std::size_t size : {5u, 50'000u}) {
        TorrentFile torrent = single(size);
        torrent.sign(trustSet().fleet(), key(21));
        QCOMPARE(refusal(board, noticeOf(trust::Kind::Release, torrent.serialize())), Errc::Malformed);
    }
}

void TestBoard::refusesMalformedNotices()
{
    Board board = emptyBoard();
    QCOMPARE(refusal(board, {}), Errc::Truncated);
    // Certificates and receipts among them: no board holds them.
    for (const unsigned kind : {0u, 2u, 4u, 5u, 6u, 255u}) {
        Bytes notice = releaseOf("fw/a", 1);
        notice[0] = static_cast<std::byte>(kind);
        QCOMPARE(refusal(board, notice), Errc::UnsupportedFormat);
    }
    for (const trust::Kind kind :
         {trust::Kind::Root, trust::Kind::Release, trust::Kind::Deny, trust::Kind::Subscription}) {
        QCOMPARE(refusal(board, noticeOf(kind, {})), Errc::Truncated);
        QCOMPARE(refusal(board, noticeOf(kind, viewOf("hello"))), Errc::NotBencode);
        QCOMPARE(refusal(board, noticeOf(kind, viewOf("de"))), Errc::Malformed);
        QCOMPARE(refusal(board, noticeOf(kind, Bytes(2 * 1024 * 1024, std::byte{'l'}))), Errc::TooLarge);
    }
    Bytes legacy =
        toBytes("d4:infod6:lengthi5e4:name1:f12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee");
    QCOMPARE(refusal(board, noticeOf(trust::Kind::Release, legacy)), Errc::LegacyTorrent);
    Bytes trailing = releaseOf("fw/a", 1);
    trailing.push_back(std::byte{'e'});
    QCOMPARE(refusal(board, trailing), Errc::NotCanonical);
}

void TestBoard::refusesEveryKindAsEveryOther()
{
    Board board = emptyBoard();
    const std::map<trust::Kind, Bytes> notices = {
        {trust::Kind::Root, rootNotice(nextRoot(trustSet()))}, {trust::Kind::Admit, certificateNotice(52)},
        {trust::Kind::Release, releaseOf("fw/a", 1)},          {trust::Kind::Receipt, receiptNotice(51, 1)},
        {trust::Kind::Subscription, subscriptionNotice(51)},
    };
    for (const auto& [kind, notice] : notices) {
        for (const auto& [other, unused] : notices) {
            if (kind == other)
                continue;
            // Only the byte in front, and where there is an envelope its inner name as well.
            const bool isHeld = other != trust::Kind::Admit && other != trust::Kind::Receipt;
            QCOMPARE(refusal(board, noticeOf(other, ByteView(notice).subspan(1))),
                     isHeld ? Errc::Malformed : Errc::UnsupportedFormat);
            auto envelope = trust::Envelope::parse(ByteView(notice).subspan(1));
            if (!envelope || other == trust::Kind::Release)
                continue;
            envelope->kind = other;
            const Errc code = refusal(board, noticeOf(other, envelope->serialize()));
            QVERIFY(code != Errc::NotFound && code != Errc::Usage);
        }
    }
}

void TestBoard::advancesTheRoot()
{
    Board board = emptyBoard();
    const trust::RootDocument root = nextRoot(board.trust());
    const Bytes notice = rootNotice(root);
    const Examined examined = board.examine(notice);
    QCOMPARE(examined.verdict, Verdict::Taken);
    QCOMPARE(board.trust().root().number, std::uint64_t{2});
    QVERIFY(board.find({trust::Kind::Root, "root"})->bytes == notice);
    QCOMPARE(examined.rank.version, std::uint64_t{2});
    QVERIFY(changesNothing(board, notice, Verdict::Duplicate));
}

void TestBoard::refusesRootsOutOfTurn()
{
    Board board = emptyBoard();
    trust::RootDocument second = nextRoot(board.trust());
    trust::RootDocument third = second;
    third.number = 3;
    QCOMPARE(refusal(board, rootNotice(third)), Errc::RootGap);
    QCOMPARE(refusal(board, rootNotice(second, {1})), Errc::BelowThreshold);
    QCOMPARE(refusal(board, rootNotice(second, {11, 12})), Errc::WrongScope);
    const Bytes first = board.find({trust::Kind::Root, "root"})->bytes;
    QCOMPARE(board.examine(rootNotice(second)).verdict, Verdict::Taken);
    QCOMPARE(refusal(board, first), Errc::Rollback);
    second.admitEpoch = 9;
    QCOMPARE(refusal(board, rootNotice(second)), Errc::Equivocation);
}

void TestBoard::dropsReleasesOfADroppedKeyButKeepsFloors()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(releaseOf("fw/a", 5, 1, 0, {21})).verdict, Verdict::Taken);
    QCOMPARE(board.examine(releaseOf("fw/b", 5, 1, 0, {22})).verdict, Verdict::Taken);
    QCOMPARE(board.examine(releaseOf("fw/secret/c", 5, 1, 0, {31})).verdict, Verdict::Taken);
    const auto floors = board.floors().all();
    trust::RootDocument root = nextRoot(board.trust());
    root.scopes[0].role.keys.erase(key(21).id());
    QCOMPARE(board.examine(rootNotice(root)).verdict, Verdict::Taken);
    QCOMPARE(board.find(releaseKey("fw/a")), nullptr);
    QVERIFY(board.find(releaseKey("fw/b")));
    QVERIFY(board.find(releaseKey("fw/secret/c")));
    QVERIFY(board.floors().all() == floors);
    QCOMPARE(refusal(board, releaseOf("fw/a", 4, 1, 0, {22})), Errc::Rollback);
    // The content itself is still good when a key that remains signs it.
    QCOMPARE(board.examine(releaseOf("fw/a", 5, 1, 0, {22})).verdict, Verdict::Taken);
}

void TestBoard::recoversFromTheHighestVersionByANewEpoch()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(releaseOf("fw/a", trust::Revision::kMaxVersion)).verdict, Verdict::Taken);
    QCOMPARE(refusal(board, releaseOf("fw/a", 2)), Errc::Rollback);
    trust::RootDocument root = nextRoot(board.trust());
    root.scopes[0].epoch = 1;
    QCOMPARE(board.examine(rootNotice(root)).verdict, Verdict::Taken);
    QCOMPARE(board.find(releaseKey("fw/a")), nullptr);
    QCOMPARE(refusal(board, releaseOf("fw/a", trust::Revision::kMaxVersion)), Errc::WrongEpoch);
    QCOMPARE(board.examine(releaseOf("fw/a", 1, 1, 1)).verdict, Verdict::Taken);
    QVERIFY(board.floors().find(*ResourceUri::parse("fw/a"))->revision == (trust::Revision{1, 1}));
}

void TestBoard::refusesMoreReleasesThanItHolds()
{
    Board board = emptyBoard();
    for (std::size_t i = 0; i < Board::kMaxReleases; ++i)
        QCOMPARE(board.examine(releaseOf("fw/" + std::to_string(i), 1)).verdict, Verdict::Taken);
    QCOMPARE(refusal(board, releaseOf("fw/more", 1)), Errc::TooLarge);
    QCOMPARE(board.examine(releaseOf("fw/0", 2)).verdict, Verdict::Taken);
    QCOMPARE(board.examine(subscriptionNotice(51)).verdict, Verdict::Taken);
}

void TestBoard::listsWhatVerifiesOthersFirst()
{
    Board board = emptyBoard();
    QCOMPARE(board.examine(subscriptionNotice(51)).verdict, Verdict::Taken);
    QCOMPARE(board.examine(releaseOf("fw/a", 5)).verdict, Verdict::Taken);
    Board other = emptyBoard();
    for (const auto& [key, entry] : board.entries()) {
        const Verdict verdict = other.examine(entry.bytes).verdict;
        QVERIFY(verdict == Verdict::Taken || key.kind == trust::Kind::Root);
    }
    QVERIFY(stateOf(other) == stateOf(board));
}

QTEST_GUILESS_MAIN(TestBoard)
#include "tst_board.moc"
