// SPDX-License-Identifier: Apache-2.0
/// Words, tokens, and whom an agent lets wait.
#include "enrol/certificate.h"
#include "enrol/fingerprint.h"
#include "enrol/reception.h"
#include "link/authenticator.h"
#include "trust_fixture.h"

#include <QTest>

#include <set>

using namespace starling;
using namespace starling::enrol;
using namespace std::chrono_literals;
using State = JoinAnswer::State;

namespace {

const FleetId kFleet = fixture::filled<FleetId>(3);
const Instant kStart = Instant(1h);
const UtcTime kNoon{std::chrono::seconds(1'800'000'000)};
constexpr std::uint64_t kNoonSeconds = 1'800'000'000;

trust::TokenSecret secretOf(unsigned char number)
{
    return trust::TokenSecret{std::byte{number}};
}

Bytes requestOf(unsigned char device, std::optional<trust::TokenSecret> token = {},
                const FleetId& fleet = kFleet)
{
    trust::JoinRequest request;
    request.node = fixture::nodeId(device);
    request.linkKey = fixture::filled<LinkKey>(device);
    request.name = "device-" + std::to_string(device);
    request.token = token;
    return request.seal(fleet, fixture::key(device));
}

Endpoint hostOf(unsigned char number)
{
    return Endpoint::ipv4(10, 0, 0, number, 7'891);
}

/// The sample fleet with as many roots after its anchor.
trust::TrustSet afterRoots(std::uint64_t count)
{
    trust::TrustSet trust = fixture::trustSet();
    for (std::uint64_t i = 0; i < count; ++i) {
        trust::RootDocument root = fixture::nextRoot(trust);
        root.created = kNoonSeconds + i;
        [[maybe_unused]] const auto advanced = trust.advance(fixture::sealRoot(trust, root));
    }
    return trust;
}

JoinToken tokenSample()
{
    JoinToken token;
    token.fleet = kFleet;
    token.issuer = fixture::nodeId(5);
    token.linkKey = fixture::filled<LinkKey>(6);
    token.contact = hostOf(7);
    token.secret = secretOf(8);
    token.expires = kNoonSeconds;
    return token;
}

} // namespace

class TestEnrol : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    // --- Words

    void aKeyHasItsWordsForEver()
    {
        // SHA-256 of 32 zero bytes begins with 66 68 7a ad f8 62 bd 77.
        const std::string words = fingerprintOf(NodeId());
        QCOMPARE(std::ranges::count(words, '-'), std::ptrdiff_t{kFingerprintWords - 1});
        QCOMPARE(words, std::string("fox-garden-hockey-nectar-walrus-flannel-panda-hazel"));
        QVERIFY(fingerprintOf(fixture::nodeId(1)) != words);
    }

    void everyByteHasAWordOfItsOwn()
    {
        std::set<std::string> words, beginnings;
        for (unsigned i = 0; words.size() < 256 && i < 20'000; ++i) {
            std::array<std::byte, 32> bytes{static_cast<std::byte>(i), static_cast<std::byte>(i >> 8)};
            std::string rest = fingerprintOf(NodeId(bytes)) + "-";
            for (std::size_t at = 0; (at = rest.find('-')) != rest.npos; rest.erase(0, at + 1))
                words.insert(rest.substr(0, at));
        }
        QCOMPARE(words.size(), std::size_t{256});
        for (const std::string& word : words) {
            QVERIFY2(word.size() >= 3 && word.size() <= 8, word.c_str());
            beginnings.insert(word.substr(0, 4));
        }
        QCOMPARE(beginnings.size(), std::size_t{256});
    }

    void takesWordsAsPeopleTypeThem()
    {
        QCOMPARE(normalFingerprint(" Acorn tiger,\tZEBRA-amber "), std::string("acorn-tiger-zebra-amber"));
        QCOMPARE(normalFingerprint(""), std::string());
    }

    // --- Tokens as lines

    void aTokenComesBackFromItsLine()
    {
        const std::string line = tokenSample().line();
        QVERIFY(line.size() < kMaxTokenLine);
        QVERIFY(std::ranges::all_of(
            line, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '1' && c <= '7') || c == '-'; }));
        const auto token = JoinToken::parse(line);
        ACCEPTED(token);
        QVERIFY(*token == tokenSample());
        QVERIFY(*JoinToken::parse("  " + line + "\r\n") == tokenSample());
    }

