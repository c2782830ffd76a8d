// SPDX-License-Identifier: Apache-2.0
#include "trust_fixture.h"

#include <QTest>

using namespace starling;
using namespace starling::trust;
using bencode::Dict;
using fixture::changed;

class TestTrustDocuments : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void readsBackWhatItWrote();
    void ignoresUnknownKeysUnlessCritical();
    void refusesAnotherFormat();
    void refusesCertificatesOverTheirLimits();
    void refusesReceiptsOverTheirLimits();
    void refusesUnsortedReceiptEntries();
    void refusesDescriptorsOverTheirLimits();
    void refusesPayloadsTruncatedAtEveryByte();
    void refusesTheOtherKindsPayload();
    void namesPhasesBothWays();
    void writesRevisionsForPeople();

    void laysOutTheSignedMessage();
    void readsEnvelopesBack();
    void refusesOneKeyTwice();
    void refusesUpperCaseKeys();
    void refusesSeventeenSignatures();
    void refusesSignaturesOfTheWrongShape();
    void refusesEnvelopesWithoutSignatures();
    void refusesEnvelopesWithAnythingElse();
    void refusesPayloadsThatAreNotCanonicalDictionaries();
    void refusesEnvelopesOverTheLimit();
    void refusesEnvelopesTruncatedAtEveryByte();
};

void TestTrustDocuments::readsBackWhatItWrote()
{
    const auto certificate = Certificate::parse(fixture::certificate().serialize());
    ACCEPTED(certificate);
    QVERIFY(*certificate == fixture::certificate());

    Certificate forever = fixture::certificate();
    forever.notAfter.reset();
    forever.labels.clear();
    forever.admitEpoch = 3;
    QVERIFY(*Certificate::parse(forever.serialize()) == forever);

    const auto receipt = Receipt::parse(fixture::receipt().serialize());
    ACCEPTED(receipt);
    QVERIFY(*receipt == fixture::receipt());
    Receipt empty;
    QVERIFY(*Receipt::parse(empty.serialize()) == empty);

    const auto descriptor = Descriptor::parse(fixture::descriptor().serialize());
    ACCEPTED(descriptor);
    QVERIFY(*descriptor == fixture::descriptor());
}

void TestTrustDocuments::ignoresUnknownKeysUnlessCritical()
{
    const auto grow = [](Dict& dict) { dict["zz-later"] = "what a later version says"; };
    const auto insist = [](Dict& dict) {
        dict["zz-later"] = 1;
        dict["critical"] = bencode::List{"zz-later"};
    };
    const auto insistOnKnown = [](Dict& dict) { dict["critical"] = bencode::List{"node"}; };
    const Bytes certificate = fixture::certificate().serialize();
    const Bytes receipt = fixture::receipt().serialize();
    const Bytes descriptor = fixture::descriptor().serialize();
    QVERIFY(*Certificate::parse(changed(certificate, grow)) == fixture::certificate());
    QVERIFY(*Receipt::parse(changed(receipt, grow)) == fixture::receipt());
    QVERIFY(*Descriptor::parse(changed(descriptor, grow)) == fixture::descriptor());
    REFUSED(Certificate::parse(changed(certificate, insist)), Errc::UnsupportedFormat);
    REFUSED(Receipt::parse(changed(receipt, insist)), Errc::UnsupportedFormat);
    REFUSED(Descriptor::parse(changed(descriptor, insist)), Errc::UnsupportedFormat);
    ACCEPTED(Certificate::parse(changed(certificate, insistOnKnown)));
    ACCEPTED(Receipt::parse(changed(receipt, insistOnKnown)));
    ACCEPTED(Descriptor::parse(changed(descriptor, insistOnKnown)));
}

void TestTrustDocuments::refusesAnotherFormat()
{
    const auto next = [](Dict& dict) { dict["format"] = 2; };
    const auto none = [](Dict& dict) { dict.erase("format"); };
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), next)), Errc::UnsupportedFormat);
    REFUSED(Receipt::parse(changed(fixture::receipt().serialize(), next)), Errc::UnsupportedFormat);
    REFUSED(Descriptor::parse(changed(fixture::descriptor().serialize(), next)), Errc::UnsupportedFormat);
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), none)), Errc::Malformed);
}

