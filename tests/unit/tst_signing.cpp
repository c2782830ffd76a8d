// SPDX-License-Identifier: Apache-2.0
/// Signing by several people, and changing keys: requests as bytes, as files, and the roots that come of
/// them.
#include "admin/key_change.h"
#include "admin/root_pushing.h"
#include "admin/signing.h"
#include "node/disk.h"
#include "release_samples.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace starling;
using namespace starling::console;
using release::SigningRequest;
namespace fs = std::filesystem;
namespace samples = release::samples;

namespace {

/// Of the scope fw/pair, of whose keys 21 to 23 two must sign.
release::TorrentFile releaseOf(std::uint64_t version)
{
    return samples::single(50'000, samples::update("fw/pair/gateway", version));
}

} // namespace

class TestSigning : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void writesARequestInOneForm();
    void refusesWhatIsNoRequest_data();
    void refusesWhatIsNoRequest();
    void countsValidSignaturesByKeysOfTheScopeAlone();
    void mergesUntilTheThresholdIsReached();
    void takesNothingOfWhatDoesNotVerifyOrIsAboutSomethingElse();
    void showsTheManifestOfARelease();
    void overwritesNothingButTheSameRequest();
    void rotatesThenRetiresAKey();
    void revokesWithAnotherEpochAndTellsWhatItMeans();
    void refusesARootThatBreaksItsRules();
    void readsRootsBesideTheAnchorUpToOneThatIsNotSignedYet();

private:
    fs::path at(const char* name) const { return fs::path(m_directory->path().toStdString()) / name; }
    trust::TrustSet trust() const { return *readRoot(at("root.envelope")); }
    /// `change` as the next root, signed by root keys 1 and 2, in the directory.
    void pushRoot(const RootChange& change);

    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestSigning::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    trust::Envelope root{trust::Kind::Root, samples::rootDocument().serialize(), {}};
    root.sign({}, samples::key(1));
    root.sign({}, samples::key(2));
    QVERIFY(node::writeFile(at("root.envelope"), root.serialize(), node::FileMode::Public));
}

void TestSigning::writesARequestInOneForm()
{
    release::TorrentFile torrent = releaseOf(1);
    SigningRequest request = SigningRequest::of(trust().fleet(), torrent);
    for (int signatures = 0; signatures < 3; ++signatures) {
        const auto again = SigningRequest::parse(request.serialize());
        QVERIFY2(again, again ? "" : toString(again.error()).c_str());
        QVERIFY(again->serialize() == request.serialize());
        QVERIFY(again->signatures == request.signatures && again->payload == torrent.infoBytes);
        request.sign(samples::key(static_cast<unsigned char>(21 + signatures)));
    }
    // What is signed is what a release's own signature covers.
    torrent.sign(trust().fleet(), samples::key(21));
    QVERIFY(torrent.signatures.at(samples::key(21).id()) == request.signatures.at(samples::key(21).id()));
}

void TestSigning::refusesWhatIsNoRequest_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, bencode::Dict dict, Errc code) {
        const Bytes bytes = bencode::encode(std::move(dict));
        QTest::newRow(name) << QByteArray(reinterpret_cast<const char*>(bytes.data()),
                                          static_cast<qsizetype>(bytes.size()))
                            << static_cast<int>(code);
    };
    const release::TorrentFile torrent = releaseOf(1);
    bencode::Dict good;
    good.emplace("fleet", Bytes(32));
    good.emplace("format", bencode::Integer(1));
    good.emplace("kind", "release");
    good.emplace("payload", torrent.infoBytes);
    good.emplace("signatures", bencode::Dict());
    const auto with = [&](const char* key, bencode::Value value) {
        bencode::Dict dict = good;
        dict[key] = std::move(value);
        return dict;
    };
    row("another format", with("format", bencode::Integer(2)), Errc::UnsupportedFormat);
    row("another kind", with("kind", "admit"), Errc::Malformed);
    row("an unknown kind", with("kind", "no such"), Errc::Malformed);
    row("a release as a root", with("kind", "root"), Errc::Malformed);
    row("a short fleet", with("fleet", Bytes(31)), Errc::Malformed);
    row("a torn payload", with("payload", Bytes(torrent.infoBytes.begin(), torrent.infoBytes.end() - 1)),
        Errc::Truncated);
    row("more than it means", with("note", "please"), Errc::Malformed);
    row("signatures of another type", with("signatures", "none"), Errc::Malformed);
    bencode::Dict root = with("kind", "root");
    root["payload"] = samples::rootDocument().serialize();
    row("a first root", root, Errc::InvalidRoot);
    bencode::Dict torn = good;
    torn.erase("signatures");
    row("no signatures", torn, Errc::Malformed);
    QTest::newRow("nothing") << QByteArray() << static_cast<int>(Errc::Truncated);
}

