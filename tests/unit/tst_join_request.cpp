// SPDX-License-Identifier: Apache-2.0
#include "trust/join.h"
#include "trust_fixture.h"

#include <QTest>

using namespace starling;
using namespace starling::trust;
using bencode::Dict;
using fixture::changed;

namespace {

JoinRequest sample()
{
    JoinRequest request;
    request.node = fixture::nodeId(50);
    request.linkKey = fixture::filled<LinkKey>(9);
    request.name = "gateway-7";
    request.labels = {{"arch", "arm64"}, {"site", "Bergen"}};
    request.token = TokenSecret{std::byte{1}, std::byte{2}};
    return request;
}

const FleetId kFleet = fixture::filled<FleetId>(3);

} // namespace

class TestJoinRequest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void readsBackWhatItWrote()
    {
        const auto opened = openJoinRequest(sample().seal(kFleet, fixture::key(50)), kFleet);
        ACCEPTED(opened);
        QVERIFY(*opened == sample());
        JoinRequest bare = sample();
        bare.token.reset();
        bare.labels.clear();
        QVERIFY(*openJoinRequest(bare.seal(kFleet, fixture::key(50)), kFleet) == bare);
        bare.renews = 1'900'000'000;
        QVERIFY(*openJoinRequest(bare.seal(kFleet, fixture::key(50)), kFleet) == bare);
    }

    void grantsWhatItSays()
    {
        const Certificate certificate = sample().certificate(4);
        QVERIFY(certificate.node == sample().node && certificate.linkKey == sample().linkKey);
        QCOMPARE(certificate.name, sample().name);
        QCOMPARE(certificate.labels, sample().labels);
        QCOMPARE(certificate.admitEpoch, std::uint64_t{4});
        QVERIFY(!certificate.notAfter);
    }

    void isGrantedByWhatSaysTheSameAndEndsLater()
    {
        JoinRequest request = sample();
        Certificate certificate = request.certificate(4);
        certificate.notAfter = 1'000;
        QVERIFY(request.isGrantedBy(certificate));
        request.renews = 999;
        QVERIFY(request.isGrantedBy(certificate));
        request.renews = 1'000;
        QVERIFY(!request.isGrantedBy(certificate));
        certificate.notAfter.reset();
        QVERIFY(request.isGrantedBy(certificate));
        for (int field = 0; field < 4; ++field) {
            Certificate other = certificate;
            if (field == 0)
                other.node = fixture::nodeId(51);
            else if (field == 1)
                other.linkKey = fixture::filled<LinkKey>(10);
            else if (field == 2)
                other.name += "x";
            else
                other.labels.clear();
            QVERIFY(!request.isGrantedBy(other));
        }
    }

    void refusesAnotherFleetAndAnotherSigner()
    {
        const Bytes sealed = sample().seal(kFleet, fixture::key(50));
        REFUSED(openJoinRequest(sealed, fixture::filled<FleetId>(4)), Errc::BadSignature);
        REFUSED(openJoinRequest(sample().seal(kFleet, fixture::key(51)), kFleet), Errc::UnknownKey);
        auto twice = *Envelope::parse(sealed);
        twice.sign(kFleet, fixture::key(51));
        REFUSED(openJoinRequest(twice.serialize(), kFleet), Errc::TooLarge);
        const Envelope other = fixture::seal(Kind::Admit, fixture::certificate().serialize(), kFleet, {50});
        REFUSED(openJoinRequest(other.serialize(), kFleet), Errc::Malformed);
        // The tag under the signature: nothing of another kind passes for a request.
        auto renamed = fixture::seal(Kind::Admit, sample().serialize(), kFleet, {50});
        renamed.kind = Kind::Join;
        REFUSED(openJoinRequest(renamed.serialize(), kFleet), Errc::BadSignature);
    }

    void refusesFieldsOverTheirLimits()
    {
        const auto with = [](auto change) {
            return JoinRequest::parse(changed(sample().serialize(), change));
        };
        REFUSED(with([](Dict& d) { d["name"] = std::string_view(""); }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["name"] = toBytes(std::string(65, 'x')); }), Errc::TooLarge);
        REFUSED(with([](Dict& d) { d["name"] = std::string_view("\x1b[31mred"); }),
                Errc::Malformed); // case 33
        REFUSED(with([](Dict& d) { d["link"] = Bytes(32); }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["link"] = Bytes(31); }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["renews"] = bencode::Integer{-1}; }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["token"] = Bytes(15); }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["token"] = Bytes(17); }), Errc::TooLarge);
        REFUSED(with([](Dict& d) { d["format"] = bencode::Integer{2}; }), Errc::UnsupportedFormat);
        REFUSED(with([](Dict& d) { d.erase("labels"); }), Errc::Malformed);
        REFUSED(with([](Dict& d) { d["labels"] = Dict{{"\n", std::string_view("x")}}; }), Errc::Malformed);
        ACCEPTED(with([](Dict& d) { d["zeta"] = bencode::Integer{1}; }));
    }

    void refusesTooMuchAndEveryTruncation()
    {
        const Bytes sealed = sample().seal(kFleet, fixture::key(50));
        for (std::size_t size = 0; size < sealed.size(); ++size)
            QVERIFY(!openJoinRequest(ByteView(sealed).first(size), kFleet));
        JoinRequest large = sample();
        for (char c = 'a'; c < 'a' + 12; ++c)
            large.labels[std::string(1, c)] = std::string(64, c);
        REFUSED(openJoinRequest(large.seal(kFleet, fixture::key(50)), kFleet), Errc::TooLarge);
    }
};

QTEST_GUILESS_MAIN(TestJoinRequest)
#include "tst_join_request.moc"
