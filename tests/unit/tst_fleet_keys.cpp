// SPDX-License-Identifier: Apache-2.0
#include "admin/fleet_keys.h"
#include "enrol/fingerprint.h"
#include "node/disk.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace starling;
using namespace starling::console;
namespace fs = std::filesystem;

class TestFleetKeys : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void namesEveryKeyOnceWithAllItsDuties();
    void findsWhatIsSealedHere();
    void tellsOfStrangersAndDamagedFiles();
    void fallsBackToTheFleetsDirectoryAndSaysWhy();
    void findsNothingWhereThereIsNeither();
    void exportsThePublicHalfAlone();
    void backsUpByteForByteAndOverwritesNothing();
    void backsUpNoKeyThatIsNotSealed();

private:
    fs::path at(const char* name) const { return fs::path(m_directory->path().toStdString()) / name; }
    void seal(const char* name, const crypto::SecretKey& key) const;
    std::unique_ptr<QTemporaryDir> m_directory;
    crypto::SecretKey m_root = crypto::SecretKey::generate(), m_release = crypto::SecretKey::generate(),
                      m_admit = crypto::SecretKey::generate(), m_other = crypto::SecretKey::generate();
    trust::RootDocument m_document;
};

void TestFleetKeys::initTestCase()
{
    m_directory = std::make_unique<QTemporaryDir>();
    m_document.root = {{m_root.id()}, 1};
    m_document.admit = {{m_admit.id(), m_release.id()}, 1};
    m_document.scopes = {{*ResourceUri::parse("fw"), {{m_release.id(), m_other.id()}, 2}, 0}};
    m_document.expires = 1'900'000'000;
    fs::create_directory(at("keys"));
    seal("keys/release-1.key", m_release);
}

void TestFleetKeys::seal(const char* name, const crypto::SecretKey& key) const
{
    QVERIFY(writeSealedKey(at(name), key, crypto::SecretText("horse"), crypto::KdfCost::Interactive));
}

void TestFleetKeys::namesEveryKeyOnceWithAllItsDuties()
{
    const FleetKeys keys = keysOf(m_document, FleetId(), {});
    QCOMPARE(keys.keys.size(), std::size_t{4});
    QVERIFY(keys.keys[0].id == m_root.id());
    QVERIFY(keys.rootExpires == 1'900'000'000u);
    const auto release = std::find_if(keys.keys.begin(), keys.keys.end(),
                                      [&](const FleetKey& key) { return key.id == m_release.id(); });
    QVERIFY(release != keys.keys.end());
    QVERIFY((release->duties == std::vector<KeyDuty>{{"release", "fw", 2, 2}, {"admit", "", 1, 2}}));
    QCOMPARE(release->words, enrol::fingerprintOf(*NodeId::fromBytes(m_release.id().bytes())));
    QVERIFY(!release->file);
}

void TestFleetKeys::findsWhatIsSealedHere()
{
    const FleetKeys keys = keysOf(m_document, FleetId(), m_directory->path().toStdString());
    for (const FleetKey& key : keys.keys)
        QCOMPARE(key.file.has_value(), key.id == m_release.id());
    QVERIFY(keys.strangers.empty() && keys.unreadable.empty());
}

void TestFleetKeys::tellsOfStrangersAndDamagedFiles()
{
    QTemporaryDir other;
    const fs::path place = other.path().toStdString();
    QVERIFY(writeSealedKey(place / "old.key", crypto::SecretKey::generate(), crypto::SecretText("horse"),
                           crypto::KdfCost::Interactive));
    QVERIFY(node::writeFile(place / "torn.key", viewOf("st"), node::FileMode::Private));
    const FleetKeys keys = keysOf(m_document, FleetId(), place);
    QCOMPARE(keys.strangers.size(), std::size_t{1});
    QCOMPARE(keys.unreadable.size(), std::size_t{1});
    QCOMPARE(keys.unreadable[0].second.code, Errc::KeyUnreadable);
}

void TestFleetKeys::fallsBackToTheFleetsDirectoryAndSaysWhy()
{
    trust::RootDocument document = m_document;
    trust::Envelope envelope{trust::Kind::Root, document.serialize(), {}};
    envelope.sign(FleetId(), m_root);
    const Bytes bytes = envelope.serialize();
    QVERIFY(node::writeFile(at("root.envelope"), bytes, node::FileMode::Public));
    const auto keys = readFleetKeys(QStringLiteral("nowhere.sock"), m_directory->path().toStdString());
    QVERIFY2(keys, keys ? "" : toString(keys.error()).c_str());
    QVERIFY(!keys->isFromAgent && !keys->trouble.empty());
    QCOMPARE(keys->keys.size(), std::size_t{4});
}

void TestFleetKeys::findsNothingWhereThereIsNeither()
{
    QCOMPARE(readFleetKeys(QStringLiteral("nowhere.sock"), {}).error().code, Errc::NotFound);
}

void TestFleetKeys::exportsThePublicHalfAlone()
{
    const FleetKeys keys = keysOf(m_document, FleetId(), m_directory->path().toStdString());
    const FleetKey& key = keys.keys[0];
    QVERIFY(exportPublic(key, keys.fleet, at("root.pub")));
    const auto text = node::readFile(at("root.pub"), 4'096);
    QVERIFY(text && *text == toBytes(publicText(key, keys.fleet)));
    QVERIFY(publicText(key, keys.fleet).find(key.id.hex()) != std::string::npos);
    QVERIFY(publicText(key, keys.fleet).find("role   root (1 of 1)") != std::string::npos);
    QCOMPARE(exportPublic(key, keys.fleet, at("root.pub")).error().code, Errc::AlreadyExists);
}

void TestFleetKeys::backsUpByteForByteAndOverwritesNothing()
{
    QVERIFY(backUpKey(at("keys/release-1.key"), at("copy.key")));
    QVERIFY(*node::readFile(at("copy.key"), 4'096) == *node::readFile(at("keys/release-1.key"), 4'096));
    const auto opened = openSealedKey(at("copy.key"), crypto::SecretText("horse"));
    QVERIFY(opened && opened->id() == m_release.id());
    QCOMPARE(backUpKey(at("keys/release-1.key"), at("copy.key")).error().code, Errc::AlreadyExists);
    QCOMPARE(backUpKey(at("none.key"), at("other.key")).error().code, Errc::KeyUnreadable);
    QVERIFY(!fs::exists(at("other.key")));
}

void TestFleetKeys::backsUpNoKeyThatIsNotSealed()
{
    QVERIFY(node::writeFile(at("plain.key"), crypto::plainKey(m_other), node::FileMode::Private));
    QCOMPARE(backUpKey(at("plain.key"), at("plain-copy.key")).error().code, Errc::Refused);
    QVERIFY(!fs::exists(at("plain-copy.key")));
}

QTEST_GUILESS_MAIN(TestFleetKeys)
#include "tst_fleet_keys.moc"