    void refusesEveryTypingErrorInAToken()
    {
        const std::string line = tokenSample().line();
        for (std::size_t at = 0; at < line.size(); ++at) {
            std::string wrong = line;
            wrong[at] = wrong[at] == 'q' ? 'r' : 'q';
            QVERIFY2(!JoinToken::parse(wrong), wrong.c_str());
            QVERIFY(!JoinToken::parse(line.substr(0, at)));
        }
        QVERIFY(!JoinToken::parse(line + "a"));
        std::string capitals = line;
        capitals.back() = 'A';
        REFUSED(JoinToken::parse(capitals), Errc::Malformed);
        REFUSED(JoinToken::parse("starling2-" + line.substr(10)), Errc::UnsupportedFormat);
        REFUSED(JoinToken::parse(""), Errc::Malformed);
        JoinToken nowhere = tokenSample();
        nowhere.contact.port = 0;
        REFUSED(JoinToken::parse(nowhere.line()), Errc::Malformed);
    }

    // --- Certificates

    void grantsWhatLinksCanCarry()
    {
        const trust::TrustSet trust = fixture::trustSet();
        auto request = trust::openJoinRequest(requestOf(60, {}, trust.fleet()), trust.fleet());
        ACCEPTED(request);
        auto certificate = grant(*request, trust.root());
        ACCEPTED(certificate);
        certificate->sign(trust.fleet(), fixture::key(10));
        const Bytes bytes = certificate->serialize();
        ACCEPTED(requireGranted(bytes, request->node, request->linkKey, trust));
        REFUSED(requireGranted(bytes, fixture::nodeId(61), request->linkKey, trust), Errc::NotAdmitted);
        REFUSED(requireGranted(bytes, request->node, LinkKey(), trust), Errc::NotAdmitted);
        for (char c = 'a'; c < 'a' + 10; ++c)
            request->labels[std::string(1, c)] = std::string(60, c);
        REFUSED(grant(*request, trust.root()), Errc::TooLarge);
    }

    // --- Who waits