void TestTrustDocuments::refusesCertificatesOverTheirLimits()
{
    Certificate certificate = fixture::certificate();
    certificate.name = std::string(64, 'n');
    ACCEPTED(Certificate::parse(certificate.serialize()));
    certificate.name += 'n';
    REFUSED(Certificate::parse(certificate.serialize()), Errc::TooLarge);
    certificate.name = "";
    REFUSED(Certificate::parse(certificate.serialize()), Errc::Malformed);
    certificate.name = "\x1b[2J";
    REFUSED(Certificate::parse(certificate.serialize()), Errc::Malformed);

    certificate = fixture::certificate();
    certificate.labels = {{std::string(64, 'k'), std::string(64, 'v')}};
    ACCEPTED(Certificate::parse(certificate.serialize()));
    certificate.labels = {{std::string(65, 'k'), "v"}};
    REFUSED(Certificate::parse(certificate.serialize()), Errc::TooLarge);
    certificate.labels = {{"k", std::string(65, 'v')}};
    REFUSED(Certificate::parse(certificate.serialize()), Errc::TooLarge);
    certificate.labels = {{"", "v"}};
    REFUSED(Certificate::parse(certificate.serialize()), Errc::TooLarge);
    certificate.labels = {{"k\n", "v"}};
    REFUSED(Certificate::parse(certificate.serialize()), Errc::Malformed);

    certificate.labels.clear();
    for (int i = 0; i < 32; ++i)
        certificate.labels["key" + std::to_string(i)] = "v";
    ACCEPTED(Certificate::parse(certificate.serialize()));
    certificate.labels["one more"] = "v";
    REFUSED(Certificate::parse(certificate.serialize()), Errc::TooLarge);

    const auto shortKey = [](Dict& dict) { dict["node"] = Bytes(31); };
    const auto longKey = [](Dict& dict) { dict["link"] = Bytes(33); };
    const auto late = [](Dict& dict) { dict["not-after"] = (1ll << 53); };
    const auto early = [](Dict& dict) { dict["admit-epoch"] = -1; };
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), shortKey)), Errc::Malformed);
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), longKey)), Errc::TooLarge);
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), late)), Errc::Malformed);
    REFUSED(Certificate::parse(changed(fixture::certificate().serialize(), early)), Errc::Malformed);
}

