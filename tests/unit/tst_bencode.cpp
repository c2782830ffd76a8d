// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "bencode/bencode.h"

#include <QTest>

using namespace starling;
using namespace std::string_literals;
using bencode::Value;

namespace {

std::string nested(std::size_t depth)
{
    return std::string(depth, 'l') + std::string(depth, 'e');
}

/// A value of every type, at random, at most `depth` levels below this one.
Value randomValue(RandomSource& random, std::size_t depth)
{
    const std::uint64_t kind = random.below(depth == 0 ? 2 : 4);
    if (kind == 0)
        return static_cast<bencode::Integer>(random.u64());
    if (kind == 1) {
        Bytes bytes(random.below(20));
        random.fill(bytes);
        return bytes;
    }
    if (kind == 2) {
        bencode::List list;
        for (std::uint64_t i = random.below(5); i > 0; --i)
            list.push_back(randomValue(random, depth - 1));
        return list;
    }
    bencode::Dict dict;
    for (std::uint64_t i = random.below(5); i > 0; --i) {
        Bytes key(random.below(4));
        random.fill(key);
        dict.insert_or_assign(toText(key), randomValue(random, depth - 1));
    }
    return dict;
}

Value decoded(std::string_view text)
{
    auto value = bencode::decode(viewOf(text));
    return value ? *value : Value("not decoded");
}

struct Case
{
    const char* name;
    std::string input;
    Errc code;
};

const std::vector<Case> kRefused{
    {"nothing at all", "", Errc::Truncated},
    {"no value", "x", Errc::NotBencode},
    {"blank in front", " i1e", Errc::NotBencode},
    {"end without a beginning", "e", Errc::NotBencode},
    {"upper case", "I1E", Errc::NotBencode},
    {"NUL", "\0"s, Errc::NotBencode},
    // integers
    {"minus zero", "i-0e", Errc::NotCanonical},
    {"leading zeros", "i007e", Errc::NotCanonical},
    {"two zeros", "i00e", Errc::NotCanonical},
    {"minus and a leading zero", "i-01e", Errc::NotCanonical},
    {"minus and two zeros", "i-00e", Errc::NotCanonical},
    {"no digits", "ie", Errc::NotBencode},
    {"minus alone", "i-e", Errc::NotBencode},
    {"two minus signs", "i--1e", Errc::NotBencode},
    {"plus", "i+1e", Errc::NotBencode},
    {"fraction", "i1.5e", Errc::NotBencode},
    {"exponent", "i1E3e", Errc::NotBencode},
    {"hexadecimal", "i0x1e", Errc::NotBencode},
    {"blank in an integer", "i 1e", Errc::NotBencode},
    {"minus after digits", "i1-e", Errc::NotBencode},
    {"2^63", "i9223372036854775808e", Errc::TooLarge},
    {"-2^63 - 1", "i-9223372036854775809e", Errc::TooLarge},
    {"2^64", "i18446744073709551616e", Errc::TooLarge},
    {"20 digits", "i99999999999999999999e", Errc::TooLarge},
    {"a thousand digits", "i" + std::string(1000, '9') + "e", Errc::TooLarge},
    {"integer without its end", "i12", Errc::Truncated},
    {"i alone", "i", Errc::Truncated},
    {"minus without more", "i-", Errc::Truncated},
    // strings
    {"string shorter than told", "5:abc", Errc::Truncated},
    {"length alone", "3", Errc::Truncated},
    {"length and colon alone", "3:", Errc::Truncated},
    {"length with a leading zero", "03:abc", Errc::NotCanonical},
    {"zero length written twice", "00:", Errc::NotCanonical},
    {"negative length", "-1:a", Errc::NotBencode},
    {"length with a plus", "+1:a", Errc::NotBencode},
    {"no colon", "3abc", Errc::NotBencode},
    {"length above the limit", "99999999:abc", Errc::TooLarge},
    {"length 2^64 + 1", "18446744073709551617:a", Errc::TooLarge},
    {"length of a thousand digits", std::string(1000, '9') + ":a", Errc::TooLarge},
    // lists
    {"open list", "l", Errc::Truncated},
    {"open list with an item", "li1e", Errc::Truncated},
    {"bad item", "li1exe", Errc::NotBencode},
    {"list ends twice", "lee", Errc::NotCanonical},
    // dictionaries
    {"open dictionary", "d", Errc::Truncated},
    {"key without a value", "d1:ae", Errc::NotBencode},
    {"key and then nothing", "d1:a", Errc::Truncated},
    {"integer as key", "di1ei2ee", Errc::NotBencode},
    {"list as key", "dlei2ee", Errc::NotBencode},
    {"same key twice", "d1:ai1e1:ai2ee", Errc::NotCanonical},
    {"same key and value twice", "d1:ai1e1:ai1ee", Errc::NotCanonical},
    {"empty key twice", "d0:i1e0:i1ee", Errc::NotCanonical},
    {"two info dictionaries", "d4:infod1:ai1ee4:infod1:ai2eee", Errc::NotCanonical},
    {"two info dictionaries, one apart", "d4:infod1:ai1ee1:zi1e4:infod1:ai2eee", Errc::NotCanonical},
    {"unsorted keys", "d1:bi1e1:ai1ee", Errc::NotCanonical},
    {"keys sorted by length", "d1:bi1e2:aai1ee", Errc::NotCanonical},
    {"keys sorted without case", "d1:ai1e1:Bi1ee", Errc::NotCanonical},
    {"keys sorted as signed bytes", "d1:\xc3i1e1:ai1ee", Errc::NotCanonical},
    {"prefix after the longer key", "d2:abi1e1:ai1ee", Errc::NotCanonical},
    {"unsorted below", "d1:ad1:bi1e1:ai1eee", Errc::NotCanonical},
    {"key with a leading zero in its length", "d01:ai1ee", Errc::NotCanonical},
    {"key longer than the rest", "d9:ai1ee", Errc::Truncated},
    // after the value
    {"trailing newline", "i1e\n", Errc::NotCanonical},
    {"trailing NUL", "i1e\0"s, Errc::NotCanonical},
    {"two values", "i1ei2e", Errc::NotCanonical},
    {"trailing bytes after a dictionary", "d1:ai1eegarbage", Errc::NotCanonical},
    // nesting
    {"eleven lists", nested(11), Errc::TooDeep},
    {"eleven dictionaries", "d0:d0:d0:d0:d0:d0:d0:d0:d0:d0:deeeeeeeeeee", Errc::TooDeep},
    {"a hundred thousand lists", nested(100'000), Errc::TooDeep},
    {"lists that are never closed", std::string(500'000, 'l'), Errc::TooDeep},
};

} // namespace

class TestBencode : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void refusesWhatIsNotCanonical_data()
    {
        QTest::addColumn<std::string>("input");
        QTest::addColumn<Errc>("code");
        QVERIFY(kRefused.size() >= 40);
        for (const Case& row : kRefused)
            QTest::newRow(row.name) << row.input << row.code;
    }

    void refusesWhatIsNotCanonical()
    {
        QFETCH(std::string, input);
        QFETCH(Errc, code);
        const auto value = bencode::decode(viewOf(input));
        QVERIFY(!value);
        QCOMPARE(QByteArray::fromStdString(codeName(value.error().code)),
                 QByteArray::fromStdString(codeName(code)));
        QVERIFY(value.error().context.find("byte ") != std::string::npos);
    }

    void encodesBackWhatItAccepts_data()
    {
        QTest::addColumn<std::string>("input");
        const std::vector<std::string> inputs{
            "i0e",
            "i-1e",
            "i9223372036854775807e",
            "i-9223372036854775808e",
            "0:",
            "3:abc",
            "4:\0\xff\x0a\x80"s,
            "le",
            "de",
            "li1ei2e1:aldeee",
            "d0:i1ee",
            "d1:Bi1e1:ai1ee",
            "d1:ai1e2:aai1e1:bi1ee",
            "d1:ai1e1:\xc3i1ee",
            "d4:infod4:name1:xe10:signaturesdee",
            nested(10),
        };
        for (const std::string& input : inputs)
            QTest::addRow("%s", toHex(viewOf(input)).c_str()) << input;
    }

    void encodesBackWhatItAccepts()
    {
        QFETCH(std::string, input);
        const auto value = bencode::decode(viewOf(input));
        QVERIFY2(value, value ? "" : value.error().context.c_str());
        QVERIFY(toText(bencode::encode(*value)) == input);
    }

    void decodesWhatItEncodes()
    {
        SeededRandom random(7);
        for (int i = 0; i < 2'000; ++i) {
            const Value value = randomValue(random, 6);
            const Bytes bytes = bencode::encode(value);
            const auto again = bencode::decode(bytes);
            QVERIFY(again);
            QVERIFY(*again == value);
        }
    }

    void neverAcceptsASecondFormOfAValue()
    {
        // Single edits of valid documents: what is accepted must be the form that the encoder gives.
        SeededRandom random(11);
        int accepted = 0;
        for (int i = 0; i < 20'000; ++i) {
            Bytes bytes = bencode::encode(randomValue(random, 3));
            bytes[random.below(bytes.size())] = static_cast<std::byte>("0123456789-:deil"[random.below(16)]);
            const auto value = bencode::decode(bytes);
            if (!value)
                continue;
            ++accepted;
            QVERIFY(bencode::encode(*value) == bytes);
        }
        QVERIFY(accepted > 100);
    }

    void refusesEveryTruncation()
    {
        const std::string whole = "d1:ad1:bli1e3:abcee1:ci-7ee";
        QVERIFY(bencode::decode(viewOf(whole)));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto value = bencode::decode(viewOf(whole).first(size));
            QVERIFY(!value);
            QVERIFY(value.error().code == Errc::Truncated);
        }
    }

    void takesExactlyTheLimits()
    {
        const auto code = [](std::string_view text, const bencode::Limits& limits) {
            const auto value = bencode::decode(viewOf(text), limits);
            return value ? "accepted"s : std::string(shortName(value.error().code));
        };
        QCOMPARE(code("9:123456789", {11, 10, 10}), "accepted"s);
        QCOMPARE(code("9:123456789", {10, 10, 10}), "too-large"s);
        QCOMPARE(code("llee", {100, 2, 10}), "accepted"s);
        QCOMPARE(code("llleee", {100, 2, 10}), "too-deep"s);
        QCOMPARE(code("ld0:deee", {100, 2, 10}), "too-deep"s);
        QCOMPARE(code("ldedelee", {100, 2, 10}), "accepted"s); // beside each other is not within
        QCOMPARE(code("i1e", {100, 0, 1}), "accepted"s);
        QCOMPARE(code("le", {100, 0, 1}), "too-deep"s);
        QCOMPARE(code("i1e", {100, 0, 0}), "too-large"s);
        QCOMPARE(code("li1ei2ee", {100, 10, 3}), "accepted"s); // the list counts too
        QCOMPARE(code("li1ei2ei3ee", {100, 10, 3}), "too-large"s);
        QCOMPARE(code("d1:ai1ee", {100, 10, 3}), "accepted"s); // and so does a key
        QCOMPARE(code("d1:ai1e1:bi1ee", {100, 10, 4}), "too-large"s);
    }

    void holdsToItsDefaultLimits()
    {
        const bencode::Limits limits;
        const std::size_t content = limits.bytes - std::string("1048568:").size();
        std::string text = std::to_string(content) + ":" + std::string(content, 'x');
        QCOMPARE(text.size(), limits.bytes);
        QVERIFY(bencode::decode(viewOf(text)));
        text += "x";
        QVERIFY(bencode::decode(viewOf(text)).error().code == Errc::TooLarge);

        std::string many = "l";
        for (std::size_t i = 1; i < limits.values; ++i)
            many += "de";
        QVERIFY(bencode::decode(viewOf(many + "e")));
        QVERIFY(bencode::decode(viewOf(many + "dee")).error().code == Errc::TooLarge);
    }

    void survivesLimitsThatAreNone()
    {
        const bencode::Limits none{SIZE_MAX, 10, SIZE_MAX};
        QVERIFY(bencode::decode(viewOf("18446744073709551616:a"), none).error().code == Errc::TooLarge);
        QVERIFY(bencode::decode(viewOf("999999999999999999:a"), none).error().code == Errc::Truncated);
    }

    void tellsTypesApart()
    {
        const Value integer(bencode::Integer{5});
        QVERIFY(integer.integer() && *integer.integer() == 5);
        QVERIFY(!integer.string() && !integer.list() && !integer.dict() && !integer.find("a"));
        QVERIFY(*Value().integer() == 0);
        const Value text("abc");
        QVERIFY(text.string() && *text.string() == toBytes("abc") && !text.integer());
        QVERIFY(text == Value(std::string_view("abc")) && text == Value(toBytes("abc")));
        QVERIFY(!(text == Value("abd")) && !(text == integer));
        Value dict(bencode::Dict{{"a", integer}});
        QVERIFY(dict.find("a") && *dict.find("a") == integer && !dict.find("b"));
        dict.dict()->insert_or_assign("b", text);
        QVERIFY(*dict.find("b") == text);
        QVERIFY(Value(bencode::List{text}).list()->size() == 1);
    }

    void sortsKeysBytewiseWhenEncoding()
    {
        const Value dict(bencode::Dict{{"\xc3", bencode::Integer{1}},
                                       {"b", bencode::Integer{2}},
                                       {"a\0"s, bencode::Integer{3}},
                                       {"a", bencode::Integer{4}},
                                       {"B", bencode::Integer{5}}});
        QVERIFY(toText(bencode::encode(dict)) == "d1:Bi5e1:ai4e2:a\0i3e1:bi2e1:\xc3i1ee"s);
    }

    void readsFields()
    {
        const Value value = decoded("d5:bytes2:\xff\xfe"
                                    "4:dictd1:ni7ee4:listli1ei2ee6:numberi-5e4:text3:abce");
        const auto reader = bencode::DictReader::of(value, "update");
        QVERIFY(reader);
        QVERIFY(reader->name() == "update" && reader->entries().size() == 5);
        QVERIFY(reader->integer("number", -5, 5) == -5);
        QVERIFY(reader->text("text", 3) == "abc");
        QVERIFY(reader->bytes("bytes", 2) == toBytes("\xff\xfe"));
        QVERIFY((*reader->list("list", 2))->size() == 2);
        QVERIFY(reader->has("dict") && !reader->has("absent"));
        const auto inner = reader->dict("dict");
        QVERIFY(inner && inner->name() == "update.dict");
        QVERIFY(inner->integer("n", 0, 7) == 7);
    }

    void namesTheFieldInErrors()
    {
        const Value value = decoded("d4:infod6:updated3:uri0:eee");
        const auto reader = bencode::DictReader::of(value, "torrent");
        QVERIFY(reader);
        const auto update = reader->dict("info")->dict("update");
        QVERIFY(update);
        const auto version = update->integer("version", 1, 2);
        QVERIFY(!version && version.error().code == Errc::Malformed);
        QVERIFY(version.error().context.starts_with("torrent.info.update.version: "));
        const auto hostile = update->integer("a\nb\x1b[0m", 1, 2);
        QVERIFY(!hostile && hostile.error().context.find('\n') == std::string::npos);
        QVERIFY(hostile.error().context.find('\x1b') == std::string::npos);
    }

    void refusesFieldsThatAreNotWhatIsAsked()
    {
        const Value value = decoded("d1:dde1:ii9e1:lli1ei2ee1:s4:abcd1:x2:\xff\xfe"
                                    "e");
        const auto reader = bencode::DictReader::of(value, "v");
        QVERIFY(reader);
        const auto code = [](const auto& result) { return result ? Errc::Usage : result.error().code; };
        for (const char* key : {"d", "l", "s", "absent"})
            QVERIFY(code(reader->integer(key, 0, 9)) == Errc::Malformed);
        for (const char* key : {"d", "i", "l", "absent"}) {
            QVERIFY(code(reader->text(key, 9)) == Errc::Malformed);
            QVERIFY(code(reader->bytes(key, 9)) == Errc::Malformed);
        }
        for (const char* key : {"d", "i", "s", "absent"})
            QVERIFY(code(reader->list(key, 9)) == Errc::Malformed);
        for (const char* key : {"i", "l", "s", "absent"})
            QVERIFY(code(reader->dict(key)) == Errc::Malformed);
        QVERIFY(code(reader->integer("i", 0, 8)) == Errc::Malformed);
        QVERIFY(code(reader->integer("i", 10, 20)) == Errc::Malformed);
        QVERIFY(code(reader->text("s", 3)) == Errc::TooLarge);
        QVERIFY(code(reader->bytes("s", 3)) == Errc::TooLarge);
        QVERIFY(code(reader->list("l", 1)) == Errc::TooLarge);
        QVERIFY(code(reader->text("x", 9)) == Errc::Malformed);
        QVERIFY(code(bencode::DictReader::of(Value("text"), "v")) == Errc::Malformed);
        QVERIFY(code(bencode::DictReader::of(Value(bencode::List{}), "v")) == Errc::Malformed);
    }

    void refusesFormatsAndCriticalKeysItDoesNotKnow_data()
    {
        QTest::addColumn<std::string>("input");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, const char* input, int code) {
            QTest::newRow(name) << std::string(input) << code;
        };
        const int unsupported = static_cast<int>(Errc::UnsupportedFormat);
        const int malformed = static_cast<int>(Errc::Malformed);
        row("known format", "d6:formati1ee", 0);
        row("unknown key that is not critical", "d6:formati1e3:newi1ee", 0);
        row("critical key that is known", "d8:criticall3:urie6:formati1ee", 0);
        row("empty critical list", "d8:criticalle6:formati1ee", 0);
        row("next format", "d6:formati2ee", unsupported);
        row("format 0", "d6:formati0ee", unsupported);
        row("unknown critical key", "d8:criticall3:newe6:formati1e3:newi1ee", unsupported);
        row("one known, one unknown", "d8:criticall3:uri3:newe6:formati1ee", unsupported);
        row("no format", "de", malformed);
        row("format as text", "d6:format1:1e", malformed);
        row("critical is no list", "d8:critical3:new6:formati1ee", malformed);
        row("critical names no string", "d8:criticalli1ee6:formati1ee", malformed);
    }

    void refusesFormatsAndCriticalKeysItDoesNotKnow()
    {
        QFETCH(std::string, input);
        QFETCH(int, code);
        const Value value = decoded(input);
        const auto reader = bencode::DictReader::of(value, "update");
        QVERIFY(reader);
        static constexpr std::array<std::string_view, 2> kKnown{"uri", "version"};
        const Status status = reader->requireFormat(1, kKnown);
        QCOMPARE(status ? 0 : static_cast<int>(status.error().code), code);
    }

    void knowsPlainText_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<bool>("isPlain");
        const auto row = [](const char* name, const std::string& text, bool isPlain) {
            QTest::newRow(name) << text << isPlain;
        };
        row("empty", "", true);
        row("ASCII", "Gateway 2.1 (~beta)", true);
        row("U+00A0, the first after C1", "\xc2\xa0", true);
        row("U+07FF", "\xdf\xbf", true);
        row("U+0800", "\xe0\xa0\x80", true);
        row("U+D7FF", "\xed\x9f\xbf", true);
        row("U+E000", "\xee\x80\x80", true);
        row("U+FFFF", "\xef\xbf\xbf", true);
        row("U+10000", "\xf0\x90\x80\x80", true);
        row("U+10FFFF", "\xf4\x8f\xbf\xbf", true);
        row("NUL", "a\0b"s, false);
        row("newline", "a\nb", false);
        row("escape", "\x1b[2J", false);
        row("U+001F", "\x1f", false);
        row("DEL", "\x7f", false);
        row("U+0080", "\xc2\x80", false);
        row("U+009F", "\xc2\x9f", false);
        row("continuation alone", "\x80", false);
        row("overlong slash in two", "\xc0\xaf", false);
        row("overlong in two", "\xc1\xbf", false);
        row("overlong in three", "\xe0\x9f\xbf", false);
        row("overlong in four", "\xf0\x8f\xbf\xbf", false);
        row("surrogate U+D800", "\xed\xa0\x80", false);
        row("surrogate U+DFFF", "\xed\xbf\xbf", false);
        row("above U+10FFFF", "\xf4\x90\x80\x80", false);
        row("lead F5", "\xf5\x80\x80\x80", false);
        row("lead FF", "\xff", false);
        row("two of three", "\xe2\x82", false);
        row("three of four", "\xf0\x9f\x98", false);
        row("lead at the end", "abc\xc3", false);
        row("third byte bad", "\xe2\x82\x41", false);
        row("fourth byte bad", "\xf0\x9f\x98\xc0", false);
        row("Latin-1", "caf\xe9", false);
    }

    void knowsPlainText()
    {
        QFETCH(std::string, text);
        QFETCH(bool, isPlain);
        QCOMPARE(bencode::isPlainText(text), isPlain);
        QCOMPARE(bencode::isPlainText("before " + text), isPlain);
        if (isPlain)
            QVERIFY(bencode::isPlainText(text + " after"));
    }
};

QTEST_GUILESS_MAIN(TestBencode)
#include "tst_bencode.moc"
