// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"
#include "crypto/signature_memo.h"
#include "crypto/signing.h"

#include <QTest>

#include <set>

using namespace starling;
using namespace std::string_literals;
using crypto::SecretKey;
using crypto::Signature;

namespace {

Bytes bytesOf(std::string_view hex)
{
    auto bytes = fromHex(hex);
    return bytes ? *bytes : Bytes();
}

KeyId keyOf(std::string_view hex)
{
    auto id = KeyId::fromHex(hex);
    return id ? *id : KeyId();
}

Signature signatureOf(ByteView bytes)
{
    Signature signature{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), signature.size()), signature.begin());
    return signature;
}

Signature signatureOf(std::string_view hex)
{
    return signatureOf(bytesOf(hex));
}

bool isBadSignature(const Status& status)
{
    return !status && status.error().code == Errc::BadSignature;
}

/// Adds the group order L = 2^252 + 27742317777372353535851937790883648493 to S, as often as told.
Signature malleated(Signature signature, int times)
{
    const Bytes order = bytesOf("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    for (; times > 0; --times) {
        unsigned carry = 0;
        for (std::size_t i = 0; i < order.size(); ++i) {
            carry += std::to_integer<unsigned>(signature[32 + i]) + std::to_integer<unsigned>(order[i]);
            signature[32 + i] = static_cast<std::byte>(carry);
            carry >>= 8;
        }
    }
    return signature;
}

/// The eight points whose order divides 8, and their other encodings (y + p, the sign of x = 0).
const std::vector<std::string>& smallOrderKeys()
{
    static const std::string kF(60, 'f');
    static const std::string kZ(60, '0');
    static const std::vector<std::string> kKeys{
        "01" + kZ + "00",
        "ec" + kF + "7f",
        "00" + kZ + "00",
        "00" + kZ + "80",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "01" + kZ + "80",
        "ec" + kF + "ff",
        "ed" + kF + "7f",
        "ed" + kF + "ff",
        "ee" + kF + "7f",
        "ee" + kF + "ff",
    };
    return kKeys;
}

/// The encoding of the base point: (base point, 1) satisfies S·B = R + h·A wherever h·A vanishes.
const std::string kBasePoint = "58" + std::string(62, '6');

Bytes flipped(Bytes file, std::size_t at, unsigned mask = 1)
{
    file[at] ^= static_cast<std::byte>(mask);
    return file;
}

} // namespace

