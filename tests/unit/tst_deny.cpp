// SPDX-License-Identifier: Apache-2.0
/// Deny lists: the document, who may sign it, and what a board and its links make of it.
#include "board/board_keeper.h"
#include "board/link_authenticator.h"
#include "release_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::release;
namespace samples = release::samples;

using Verdict = Examined::Verdict;

namespace {

template <class T> Errc codeOf(const T& result)
{
    return result ? Errc::NotFound : result.error().code;
}

/// The id of a device that nobody has a key of.
NodeId someone(std::uint32_t number)
{
    ByteWriter writer;
    writer.u32(number);
    writer.raw(Bytes(28, std::byte{7}));
    return *NodeId::fromBytes(writer.take());
}

trust::DenyList listOf(std::uint32_t first, std::uint32_t count)
{
    trust::DenyList list;
    for (std::uint32_t i = 0; i < count; ++i)
        list.nodes.insert(someone(first + i));
    return list;
}

trust::Envelope sealed(const trust::DenyList& list, std::vector<unsigned char> signers = {11})
{
    trust::Envelope envelope{trust::Kind::Deny, list.serialize(), {}};
    for (const unsigned char signer : signers)
        envelope.sign(samples::trustSet().fleet(), samples::key(signer));
    return envelope;
}

Bytes denyNotice(const trust::DenyList& list, unsigned char signer = 11)
{
    return noticeOf(trust::Kind::Deny, sealed(list, {signer}).serialize());
}

Bytes denyNotice(std::set<unsigned char> devices, unsigned char signer = 11)
{
    trust::DenyList list;
    for (const unsigned char device : devices)
        list.nodes.insert(samples::nodeOf(device));
    return denyNotice(list, signer);
}

std::size_t listsOn(const Board& board)
{
    return static_cast<std::size_t>(
        std::count_if(board.entries().begin(), board.entries().end(),
                      [](const auto& item) { return item.first.kind == trust::Kind::Deny; }));
}

trust::RootDocument followingRoot()
{
    trust::RootDocument root = samples::rootDocument();
    root.previous = trust::Envelope::parse(samples::trustSet().chain().back())->payloadHash();
    root.number = 2;
    return root;
}

Bytes rootNotice(const trust::RootDocument& root)
{
    return noticeOf(trust::Kind::Root, samples::signRoot(root, samples::trustSet().fleet(), {1, 2}));
}

Board emptyBoard()
{
    return Board(samples::trustSet(), {});
}

} // namespace

