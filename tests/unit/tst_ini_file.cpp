// SPDX-License-Identifier: Apache-2.0
#include "base/ini_file.h"

#include <QtTest>

using namespace starling;

class TestIniFile : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsSectionsKeysAndValues();
    void sortsBySectionAndKey();
    void readsValuesLiterally();
    void skipsCommentsAndEmptyLines();
    void readsAnEmptyFile();
    void takesBothLineEnds();
    void remembersFileAndLine();
    void refusesBadLinesByNumber_data();
    void refusesBadLinesByNumber();
    void refusesMoreThanTheLimit();
    void laysLaterFilesOverEarlierOnes();
};

namespace {

IniFile parsed(std::string_view text, const char* name = "agent.conf")
{
    auto file = parseIni(text, name);
    return file ? *file : IniFile();
}

/// Null if it is not there.
const IniEntry* find(const IniFile& file, std::string_view section, std::string_view key)
{
    for (const IniEntry& entry : file.entries())
        if (entry.section == section && entry.key == key)
            return &entry;
    return nullptr;
}

std::string textOf(const IniFile& file, std::string_view section, std::string_view key)
{
    const IniEntry* entry = find(file, section, key);
    return entry ? entry->value : "(none)";
}

/// "agent.conf:12"
std::string placeOf(const IniFile& file, std::string_view section, std::string_view key)
{
    const IniEntry* entry = find(file, section, key);
    return entry ? entry->file + ":" + std::to_string(entry->line) : "(none)";
}

} // namespace

void TestIniFile::readsSectionsKeysAndValues()
{
    const IniFile file =
        parsed("[swarm]\nport=7001\nopen\t=  yes \n[agent]\nlisten = [::]:7891\n[a b/c:d]\n");
    QCOMPARE(textOf(file, "swarm", "port"), std::string("7001"));
    QCOMPARE(textOf(file, "swarm", "open"), std::string("yes"));
    QCOMPARE(textOf(file, "agent", "listen"), std::string("[::]:7891"));
    QCOMPARE(textOf(file, "swarm", "Port"), std::string("(none)"));
    QCOMPARE(textOf(file, "Swarm", "port"), std::string("(none)"));
}

void TestIniFile::sortsBySectionAndKey()
{
    const IniFile file = parsed("[b]\ny = 1\nx = 2\n[a]\nz = 3\n");
    std::string order;
    for (const IniEntry& entry : file.entries())
        order += entry.section + entry.key + " ";
    QCOMPARE(order, std::string("az bx by "));
}

void TestIniFile::readsValuesLiterally()
{
    const IniFile file = parsed("[s]\na = x # not a comment ; neither\nb = \"quoted\"\nc =\nd = e = f\n"
                                "g = Gr\xc3\xbc\xc3\x9f"
                                "e\\\nh = 1\n");
    QCOMPARE(textOf(file, "s", "a"), std::string("x # not a comment ; neither"));
    QCOMPARE(textOf(file, "s", "b"), std::string("\"quoted\""));
    QCOMPARE(textOf(file, "s", "c"), std::string());
    QCOMPARE(textOf(file, "s", "d"), std::string("e = f"));
    QCOMPARE(textOf(file, "s", "g"),
             std::string("Gr\xc3\xbc\xc3\x9f"
                         "e\\"));
    QCOMPARE(textOf(file, "s", "h"), std::string("1"));
}

void TestIniFile::skipsCommentsAndEmptyLines()
{
    const IniFile file = parsed("# [no]\n; a = b\n\n   \t\n[s]\n  # c = d\na = 1");
    QCOMPARE(file.entries().size(), std::size_t{1});
    QCOMPARE(textOf(file, "s", "a"), std::string("1"));
}

void TestIniFile::readsAnEmptyFile()
{
    const auto file = parseIni("", "agent.conf");
    QVERIFY(file);
    QVERIFY(file->entries().empty());
}

void TestIniFile::takesBothLineEnds()
{
    const IniFile file = parsed("[a]\r\nb = c\r\nd = e");
    QCOMPARE(textOf(file, "a", "b"), std::string("c"));
    QCOMPARE(textOf(file, "a", "d"), std::string("e"));
}

void TestIniFile::remembersFileAndLine()
{
    const IniFile file = parsed("# one\n[two]\n\nfour = 4\n");
    QCOMPARE(placeOf(file, "two", "four"), std::string("agent.conf:4"));
}

