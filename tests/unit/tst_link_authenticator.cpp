// SPDX-License-Identifier: Apache-2.0
#include "board/link_authenticator.h"

#include "release_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::board;
namespace samples = release::samples;

namespace {

template <class T> int code(const T& result)
{
    return result ? 0 : static_cast<int>(result.error().code);
}

Bytes envelopeOf(const trust::Certificate& certificate, unsigned char signer = 11)
{
    trust::Envelope envelope{trust::Kind::Admit, certificate.serialize(), {}};
    envelope.sign(samples::trustSet().fleet(), samples::key(signer));
    return envelope.serialize();
}

trust::Certificate certificateOf(unsigned char device)
{
    trust::Certificate certificate;
    certificate.node = samples::nodeOf(device);
    certificate.linkKey = crypto::LinkKeyPair::of(samples::key(device)).publicKey();
    certificate.name = "device";
    return certificate;
}

LinkKey linkKeyOf(unsigned char device)
{
    return crypto::LinkKeyPair::of(samples::key(device)).publicKey();
}

} // namespace

class TestLinkAuthenticator : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }
    void init() { m_certificate = envelopeOf(certificateOf(50)); }

    void saysWhoWeAre()
    {
        QVERIFY(m_authenticator.fleet() == samples::trustSet().fleet());
        QVERIFY(m_authenticator.linkKey().publicKey() == linkKeyOf(50));
        QVERIFY(toBytes(m_authenticator.certificate()) == m_certificate);
        QCOMPARE(code(m_authenticator.checkOwn()), 0);
    }

    void knowsAnAdmittedDevice()
    {
        const auto node = m_authenticator.verify(envelopeOf(certificateOf(51)), linkKeyOf(51));
        QVERIFY(node);
        QVERIFY(node->node == samples::nodeOf(51));
    }

    void refusesAnotherLinkKey()
    {
        const auto node = m_authenticator.verify(envelopeOf(certificateOf(51)), linkKeyOf(52));
        QCOMPARE(code(node), int(Errc::NotAdmitted));
        QVERIFY(node.error().context.find("another link key") != std::string::npos);
    }

    void refusesACertificateWithoutALinkKey()
    {
        auto certificate = certificateOf(51);
        certificate.linkKey = LinkKey();
        for (const LinkKey& key : {LinkKey(), linkKeyOf(51)}) {
            const auto node = m_authenticator.verify(envelopeOf(certificate), key);
            QCOMPARE(code(node), int(Errc::NotAdmitted));
            QVERIFY(node.error().context.find("no link key") != std::string::npos);
        }
        certificate = certificateOf(50);
        certificate.linkKey = LinkKey();
        m_certificate = envelopeOf(certificate);
        QCOMPARE(code(m_authenticator.checkOwn()), int(Errc::NotAdmitted));
        certificate.linkKey = linkKeyOf(51);
        m_certificate = envelopeOf(certificate);
        QCOMPARE(code(m_authenticator.checkOwn()), int(Errc::NotAdmitted));
    }

    void restrictsAnExpiredCertificate()
    {
        auto certificate = certificateOf(51);
        certificate.notAfter = 1'000;
        const Bytes envelope = envelopeOf(certificate);
        m_now = 1'000;
        const auto isExpired = [&] {
            return m_authenticator.verify(envelope, linkKeyOf(51)).value().isExpired;
        };
        QVERIFY(!isExpired());
        m_now = 1'001;
        QVERIFY(isExpired());
        QVERIFY(m_authenticator.verify(envelope, linkKeyOf(51)).value().notAfter == 1'000u);
        m_now = -5; // a clock that was never set: nothing has expired
        QVERIFY(!isExpired());
        QVERIFY(!m_authenticator.verify(envelopeOf(certificateOf(51)), linkKeyOf(51)).value().notAfter);
    }

    void refusesWhatTheAdmitRoleDidNotSign()
    {
        const Bytes bySomebody = envelopeOf(certificateOf(51), 21);
        QCOMPARE(code(m_authenticator.verify(bySomebody, linkKeyOf(51))), int(Errc::WrongScope));
        auto stale = certificateOf(51);
        stale.admitEpoch = 7;
        QCOMPARE(code(m_authenticator.verify(envelopeOf(stale), linkKeyOf(51))), int(Errc::WrongEpoch));
        Bytes damaged = envelopeOf(certificateOf(51));
        damaged[damaged.size() - 10] ^= std::byte{1};
        QCOMPARE(code(m_authenticator.verify(damaged, linkKeyOf(51))), int(Errc::BadSignature));
        QCOMPARE(code(m_authenticator.verify({}, linkKeyOf(51))), int(Errc::Truncated));
        QVERIFY(!m_authenticator.verify(Bytes(link::kMaxCertificateBytes + 1), linkKeyOf(51)));
    }

private:
    crypto::LinkKeyPair m_linkKey = crypto::LinkKeyPair::of(samples::key(50));
    Bytes m_certificate;
    release::Board m_board{samples::trustSet(), {}};
    std::int64_t m_now = 0;
    LinkAuthenticator m_authenticator{m_linkKey, m_certificate, m_board,
                                      [this] { return UtcTime(std::chrono::seconds(m_now)); }};
};

QTEST_GUILESS_MAIN(TestLinkAuthenticator)
#include "tst_link_authenticator.moc"
