// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"
#include "link/authenticator.h"
#include "node/disk.h"
#include "node/identity.h"
#include "release_samples.h"

#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

namespace fs = std::filesystem;
using namespace starling;
using namespace starling::node;
namespace samples = starling::release::samples;

namespace {

int code(Errc errc)
{
    return static_cast<int>(errc);
}

template <class Any> int code(const Any& result)
{
    return result ? 0 : code(result.error().code);
}

} // namespace

class TestIdentity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        m_config.key = path("device.key");
        m_config.certificate = path("device.admit");
        m_config.root = path("root.envelope");
        const Bytes notice = samples::certificateNotice(50);
        write(m_config.key, crypto::plainKey(samples::key(50)), FileMode::Private);
        write(m_config.certificate, ByteView(notice).subspan(1), FileMode::Public);
        write(m_config.root, samples::trustSet().chain().front(), FileMode::Public);
    }
    void cleanup() { m_directory.reset(); }

    void knowsItsNodeAndKeepsItsDocuments()
    {
        const auto identity = loadIdentity(m_config);
        QVERIFY2(identity.has_value(), identity ? "" : toString(identity.error()).c_str());
        QVERIFY(identity->node == samples::nodeOf(50));
        QVERIFY(identity->key->id() == samples::key(50).id());
        QVERIFY(identity->anchorEnvelope == samples::trustSet().chain().front());
        QVERIFY(trust::Envelope::parse(identity->certificateEnvelope).has_value());
    }

    void refusesAKeyThatOthersMayRead_data()
    {
        QTest::addColumn<uint>("mode");
        for (const uint mode : {0640u, 0604u, 0660u, 0644u, 0610u, 0601u})
            QTest::newRow(QByteArray::number(mode, 8).constData()) << mode;
    }

    void refusesAKeyThatOthersMayRead()
    {
        QFETCH(uint, mode);
        QCOMPARE(::chmod(m_config.key.c_str(), mode), 0);
        const auto identity = loadIdentity(m_config);
        QCOMPARE(code(identity), code(Errc::KeyUnreadable));
        QVERIFY(identity.error().context.find("chmod 600 " + m_config.key.string()) != std::string::npos);
        QCOMPARE(::chmod(m_config.key.c_str(), 0400), 0);
        QCOMPARE(code(loadIdentity(m_config)), 0);
    }

    void refusesACertificateThatFitsNoHandshake()
    {
        write(m_config.certificate, Bytes(link::kMaxCertificateBytes + 1), FileMode::Public);
        const auto identity = loadIdentity(m_config);
        QCOMPARE(code(identity), code(Errc::TooLarge));
        QVERIFY(identity.error().context.find(m_config.certificate.string()) != std::string::npos);
        write(m_config.certificate, Bytes(link::kMaxCertificateBytes), FileMode::Public);
        QCOMPARE(code(loadIdentity(m_config)), 0);
    }

    void derivesTheLinkKeyFromTheDeviceKey()
    {
        const auto identity = loadIdentity(m_config);
        QVERIFY(identity->linkKey->publicKey() == crypto::LinkKeyPair::of(samples::key(50)).publicKey());
    }

    void refusesAMissingKey()
    {
        fs::remove(m_config.key);
        const auto identity = loadIdentity(m_config);
        QCOMPARE(code(identity), code(Errc::KeyUnreadable));
        QVERIFY(identity.error().context.find(m_config.key.string()) != std::string::npos);
    }

    void refusesWhatIsNoPlainKey()
    {
        write(m_config.key, viewOf("-----BEGIN PRIVATE KEY-----"), FileMode::Private);
        QCOMPARE(code(loadIdentity(m_config)), code(Errc::KeyUnreadable));
        auto sealed =
            crypto::sealKey(samples::key(50), crypto::SecretText("secret"), crypto::KdfCost::Interactive);
        QVERIFY(sealed.has_value());
        write(m_config.key, *sealed, FileMode::Private);
        QCOMPARE(code(loadIdentity(m_config)), code(Errc::KeyUnreadable));
        write(m_config.key, Bytes(5'000), FileMode::Private);
        QCOMPARE(code(loadIdentity(m_config)), code(Errc::KeyUnreadable));
        fs::remove(m_config.key);
        fs::create_directory(m_config.key);
        fs::permissions(m_config.key, fs::perms::owner_all);
        QCOMPARE(code(loadIdentity(m_config)), code(Errc::KeyUnreadable));
    }

    void namesTheDocumentThatIsMissing()
    {
        for (const fs::path& file : {m_config.certificate, m_config.root}) {
            const fs::path aside = file.string() + ".aside";
            fs::rename(file, aside);
            const auto identity = loadIdentity(m_config);
            QCOMPARE(code(identity), code(Errc::NotFound));
            QVERIFY(identity.error().context.find(file.string()) != std::string::npos);
            fs::rename(aside, file);
        }
    }

    void refusesHugeDocuments()
    {
        write(m_config.certificate, Bytes(trust::kMaxRootBytes + 1), FileMode::Public);
        QCOMPARE(code(loadIdentity(m_config)), code(Errc::TooLarge));
    }

private:
    fs::path path(const std::string& name) const
    {
        return fs::path(m_directory->path().toStdString()) / name;
    }
    static void write(const fs::path& file, ByteView bytes, FileMode mode)
    {
        QVERIFY(writeFile(file, bytes, mode).has_value());
    }
    std::unique_ptr<QTemporaryDir> m_directory;
    AgentConfig m_config;
};

QTEST_GUILESS_MAIN(TestIdentity)
#include "tst_identity.moc"
