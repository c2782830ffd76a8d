// SPDX-License-Identifier: Apache-2.0
#include "admin/audit_log.h"
#include "node/disk.h"

#include <QDateTime>
#include <QTemporaryDir>
#include <QThread>
#include <QtTest>

using namespace starling;
using namespace starling::console;
namespace fs = std::filesystem;

namespace {

AuditEntry entryOf(std::uint64_t number, std::string scope = "fw/gateway 2")
{
    return {number,           UtcTime(std::chrono::seconds(1'795'000'000)),
            "alice@desk",     "starling",
            "release-signed", "ok",
            std::move(scope), "key 4f1c"};
}

/// A file of so many entries.
std::string logOf(std::uint64_t entries)
{
    std::string text(auditHeader());
    Digest previous = auditStart();
    for (std::uint64_t i = 1; i <= entries; ++i) {
        const std::string line = auditLineOf(entryOf(i), previous);
        previous = parseAuditLine(std::string_view(line).substr(0, line.size() - 1))->hash;
        text += line;
    }
    return text;
}

std::size_t startOf(const std::string& text, int line)
{
    std::size_t at = 0;
    while (--line > 0)
        at = text.find('\n', at) + 1;
    return at;
}

} // namespace

class TestAuditLog : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void readsBackWhatItWrote();
    void keepsHostileTextInOneField();
    void refusesLinesThatAreNotCanonical_data();
    void refusesLinesThatAreNotCanonical();
    void namesALineThatWasChanged();
    void namesTheGapWhereALineWasTakenOut();
    void namesALineThatWasCutOff();
    void cannotTellThatTheEndIsMissingButForItsHead();
    void limitsWhatItTellsOfBadLines();
    void refusesWhatANewerVersionWrote();
    void refusesWhatIsNoLog();
    void recordsWhoWhatAndWhen();
    void goesOnBehindALineThatWasCutOff();
    void goesOnBehindALineThatWasChanged();
    void addsNothingToAFileOfANewerVersion();
    void addsNothingToAnotherFile();
    void saysWhyItCannotWrite();
    void letsTwoWriteAtOnce();

private:
    fs::path file() const { return fs::path(m_directory->path().toStdString()) / "log" / "audit.log"; }
    void put(const std::string& text) const
    {
        fs::create_directories(file().parent_path());
        QVERIFY(node::writeFile(file(), viewOf(text), node::FileMode::Private));
    }
    std::string held() const
    {
        const auto bytes = node::readFile(file(), AuditLog::kMaxBytes);
        return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size())
                     : std::string();
    }
    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestAuditLog::readsBackWhatItWrote()
{
    const auto trail = readAuditTrail(logOf(3));
    QVERIFY(trail && trail->isGood());
    QCOMPARE(trail->lines.size(), std::size_t{3});
    QVERIFY(trail->lines[1].entry == entryOf(2));
    QVERIFY(trail->head == trail->lines[2].hash);
}

void TestAuditLog::keepsHostileTextInOneField()
{
    const std::string hostile = std::string("a\tb\nc%41\x7f\x01", 10) + '\0' + "\xe2\x80\xae";
    const std::string line = auditLineOf(entryOf(1, hostile), auditStart());
    QCOMPARE(std::count(line.begin(), line.end(), '\n'), std::ptrdiff_t{1});
    const auto parsed = parseAuditLine(std::string_view(line).substr(0, line.size() - 1));
    QVERIFY2(parsed, parsed ? "" : toString(parsed.error()).c_str());
    QCOMPARE(parsed->entry.scope, hostile);
    const std::string cut = auditLineOf(entryOf(1, std::string(5'000, '%')), auditStart());
    QCOMPARE(parseAuditLine(std::string_view(cut).substr(0, cut.size() - 1))->entry.scope,
             std::string(kMaxAuditField, '%'));
}

void TestAuditLog::refusesLinesThatAreNotCanonical_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const char* fields, Errc code) {
        QTest::newRow(name) << QByteArray(fields) << static_cast<int>(code);
    };
    row("few fields", "1\t2\ta\tb", Errc::Malformed);
    row("many fields", "1\t2\ta\tb\tc\td\te\tf\tg", Errc::Malformed);
    row("no number", "x\t2\ta\tb\tc\td\te\tf", Errc::Malformed);
    row("leading zero", "01\t2\ta\tb\tc\td\te\tf", Errc::NotCanonical);
    row("negative", "1\t-2\ta\tb\tc\td\te\tf", Errc::Malformed);
    row("huge", "1\t9007199254740992\ta\tb\tc\td\te\tf", Errc::Malformed);
    row("short escape", "1\t2\ta\tb\tc\td\te\tf%2", Errc::Malformed);
    row("no digits", "1\t2\ta\tb\tc\td\te\t%zz", Errc::Malformed);
    row("needless escape", "1\t2\ta\tb\tc\td\te\t%41", Errc::NotCanonical);
    row("control character", "1\t2\ta\tb\tc\td\te\t\x01", Errc::NotCanonical);
}

void TestAuditLog::refusesLinesThatAreNotCanonical()
{
    QFETCH(QByteArray, fields);
    QFETCH(int, code);
    const auto line = parseAuditLine(fields.toStdString() + "\t" + Digest().hex());
    QVERIFY(!line);
    QCOMPARE(static_cast<int>(line.error().code), code);
}

void TestAuditLog::namesALineThatWasChanged()
{
    std::string text = logOf(5);
    const std::size_t at = text.find("gateway", startOf(text, 4));
    text[at] = 'G';
    const auto trail = readAuditTrail(text);
    QVERIFY(trail && !trail->isGood());
    QCOMPARE(trail->badLines, std::size_t{1});
    QCOMPARE(trail->bad[0].line, std::size_t{4});
    QCOMPARE(trail->bad[0].error.code, Errc::StateCorrupt);
    QVERIFY(verdictOf(*trail).starts_with("line 4 is bad"));
}

void TestAuditLog::namesTheGapWhereALineWasTakenOut()
{
    std::string text = logOf(5);
    text.erase(startOf(text, 3), startOf(text, 4) - startOf(text, 3));
    const auto trail = readAuditTrail(text);
    QCOMPARE(trail->badLines, std::size_t{1});
    QCOMPARE(trail->bad[0].line, std::size_t{3}); // the one that has come there
}

void TestAuditLog::namesALineThatWasCutOff()
{
    std::string text = logOf(3);
    text.resize(text.size() - 9);
    const auto trail = readAuditTrail(text);
    QCOMPARE(trail->badLines, std::size_t{1});
    QCOMPARE(trail->bad[0].line, std::size_t{4});
    QCOMPARE(trail->bad[0].error.code, Errc::Truncated);
    QCOMPARE(trail->lines.size(), std::size_t{2});
}

void TestAuditLog::cannotTellThatTheEndIsMissingButForItsHead()
{
    const auto whole = readAuditTrail(logOf(3)), part = readAuditTrail(logOf(2));
    QVERIFY(part->isGood());
    QVERIFY(part->head != whole->head);
}

void TestAuditLog::limitsWhatItTellsOfBadLines()
{
    std::string text(auditHeader());
    for (std::size_t i = 0; i < 3 * kMaxBadLines; ++i)
        text += "x\n";
    const auto trail = readAuditTrail(text);
    QCOMPARE(trail->bad.size(), kMaxBadLines);
    QCOMPARE(trail->badLines, 3 * kMaxBadLines);
}

void TestAuditLog::refusesWhatANewerVersionWrote()
{
    QCOMPARE(readAuditTrail("starling-audit 2\nwhatever\n").error().code, Errc::StateNewer);
}

void TestAuditLog::refusesWhatIsNoLog()
{
    for (const char* text : {"", "starling", "\n", "1\t2\t3\n"})
        QCOMPARE(readAuditTrail(text).error().code, Errc::StateCorrupt);
}

void TestAuditLog::recordsWhoWhatAndWhen()
{
    const AuditLog log(file());
    QVERIFY(log.read()->lines.empty());
    QVERIFY(!fs::exists(file()));
    const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    QVERIFY(log.record(Act::ReleaseSigned, "fw/gateway 2", "key 4f1c"));
    QVERIFY(log.record(Act::ReleasePushed, "fw/gateway 2", "", Errc::Rollback));
    const auto trail = log.read();
    QVERIFY(trail && trail->isGood() && trail->lines.size() == 2);
    const AuditEntry& entry = trail->lines[0].entry;
    QVERIFY(entry.who.find('@') != std::string::npos && entry.at >= before);
    QCOMPARE(entry.act, std::string("release-signed"));
    QCOMPARE(entry.outcome, std::string("ok"));
    QCOMPARE(trail->lines[1].entry.outcome, std::string("STAR-TRUST-006"));
    QCOMPARE(trail->lines[1].entry.number, std::uint64_t{2});
    QVERIFY(fs::status(file()).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    QCOMPARE(jsonOf(trail->lines[0])[QStringLiteral("act")].toString(), QStringLiteral("release-signed"));
}

void TestAuditLog::goesOnBehindALineThatWasCutOff()
{
    std::string torn = logOf(3);
    torn.resize(torn.size() - 9);
    put(torn);
    const AuditLog log(file());
    QVERIFY(log.record(Act::FleetCreated, "fleet", ""));
    QVERIFY(log.record(Act::FleetCreated, "fleet", ""));
    QVERIFY(held().starts_with(torn)); // nothing is lost
    const auto trail = log.read();
    QCOMPARE(trail->badLines, std::size_t{1});
    QCOMPARE(trail->bad[0].line, std::size_t{4});
    QCOMPARE(trail->lines.size(), std::size_t{4});
    QCOMPARE(trail->lines[2].entry.number, std::uint64_t{3});
}

void TestAuditLog::goesOnBehindALineThatWasChanged()
{
    std::string text = logOf(2);
    text[text.find("alice")] = 'A';
    put(text);
    QVERIFY(AuditLog(file()).record(Act::KeyMade, "", "key"));
    const auto trail = AuditLog(file()).read();
    QCOMPARE(trail->badLines, std::size_t{1});
    QCOMPARE(trail->bad[0].line, std::size_t{2});
    QCOMPARE(trail->lines.size(), std::size_t{3});
}

void TestAuditLog::addsNothingToAFileOfANewerVersion()
{
    const std::string newer = "starling-audit 2\nsomething else\n";
    put(newer);
    QCOMPARE(AuditLog(file()).record(Act::KeyMade, "", "").error().code, Errc::StateNewer);
    QCOMPARE(AuditLog(file()).read().error().code, Errc::StateNewer);
    QCOMPARE(held(), newer);
}

void TestAuditLog::addsNothingToAnotherFile()
{
    for (const std::string& other :
         {std::string("precious"), std::string(auditHeader()) + std::string(100'000, 'x') + "\n"}) {
        put(other);
        QCOMPARE(AuditLog(file()).record(Act::KeyMade, "", "").error().code, Errc::StateCorrupt);
        QCOMPARE(held(), other);
    }
}

void TestAuditLog::saysWhyItCannotWrite()
{
    const fs::path directory = m_directory->path().toStdString();
    QVERIFY(node::writeFile(directory / "log", viewOf("a file, not a directory"), node::FileMode::Private));
    const auto done = AuditLog(file()).record(Act::KeyMade, "", "");
    QVERIFY(!done);
    QVERIFY(done.error().context.find("audit.log") != std::string::npos);
}

void TestAuditLog::letsTwoWriteAtOnce()
{
    const AuditLog log(file());
    constexpr int kEach = 40;
    const auto write = [&log] {
        for (int i = 0; i < kEach; ++i)
            if (!log.record(Act::ReleaseSigned, "fw/a", std::to_string(i)))
                return;
    };
    const std::unique_ptr<QThread> other(QThread::create(write));
    other->start();
    write();
    QVERIFY(other->wait());
    const auto trail = log.read();
    QVERIFY2(trail && trail->isGood(), trail ? verdictOf(*trail).c_str() : "");
    QCOMPARE(trail->lines.size(), std::size_t{2 * kEach});
}

QTEST_GUILESS_MAIN(TestAuditLog)
#include "tst_audit_log.moc"