void TestTrustDocuments::refusesReceiptsOverTheirLimits()
{
    Receipt receipt = fixture::receipt();
    receipt.entries.clear();
    for (int i = 10; i < 74; ++i)
        receipt.entries.push_back({fixture::uri("fw/" + std::to_string(i)),
                                   {0, Revision::kMaxVersion},
                                   {},
                                   Phase::Failed,
                                   65'535,
                                   std::string(200, 'd')});
    ACCEPTED(Receipt::parse(receipt.serialize()));
    receipt.entries.push_back({fixture::uri("fw/99"), {}, {}, Phase::Announced, 0, ""});
    REFUSED(Receipt::parse(receipt.serialize()), Errc::TooLarge);

    receipt = fixture::receipt();
    receipt.entries[0].detail = std::string(201, 'd');
    REFUSED(Receipt::parse(receipt.serialize()), Errc::TooLarge);
    receipt.entries[0].detail = "\xe2\x80";
    REFUSED(Receipt::parse(receipt.serialize()), Errc::Malformed);

    receipt = fixture::receipt();
    for (int i = 0; i < 31; ++i)
        receipt.alarms["alarm" + std::to_string(i)] = 1;
    REFUSED(Receipt::parse(receipt.serialize()), Errc::TooLarge);

    // Receipts of agents that do not count say nothing of paths, byte for byte as before there were any.
    receipt = fixture::receipt();
    QCOMPARE(receipt.serialize(),
             changed(receipt.serialize(), [](Dict& dict) { QVERIFY(!dict.contains("paths")); }));
    receipt.paths = {{"direct", 1}, {"relayed", Revision::kMaxVersion}};
    QVERIFY(*Receipt::parse(receipt.serialize()) == receipt);
    for (int i = 0; i < 7; ++i)
        receipt.paths["way" + std::to_string(i)] = 1;
    REFUSED(Receipt::parse(receipt.serialize()), Errc::TooLarge);
    REFUSED(Receipt::parse(changed(fixture::receipt().serialize(), [](Dict& dict) { dict["paths"] = 1; })),
            Errc::Malformed);
    REFUSED(Receipt::parse(changed(fixture::receipt().serialize(),
                                   [](Dict& dict) {
                                       dict["paths"] = Dict{{"direct", -1}};
                                   })),
            Errc::Malformed);

    const auto phase = [](bencode::Integer number) {
        return changed(fixture::receipt().serialize(), [number](Dict& dict) {
            bencode::List entries = *dict["entries"].list();
            (*entries[0].dict())["phase"] = number;
            dict["entries"] = entries;
        });
    };
    ACCEPTED(Receipt::parse(phase(11)));
    REFUSED(Receipt::parse(phase(0)), Errc::Malformed);
    REFUSED(Receipt::parse(phase(12)), Errc::Malformed);
    REFUSED(Receipt::parse(phase(256)), Errc::Malformed);

    const auto badUri = [](Dict& dict) {
        bencode::List entries = *dict["entries"].list();
        (*entries[0].dict())["uri"] = "fw/../os";
        dict["entries"] = entries;
    };
    REFUSED(Receipt::parse(changed(fixture::receipt().serialize(), badUri)), Errc::InvalidUri);
}

void TestTrustDocuments::refusesUnsortedReceiptEntries()
{
    Receipt receipt = fixture::receipt();
    std::swap(receipt.entries[0], receipt.entries[1]);
    REFUSED(Receipt::parse(receipt.serialize()), Errc::NotCanonical);
    receipt = fixture::receipt();
    receipt.entries[1].uri = receipt.entries[0].uri;
    REFUSED(Receipt::parse(receipt.serialize()), Errc::NotCanonical);
}