void TestIniFile::refusesBadLinesByNumber_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("context");
    const auto row = [](const char* name, const QByteArray& text, const char* context) {
        QTest::newRow(name) << text << QByteArray(context);
    };
    row("no equals sign", "[a]\nb\n", "f:2: expected 'key = value' or '[section]', not 'b'");
    row("no key", "= b\n", "f:1: impossible key ''");
    row("key before any section", "\na = b\n[s]\n", "f:2: key 'a' stands before the first [section]");
    row("space in a key", "a b = c\n", "f:1: impossible key 'a b'");
    row("colon for equals", "\na: b = c", "f:2: impossible key 'a: b'");
    row("open section", "[a\n", "f:1: section without ']'");
    row("only a bracket", "[", "f:1: section without ']'");
    row("text after a section", "[a] b\n", "f:1: section without ']'");
    row("empty section", "[]\n", "f:1: impossible section name ''");
    row("blank section", "[ ]\n", "f:1: impossible section name ''");
    row("bracket in a section", "[a[b]\n", "f:1: impossible section name 'a[b'");
    row("section twice", "[a]\n[b]\n[a]\n", "f:3: section [a] is there twice, first in line 1");
    row("key twice", "[a]\nb = 1\nc = 2\nb = 1\n", "f:4: key 'b' is there twice, first in line 2");
    row("continued line", "[s]\na = b \\\n  c\n", "f:3: expected 'key = value' or '[section]', not 'c'");
    row("NUL", QByteArray("a = b\0\n", 7), "f:1: control character");
    row("escape", "a = \x1b[0m\n", "f:1: control character");
    row("escape in a comment", "[s]\na = 1\n# \x1b[0m\n", "f:3: control character");
    row("carriage return inside", "a = b\rc = d\n", "f:1: control character");
    row("Latin-1", "a = \xfc\n", "f:1: not UTF-8");
    row("overlong", "a = \xc0\xaf\n", "f:1: not UTF-8");
    row("surrogate", "a = \xed\xa0\x80\n", "f:1: not UTF-8");
    row("beyond Unicode", "a = \xf4\x90\x80\x80\n", "f:1: not UTF-8");
    row("cut sequence", "a = \xe2\x82\n", "f:1: not UTF-8");
    row("byte order mark", "\xef\xbb\xbf[a]\n", "f:1: starts with a byte order mark; save it without");
}

void TestIniFile::refusesBadLinesByNumber()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, context);
    const auto file = parseIni(text.toStdString(), "f");
    QVERIFY(!file);
    QCOMPARE(file.error().code, Errc::ConfigInvalid);
    QCOMPARE(QByteArray::fromStdString(file.error().context), context);
}

void TestIniFile::refusesMoreThanTheLimit()
{
    std::string text = "[s]\na = ";
    text.resize(IniFile::kMaxBytes, 'x');
    QVERIFY(parseIni(text, "f"));
    text += 'x';
    const auto file = parseIni(text, "f");
    QVERIFY(!file);
    QCOMPARE(file.error().code, Errc::ConfigInvalid);
    QCOMPARE(file.error().context, std::string("f: larger than 64 KiB"));
}

void TestIniFile::laysLaterFilesOverEarlierOnes()
{
    IniFile file = parsed("[s]\nb = 2\nc = 3\n", "agent.conf");
    file.merge(parsed("[t]\nd = 5\n[s]\nc = 4\n", "10-site.conf"));
    file.merge(parsed("[t]\nd =\n[a]\nz = 1\n", "20-device.conf"));
    QCOMPARE(file.entries().size(), std::size_t{4});
    QCOMPARE(placeOf(file, "s", "b"), std::string("agent.conf:2"));
    QCOMPARE(textOf(file, "s", "c"), std::string("4"));
    QCOMPARE(placeOf(file, "s", "c"), std::string("10-site.conf:4"));
    QCOMPARE(textOf(file, "t", "d"), std::string());
    QCOMPARE(placeOf(file, "t", "d"), std::string("20-device.conf:2"));
    QCOMPARE(file.entries().front().key, std::string("z"));
}

QTEST_GUILESS_MAIN(TestIniFile)

#include "tst_ini_file.moc"
