// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"
#include "base/flat_map.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/size.h"
#include "base/uri.h"

#include <QTest>

#include <map>
#include <memory>
#include <set>

using namespace starling;
using namespace std::string_literals;

namespace {

/// Every code; the switch has no default, so a new code does not compile here until it is listed.
std::vector<Errc> allCodes()
{
    std::vector<Errc> codes;
    for (std::uint16_t value = 0; value < 1000; ++value) {
        switch (const Errc code{value}) {
        case Errc::NotBencode:
        case Errc::NotCanonical:
        case Errc::TooLarge:
        case Errc::TooDeep:
        case Errc::Truncated:
        case Errc::Malformed:
        case Errc::UnsupportedFormat:
        case Errc::LegacyTorrent:
        case Errc::UnsafeName:
        case Errc::InvalidUri:
        case Errc::Unsigned:
        case Errc::BadSignature:
        case Errc::UnknownKey:
        case Errc::WrongScope:
        case Errc::BelowThreshold:
        case Errc::Rollback:
        case Errc::Equivocation:
        case Errc::WrongEpoch:
        case Errc::InvalidRoot:
        case Errc::RootGap:
        case Errc::NotAdmitted:
        case Errc::Denied:
        case Errc::WrongFleet:
        case Errc::PayloadMismatch:
        case Errc::PayloadMissing:
        case Errc::PayloadChanged:
        case Errc::QuotaExceeded:
        case Errc::DiskFull:
        case Errc::DeployFailed:
        case Errc::DeployTimeout:
        case Errc::DeployMissing:
        case Errc::HealthFailed:
        case Errc::HealthTimeout:
        case Errc::RollbackFailed:
        case Errc::Incompatible:
        case Errc::Superseded:
        case Errc::Withdrawn:
        case Errc::Io:
        case Errc::StateLocked:
        case Errc::StateNewer:
        case Errc::StateCorrupt:
        case Errc::ConfigInvalid:
        case Errc::PortInUse:
        case Errc::KeyUnreadable:
        case Errc::WrongPassphrase:
        case Errc::NotFound:
        case Errc::AlreadyExists:
        case Errc::ClockWrong:
        case Errc::Unreachable:
        case Errc::Timeout:
        case Errc::Refused:
        case Errc::Busy:
        case Errc::Cancelled:
        case Errc::Usage:
            codes.push_back(code);
        }
    }
    return codes;
}

} // namespace