void TestTrustDocuments::refusesDescriptorsOverTheirLimits()
{
    Descriptor descriptor = fixture::descriptor();
    descriptor.addresses.assign(8, Endpoint::ipv4(10, 0, 0, 1, 1));
    ACCEPTED(Descriptor::parse(descriptor.serialize()));
    descriptor.addresses.push_back(Endpoint::ipv4(10, 0, 0, 1, 1));
    REFUSED(Descriptor::parse(descriptor.serialize()), Errc::TooLarge);
    descriptor.addresses = {Endpoint::ipv4(10, 0, 0, 1, 0)};
    REFUSED(Descriptor::parse(descriptor.serialize()), Errc::Malformed);
    const auto shortAddress = [](Dict& dict) { dict["addresses"] = bencode::List{Bytes(17)}; };
    REFUSED(Descriptor::parse(changed(fixture::descriptor().serialize(), shortAddress)), Errc::Malformed);
    const auto port = [](Dict& dict) { dict["swarm-port"] = 65'536; };
    REFUSED(Descriptor::parse(changed(fixture::descriptor().serialize(), port)), Errc::Malformed);
}

void TestTrustDocuments::refusesPayloadsTruncatedAtEveryByte()
{
    for (const Bytes& payload : {fixture::certificate().serialize(), fixture::receipt().serialize(),
                                 fixture::descriptor().serialize()}) {
        for (std::size_t length = 0; length < payload.size(); ++length) {
            const ByteView piece = ByteView(payload).first(length);
            QVERIFY(!Certificate::parse(piece) && !Receipt::parse(piece) && !Descriptor::parse(piece));
        }
    }
}

void TestTrustDocuments::refusesTheOtherKindsPayload()
{
    QVERIFY(!Certificate::parse(fixture::receipt().serialize()));
    QVERIFY(!Certificate::parse(fixture::descriptor().serialize()));
    QVERIFY(!Receipt::parse(fixture::certificate().serialize()));
    QVERIFY(!Receipt::parse(fixture::descriptor().serialize()));
    QVERIFY(!Descriptor::parse(fixture::certificate().serialize()));
    QVERIFY(!Descriptor::parse(fixture::receipt().serialize()));
}

void TestTrustDocuments::namesPhasesBothWays()
{
    for (int number = 1; number <= 11; ++number) {
        const auto phase = static_cast<Phase>(number);
        QVERIFY(phaseNamed(phaseName(phase)) == phase);
    }
    QVERIFY(phaseName(Phase::RollingBack) == "rolling-back");
    QVERIFY(!phaseNamed("done"));
}

void TestTrustDocuments::writesRevisionsForPeople()
{
    QCOMPARE(toString(Revision{0, 2}), std::string("2"));
    QCOMPARE(toString(Revision{1, 2}), std::string("1:2"));
    QVERIFY((Revision{1, 1} > Revision{0, Revision::kMaxVersion}));
}

void TestTrustDocuments::laysOutTheSignedMessage()
{
    const auto message =
        signedMessage(Kind::Release, fixture::filled<FleetId>(0xaa), fixture::filled<Digest>(0xbb));
    const std::string expected =
        "starling/1/release" + std::string(14, '\0') + std::string(32, '\xaa') + std::string(32, '\xbb');
    QVERIFY(toText(message) == expected);
}

namespace {

Envelope sample()
{
    return fixture::seal(Kind::Admit, fixture::certificate().serialize(), fixture::filled<FleetId>(7),
                         {10, 11});
}

/// The sample's `signatures` dictionary changed.
template <class Change> Bytes withSignatures(Change change)
{
    return changed(sample().serialize(), [&](Dict& dict) {
        Dict signatures = *dict["signatures"].dict();
        change(signatures);
        dict["signatures"] = signatures;
    });
}

} // namespace

void TestTrustDocuments::readsEnvelopesBack()
{
    const Envelope envelope = sample();
    const auto parsed = Envelope::parse(envelope.serialize());
    ACCEPTED(parsed);
    QVERIFY(parsed->kind == envelope.kind);
    QVERIFY(parsed->payload == envelope.payload);
    QVERIFY(parsed->signatures == envelope.signatures);
    QVERIFY(parsed->serialize() == envelope.serialize());
}

void TestTrustDocuments::refusesOneKeyTwice()
{
    // Written by hand: our own encoder cannot say it.
    const std::string entry =
        "64:" + fixture::keyId(10).hex() + "d9:signature64:" + std::string(64, 's') + "e";
    const std::string payload = toText(fixture::certificate().serialize());
    const auto envelope = [&](const std::string& entries) {
        return toBytes("d4:kind5:admit7:payload" + std::to_string(payload.size()) + ":" + payload
                       + "10:signaturesd" + entries + "ee");
    };
    ACCEPTED(Envelope::parse(envelope(entry)));
    REFUSED(Envelope::parse(envelope(entry + entry)), Errc::NotCanonical);
}

void TestTrustDocuments::refusesUpperCaseKeys()
{
    const auto shout = [](Dict& signatures) {
        std::string key = signatures.begin()->first;
        const bencode::Value entry = signatures.begin()->second;
        for (char& c : key)
            c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
        signatures.insert_or_assign(key, entry);
    };
    // The key now stands there in both spellings.
    REFUSED(Envelope::parse(withSignatures(shout)), Errc::NotCanonical);
}

void TestTrustDocuments::refusesSeventeenSignatures()
{
    Envelope envelope = sample();
    envelope.signatures.clear();
    for (unsigned char number = 1; number <= 16; ++number)
        envelope.signatures[fixture::filled<KeyId>(number)] = {};
    ACCEPTED(Envelope::parse(envelope.serialize()));
    envelope.signatures[fixture::filled<KeyId>(17)] = {};
    REFUSED(Envelope::parse(envelope.serialize()), Errc::TooLarge);
}

void TestTrustDocuments::refusesSignaturesOfTheWrongShape()
{
    const auto set = [](const char* key, bencode::Value value) {
        return withSignatures([&](Dict& signatures) { signatures[key] = value; });
    };
    const std::string key(64, 'a');
    REFUSED(Envelope::parse(set("ab", Dict{{"signature", Bytes(64)}})), Errc::Malformed);
    REFUSED(Envelope::parse(set(std::string(64, 'g').c_str(), Dict{{"signature", Bytes(64)}})),
            Errc::Malformed);
    REFUSED(Envelope::parse(set(key.c_str(), Bytes(64))), Errc::Malformed);
    REFUSED(Envelope::parse(set(key.c_str(), Dict{})), Errc::Malformed);
    REFUSED(Envelope::parse(set(key.c_str(), Dict{{"signature", Bytes(63)}})), Errc::Malformed);
    REFUSED(Envelope::parse(set(key.c_str(), Dict{{"signature", Bytes(65)}})), Errc::TooLarge);
    REFUSED(Envelope::parse(set(key.c_str(), Dict{{"signature", Bytes(64)}, {"certificate", "x"}})),
            Errc::Malformed);
    REFUSED(Envelope::parse(changed(sample().serialize(), [](Dict& dict) { dict["signatures"] = "none"; })),
            Errc::Malformed);
}

void TestTrustDocuments::refusesEnvelopesWithoutSignatures()
{
    Envelope envelope = sample();
    envelope.signatures.clear();
    REFUSED(Envelope::parse(envelope.serialize()), Errc::Unsigned);
    REFUSED(Envelope::parse(changed(sample().serialize(), [](Dict& dict) { dict.erase("signatures"); })),
            Errc::Unsigned);
    REFUSED(decodeSignatures(nullptr), Errc::Unsigned);
}

void TestTrustDocuments::refusesEnvelopesWithAnythingElse()
{
    const auto with = [](const char* key, bencode::Value value) {
        return changed(sample().serialize(), [&](Dict& dict) { dict[key] = value; });
    };
    REFUSED(Envelope::parse(with("note", "x")), Errc::Malformed);
    REFUSED(Envelope::parse(with("kind", "rollout")), Errc::UnsupportedFormat);
    REFUSED(Envelope::parse(with("kind", "release")), Errc::Malformed);
    REFUSED(Envelope::parse(with("kind", 1)), Errc::Malformed);
    REFUSED(Envelope::parse(toBytes("le")), Errc::Malformed);
}

void TestTrustDocuments::refusesPayloadsThatAreNotCanonicalDictionaries()
{
    const auto with = [](std::string_view payload) {
        return changed(sample().serialize(), [&](Dict& dict) { dict["payload"] = payload; });
    };
    ACCEPTED(Envelope::parse(with("de")));
    REFUSED(Envelope::parse(with("d1:ai1e1:ai1ee")), Errc::NotCanonical);
    REFUSED(Envelope::parse(with("d1:bi1e1:ai1ee")), Errc::NotCanonical);
    REFUSED(Envelope::parse(with("d1:ai01ee")), Errc::NotCanonical);
    REFUSED(Envelope::parse(with("dee")), Errc::NotCanonical);
    REFUSED(Envelope::parse(with("i1e")), Errc::Malformed);
    QVERIFY(!Envelope::parse(with("")));
    QVERIFY(!Envelope::parse(with("hello")));
}

void TestTrustDocuments::refusesEnvelopesOverTheLimit()
{
    const Bytes bytes = sample().serialize();
    ACCEPTED(Envelope::parse(bytes, bytes.size()));
    REFUSED(Envelope::parse(bytes, bytes.size() - 1), Errc::TooLarge);
}

void TestTrustDocuments::refusesEnvelopesTruncatedAtEveryByte()
{
    const Bytes bytes = sample().serialize();
    for (std::size_t length = 0; length < bytes.size(); ++length)
        QVERIFY(!Envelope::parse(ByteView(bytes).first(length)));
}

QTEST_GUILESS_MAIN(TestTrustDocuments)
#include "tst_trust_documents.moc"
