// SPDX-License-Identifier: Apache-2.0
/// What can happen to a state directory: damage, kills, full disks. Floors and sequences must never go back.
#include "base/random.h"
#include "store/store.h"
#include "store_samples.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace starling;
using namespace starling::samples;
using store::Store;

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kUris = 12;

ResourceUri uriNumber(std::uint64_t number)
{
    return uri("fw/device-" + std::to_string(number));
}

std::string contentOf(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& content)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << content;
}

void say(const std::string& line)
{
    std::cout << line << std::endl;
}

// --- Children: this program started anew with --child
// ---------------------------------------------------------------

/// Accepts version after version and reserves sequences, saying what is durable, until it is killed.
int writeUntilKilled(const fs::path& directory)
{
    auto store = Store::open(directory);
    if (!store)
        return 1;
    for (std::uint64_t version = floorOf(*store) + 1;; ++version) {
        auto next = releaseOf(version, uri(), 200 + version % 7 * 3000);
        if (!accept(*store, next))
            return 1;
        say("accepted " + std::to_string(version));
        const auto first = store->reserveSequences("receipt", 3);
        if (!first)
            return 1;
        say("reserved " + std::to_string(*first));
        next.record.phase = trust::Phase::Healthy;
        if (!store->putRecord(next.record) || !store->putResumeData(next.record.infoHash, next.notice.bytes))
            return 1;
        if (!store->pruneRecords(uri(), 3))
            return 1;
    }
}

int holdUntilKilled(const fs::path& directory)
{
    auto store = Store::open(directory);
    say(store ? "held" : toString(store.error()));
    ::pause();
    return 0;
}

/// Accepts releases until one fails, and says how many were accepted and why the next was not.
int acceptUntilFull(const fs::path& directory)
{
    auto store = Store::open(directory);
    if (!store) {
        say("open " + toString(store.error()));
        return 0;
    }
    for (std::uint64_t number = 1; number <= 10'000; ++number) {
        const auto done = accept(*store, releaseOf(1, uriNumber(number), 8000));
        if (done)
            continue;
        say(std::to_string(number - 1) + ' ' + codeName(done.error().code));
        const auto floors = store->floors(); // the store still answers
        say(floors ? std::to_string(floors->all().size()) : toString(floors.error()));
        return 0;
    }
    return 1;
}

int withLimitedFiles(const fs::path& directory, rlim_t bytes)
{
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    return acceptUntilFull(directory);
}

/// In a mount namespace of its own, on a file system of `size`, so that the machine's disk need not be
/// filled.
int onSmallFileSystem(const fs::path& directory, const char* size)
{
    fs::create_directory(directory);
    const bool mounted = ::unshare(CLONE_NEWNS) == 0
        && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
        && ::mount("none", directory.c_str(), "tmpfs", 0, size) == 0;
    if (!mounted) {
        say("cannot mount");
        return 0;
    }
    const fs::path state = directory / "state";
    if (const int result = acceptUntilFull(state); result != 0)
        return result;
    ::mount("none", directory.c_str(), "tmpfs", MS_REMOUNT, "size=64m");
    const auto store = Store::open(state);
    say(store ? std::to_string(store->floors()->all().size()) : toString(store.error()));
    return 0;
}

int runChild(const std::string& what, const fs::path& directory)
{
    if (what == "write")
        return writeUntilKilled(directory);
    if (what == "hold")
        return holdUntilKilled(directory);
    if (what == "limited")
        return withLimitedFiles(directory, 300 * 1024);
    if (what == "limited-at-once")
        return withLimitedFiles(directory, 6000);
    if (what == "small")
        return onSmallFileSystem(directory, "size=1m");
    if (what == "tiny")
        return onSmallFileSystem(directory, "size=16k");
    return 1;
}

class Child
{
public:
    Child(const QString& what, const fs::path& directory)
    {
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start(QCoreApplication::applicationFilePath(),
                        {QStringLiteral("--child"), what, QString::fromStdString(directory.string())});
    }
    ~Child() { kill(); }