class TestCrypto : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize()); }

    // SHA-256

    void hashesAsFips180Says_data()
    {
        QTest::addColumn<std::string>("message");
        QTest::addColumn<std::string>("digest");
        QTest::newRow("empty") << ""s
                               << "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"s;
        QTest::newRow("24 bits") << "abc"s
                                 << "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"s;
        QTest::newRow("448 bits") << "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"s
                                  << "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"s;
        QTest::newRow("896 bits") << "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"s
                                  << "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"s;
        QTest::newRow("a million a") << std::string(1'000'000, 'a')
                                     << "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"s;
    }

    void hashesAsFips180Says()
    {
        QFETCH(std::string, message);
        QFETCH(std::string, digest);
        QCOMPARE(crypto::sha256(viewOf(message)).hex(), digest);
        crypto::Sha256 hash;
        hash.update(viewOf(message));
        QCOMPARE(hash.finish().hex(), digest);
    }

    void hashesInPieces()
    {
        SeededRandom random(3);
        Bytes message(1'000);
        random.fill(message);
        const Digest whole = crypto::sha256(message);
        crypto::Sha256 hash;
        for (std::size_t size = 1; size <= 200; ++size) {
            for (std::size_t at = 0; at < message.size(); at += size)
                hash.update(ByteView(message).subspan(at, std::min(size, message.size() - at)));
            hash.update({});
            QVERIFY(hash.finish() == whole); // and starts anew
        }
        QVERIFY(hash.finish() == crypto::sha256({}));
    }

    void hashesIndependentlyOfOtherHashes()
    {
        crypto::Sha256 first;
        crypto::Sha256 second;
        first.update(viewOf("a"));
        second.update(viewOf("x"));
        QVERIFY(crypto::sha256(viewOf("between")) != Digest());
        first.update(viewOf("bc"));
        crypto::Sha256 moved = std::move(first);
        QVERIFY(moved.finish() == crypto::sha256(viewOf("abc")));
        second = std::move(moved);
        QVERIFY(second.finish() == crypto::sha256({}));
    }

    void hashesTwoDigestsAsOneMessage()
    {
        const Digest left = crypto::sha256(viewOf("left"));
        const Digest right = crypto::sha256(viewOf("right"));
        Bytes both = toBytes(left.bytes());
        append(both, right.bytes());
        for (int i = 0; i < 3; ++i)
            QVERIFY(crypto::sha256(left, right) == crypto::sha256(both));
        QVERIFY(crypto::sha256(left, right) != crypto::sha256(right, left));
    }

    // Ed25519

    void signsAsRfc8032Says_data()
    {
        QTest::addColumn<std::string>("seed");
        QTest::addColumn<std::string>("key");
        QTest::addColumn<std::string>("message");
        QTest::addColumn<std::string>("signature");
        QTest::newRow("empty message") << "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"s
                                       << "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"s
                                       << ""s
                                       << "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                                          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"s;
        QTest::newRow("one byte") << "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"s
                                  << "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"s
                                  << "72"s
                                  << "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"s;
        QTest::newRow("two bytes") << "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"s
                                   << "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"s
                                   << "af82"s
                                   << "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                                      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"s;
        QTest::newRow("SHA-512 of abc")
            << "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"s
            << "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"s
            << "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"s
            << "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
               "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"s;
    }

    void signsAsRfc8032Says()
    {
        QFETCH(std::string, seed);
        QFETCH(std::string, key);
        QFETCH(std::string, message);
        QFETCH(std::string, signature);
        const auto secret = SecretKey::fromSeed(bytesOf(seed));
        QVERIFY(secret);
        QCOMPARE(secret->id().hex(), key);
        QCOMPARE(toHex(secret->seed()), seed);
        const Signature made = secret->sign(bytesOf(message));
        QCOMPARE(toHex(made), signature);
        QVERIFY(crypto::verify(keyOf(key), bytesOf(message), made));
    }

    void refusesEveryFlippedBit()
    {
        const auto secret = SecretKey::fromSeed(Bytes(32, std::byte{7}));
        QVERIFY(secret);
        const Bytes message = toBytes("starling/1/release");
        const Signature signature = secret->sign(message);
        QVERIFY(crypto::verify(secret->id(), message, signature));
        for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
            Signature other = signature;
            other[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            QVERIFY(isBadSignature(crypto::verify(secret->id(), message, other)));
        }
        for (std::size_t bit = 0; bit < message.size() * 8; ++bit)
            QVERIFY(isBadSignature(
                crypto::verify(secret->id(), flipped(message, bit / 8, 1u << bit % 8), signature)));
        for (std::size_t bit = 0; bit < KeyId::kSize * 8; ++bit) {
            const auto other =
                KeyId::fromBytes(flipped(toBytes(secret->id().bytes()), bit / 8, 1u << bit % 8));
            QVERIFY(other);
            QVERIFY(isBadSignature(crypto::verify(*other, message, signature)));
        }
        QVERIFY(isBadSignature(crypto::verify(secret->id(), ByteView(message).first(1), signature)));
        QVERIFY(isBadSignature(crypto::verify(secret->id(), {}, signature)));
    }

    void refusesMalleatedSignatures()
    {
        const auto secret = SecretKey::fromSeed(Bytes(32, std::byte{9}));
        QVERIFY(secret);
        for (std::uint8_t i = 0; i < 20; ++i) {
            const Bytes message(i, std::byte{i});
            const Signature signature = secret->sign(message);
            QVERIFY(crypto::verify(secret->id(), message, signature));
            for (int times = 1; times < 15; ++times) // S + 15 L has no room in 256 bits
                QVERIFY(isBadSignature(crypto::verify(secret->id(), message, malleated(signature, times))));
        }
    }

    void refusesKeysOfSmallOrder_data()
    {
        QTest::addColumn<std::string>("key");
        for (const std::string& key : smallOrderKeys())
            QTest::newRow(key.c_str()) << key;
    }

    void refusesKeysOfSmallOrder()
    {
        QFETCH(std::string, key);
        QCOMPARE(key.size(), std::size_t{64});
        // With such a key, one signature satisfies the equation for at least one message in eight.
        const Signature one = signatureOf(kBasePoint + "01" + std::string(62, '0'));
        const Signature zero = signatureOf("01" + std::string(126, '0'));
        const Signature own = signatureOf(key + std::string(64, '0'));
        for (std::uint8_t i = 0; i < 100; ++i) {
            const Bytes message(1, std::byte{i});
            QVERIFY(isBadSignature(crypto::verify(keyOf(key), message, one)));
            QVERIFY(isBadSignature(crypto::verify(keyOf(key), message, zero)));
            QVERIFY(isBadSignature(crypto::verify(keyOf(key), message, own)));
        }
    }

    void refusesKeysThatAreNotCanonicalOrNoPoints()
    {
        const Signature one = signatureOf(kBasePoint + "01" + std::string(62, '0'));
        // y = p to p + 18, with both signs: second encodings of y = 0 to 18.
        for (unsigned low = 0xed; low <= 0xff; ++low)
            for (const char* high : {"7f", "ff"}) {
                const std::string key =
                    toHex(Bytes(1, static_cast<std::byte>(low))) + std::string(60, 'f') + high;
                QVERIFY(isBadSignature(crypto::verify(keyOf(key), {}, one)));
            }
        // No point of the curve has y = 2.
        QVERIFY(isBadSignature(crypto::verify(keyOf("02" + std::string(62, '0')), {}, one)));
    }

    void refusesSpecialValuesOfRAndS()
    {
        const auto secret = SecretKey::fromSeed(Bytes(32, std::byte{1}));
        QVERIFY(secret);
        const std::string order = "d3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        const std::string field = std::string(60, 'f') + "7f";
        std::vector<std::string> values{std::string(64, '0'),
                                        "01" + std::string(62, '0'),
                                        "ec" + order,
                                        "ed" + order,
                                        "ee" + order,
                                        "ec" + field,
                                        "ed" + field,
                                        std::string(64, 'f'),
                                        kBasePoint};
        values.insert(values.end(), smallOrderKeys().begin(), smallOrderKeys().end());
        for (const std::string& r : values)
            for (const std::string& s : values) {
                QCOMPARE((r + s).size(), std::size_t{128});
                QVERIFY(isBadSignature(crypto::verify(secret->id(), viewOf("?"), signatureOf(r + s))));
            }
    }

    /// Vectors of Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (2020), appendix.
    void followsTheStrictReadingOfEdgeCases_data()
    {
        QTest::addColumn<std::string>("message");
        QTest::addColumn<std::string>("key");
        QTest::addColumn<std::string>("signature");
        QTest::addColumn<bool>("isGood");
        const auto row = [](const char* name, const char* message, const char* key, const char* signature,
                            bool isGood) {
            QTest::newRow(name) << std::string(message) << std::string(key) << std::string(signature)
                                << isGood;
        };
        const char* const small = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa";
        const char* const mixed = "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43";
        const char* const other = "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d";
        const char* const prime = "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623";
        row("A and R of small order, S = 0",
            "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6", small,
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
            "0000000000000000000000000000000000000000000000000000000000000000",
            false);
        row("A of small order", "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", small,
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
            false);
        row("R of small order", "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab", mixed,
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
            false);
        row("A and R of mixed order, without a cofactor",
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", other,
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
            true);
        row("holds only with a cofactor", "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            other,
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
            false);
        row("holds only with a cofactor, hash reduced",
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", other,
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
            false);
        row("S above L", "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", prime,
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
            false);
        row("S far above L", "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", prime,
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
            false);
        row("R not canonical, of small order",
            "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a", mixed,
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
            "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
            false);
        row("R not canonical, of small order, reduced",
            "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1", mixed,
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
            "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
            false);
    }

    void followsTheStrictReadingOfEdgeCases()
    {
        QFETCH(std::string, message);
        QFETCH(std::string, key);
        QFETCH(std::string, signature);
        QFETCH(bool, isGood);
        const Status status = crypto::verify(keyOf(key), bytesOf(message), signatureOf(signature));
        QVERIFY(isGood ? status.has_value() : isBadSignature(status));
    }

    void takesSeedsOf32BytesOnly()
    {
        for (const std::size_t size : {0u, 1u, 31u, 33u, 64u})
            QVERIFY(SecretKey::fromSeed(Bytes(size)).error().code == Errc::KeyUnreadable);
    }

    void generatesDifferentKeys()
    {
        const SecretKey first = SecretKey::generate();
        SecretKey second = SecretKey::generate();
        QVERIFY(first.id() != second.id());
        const KeyId id = second.id();
        const SecretKey moved = std::move(second);
        QVERIFY(moved.id() == id);
        QVERIFY(crypto::verify(id, viewOf("m"), moved.sign(viewOf("m"))));
        QVERIFY(isBadSignature(crypto::verify(id, viewOf("m"), first.sign(viewOf("m")))));
    }

    /// Whatever was remembered, each of key, message and signature counts.
    void remembersVerdictsOfTheVerySameBytesOnly()
    {
        crypto::SignatureMemo memo;
        const SecretKey key = SecretKey::generate(), other = SecretKey::generate();
        const auto signature = key.sign(viewOf("m"));
        auto flipped = signature;
        flipped[0] ^= std::byte{1};
        for (int i = 0; i < 3; ++i) {
            QVERIFY(memo.verify(key.id(), viewOf("m"), signature));
            QVERIFY(isBadSignature(memo.verify(key.id(), viewOf("m"), flipped)));
            QVERIFY(isBadSignature(memo.verify(key.id(), viewOf("n"), signature)));
            QVERIFY(isBadSignature(memo.verify(other.id(), viewOf("m"), signature)));
        }
    }

    void drawsDifferentRandomNumbers()
    {
        crypto::SystemRandom random;
        std::set<std::uint64_t> numbers;
        for (int i = 0; i < 1'000; ++i)
            numbers.insert(random.u64());
        QCOMPARE(numbers.size(), std::size_t{1'000});
    }
};

QTEST_GUILESS_MAIN(TestCrypto)
#include "tst_crypto.moc"