class TestBase : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Against std::map as the model; with values that can only be moved.
    void aFlatMapIsAMap()
    {
        using Value = std::unique_ptr<int>;
        SeededRandom random(1);
        FlatMap<int, Value, 2> flat;
        std::map<int, int> model;
        for (int step = 0; step < 20'000; ++step) {
            const int key = static_cast<int>(random.below(20)), value = step;
            switch (random.below(4)) {
            case 0:
                QCOMPARE(flat.emplace(key, std::make_unique<int>(value)).second,
                         model.emplace(key, value).second);
                break;
            case 1:
                flat[key] = std::make_unique<int>(value);
                model[key] = value;
                break;
            case 2:
                QCOMPARE(flat.erase(key), model.erase(key));
                break;
            default:
                if (const auto entry = flat.find(key); entry != flat.end())
                    flat.erase(entry);
                model.erase(key);
            }
            QCOMPARE(flat.size(), model.size());
            QVERIFY(std::equal(flat.begin(), flat.end(), model.begin(), [](const auto& a, const auto& b) {
                return a.first == b.first && *a.second == b.second;
            }));
            const int other = static_cast<int>(random.below(22)) - 1;
            QCOMPARE(flat.contains(other), model.contains(other));
            QCOMPARE(flat.lower_bound(other) - flat.begin(),
                     std::distance(model.begin(), model.lower_bound(other)));
            QCOMPARE(flat.upper_bound(other) - flat.begin(),
                     std::distance(model.begin(), model.upper_bound(other)));
            if (model.contains(other))
                QCOMPARE(*flat.at(other), model.at(other));
        }
    }

    void acceptsResourceUris_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::newRow("one letter") << "a"s;
        QTest::newRow("digits") << "0/1/2"s;
        QTest::newRow("segments") << "fw/gateway/rootfs"s;
        QTest::newRow("all kinds of characters") << "a.b_c-d/0..9/x--"s;
        QTest::newRow("200 bytes") << std::string(200, 'a');
        QTest::newRow("dots inside") << "fw/a..b"s;
    }

    void acceptsResourceUris()
    {
        QFETCH(std::string, text);
        const auto uri = ResourceUri::parse(text);
        QVERIFY(uri);
        QVERIFY(uri->text() == text);
    }

    void refusesOtherResourceUris_data()
    {
        QTest::addColumn<std::string>("text");
        const auto row = [](const char* name, const std::string& text) { QTest::newRow(name) << text; };
        row("empty", "");
        row("parent", "fw/../os");
        row("parent alone", "..");
        row("parent at the end", "fw/..");
        row("dot", "fw/./a");
        row("hidden", "fw/.a");
        row("upper case", "FW/a");
        row("upper case inside", "fw/aB");
        row("empty segment", "fw//a");
        row("slash first", "/fw");
        row("slash last", "fw/");
        row("slash alone", "/");
        row("percent", "%2e%2e");
        row("percent inside", "fw/%2e%2e/os");
        row("NUL at the end", "fw/a\0"s);
        row("NUL inside", "fw\0/a"s);
        row("backslash", "fw\\a");
        row("blank", "fw/a b");
        row("newline", "fw/a\n");
        row("scheme", "fw:a");
        row("starts with a dash", "-fw");
        row("starts with an underscore", "fw/_a");
        row("e with acute, composed", "caf\xc3\xa9");
        row("e with acute, decomposed", "cafe\xcc\x81");
        row("fullwidth dots", "fw/\xef\xbc\x8e\xef\xbc\x8e/os");
        row("201 bytes", std::string(201, 'a'));
    }

    void refusesOtherResourceUris()
    {
        QFETCH(std::string, text);
        const auto uri = ResourceUri::parse(text);
        QVERIFY(!uri);
        QVERIFY(uri.error().code == Errc::InvalidUri);
        QVERIFY(!uri.error().context.empty());
    }

    void matchesPrefixesByWholeSegments()
    {
        const auto isWithin = [](std::string_view inner, std::string_view outer) {
            return ResourceUri::parse(inner)->isWithin(*ResourceUri::parse(outer));
        };
        QVERIFY(isWithin("fw", "fw"));
        QVERIFY(isWithin("fw/a", "fw"));
        QVERIFY(isWithin("fw/a/b", "fw/a"));
        QVERIFY(!isWithin("fwx/a", "fw"));
        QVERIFY(!isWithin("fwx", "fw"));
        QVERIFY(!isWithin("fw", "fw/a"));
        QVERIFY(!isWithin("fw/ab", "fw/a"));
        QVERIFY(!isWithin("os/fw", "fw"));
    }

    void writesAndReadsHexadecimal()
    {
        const Bytes bytes{std::byte{0x00}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}};
        QVERIFY(toHex(bytes) == "007f80ff");
        QVERIFY(fromHex("007f80ff") == bytes);
        QVERIFY(fromHex("007F80Ff") == bytes);
        QVERIFY(fromHex("") == Bytes());
        QVERIFY(toHex({}).empty());
    }

    void refusesWhatIsNotHexadecimal()
    {
        for (const std::string& text :
             {"0"s, "abc"s, "0g"s, "g0"s, " 0"s, "0x"s, "-1"s, "0\0"s, "\xc3\xa9"s}) {
            const auto bytes = fromHex(text);
            QVERIFY(!bytes);
            QVERIFY(bytes.error().code == Errc::Malformed);
        }
    }

    void makesIdsOfExactly32Bytes()
    {
        const std::string hex(64, 'a');
        const auto id = Digest::fromHex(hex);
        QVERIFY(id);
        QVERIFY(id->hex() == hex && id->shortHex() == "aaaaaaaa" && !id->isZero());
        QVERIFY(Digest().isZero());
        QVERIFY(Digest::fromHex(hex.substr(2)).error().code == Errc::Malformed);
        QVERIFY(Digest::fromHex(hex + "aa").error().code == Errc::Malformed);
        QVERIFY(Digest::fromHex("z" + hex.substr(1)).error().code == Errc::Malformed);
        QVERIFY(Digest::fromBytes(Bytes(31)).error().code == Errc::Malformed);
        QVERIFY(Digest::fromBytes(Bytes(33)).error().code == Errc::Malformed);
        QVERIFY(Digest::fromBytes(Bytes(32)) == Digest());
        QVERIFY(Digest() < *id);
    }

    void readsSizes_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<quint64>("value");
        QTest::newRow("bare") << "64"s << quint64(64);
        QTest::newRow("zero") << "0"s << quint64(0);
        QTest::newRow("bytes") << "7 B"s << quint64(7);
        QTest::newRow("KiB") << "64 KiB"s << quint64(65'536);
        QTest::newRow("MiB without blank") << "64MiB"s << quint64(67'108'864);
        QTest::newRow("fraction") << "1.5 GiB"s << quint64(1'610'612'736);
        QTest::newRow("kB") << "2 kB"s << quint64(2'000);
        QTest::newRow("GB") << "2 GB"s << quint64(2'000'000'000);
        QTest::newRow("2^53") << "9007199254740992"s << (quint64(1) << 53);
    }

    void readsSizes()
    {
        QFETCH(std::string, text);
        QFETCH(quint64, value);
        const auto size = parseByteCount(text);
        QVERIFY(size);
        QCOMPARE(quint64(size->value), value);
    }

    void readsRates_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<quint64>("value");
        QTest::newRow("zero") << "0"s << quint64(0);
        QTest::newRow("unlimited") << "unlimited"s << quint64(0);
        QTest::newRow("megabit") << "1 Mbit/s"s << quint64(125'000);
        QTest::newRow("kilobit") << "500kbit/s"s << quint64(62'500);
        QTest::newRow("MiB") << "2 MiB/s"s << quint64(2'097'152);
        QTest::newRow("MB") << "2 MB/s"s << quint64(2'000'000);
        QTest::newRow("bits") << "8 bit/s"s << quint64(1);
    }

    void readsRates()
    {
        QFETCH(std::string, text);
        QFETCH(quint64, value);
        const auto rate = parseRate(text);
        QVERIFY(rate);
        QCOMPARE(quint64(rate->value), value);
    }

    void refusesQuantitiesItCannotRead_data()
    {
        QTest::addColumn<std::string>("text");
        for (const char* text :
             {"", " ", "-1", "-1 MiB", "MiB", "1 mib", "1 TiBs", "1 MiBMiB", "1 MiB ", "1e30", "nan", "inf",
              "one", "0x10", "99999999999 GiB", "1 Mbit", "1,5 MiB", " 1"})
            QTest::addRow("'%s'", text) << std::string(text);
    }

    void refusesQuantitiesItCannotRead()
    {
        QFETCH(std::string, text);
        const auto size = parseByteCount(text);
        QVERIFY(!size);
        QVERIFY(size.error().code == Errc::ConfigInvalid);
        const auto rate = parseRate(text);
        QVERIFY(!rate);
        QVERIFY(rate.error().code == Errc::ConfigInvalid);
    }

    void refusesRatesThatWouldMeanUnlimitedByRounding()
    {
        QVERIFY(parseRate("0.5 B/s").error().code == Errc::ConfigInvalid);
        QVERIFY(parseRate("1 bit/s").error().code == Errc::ConfigInvalid);
        QVERIFY(parseRate("0 MiB/s").error().code == Errc::ConfigInvalid);
        QVERIFY(parseRate("10").error().code == Errc::ConfigInvalid);
        QVERIFY(parseRate("10 /s").error().code == Errc::ConfigInvalid);
        QVERIFY(parseRate("10 MiB").error().code == Errc::ConfigInvalid);
    }

    void showsSizes()
    {
        QVERIFY(toString(ByteCount{0}) == "0 B");
        QVERIFY(toString(ByteCount{1023}) == "1023 B");
        QVERIFY(toString(kibibytes(1)) == "1.0 KiB");
        QVERIFY(toString(mebibytes(3)) == "3.0 MiB");
        QVERIFY(toString(BytesPerSecond{3'250'586}) == "3.1 MiB/s");
        QVERIFY(toString(gibibytes(5000)) == "4.9 TiB");
    }

    void namesEveryErrorOnce()
    {
        const std::vector<Errc> codes = allCodes();
        QCOMPARE(codes.size(), std::size_t{54});
        std::set<std::string> names;
        std::set<std::string_view> shortNames;
        std::set<std::string_view> descriptions;
        for (const Errc code : codes) {
            names.insert(codeName(code));
            shortNames.insert(shortName(code));
            descriptions.insert(describe(code));
            QVERIFY(!shortName(code).empty() && !describe(code).empty());
            QVERIFY(shortName(code).find_first_not_of("abcdefghijklmnopqrstuvwxyz-")
                    == std::string_view::npos);
        }
        QCOMPARE(names.size(), codes.size());
        QCOMPARE(shortNames.size(), codes.size());
        QCOMPARE(descriptions.size(), codes.size());
    }

    void makesPublicCodesOfGroupAndNumber()
    {
        QVERIFY(codeName(Errc::NotBencode) == "STAR-FORM-001");
        QVERIFY(codeName(Errc::Rollback) == "STAR-TRUST-006");
        QVERIFY(codeName(Errc::PayloadMismatch) == "STAR-LOAD-001");
        QVERIFY(codeName(Errc::AlreadyExists) == "STAR-LOCAL-010");
        QVERIFY(codeName(Errc::Usage) == "STAR-USE-001");
        QVERIFY(toString(Error{Errc::Rollback, "fw/a version 1 is not above 2"})
                == "STAR-TRUST-006 rollback: fw/a version 1 is not above 2");
    }

    void putsContextInFront()
    {
        const Status inner = fail(Errc::Io, "no such file");
        const Status outer = fail(inner.error(), "key a.key");
        QVERIFY(outer.error() == (Error{Errc::Io, "key a.key: no such file"}));
    }

    void readsWhatItWrote()
    {
        ByteWriter writer;
        writer.u8(0x12);
        writer.u16(0x3456);
        writer.u32(0x789abcde);
        writer.u64(0xf0e1d2c3b4a59687);
        writer.sized(viewOf("abc"));
        writer.raw(viewOf("xy"));
        const Bytes bytes = writer.take();
        QVERIFY(toHex(bytes) == "123456789abcdef0e1d2c3b4a59687000000036162637879");
        ByteReader reader(bytes);
        QVERIFY(reader.u8() == 0x12 && reader.u16() == 0x3456 && reader.u32() == 0x789abcde);
        QVERIFY(reader.u64() == 0xf0e1d2c3b4a59687);
        QVERIFY(toText(reader.sized(3)) == "abc");
        QVERIFY(toText(reader.rest()) == "xy");
        QVERIFY(toText(reader.raw(2)) == "xy");
        QVERIFY(reader.isGood() && reader.status("frame") && reader.rest().empty());
    }

    void remembersThatBytesRanOut()
    {
        const Bytes bytes = toBytes("abc");
        ByteReader reader(bytes);
        QVERIFY(reader.u32() == 0);
        QVERIFY(!reader.isGood());
        // Three bytes are left, but after a failure nothing may look as if it had been read.
        QVERIFY(reader.u8() == 0 && reader.raw(1).empty() && reader.raw(0).empty());
        const Status status = reader.status("frame");
        QVERIFY(!status);
        QVERIFY(status.error() == (Error{Errc::Truncated, "frame"}));
    }

    void refusesSizedFieldsOverTheirLimitOrTheirEnd()
    {
        ByteWriter writer;
        writer.sized(viewOf("abcd"));
        const Bytes bytes = writer.take();
        ByteReader within(bytes);
        QVERIFY(within.sized(4).size() == 4 && within.isGood());
        ByteReader overLimit(bytes);
        QVERIFY(overLimit.sized(3).empty() && !overLimit.isGood());
        ByteReader overEnd(ByteView(bytes).first(bytes.size() - 1));
        QVERIFY(overEnd.sized(100).empty() && !overEnd.isGood());
        const Bytes huge = *fromHex("ffffffff00");
        ByteReader hugeReader(huge);
        QVERIFY(hugeReader.sized(SIZE_MAX).empty() && !hugeReader.isGood());
        ByteReader emptyReader({});
        QVERIFY(emptyReader.raw(0).empty() && emptyReader.isGood());
    }

    void givesTheSameNumbersForTheSameSeed()
    {
        SeededRandom first(42);
        SeededRandom second(42);
        SeededRandom other(43);
        bool differs = false;
        for (int i = 0; i < 100; ++i) {
            const std::uint64_t number = first.u64();
            QVERIFY(number == second.u64());
            differs = differs || number != other.u64();
        }
        QVERIFY(differs);
        // The reference generator's first output for seed 0, whose bytes are filled from the lowest.
        SeededRandom zero(0);
        std::array<std::byte, 8> bytes{};
        zero.fill(bytes);
        QVERIFY(toHex(bytes) == "afcd1d7b39a820e2");
    }

    void staysBelowTheBoundAndReachesAllOfIt()
    {
        SeededRandom random(1);
        std::array<int, 7> counts{};
        for (int i = 0; i < 7'000; ++i) {
            const std::uint64_t number = random.below(7);
            QVERIFY(number < 7);
            ++counts[number];
        }
        for (const int count : counts)
            QVERIFY(count > 800 && count < 1'200); // six standard deviations are 175
        QVERIFY(random.below(1) == 0);
        const std::uint64_t most = UINT64_MAX / 2 + 2; // nearly half of the draws are rejected
        for (int i = 0; i < 100; ++i)
            QVERIFY(random.below(most) < most);
    }

    void showsEndpoints()
    {
        const Endpoint v4 = Endpoint::ipv4(127, 0, 0, 1, 7001);
        QVERIFY(toString(v4) == "127.0.0.1:7001");
        QVERIFY(v4.isIpv4() && v4.isLoopback());
        QVERIFY(Endpoint::ipv4(127, 255, 0, 9, 1).isLoopback());
        QVERIFY(!Endpoint::ipv4(128, 0, 0, 1, 1).isLoopback());
        Endpoint v6;
        v6.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        v6.port = 7001;
        QVERIFY(toString(v6) == "[2001:db8:0:0:0:0:0:1]:7001");
        QVERIFY(!v6.isIpv4() && !v6.isLoopback());
        Endpoint loopback;
        loopback.address[15] = 1;
        QVERIFY(loopback.isLoopback() && !loopback.isIpv4());
        loopback.address[0] = 0xfe;
        QVERIFY(!loopback.isLoopback());
    }

    void readsEndpointsItWrote()
    {
        const Endpoint endpoint = Endpoint::ipv4(192, 0, 2, 33, 65'535);
        ByteWriter writer;
        write(writer, endpoint);
        const Bytes bytes = writer.take();
        QVERIFY(toHex(bytes) == "00000000000000000000ffffc0000221ffff");
        ByteReader reader(bytes);
        QVERIFY(readEndpoint(reader) == endpoint);
        QVERIFY(reader.isGood() && reader.rest().empty());
        ByteReader cut(ByteView(bytes).first(17));
        readEndpoint(cut);
        QVERIFY(!cut.isGood());
    }
};

QTEST_GUILESS_MAIN(TestBase)
#include "tst_base.moc"