void TestSigning::refusesWhatIsNoRequest()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    const auto request = SigningRequest::parse(
        viewOf(std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
    QVERIFY(!request);
    QVERIFY2(static_cast<int>(request.error().code) == code, toString(request.error()).c_str());
}

void TestSigning::countsValidSignaturesByKeysOfTheScopeAlone()
{
    SigningRequest request = SigningRequest::of(trust().fleet(), releaseOf(1));
    QVERIFY(sign(request, trust(), samples::key(31)).error().code == Errc::WrongScope);
    QVERIFY(request.signatures.empty());
    request.sign(samples::key(31)); // of another scope
    request.sign(samples::key(21));
    request.signatures[samples::key(22).id()] = request.signatures.at(samples::key(21).id()); // not its own
    const auto counts = countSignatures(request, trust());
    QVERIFY(counts && counts->size() == 1);
    QCOMPARE(counts->front().held, std::size_t{1});
    QCOMPARE(counts->front().needed, std::size_t{2});
    QCOMPARE(counts->front().missing.size(), std::size_t{2});
    QVERIFY(!isEnough(*counts));
    const std::string text = textOf(counts->front());
    QVERIFY2(text.starts_with("1 of 2 signatures of scope:fw/pair, missing: 1 of ")
                 && text.find(samples::key(22).id().shortHex()) != std::string::npos
                 && text.find(samples::key(21).id().shortHex()) == std::string::npos,
             text.c_str());
    request.fleet = FleetId();
    QVERIFY(countSignatures(request, trust()).error().code == Errc::WrongFleet);
}

void TestSigning::mergesUntilTheThresholdIsReached()
{
    const release::TorrentFile torrent = releaseOf(1);
    QVERIFY(node::writeFile(at("fw.torrent"), torrent.serialize(), node::FileMode::Public));
    const auto asked = requestFor(at("fw.torrent"), trust());
    QVERIFY(asked && asked->signatures.empty());
    for (const unsigned char number : std::initializer_list<unsigned char>{21, 22}) {
        SigningRequest answer = *asked; // both were asked at once
        QVERIFY(sign(answer, trust(), samples::key(number)));
        const auto merged = mergeInto(at("fw.torrent"), answer, trust());
        QVERIFY(merged && isEnough(*countSignatures(*merged, trust())) == (number == 22));
        const auto held = release::TorrentFile::parse(*node::readFile(at("fw.torrent"), 1'000'000));
        const auto verified = release::verifyRelease(*held, trust());
        QVERIFY(number == 22 ? verified.has_value() : verified.error().code == Errc::BelowThreshold);
        QVERIFY(held->layers == torrent.layers);
    }
}

void TestSigning::takesNothingOfWhatDoesNotVerifyOrIsAboutSomethingElse()
{
    SigningRequest own = SigningRequest::of(trust().fleet(), releaseOf(1));
    SigningRequest forged = own;
    forged.sign(samples::key(21));
    forged.signatures[samples::key(22).id()] = forged.signatures.at(samples::key(21).id());
    QVERIFY(merge(own, forged, trust()).error().code == Errc::BadSignature);
    QVERIFY(own.signatures.empty());
    SigningRequest other = SigningRequest::of(trust().fleet(), releaseOf(2));
    other.sign(samples::key(21));
    QVERIFY(merge(own, other, trust()).error().code == Errc::PayloadMismatch);
    SigningRequest stranger = own;
    stranger.sign(samples::key(99));
    const auto taken = merge(own, stranger, trust());
    QVERIFY(taken && *taken == 0 && own.signatures.empty());
}

void TestSigning::showsTheManifestOfARelease()
{
    const auto text = contentOf(SigningRequest::of(trust().fleet(), releaseOf(1)), trust());
    QVERIFY(text);
    for (const char* part : {"fw/pair/gateway", "rootfs.img", "SHA-256"})
        QVERIFY2(text->find(part) != std::string::npos, text->c_str());
    const auto none = contentOf(
        SigningRequest::of(trust().fleet(), samples::single(10, samples::update("app/x"))), trust());
    QVERIFY(none.error().code == Errc::WrongScope);
}

void TestSigning::overwritesNothingButTheSameRequest()
{
    SigningRequest request = SigningRequest::of(trust().fleet(), releaseOf(1));
    QVERIFY(writeRequest(at("a.request"), request));
    request.sign(samples::key(21));
    QVERIFY(writeRequest(at("a.request"), request));
    QCOMPARE(readRequest(at("a.request"))->signatures.size(), std::size_t{1});
    const auto other = SigningRequest::of(trust().fleet(), releaseOf(2));
    QVERIFY(writeRequest(at("a.request"), other).error().code == Errc::AlreadyExists);
    QVERIFY(writeRequest(at("root.envelope"), other).error().code == Errc::AlreadyExists);
    QVERIFY(readRequest(at("none.request")).error().code == Errc::NotFound
            || readRequest(at("none.request")).error().code == Errc::Io);
}

void TestSigning::pushRoot(const RootChange& change)
{
    auto drafted = draftRoot(trust(), change, at(""));
    QVERIFY2(drafted, drafted ? "" : toString(drafted.error()).c_str());
    QVERIFY(!isEnough(*countSignatures(drafted->request, trust())));
    QVERIFY(sign(drafted->request, trust(), samples::key(1))
            && sign(drafted->request, trust(), samples::key(2)));
    QVERIFY(isEnough(*countSignatures(drafted->request, trust())));
    QVERIFY(keepRoot({trust::Kind::Root, drafted->request.payload, drafted->request.signatures}, at("")));
}

void TestSigning::rotatesThenRetiresAKey()
{
    const KeyId old = samples::key(21).id(), next = samples::key(24).id();
    const auto change = rotation(trust().root(), old, next);
    QVERIFY(change && change->added.size() == 2 && change->dropped.empty());
    pushRoot(*change);
    QCOMPARE(trust().root().number, std::uint64_t{2});
    QVERIFY(trust().root().scopeFor(*ResourceUri::parse("fw/a"))->role.keys.contains(old));
    QVERIFY((rootsNaming(trust(), old) == std::set<std::uint64_t>{1, 2}));
    QVERIFY((rootsNaming(trust(), next) == std::set<std::uint64_t>{2}));
    const KeyImpact impact = impactOf(trust(), old, {1, 1, 2}, {});
    QVERIFY((impact.holders == Holders{3, 3}) && (impact.newest == Holders{3, 1}) && impact.blocked.empty());
    QVERIFY(rotation(trust().root(), old, next).error().code == Errc::Usage); // it is there already

    const auto without = removal(trust().root(), old, std::nullopt, Epochs::Keep);
    QVERIFY(without && without->raisedScopes.empty());
    pushRoot(*without);
    QCOMPARE(trust().root().number, std::uint64_t{3});
    QVERIFY((rootsNaming(trust(), old) == std::set<std::uint64_t>{1, 2}));
    QVERIFY((impactOf(trust(), old, {1, 3, 3}, {}).holders == Holders{3, 1}));
    QVERIFY(removal(trust().root(), old, std::nullopt, Epochs::Keep).error().code == Errc::NotFound);
}

void TestSigning::revokesWithAnotherEpochAndTellsWhatItMeans()
{
    const KeyId old = samples::key(21).id();
    const AuditLog log(at("audit.log"));
    QVERIFY(log.record(Act::ReleaseSigned, "fw/gateway 1", "key " + old.hex() + ", info-hash 9f"));
    QVERIFY(log.record(Act::ReleaseSigned, "fw/gateway 2",
                       "key " + samples::key(22).id().hex() + ", info-hash 9f"));
    QVERIFY(log.record(Act::ReleasePushed, "fw/gateway 1", "key " + old.hex()));
    const KeyImpact impact = impactOf(trust(), old, {}, *log.read());
    QCOMPARE(impact.releases, std::vector<std::string>{"fw/gateway 1"});
    QCOMPARE(impact.roles, (std::vector<std::string>{"scope:fw", "scope:fw/pair"}));
    const auto change = removal(trust().root(), old, samples::key(24).id(), Epochs::Raise);
    QVERIFY(change);
    const auto root = changedRoot(trust(), *change);
    QVERIFY(root);
    QCOMPARE(root->scopes[0].epoch, trust().root().scopes[0].epoch + 1);
    const auto lines = differencesOf(trust().root(), *root);
    QCOMPARE(lines.size(), std::size_t{6}); // of two scopes: joins, leaves, epoch
    const auto text = contentOf({trust().fleet(), trust::Kind::Root, root->serialize(), {}}, trust());
    QVERIFY(text && text->find("key " + old.hex() + " leaves") != std::string::npos);
    QCOMPARE(*keyNamed(trust().root(), old.hex().substr(0, 8)), old);
    QVERIFY(keyNamed(trust().root(), old.hex().substr(0, 4)).error().code == Errc::Usage);
}

void TestSigning::refusesARootThatBreaksItsRules()
{
    // Of three keys two must sign: one may go, and not two.
    RootChange change;
    change.dropped = {{"scope:fw/pair", samples::key(21).id()}, {"scope:fw/pair", samples::key(22).id()}};
    QVERIFY(changedRoot(trust(), change).error().code == Errc::InvalidRoot);
    change.dropped.clear();
    change.added = {{"scope:fw", samples::key(1).id()}}; // a root key signs nothing else
    QVERIFY(changedRoot(trust(), change).error().code == Errc::InvalidRoot);
    change.added = {{"scope:none", samples::key(24).id()}};
    QVERIFY(changedRoot(trust(), change).error().code == Errc::Usage);
    change = {};
    change.raisesAdmitEpoch = true;
    auto drafted = draftRoot(trust(), change, at(""));
    QVERIFY(drafted);
    QVERIFY(sign(drafted->request, trust(), samples::key(21)).error().code == Errc::WrongScope);
    change.raisedScopes = {"fw/pair"};
    QVERIFY(draftRoot(trust(), change, at("")).error().code
            == Errc::AlreadyExists); // another change is under way
    // One that does not follow the newest root here.
    auto root = trust::RootDocument::parse(drafted->request.payload);
    root->number = 3;
    const SigningRequest early{trust().fleet(), trust::Kind::Root, root->serialize(), {}};
    QVERIFY(contentOf(early, trust()).error().code == Errc::RootGap);
    root->number = 2;
    root->previous = trust::Envelope{trust::Kind::Root, root->serialize(), {}}.payloadHash();
    QVERIFY(contentOf({trust().fleet(), trust::Kind::Root, root->serialize(), {}}, trust()).error().code
            == Errc::InvalidRoot);
}

void TestSigning::readsRootsBesideTheAnchorUpToOneThatIsNotSignedYet()
{
    RootChange change;
    change.raisesAdmitEpoch = true;
    pushRoot(change);
    QCOMPARE(trust().root().number, std::uint64_t{2});
    const auto next = changedRoot(trust(), change);
    trust::Envelope draft{trust::Kind::Root, next->serialize(), {}};
    draft.sign(trust().fleet(), samples::key(1));
    QVERIFY(node::writeFile(at("root-3.envelope"), draft.serialize(), node::FileMode::Public));
    QCOMPARE(trust().root().number, std::uint64_t{2});
    draft.sign(trust().fleet(), samples::key(3));
    QVERIFY(node::writeFile(at("root-3.envelope"), draft.serialize(), node::FileMode::Public));
    QCOMPARE(trust().root().number, std::uint64_t{3});
    QVERIFY(node::writeFile(at("root-4.envelope"), viewOf("no root"), node::FileMode::Public));
    QVERIFY(!readRoot(at("root.envelope")));
}

QTEST_GUILESS_MAIN(TestSigning)
#include "tst_signing.moc"