class TestDeny : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void aListIsReadAsItWasWritten()
    {
        trust::DenyList list = listOf(1, trust::DenyList::kMaxNodes);
        list.admitEpoch = 7;
        const auto again = trust::DenyList::parse(list.serialize());
        QVERIFY(again && *again == list);
        // Whole, signed, and on the wire it is still within an envelope's limit.
        QVERIFY(sealed(list).serialize().size() < 64 * 1024);
        QVERIFY(trust::Envelope::parse(sealed(list).serialize()));
    }

    void refusesDamagedLists()
    {
        const auto parse = [](std::string_view text) {
            return codeOf(trust::DenyList::parse(toBytes(text)));
        };
        const std::string one(32, 'a'), other(32, 'b');
        const auto with = [](const std::string& ids) {
            return "d11:admit-epochi0e6:formati1e5:nodes" + std::to_string(ids.size()) + ":" + ids + "e";
        };
        QCOMPARE(parse(with(one + other)), Errc::NotFound);
        QCOMPARE(parse(with("")), Errc::Malformed);
        QCOMPARE(parse(with(one + "b")), Errc::Malformed);
        QCOMPARE(parse(with(other + one)), Errc::NotCanonical);
        QCOMPARE(parse(with(one + one)), Errc::NotCanonical);
        QCOMPARE(parse("d6:formati1e5:nodes32:" + one + "e"), Errc::Malformed);
        QCOMPARE(parse("d11:admit-epochi-1e6:formati1e5:nodes32:" + one + "e"), Errc::Malformed);
        QCOMPARE(parse("d11:admit-epochi0e6:formati2e5:nodes32:" + one + "e"), Errc::UnsupportedFormat);
        QCOMPARE(parse(with(one) + "x"), Errc::NotCanonical);
        QCOMPARE(codeOf(trust::DenyList::parse(Bytes(64 * 1024 + 1))), Errc::TooLarge);
        const std::string tooMany((trust::DenyList::kMaxNodes + 1) * 32, 'a');
        QCOMPARE(parse(with(tooMany)), Errc::TooLarge);
    }

    void anyOneAdmitKeySigns()
    {
        trust::RootDocument root = followingRoot();
        root.admit.threshold = 2;
        trust::TrustSet trust = samples::trustSet();
        QVERIFY(trust.advance(samples::signRoot(root, trust.fleet(), {1, 2})));
        for (const unsigned char signer : std::initializer_list<unsigned char>{11, 12, 13})
            QVERIFY(trust.verifyDeny(sealed(listOf(1, 1), {signer})));
        QCOMPARE(codeOf(trust.verifyDeny(sealed(listOf(1, 1), {}))), Errc::Unsigned);
        QCOMPARE(codeOf(trust.verifyDeny(sealed(listOf(1, 1), {11, 12}))), Errc::TooLarge);
        QCOMPARE(codeOf(trust.verifyDeny(sealed(listOf(1, 1), {21}))), Errc::WrongScope);
        QCOMPARE(codeOf(trust.verifyDeny(sealed(listOf(1, 1), {99}))), Errc::UnknownKey);
        trust::DenyList stale = listOf(1, 1);
        stale.admitEpoch = 4;
        QCOMPARE(codeOf(trust.verifyDeny(sealed(stale))), Errc::WrongEpoch);
        trust::Envelope other = sealed(listOf(1, 1));
        other.kind = trust::Kind::Admit;
        QCOMPARE(codeOf(trust.verifyDeny(other)), Errc::Malformed);
    }

    void receiptsOfADeniedDeviceAreRefused()
    {
        board::BoardKeeper keeper(emptyBoard());
        const auto receiptOf = [](unsigned char device) {
            return board::Parcel{samples::envelopeOf(samples::certificateNotice(device)),
                                 samples::envelopeOf(samples::receiptNotice(device, 1))}
                .serialize();
        };
        QVERIFY(keeper.examineReceipt(receiptOf(51)));
        QCOMPARE(keeper.take(denyNotice({51})).verdict, Verdict::Taken);
        QCOMPARE(codeOf(keeper.examineReceipt(receiptOf(51))), Errc::Denied);
        QVERIFY(keeper.examineReceipt(receiptOf(50)));
    }

    // Security case 28a.
    void oneStolenAdmitKeyUnDeniesNobody()
    {
        Board held = emptyBoard();
        QCOMPARE(held.examine(denyNotice({50, 51}, 11)).verdict, Verdict::Taken);
        // The thief of that very key, or of another, signs lists that lack them; an empty one is none.
        QCOMPARE(held.examine(denyNotice({51}, 11)).verdict, Verdict::Stale);
        QCOMPARE(held.examine(denyNotice({52}, 11)).verdict, Verdict::Taken);
        QCOMPARE(held.examine(denyNotice({53}, 12)).verdict, Verdict::Taken);
        const Examined empty = held.examine(denyNotice(trust::DenyList()));
        QCOMPARE(empty.error->code, Errc::Malformed);
        for (const unsigned char device : std::initializer_list<unsigned char>{50, 51, 52, 53})
            QVERIFY(held.denials().contains(samples::nodeOf(device)));

        // It may fill its own places, and no others.
        for (std::uint32_t i = 0; i < 20; ++i)
            held.examine(denyNotice(listOf(i * 10'000, trust::DenyList::kMaxNodes), 11));
        QCOMPARE(listsOn(held), Denials::kMaxListsOfSigner + 1);
        const Examined tooMany = held.examine(denyNotice(listOf(500'000, 1), 11));
        QCOMPARE(tooMany.verdict, Verdict::Refused);
        QCOMPARE(tooMany.error->code, Errc::TooLarge);
        QCOMPARE(held.examine(denyNotice({54}, 12)).verdict, Verdict::Taken);
        for (const unsigned char device : std::initializer_list<unsigned char>{50, 51, 52, 53, 54})
            QVERIFY(held.denials().contains(samples::nodeOf(device)));
    }

    void aListThatSaysMoreMakesRoomForItself()
    {
        Board held = emptyBoard();
        QCOMPARE(held.examine(denyNotice({50}, 11)).verdict, Verdict::Taken);
        QCOMPARE(held.examine(denyNotice({51}, 11)).verdict, Verdict::Taken);
        QCOMPARE(held.examine(denyNotice({50}, 12)).verdict, Verdict::Taken);
        QCOMPARE(listsOn(held), std::size_t{3});
        const Examined more = held.examine(denyNotice({50, 51, 52}, 11));
        QCOMPARE(more.verdict, Verdict::Taken);
        QCOMPARE(more.covered.size(), std::size_t{2});
        QCOMPARE(listsOn(held), std::size_t{2});
        QCOMPARE(held.examine(denyNotice({50, 51, 52}, 11)).verdict, Verdict::Duplicate);
        QCOMPARE(held.examine(denyNotice({50}, 11)).verdict, Verdict::Stale);
    }

    void listsInAnyOrderMakeTheSameBoard()
    {
        std::vector<Bytes> notices{denyNotice({50}, 11),     denyNotice({51}, 11), denyNotice({50, 51}, 11),
                                   denyNotice({50, 52}, 11), denyNotice({50}, 12), denyNotice({53}, 13)};
        std::set<std::vector<std::string>> outcomes;
        std::sort(notices.begin(), notices.end());
        for (int i = 0; i < 100; ++i) {
            Board held = emptyBoard();
            for (const Bytes& notice : notices)
                held.examine(notice);
            std::vector<std::string> places;
            for (const auto& [key, entry] : held.entries())
                places.push_back(key.name);
            outcomes.insert(places);
            QCOMPARE(held.denials().nodes().size(), std::size_t{4});
            std::next_permutation(notices.begin(), notices.end());
        }
        QCOMPARE(outcomes.size(), std::size_t{1});
    }

    void aNewAdmitEpochEndsAllLists()
    {
        Board held = emptyBoard();
        QCOMPARE(held.examine(denyNotice({50, 51})).verdict, Verdict::Taken);
        trust::RootDocument root = followingRoot();
        root.admitEpoch = 1;
        QCOMPARE(held.examine(rootNotice(root)).verdict, Verdict::Taken);
        QCOMPARE(listsOn(held), std::size_t{0});
        QVERIFY(!held.denials().contains(samples::nodeOf(50)));
        const Examined old = held.examine(denyNotice({50, 51}));
        QCOMPARE(old.error->code, Errc::WrongEpoch);
    }

    void aDroppedAdmitKeysListsLeave()
    {
        Board held = emptyBoard();
        QCOMPARE(held.examine(denyNotice({50}, 11)).verdict, Verdict::Taken);
        QCOMPARE(held.examine(denyNotice({51}, 12)).verdict, Verdict::Taken);
        trust::RootDocument root = followingRoot();
        root.admit.keys.erase(samples::key(11).id());
        QCOMPARE(held.examine(rootNotice(root)).verdict, Verdict::Taken);
        QVERIFY(!held.denials().contains(samples::nodeOf(50)));
        QVERIFY(held.denials().contains(samples::nodeOf(51)));
    }

    // Security case 26.
    void linksRefuseADeniedDevice()
    {
        board::BoardKeeper keeper(emptyBoard());
        const auto linkKey = crypto::LinkKeyPair::of(samples::key(50));
        const Bytes own = toBytes(ByteView(samples::certificateNotice(50)).subspan(1));
        const board::LinkAuthenticator authenticator(linkKey, own, keeper.board(), [] { return UtcTime(); });
        const Bytes theirs = toBytes(ByteView(samples::certificateNotice(51)).subspan(1));
        const LinkKey theirKey = crypto::LinkKeyPair::of(samples::key(51)).publicKey();
        QVERIFY(authenticator.verify(theirs, theirKey));
        QCOMPARE(keeper.take(denyNotice({51})).verdict, Verdict::Taken);
        QCOMPARE(codeOf(authenticator.verify(theirs, theirKey)), Errc::Denied);
    }

    void descriptorsOfDeniedDevicesAreRefused()
    {
        board::BoardKeeper keeper(emptyBoard());
        trust::Descriptor descriptor;
        descriptor.node = samples::nodeOf(51);
        trust::Envelope envelope{trust::Kind::Descriptor, descriptor.serialize(), {}};
        envelope.sign(samples::trustSet().fleet(), samples::key(51));
        const Bytes parcel =
            board::Parcel{samples::envelopeOf(samples::certificateNotice(51)), envelope.serialize()}
                .serialize();
        QVERIFY(keeper.examineDescriptor(parcel));
        QCOMPARE(keeper.take(denyNotice({51})).verdict, Verdict::Taken);
        QCOMPARE(codeOf(keeper.examineDescriptor(parcel)), Errc::Denied);
    }

    void anOvertakenRootIsNoAlarm()
    {
        board::BoardKeeper held(emptyBoard());
        const trust::RootDocument second = followingRoot();
        const Bytes secondNotice = rootNotice(second);
        trust::RootDocument third = second;
        third.number = 3;
        third.previous =
            trust::Envelope::parse(ByteView(secondNotice).subspan(1), trust::kMaxRootBytes)->payloadHash();
        QCOMPARE(held.examine(secondNotice).verdict, overlay::Mediator::Verdict::Taken);
        QCOMPARE(held.examine(rootNotice(third)).verdict, overlay::Mediator::Verdict::Taken);
        QCOMPARE(held.examine(secondNotice).verdict, overlay::Mediator::Verdict::Known);
        QVERIFY(held.refusals().empty());
        // Security case 5: another root of that number is older than what is held, whoever signed it.
        trust::RootDocument fork = second;
        fork.created = 1'800'000'000;
        QCOMPARE(held.examine(rootNotice(fork)).error->code, Errc::Rollback);
    }

    void theKeeperHandsOutTheChainAndTakesRefusalsBack()
    {
        board::BoardKeeper keeper(emptyBoard());
        QCOMPARE(keeper.rootNumber(), std::uint64_t{1});
        const Bytes next = rootNotice(followingRoot());
        QCOMPARE(keeper.examine(next).verdict, overlay::Mediator::Verdict::Taken);
        QCOMPARE(keeper.rootNumber(), std::uint64_t{2});
        QVERIFY(keeper.root(2) == next);
        QVERIFY(keeper.root(1) == noticeOf(trust::Kind::Root, samples::trustSet().chain().front()));
        QVERIFY(keeper.root(0).empty() && keeper.root(3).empty());
        const auto refused = keeper.examine(samples::subscriptionNotice(50, 1, 99));
        QCOMPARE(refused.error->code, Errc::UnknownKey);
        QCOMPARE(keeper.refusals().size(), std::size_t{1});
        keeper.excuse(*refused.error);
        QVERIFY(keeper.refusals().empty());
        keeper.excuse(*refused.error);
        QVERIFY(keeper.refusals().empty());
    }
};

QTEST_GUILESS_MAIN(TestDeny)
#include "tst_deny.moc"