    void kill()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    qint64 processId() const { return m_process.processId(); }
    /// The next line, empty when there is none any more.
    std::string line()
    {
        while (!m_process.canReadLine())
            if (!m_process.waitForReadyRead(30'000))
                break;
        return m_process.readLine().trimmed().toStdString();
    }
    std::vector<std::string> restOfLines()
    {
        std::vector<std::string> lines;
        for (std::string next = line(); !next.empty(); next = line())
            lines.push_back(next);
        return lines;
    }
    bool exitsWell()
    {
        return m_process.waitForFinished(30'000) && m_process.exitStatus() == QProcess::NormalExit
            && m_process.exitCode() == 0;
    }

private:
    QProcess m_process;
};

/// The files of a store with some of everything in it.
struct Original
{
    std::string database;
    std::string log; ///< as a kill would leave it
    std::uint64_t nextSequence = 0;
};

Original makeOriginal(const fs::path& directory)
{
    auto store = Store::open(directory);
    if (!store)
        qFatal("%s", toString(store.error()).c_str());
    bool good = store->appendRoot(1, viewOf(std::string(900, 'r'))).has_value();
    for (std::uint64_t version = 1; version <= 3; ++version)
        for (std::uint64_t number = 1; number <= kUris; ++number)
            good = good && accept(*store, releaseOf(version + number, uriNumber(number), 900));
    good = good && store->putResumeData(hashOf(1), Bytes(9000, std::byte{7}));
    good = good && store->reserveSequences("receipt", 500);
    // Written after the floors, so only in the log.
    for (std::uint64_t number = 1; number <= kUris; ++number) {
        auto record = releaseOf(3 + number, uriNumber(number)).record;
        record.phase = trust::Phase::Healthy;
        good = good && store->putRecord(record);
    }
    if (!good)
        qFatal("cannot make a store");
    return {contentOf(directory / "state.db"), contentOf(directory / "state.db-wal"), 501};
}

/// Empty, or what is wrong: after damage a store says StateCorrupt (or StateNewer, when the damage hit the
/// layout's number), or nothing that protects is lost.
std::string judge(const fs::path& directory, const Original& original)
{
    const auto refused = [](const Error& error) {
        const bool isProper = error.code == Errc::StateCorrupt || error.code == Errc::StateNewer;
        return isProper ? std::string() : "refused with " + toString(error);
    };
    auto store = Store::open(directory);
    if (!store)
        return refused(store.error());
    for (std::uint64_t number = 1; number <= kUris; ++number)
        if (floorOf(*store, uriNumber(number)) != 3 + number)
            return "the floor of device " + std::to_string(number) + " changed";
    for (const auto& error : {store->records().map([](const auto&) { return 0; }),
                              store->rootChain().map([](const auto&) { return 0; }),
                              store->notices().map([](const auto&) { return 0; })})
        if (!error && !refused(error.error()).empty())
            return refused(error.error());
    const auto first = store->reserveSequences("receipt", 1);
    if (!first)
        return refused(first.error());
    return *first >= original.nextSequence ? std::string() : "a sequence is repeated";
}

} // namespace

/// In memory where there is such a place: a kill does not lose what the kernel has, so syncing to a disk adds
/// nothing.
QString temporaryTemplate()
{
    const QString memory = QStringLiteral("/dev/shm");
    return (QFileInfo(memory).isWritable() ? memory : QDir::tempPath())
        + QStringLiteral("/starling-store-XXXXXX");
}

class TestStoreDamage : public QObject
{
    Q_OBJECT

    QTemporaryDir m_temporary{temporaryTemplate()};
    Original m_original;
    int m_next = 0;

    fs::path freshPath() { return fs::path(m_temporary.path().toStdString()) / std::to_string(++m_next); }
    /// What a store makes of these files; empty if it is right.
    std::string outcomeOf(const std::string& database, const std::string& log)
    {
        const fs::path directory = freshPath();
        fs::create_directory(directory);
        write(directory / "state.db", database);
        if (!log.empty())
            write(directory / "state.db-wal", log);
        const std::string outcome = judge(directory, m_original);
        fs::remove_all(directory);
        return outcome;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_original = makeOriginal(freshPath());
        QVERIFY(m_original.database.size() > 20'000);
        QVERIFY(m_original.log.size() > 4'000);
    }

    void opensWhatIsNotDamaged()
    {
        const fs::path directory = freshPath();
        fs::create_directory(directory);
        write(directory / "state.db", m_original.database);
        write(directory / "state.db-wal", m_original.log);
        const auto store = Store::open(directory);
        QVERIFY(store.has_value());
        const auto records = store->records();
        for (const auto& record : *records)
            if (record.revision == store->floors()->find(record.uri)->revision)
                QCOMPARE(record.phase, trust::Phase::Healthy); // from the log
    }

    void refusesWhatIsNoDatabase_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("text") << QByteArray(10'000, 'x');
        QTest::newRow("zeros") << QByteArray(10'000, '\0');
        QTest::newRow("magic only") << QByteArray("SQLite format 3\0", 16);
        QTest::newRow("another program's") << QByteArray("SQLite format 3\0", 16) + QByteArray(4080, '\0');
    }

    void refusesWhatIsNoDatabase()
    {
        QFETCH(QByteArray, content);
        const fs::path directory = freshPath();
        fs::create_directory(directory);
        write(directory / "state.db", content.toStdString());
        const auto store = Store::open(directory);
        QVERIFY(!store);
        QCOMPARE(store.error().code, Errc::StateCorrupt);
        QCOMPARE(contentOf(directory / "state.db"), content.toStdString());
    }

    void refusesALogWithoutItsDatabase()
    {
        const fs::path directory = freshPath();
        fs::create_directory(directory);
        write(directory / "state.db-wal", m_original.log);
        const auto store = Store::open(directory);
        QVERIFY(!store);
        QCOMPARE(store.error().code, Errc::StateCorrupt);
        QVERIFY(!fs::exists(directory / "state.db"));
    }

    void neverGoesBackWhenTheDatabaseIsTruncated()
    {
        const std::size_t whole = m_original.database.size();
        std::set<std::size_t> sizes{0, 1, 15, 16, 59, 60, 71, 72, 99, 100, 101, 511, 512, whole - 1};
        for (std::size_t page = 4096; page < whole; page += 4096)
            sizes.insert({page - 1, page, page + 1});
        SeededRandom random(1);
        while (sizes.size() < 100)
            sizes.insert(random.below(whole));
        for (const std::size_t size : sizes)
            for (const std::string& log : {std::string(), m_original.log}) {
                const std::string outcome = outcomeOf(m_original.database.substr(0, size), log);
                QVERIFY2(outcome.empty(), (std::to_string(size) + " bytes: " + outcome).c_str());
            }
    }

    void neverGoesBackWhenTheDatabaseIsDamaged()
    {
        SeededRandom random(2);
        for (int trial = 0; trial < 400; ++trial) {
            std::string damaged = m_original.database;
            const std::size_t length = trial % 2 == 0 ? 1 : 1 + random.below(600);
            const std::size_t at = random.below(damaged.size() - length);
            for (std::size_t i = at; i < at + length; ++i)
                damaged[i] = static_cast<char>(trial % 2 == 0 ? damaged[i] ^ (1 << random.below(8))
                                                              : random.below(256));
            const std::string outcome = outcomeOf(damaged, {});
            QVERIFY2(
                outcome.empty(),
                ("trial " + std::to_string(trial) + " at " + std::to_string(at) + ": " + outcome).c_str());
        }
    }

    void seesEveryFlippedBitOfAFloor()
    {
        const std::string row = "fw/device-7"; // its key, then numbers, hash and mark
        SeededRandom random(3);
        int hits = 0;
        for (std::size_t at = m_original.database.find(row); at != std::string::npos;
             at = m_original.database.find(row, at + 1)) {
            for (int trial = 0; trial < 25; ++trial) {
                std::string damaged = m_original.database;
                const std::size_t where = std::min(at + random.below(row.size() + 50), damaged.size() - 1);
                damaged[where] = static_cast<char>(damaged[where] ^ (1 << random.below(8)));
                const std::string outcome = outcomeOf(damaged, {});
                QVERIFY2(outcome.empty(), outcome.c_str());
                ++hits;
            }
        }
        QVERIFY(hits >= 100); // in floors, records, notices and their index
    }

    void neverGoesBackWhenTheLogIsDamaged()
    {
        SeededRandom random(4);
        for (int trial = 0; trial < 120; ++trial) {
            std::string log = m_original.log;
            const std::size_t at = random.below(log.size());
            if (trial % 2 == 0)
                log.resize(at);
            else
                for (std::size_t i = at; i < std::min(log.size(), at + 40); ++i)
                    log[i] = static_cast<char>(random.below(256));
            const std::string outcome = outcomeOf(m_original.database, log);
            QVERIFY2(outcome.empty(), (std::to_string(at) + ": " + outcome).c_str());
        }
    }

    void namesTheOtherProcessThatHoldsTheDirectory()
    {
        const fs::path directory = freshPath();
        Child child(QStringLiteral("hold"), directory);
        QCOMPARE(child.line(), std::string("held"));
        const auto refused = Store::open(directory);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, Errc::StateLocked);
        const std::string holder = "process " + std::to_string(child.processId());
        QVERIFY2(refused.error().context.find(holder) != std::string::npos, refused.error().context.c_str());
        child.kill();
        QVERIFY(Store::open(directory).has_value()); // the kernel let go of the lock
    }

    void isWholeAfterEveryKill()
    {
        const fs::path directory = freshPath();
        SeededRandom random(5);
        std::uint64_t floor = 0;
        std::uint64_t sequence = 0; // all below are used
        for (int round = 0; round < 30; ++round) {
            Child child(QStringLiteral("write"), directory);
            const std::uint64_t lines = 1 + random.below(30);
            std::vector<std::string> said;
            for (std::uint64_t i = 0; i < lines; ++i)
                said.push_back(child.line());
            child.kill();
            for (const std::string& late : child.restOfLines())
                said.push_back(late);
            for (const std::string& line : said) {
                std::istringstream in(line);
                std::string what;
                std::uint64_t number = 0;
                QVERIFY2(in >> what >> number, line.c_str());
                if (what == "accepted") {
                    QVERIFY(number > floor);
                    floor = number;
                } else {
                    QVERIFY2(number >= sequence, "a sequence is repeated");
                    sequence = number + 3;
                }
            }
            auto store = Store::open(directory);
            QVERIFY2(store.has_value(), store ? "" : toString(store.error()).c_str());
            const std::uint64_t found = floorOf(*store);
            QVERIFY(found == floor || found == floor + 1); // the last may be durable and unsaid
            floor = found;
            const auto expected = releaseOf(found, uri(), 200 + found % 7 * 3000);
            QVERIFY(store->notices()->back() == expected.notice);
            QVERIFY(store->records()->back().revision == expected.record.revision);
            QVERIFY(store->floors()->find(uri())->infoHash == expected.floor.infoHash);
            const auto next = store->reserveSequences("receipt", 1);
            QVERIFY(next.has_value() && *next >= sequence);
            sequence = *next + 1;
        }
        QVERIFY(floor > 30);
    }

    void canBeKilledWhileItIsMade()
    {
        SeededRandom random(6);
        int unfinished = 0;
        for (int round = 0; round < 25; ++round) {
            const fs::path directory = freshPath();
            {
                Child child(QStringLiteral("write"), directory);
                // Not synchronisation: the moment of the kill is what varies.
                ::usleep(static_cast<useconds_t>(random.below(60'000)));
            }
            unfinished += fs::exists(directory / "state.db") ? 0 : 1;
            const auto store = Store::open(directory);
            QVERIFY2(store.has_value(), store ? "" : toString(store.error()).c_str());
            fs::remove_all(directory);
        }
        qInfo("%d of 25 were killed before the database was there", unfinished);
    }

    void keepsWhatIsThereWhenFilesCannotGrow()
    {
        const fs::path directory = freshPath();
        Child child(QStringLiteral("limited"), directory);
        const std::string verdict = child.line();
        const std::uint64_t accepted = std::strtoull(verdict.c_str(), nullptr, 10);
        QVERIFY2(accepted >= 5, verdict.c_str());
        QVERIFY2(verdict.ends_with(codeName(Errc::Io)) || verdict.ends_with(codeName(Errc::DiskFull)),
                 verdict.c_str());
        QCOMPARE(child.line(), std::to_string(accepted));
        QVERIFY(child.exitsWell());
        auto store = Store::open(directory);
        QVERIFY(store.has_value());
        QCOMPARE(store->floors()->all().size(), accepted);
        QCOMPARE(store->notices()->size(), accepted);
        QCOMPARE(store->records()->size(), accepted);
        QVERIFY(accept(*store, releaseOf(1, uriNumber(accepted + 1), 8000)).has_value());
    }

    void canBeMadeAfterFilesCouldNotGrow()
    {
        const fs::path directory = freshPath();
        Child child(QStringLiteral("limited-at-once"), directory);
        const std::string verdict = child.line();
        QVERIFY2(verdict.starts_with("open STAR-LOCAL-001") || verdict.starts_with("open STAR-LOAD-005"),
                 verdict.c_str());
        QVERIFY(child.exitsWell());
        QVERIFY(!fs::exists(directory / "state.db"));
        QVERIFY(Store::open(directory).has_value());
    }

    void saysDiskFullAndKeepsWhatIsThere()
    {
        Child child(QStringLiteral("small"), freshPath());
        const std::string verdict = child.line();
        if (verdict == "cannot mount")
            QSKIP("needs the right to mount a small file system");
        const std::string accepted = verdict.substr(0, verdict.find(' '));
        QCOMPARE(verdict, accepted + ' ' + codeName(Errc::DiskFull));
        QVERIFY(std::strtoull(accepted.c_str(), nullptr, 10) > 10);
        QCOMPARE(child.line(), accepted);
        QCOMPARE(child.line(), accepted); // after a reopen with room again
        QVERIFY(child.exitsWell());
    }

    void saysDiskFullWhenItCannotBeMade()
    {
        Child child(QStringLiteral("tiny"), freshPath());
        const std::string verdict = child.line();
        if (verdict == "cannot mount")
            QSKIP("needs the right to mount a small file system");
        QVERIFY2(verdict.starts_with("open " + codeName(Errc::DiskFull)), verdict.c_str());
        QCOMPARE(child.line(), std::string("0")); // made, once there is room
        QVERIFY(child.exitsWell());
    }
};

int main(int argc, char** argv)
{
    if (argc == 4 && std::string_view(argv[1]) == "--child")
        return runChild(argv[2], argv[3]);
    QCoreApplication application(argc, argv);
    TestStoreDamage test;
    QTEST_SET_MAIN_SOURCE_PATH
    return QTest::qExec(&test, argc, argv);
}
#include "tst_store_damage.moc"
