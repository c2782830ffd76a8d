// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"
#include "crypto/sha256.h"

#include <QTest>

using namespace starling;
using namespace std::string_literals;
using crypto::SecretKey;
using crypto::SecretText;

namespace {

constexpr std::size_t kPlainSize = 88;
constexpr std::size_t kSealedSize = 144;
constexpr std::size_t kChecksumSize = 8;

Bytes withNewChecksum(ByteView file)
{
    Bytes mended = toBytes(file.first(file.size() - kChecksumSize));
    const Digest digest = crypto::sha256(mended);
    append(mended, digest.bytes().first(kChecksumSize));
    return mended;
}

Bytes flipped(Bytes file, std::size_t at, unsigned mask = 1)
{
    file[at] ^= static_cast<std::byte>(mask);
    return file;
}

template <class T> std::string outcome(const Result<T>& result)
{
    return result ? "opened"s : std::string(shortName(result.error().code));
}

} // namespace

class TestKeyFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    void opensPlainKeys()
    {
        const SecretKey key = SecretKey::generate();
        const Bytes file = crypto::plainKey(key);
        QCOMPARE(file.size(), kPlainSize);
        const auto header = crypto::inspectKey(file);
        QVERIFY(header && header->id == key.id() && !header->isSealed);
        const auto opened = crypto::openPlainKey(file);
        QVERIFY(opened && opened->id() == key.id());
        QVERIFY(opened->sign(viewOf("m")) == key.sign(viewOf("m")));
        QCOMPARE(outcome(crypto::unsealKey(file, SecretText("x"))), "key-unreadable"s);
    }

    void opensSealedKeys()
    {
        for (const auto cost : {crypto::KdfCost::Interactive, crypto::KdfCost::Moderate}) {
            const auto file = crypto::sealKey(m_key, m_passphrase, cost);
            QVERIFY(file);
            QCOMPARE(file->size(), kSealedSize);
            const auto header = crypto::inspectKey(*file);
            QVERIFY(header && header->id == m_key.id() && header->isSealed);
            const auto opened = crypto::unsealKey(*file, m_passphrase);
            QVERIFY(opened && opened->id() == m_key.id());
            QVERIFY(opened->sign(viewOf("m")) == m_key.sign(viewOf("m")));
            QCOMPARE(outcome(crypto::openPlainKey(*file)), "key-unreadable"s);
        }
    }

    void hidesTheSeedAndSealsDifferentlyEachTime()
    {
        const Bytes first = sealed();
        const auto second = crypto::sealKey(m_key, m_passphrase, crypto::KdfCost::Interactive);
        QVERIFY(second);
        QVERIFY(toHex(first).find(toHex(m_key.seed())) == std::string::npos);
        QVERIFY(toHex(crypto::plainKey(m_key)).find(toHex(m_key.seed())) != std::string::npos);
        for (const auto& [from, size] : {std::pair(48, 16), std::pair(64, 24), std::pair(88, 48)})
            QVERIFY(!std::equal(first.begin() + from, first.begin() + from + size, second->begin() + from));
    }

    void refusesWrongPassphrases()
    {
        for (const char* text : {"", "Correct horse", "correct horse ", "correct hors"})
            QCOMPARE(outcome(crypto::unsealKey(sealed(), SecretText(text))), "wrong-passphrase"s);
        QCOMPARE(outcome(crypto::unsealKey(sealed(), SecretText(std::string(1'025, 'x')))),
                 "wrong-passphrase"s);
        QCOMPARE(outcome(crypto::unsealKey(sealed(), SecretText("correct horse"))), "opened"s);
    }

    void sealsWithPassphrasesOfSaneLengthOnly()
    {
        const auto cost = crypto::KdfCost::Interactive;
        QCOMPARE(outcome(crypto::sealKey(m_key, SecretText(""), cost)), std::string(shortName(Errc::Usage)));
        QCOMPARE(outcome(crypto::sealKey(m_key, SecretText(std::string(1'025, 'x')), cost)),
                 std::string(shortName(Errc::Usage)));
        QVERIFY(crypto::sealKey(m_key, SecretText(std::string(1'024, 'x')), cost));
    }

    void refusesEveryTruncationOfAKeyFile()
    {
        for (const Bytes& file : {sealed(), crypto::plainKey(m_key)}) {
            for (std::size_t size = 0; size < file.size(); ++size)
                QVERIFY(isUnreadable(toBytes(ByteView(file).first(size))));
            Bytes longer = file;
            longer.push_back(std::byte{0});
            QVERIFY(isUnreadable(longer));
            longer.resize(1'000'000);
            QVERIFY(isUnreadable(longer));
        }
    }

    void refusesEveryFlippedBitOfAKeyFile()
    {
        for (const Bytes& file : {sealed(), crypto::plainKey(m_key)})
            for (std::size_t bit = 0; bit < file.size() * 8; ++bit)
                QVERIFY(isUnreadable(flipped(file, bit / 8, 1u << bit % 8)));
    }

    void refusesForgedHeadersWithARightChecksum()
    {
        // Magic, version, form and the byte that is always 0.
        for (const Bytes& file : {sealed(), crypto::plainKey(m_key)})
            for (const std::size_t at : {0u, 11u, 12u, 13u, 15u})
                QVERIFY(isUnreadable(withNewChecksum(flipped(file, at))));
        // A hostile file cannot name any other cost than the three, so it cannot ask for more than 1 GiB.
        for (unsigned cost = 0; cost < 256; ++cost) {
            Bytes file = sealed();
            file[14] = static_cast<std::byte>(cost);
            const bool isKnown = cost >= 1 && cost <= 3;
            QCOMPARE(crypto::inspectKey(withNewChecksum(file)).has_value(), isKnown);
            if (!isKnown)
                QVERIFY(isUnreadable(withNewChecksum(file)));
            file = crypto::plainKey(m_key);
            file[14] = static_cast<std::byte>(cost);
            QCOMPARE(crypto::openPlainKey(withNewChecksum(file)).has_value(), cost == 0);
        }
    }

    void authenticatesTheHeaderOfASealedKey()
    {
        // Whoever changes a byte and mends the checksum meets the associated data or the cipher.
        std::vector<std::size_t> places{16, 47, 48, 63, 64, 87, 88, 119, 120, 135};
        for (std::size_t at = 20; at < kSealedSize - kChecksumSize; at += 9)
            places.push_back(at);
        for (const std::size_t at : places)
            QCOMPARE(outcome(crypto::unsealKey(withNewChecksum(flipped(sealed(), at)), m_passphrase)),
                     "wrong-passphrase"s);
        Bytes dearer = sealed();
        dearer[14] = std::byte{2};
        QCOMPARE(outcome(crypto::unsealKey(withNewChecksum(dearer), m_passphrase)), "wrong-passphrase"s);
    }

    void refusesPlainKeysWhoseHalvesDoNotMatch()
    {
        const Bytes file = crypto::plainKey(m_key);
        for (std::size_t at = 16; at < kPlainSize - kChecksumSize; ++at)
            QCOMPARE(outcome(crypto::openPlainKey(withNewChecksum(flipped(file, at)))), "key-unreadable"s);
    }

    void refusesOtherFiles()
    {
        for (const std::string& text : {""s, "\n"s, "-----BEGIN OPENSSH PRIVATE KEY-----\n"s, "starling-key"s,
                                        std::string(88, '\0'), std::string(144, 's')})
            QVERIFY(isUnreadable(toBytes(text)));
    }

    void movesPassphrases()
    {
        SecretText first("one");
        SecretText second(std::move(first));
        QVERIFY(toText(second.bytes()) == "one" && !second.isEmpty());
        second = SecretText("two");
        QVERIFY(toText(second.bytes()) == "two");
        QVERIFY(SecretText("").isEmpty());
    }

private:
    /// Sealed once: the key derivation is what these tests spend their time on.
    const Bytes& sealed()
    {
        if (m_sealed.empty()) {
            auto file = crypto::sealKey(m_key, m_passphrase, crypto::KdfCost::Interactive);
            if (file)
                m_sealed = std::move(*file);
        }
        return m_sealed;
    }

    /// Whether every way to open `file` says that it cannot be read, none that the passphrase is wrong.
    bool isUnreadable(const Bytes& file) const
    {
        const auto header = crypto::inspectKey(file);
        return !header && header.error().code == Errc::KeyUnreadable
            && outcome(crypto::openPlainKey(file)) == "key-unreadable"
            && outcome(crypto::unsealKey(file, m_passphrase)) == "key-unreadable";
    }

    SecretKey m_key = SecretKey::generate();
    SecretText m_passphrase{"correct horse"};
    Bytes m_sealed;
};

QTEST_GUILESS_MAIN(TestKeyFile)
#include "tst_key_file.moc"