    void withoutATokenItWaits()
    {
        Reception reception(kFleet);
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50), kStart, kNoon).state == State::Pending);
        QVERIFY(!reception.isChanged()); // it asks again after a restart of ours
        const auto& pending = reception.pending(kStart + 1min);
        QCOMPARE(pending.size(), std::size_t{1});
        const auto& device = pending.begin()->second;
        QCOMPARE(device.request.name, std::string("device-50"));
        QVERIFY(!device.hasGoodToken && device.from == hostOf(1) && device.since == kStart);
        QVERIFY(device.envelope == requestOf(50));
        QVERIFY(reception.pending(kStart + Reception::kPendingLifetime).empty());
    }

    void refusesWhatIsNoRequestForThisFleet() // of security case 26: knows the fleet's id, and no more
    {
        Reception reception(kFleet);
        QVERIFY(reception.onRequest(hostOf(1), toBytes("d4:kind4:joine"), kStart, kNoon).state
                == State::Refused);
        const auto other = reception.onRequest(hostOf(1), requestOf(50, {}, FleetId()), kStart, kNoon);
        QVERIFY(other.state == State::Refused && !other.reason.empty());
        QVERIFY(reception.pending(kStart).empty());
    }

    void aTokenIsRedeemedOnce()
    {
        Reception reception(kFleet);
        ACCEPTED(reception.addToken(secretOf(1), kNoonSeconds + 60, kNoon));
        QVERIFY(std::exchange(reception, *Reception::parse(reception.serialize(), kFleet)).isChanged());
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50, secretOf(1)), kStart, kNoon).state
                == State::TokenGood);
        QVERIFY(reception.isChanged());
        QVERIFY(reception.pending(kStart).at(fixture::nodeId(50)).hasGoodToken);
        // Another device with the same token, also after a restart.
        reception = *Reception::parse(reception.serialize(), kFleet);
        const auto second = reception.onRequest(hostOf(2), requestOf(51, secretOf(1)), kStart, kNoon);
        QVERIFY(second.state == State::Refused);
        QCOMPARE(second.reason, std::string("another device has joined with this token"));
        QVERIFY(reception.pending(kStart).empty());
        // The same device may ask again, even when the time of the token is over.
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50, secretOf(1)), kStart, kNoon + 1h).state
                == State::TokenGood);
    }

    void remembersWhatATokenIsForAndTakesOldOnesForDevices()
    {
        Reception reception(kFleet);
        ACCEPTED(reception.addToken(secretOf(1), kNoonSeconds + 60, kNoon));
        const Bytes before = reception.serialize();
        QVERIFY(toText(before).find("console") == std::string::npos); // as it was written before
        ACCEPTED(reception.addToken(secretOf(2), kNoonSeconds + 60, kNoon, TokenUse::Console));
        const auto useOf = [&](std::optional<trust::TokenSecret> secret) {
            return reception.useOf(trust::openJoinRequest(requestOf(50, secret), kFleet).value());
        };
        for (int restarts = 0; restarts < 2; ++restarts) {
            QVERIFY(useOf(secretOf(1)) == TokenUse::Device && useOf(secretOf(2)) == TokenUse::Console);
            QVERIFY(useOf(secretOf(3)) == TokenUse::Device && useOf({}) == TokenUse::Device);
            const Bytes kept = reception.serialize();
            reception = *Reception::parse(kept, kFleet);
            QVERIFY(reception.serialize() == kept);
        }
        // Redeeming changes nothing of it.
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50, secretOf(2)), kStart, kNoon).state
                == State::TokenGood);
        QVERIFY(useOf(secretOf(2)) == TokenUse::Console);
        std::string odd = std::string(toText(reception.serialize()));
        odd.replace(odd.find("7:consolei1e"), 12, "7:consolei2e");
        REFUSED(Reception::parse(toBytes(odd), kFleet), Errc::Malformed);
    }

    void refusesExpiredAndUnknownTokens()
    {
        Reception reception(kFleet);
        ACCEPTED(reception.addToken(secretOf(1), kNoonSeconds + 60, kNoon));
        const auto late = reception.onRequest(hostOf(1), requestOf(50, secretOf(1)), kStart, kNoon + 61s);
        QVERIFY(late.state == State::Refused);
        QCOMPARE(late.reason, std::string("the join token has expired"));
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50, secretOf(2)), kStart, kNoon).state
                == State::Refused);
        QVERIFY(reception.pending(kStart).empty());
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50, secretOf(1)), kStart, kNoon + 60s).state
                == State::TokenGood);
    }

    void tokensAreBoundedAndMakeRoomWhenTheyExpire()
    {
        Reception reception(kFleet);
        for (unsigned i = 0; i < Reception::kMaxTokens; ++i)
            ACCEPTED(reception.addToken(trust::TokenSecret{static_cast<std::byte>(i), std::byte{1}},
                                        kNoonSeconds + 60, kNoon));
        REFUSED(reception.addToken(secretOf(1), kNoonSeconds + 60, kNoon), Errc::Busy);
        ACCEPTED(reception.addToken(secretOf(1), kNoonSeconds + 200, kNoon + 100s));
        ACCEPTED(Reception::parse(reception.serialize(), kFleet));
    }

    void aFloodOfRequestsIsBoundedAndCannotKeepATokenOut()
    {
        Reception reception(kFleet);
        for (unsigned char i = 0; i < 100; ++i) // of one address
            reception.onRequest(hostOf(1), requestOf(static_cast<unsigned char>(i + 1)), kStart, kNoon);
        QCOMPARE(reception.pending(kStart).size(), Reception::kMaxPendingPerAddress);
        for (unsigned char i = 0; i < 100; ++i) // of many
            reception.onRequest(hostOf(static_cast<unsigned char>(i + 2)),
                                requestOf(static_cast<unsigned char>(i + 101)), kStart + 1s, kNoon);
        QCOMPARE(reception.pending(kStart + 1s).size(), Reception::kMaxPending);
        const auto full = reception.onRequest(hostOf(200), requestOf(250), kStart + 2s, kNoon);
        QVERIFY(full.state == State::Refused);
        ACCEPTED(reception.addToken(secretOf(1), kNoonSeconds + 60, kNoon));
        QVERIFY(reception.onRequest(hostOf(200), requestOf(251, secretOf(1)), kStart + 2s, kNoon).state
                == State::TokenGood);
        QCOMPARE(reception.pending(kStart + 2s).size(), Reception::kMaxPending);
    }

    void aCertificateWaitsForItsDeviceAlsoAfterARestart()
    {
        Reception reception(kFleet);
        reception.onRequest(hostOf(1), requestOf(50), kStart, kNoon);
        reception.grant(fixture::nodeId(50), toBytes("certificate"));
        QVERIFY(reception.isChanged() && reception.find(fixture::nodeId(50)) == nullptr);
        auto again = Reception::parse(reception.serialize(), kFleet);
        ACCEPTED(again);
        QVERIFY(again->serialize() == reception.serialize() && !again->isChanged());
        const auto answer = again->onRequest(hostOf(9), requestOf(50), kStart, kNoon);
        QVERIFY(answer.state == State::Granted && answer.certificate == toBytes("certificate"));
        for (unsigned char i = 60; i < 60 + Reception::kMaxGranted; ++i)
            again->grant(fixture::nodeId(i), toBytes("c"));
        QVERIFY(again->onRequest(hostOf(9), requestOf(50), kStart, kNoon).state
                == State::Pending); // the oldest
        ACCEPTED(Reception::parse(again->serialize(), kFleet));
    }

    // What was granted once is no answer to a device that has it and wants one that ends later.
    void aDeviceThatRenewsGetsALaterCertificateAlone()
    {
        const auto certificateUntil = [](std::optional<std::uint64_t> end) {
            trust::Certificate certificate =
                trust::openJoinRequest(requestOf(50), kFleet).value().certificate(0);
            certificate.notAfter = end;
            return fixture::seal(trust::Kind::Admit, certificate.serialize(), kFleet, {5}).serialize();
        };
        trust::JoinRequest request = trust::openJoinRequest(requestOf(50), kFleet).value();
        request.renews = kNoonSeconds;
        const Bytes renewal = request.seal(kFleet, fixture::key(50));
        Reception reception(kFleet);
        reception.grant(fixture::nodeId(50), certificateUntil(kNoonSeconds));
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50), kStart, kNoon).state == State::Granted);
        QVERIFY(reception.onRequest(hostOf(1), renewal, kStart, kNoon).state == State::Pending);
        QVERIFY(reception.find(fixture::nodeId(50)) != nullptr);
        for (const auto& end : {std::optional(kNoonSeconds + 1), std::optional<std::uint64_t>()}) {
            reception.grant(fixture::nodeId(50), certificateUntil(end));
            const auto answer = reception.onRequest(hostOf(1), renewal, kStart, kNoon);
            QVERIFY(answer.state == State::Granted && answer.certificate == certificateUntil(end));
        }
    }

    void refusesAnotherFleetsState()
    {
        REFUSED(Reception::parse(Reception(kFleet).serialize(), FleetId()), Errc::WrongFleet);
        const Bytes bytes = Reception(kFleet).serialize();
        for (std::size_t size = 0; size < bytes.size(); ++size)
            QVERIFY(!Reception::parse(ByteView(bytes).first(size), kFleet));
    }

    // --- What goes over the channel

    void questionsAndAnswersComeBack()
    {
        for (const std::optional<std::uint64_t> from : {std::optional<std::uint64_t>(), {0}, {1'000}}) {
            const JoinQuestion question{requestOf(50), from};
            QVERIFY(*JoinQuestion::parse(question.serialize()) == question);
        }
        const JoinQuestion later{requestOf(50), std::nullopt, RootsFrom{7, 1'000}};
        QVERIFY(*JoinQuestion::parse(later.serialize()) == later);
        JoinAnswer answer;
        QVERIFY(*JoinAnswer::parse(answer.serialize()) == answer);
        answer.state = State::Granted;
        answer.certificate = Bytes(link::kMaxCertificateBytes, std::byte{7});
        QVERIFY(answer.serialize().size() <= link::kMaxAnswerBytes);
        QVERIFY(*JoinAnswer::parse(answer.serialize()) == answer);
        answer.certificate.clear();
        answer.anchorPart = Bytes(kAnchorPartBytes, std::byte{7});
        answer.anchorBytes = 70'000;
        QVERIFY(answer.serialize().size() <= link::kMaxAnswerBytes);
        QVERIFY(*JoinAnswer::parse(answer.serialize()) == answer);
        answer.rootsPart = std::exchange(answer.anchorPart, {});
        answer.anchorBytes = 0;
        QVERIFY(answer.serialize().size() <= link::kMaxAnswerBytes);
        QVERIFY(*JoinAnswer::parse(answer.serialize()) == answer);
    }

    void theLargestRequestFitsAQuestion()
    {
        const JoinQuestion question{Bytes(trust::kMaxJoinBytes), 65'536};
        QVERIFY(question.serialize().size() <= link::kMaxQuestionBytes);
        const JoinQuestion later{Bytes(trust::kMaxJoinBytes), std::nullopt,
                                 RootsFrom{kMaxRootsAfter, kMaxRootsOffset}};
        QVERIFY(later.serialize().size() <= link::kMaxQuestionBytes);
        REFUSED(JoinQuestion::parse(JoinQuestion{{}, {}, RootsFrom{0, 0}}.serialize()), Errc::Malformed);
    }

    // --- Roots since the anchor

    void rootsComeInPartsOfAnySize()
    {
        const trust::TrustSet newest = afterRoots(6);
        for (const std::size_t most :
             {std::size_t{1}, std::size_t{7}, kAnchorPartBytes, std::size_t{65'536}}) {
            trust::TrustSet device = fixture::trustSet();
            RootWalk walk;
            for (Bytes part; !(part = rootsPart(newest.chain(), walk.wanted(device), most)).empty();) {
                QVERIFY(part.size() <= most);
                ACCEPTED(walk.take(part, device));
            }
            QVERIFY(device.chain() == newest.chain());
        }
        QVERIFY(rootsPart(newest.chain(), {7, 0}, 100).empty());
        QVERIFY(rootsPart(newest.chain(), {kMaxRootsAfter, kMaxRootsOffset}, 100).empty());
    }

    void aChainThatIsForgedEndsWhereItIs()
    {
        const trust::TrustSet newest = afterRoots(3);
        std::vector<Bytes> forged = newest.chain();
        forged[2].back() ^= std::byte{1};
        forged[2][forged[2].size() / 2] ^= std::byte{1};
        trust::TrustSet device = fixture::trustSet();
        RootWalk walk;
        QVERIFY(!walk.take(rootsPart(forged, walk.wanted(device), 65'536), device));
        QCOMPARE(device.root().number, std::uint64_t{2});
        // What came before it holds, and the way goes on from there.
        QVERIFY(walk.wanted(device) == (RootsFrom{2, 0}));
        ACCEPTED(walk.take(rootsPart(newest.chain(), walk.wanted(device), 65'536), device));
        QCOMPARE(device.root().number, std::uint64_t{4});
        // A root that goes nowhere, and one that is none.
        REFUSED(walk.take(rootsPart(newest.chain(), {3, 0}, 65'536), device), Errc::Malformed);
        ByteWriter endless;
        endless.u32(trust::kMaxRootBytes + 1);
        REFUSED(walk.take(endless.take(), device), Errc::TooLarge);
        QVERIFY(walk.wanted(device) == (RootsFrom{4, 0}));
    }

    void aCertificateThatIsOfNoUseIsForgotten()
    {
        Reception reception(kFleet);
        reception.grant(fixture::nodeId(50), toBytes("certificate"));
        QVERIFY(reception.grantedTo(fixture::nodeId(50)) != nullptr);
        reception.setStored();
        reception.revoke(fixture::nodeId(51));
        QVERIFY(!reception.isChanged());
        reception.revoke(fixture::nodeId(50));
        QVERIFY(reception.isChanged() && reception.grantedTo(fixture::nodeId(50)) == nullptr);
        QVERIFY(reception.onRequest(hostOf(1), requestOf(50), kStart, kNoon).state == State::Pending);
    }
};

QTEST_GUILESS_MAIN(TestEnrol)
#include "tst_enrol.moc"
