// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"
#include "store_samples.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include <sqlite3.h>
#include <unistd.h>

using namespace starling;
using namespace starling::samples;
using store::NoticeRow;
using store::ReceiptRow;
using store::Store;
using trust::Phase;

namespace fs = std::filesystem;

namespace {

/// A directory of its own for each case, not yet made.
struct StateDirectory
{
    QTemporaryDir temporary;
    fs::path path() const { return fs::path(temporary.path().toStdString()) / "state"; }
    fs::path database() const { return path() / "state.db"; }
};

Store openOrDie(const fs::path& directory)
{
    auto opened = Store::open(directory);
    if (!opened)
        qFatal("%s", toString(opened.error()).c_str());
    return std::move(*opened);
}

std::string contentOf(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

enum class AtClose { Fold, KeepLog };

/// Runs SQL behind the store's back; returns SQLite's result.
int tamper(const fs::path& database, const std::string& sql, AtClose atClose = AtClose::Fold)
{
    sqlite3* handle = nullptr;
    if (sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
        qFatal("cannot open the database");
    if (atClose == AtClose::KeepLog)
        sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const int result = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    sqlite3_close(handle);
    return result;
}

/// In the order in which they came.
std::vector<ReceiptRow> rowsOf(const Store& store)
{
    std::vector<ReceiptRow> rows;
    auto stored = store.receiptsAfter(0, 100, 100'000);
    for (store::StoredReceipt& each : *stored)
        rows.push_back(std::move(each.row));
    return rows;
}

update::Record recordOf(std::uint64_t version, Phase phase)
{
    update::Record record = releaseOf(version).record;
    record.phase = phase;
    return record;
}

} // namespace

#define VERIFY_OK(expression)                                                                                \
    do {                                                                                                     \
        const auto outcome = (expression);                                                                   \
        QVERIFY2(outcome.has_value(), outcome ? "" : toString(outcome.error()).c_str());                     \
    } while (false)

#define VERIFY_FAILS(expression, expected)                                                                   \
    do {                                                                                                     \
        const auto outcome = (expression);                                                                   \
        QVERIFY2(!outcome.has_value(), "succeeded");                                                         \
        QCOMPARE(codeName(outcome.error().code), codeName(expected));                                        \
    } while (false)

class TestStore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void makesAPrivateDirectory()
    {
        const StateDirectory state;
        const fs::path deep = state.path() / "var" / "lib";
        auto store = openOrDie(deep);
        VERIFY_OK(store.putNotice({1, "root", toBytes("x")}));
        QCOMPARE(fs::status(deep).permissions(), fs::perms::owner_all);
        int files = 0;
        for (const auto& entry : fs::directory_iterator(deep)) {
            QCOMPARE(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write);
            ++files;
        }
        QCOMPARE(files, 3); // lock, database, log
    }

    void startsEmpty()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        QVERIFY(store.rootChain()->empty());
        QVERIFY(store.notices()->empty());
        QVERIFY(store.floors()->all().empty());
        QVERIFY(store.records()->empty());
        QVERIFY(!store.installed(uri())->has_value());
        QVERIFY(!store.resumeData(hashOf(1))->has_value());
    }

    void keepsTheNewestReceiptOfEachDevice()
    {
        const StateDirectory state;
        const auto row = [](unsigned char device, std::uint64_t sequence) {
            return ReceiptRow{*NodeId::fromBytes(Bytes(32, std::byte{device})), sequence,
                              Bytes(100, static_cast<std::byte>(sequence))};
        };
        {
            auto store = openOrDie(state.path());
            QCOMPARE(*store.receiptCount(), std::uint64_t{0});
            VERIFY_OK(store.putReceipts({row(2, 7), row(1, 3), row(2, 6)}));
            VERIFY_OK(store.putReceipts({row(1, 4), row(3, 1)}));
            ReceiptRow other = row(3, 1);
            other.bytes = toBytes("another content");
            VERIFY_OK(store.putReceipts({other}));
        }
        auto store = openOrDie(state.path());
        QCOMPARE(*store.receiptCount(), std::uint64_t{3});
        QVERIFY(rowsOf(store) == (std::vector{row(2, 7), row(1, 4), row(3, 1)}));
    }

    void tellsWhichReceiptsCameSince()
    {
        const StateDirectory state;
        const auto row = [](unsigned char device, std::uint64_t sequence) {
            return ReceiptRow{*NodeId::fromBytes(Bytes(32, std::byte{device})), sequence, Bytes(100)};
        };
        std::uint64_t newest = 0;
        {
            auto store = openOrDie(state.path());
            QCOMPARE(*store.newestReceipt(), std::uint64_t{0});
            VERIFY_OK(store.putReceipts({row(9, 1), row(2, 1), row(5, 1)}));
            newest = *store.newestReceipt();
            QVERIFY(store.receiptsAfter(newest, 10, 1'000)->empty());
            // What is not newer changes nothing.
            VERIFY_OK(store.putReceipts({row(2, 1), row(5, 0)}));
            QVERIFY(store.receiptsAfter(newest, 10, 1'000)->empty());
            VERIFY_OK(store.putReceipts({row(2, 2), row(7, 1), row(2, 3)}));
            QCOMPARE(*store.receiptCount(), std::uint64_t{4});
        }
        auto store = openOrDie(state.path());
        QCOMPARE(*store.receiptCount(), std::uint64_t{4});
        const auto since = store.receiptsAfter(newest, 10, 1'000).value();
        QCOMPARE(since.size(), std::size_t{2}); // each device once, as it is now
        QVERIFY(since[0].row == row(7, 1) && since[1].row == row(2, 3));
        QVERIFY(newest < since[0].change && since[0].change < since[1].change);
        QCOMPARE(*store.newestReceipt(), since[1].change);
        QVERIFY(rowsOf(store) == (std::vector{row(9, 1), row(5, 1), row(7, 1), row(2, 3)}));
        // By number and by bytes, but never nothing where there is something.
        QCOMPARE(store.receiptsAfter(0, 2, 1'000)->size(), std::size_t{2});
        QCOMPARE(store.receiptsAfter(0, 10, 300)->size(), std::size_t{3});
        QCOMPARE(store.receiptsAfter(0, 10, 299)->size(), std::size_t{2});
        QCOMPARE(store.receiptsAfter(0, 10, 1)->size(), std::size_t{1});
        QVERIFY(store.receiptsAfter(~0ull, 10, 1'000)->empty());
    }

    void countsReceiptsThatAreRefusedNot()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        const ReceiptRow good{NodeId(), 1, Bytes(5)};
        ReceiptRow large{*NodeId::fromBytes(Bytes(32, std::byte{1})), 1, Bytes(Store::kMaxReceiptBytes + 1)};
        VERIFY_OK(store.putReceipts({good}));
        VERIFY_FAILS(store.putReceipts({{*NodeId::fromBytes(Bytes(32, std::byte{2})), 1, Bytes(5)}, large}),
                     Errc::TooLarge);
        QCOMPARE(*store.receiptCount(), std::uint64_t{1});
        QCOMPARE(rowsOf(store).size(), std::size_t{1});
    }

    void bringsReceiptsOverFromTheLayoutBefore()
    {
        const StateDirectory state;
        openOrDie(state.path());
        const auto row = [](unsigned char device, std::uint64_t sequence) {
            return ReceiptRow{*NodeId::fromBytes(Bytes(32, std::byte{device})), sequence,
                              Bytes(3, std::byte{device})};
        };
        const auto hex = [](unsigned char device, std::size_t bytes) {
            return "x'" + toHex(Bytes(bytes, std::byte{device})) + "'";
        };
        const std::string values =
            "(" + hex(7, 32) + ", 4, " + hex(7, 3) + "), (" + hex(3, 32) + ", 9, " + hex(3, 3) + ")";
        QCOMPARE(tamper(state.database(),
                        "DROP TABLE receipts;"
                        "CREATE TABLE receipts (device BLOB PRIMARY KEY CHECK (length(device) = 32),"
                        " sequence INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
                        "INSERT INTO receipts VALUES "
                            + values + "; PRAGMA user_version = 2"),
                 SQLITE_OK);
        for (int opened = 0; opened < 2; ++opened) {
            auto store = openOrDie(state.path());
            QCOMPARE(*store.receiptCount(), std::uint64_t{2});
            QVERIFY(rowsOf(store) == (std::vector{row(7, 4), row(3, 9)}));
        }
        auto store = openOrDie(state.path());
        VERIFY_OK(store.putReceipts({row(7, 5), row(3, 9)}));
        QVERIFY(rowsOf(store) == (std::vector{row(3, 9), row(7, 5)}));
    }

    void refusesAReceiptThatIsTooLargeAndAllThatCameWithIt()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        const ReceiptRow small{NodeId(), 1, Bytes(5)};
        const ReceiptRow large{*NodeId::fromBytes(Bytes(32, std::byte{1})), 1,
                               Bytes(Store::kMaxReceiptBytes + 1)};
        VERIFY_FAILS(store.putReceipts({small, large}), Errc::TooLarge);
        QCOMPARE(*store.receiptCount(), std::uint64_t{0});
    }

    void keepsEverythingOverAReopen()
    {
        const StateDirectory state;
        const auto other = releaseOf((1ull << 53) - 1, uri("app/b"));
        update::Record full = recordOf(4, Phase::Healthy);
        full.code = 511;
        full.detail = std::string(200, 'd');
        full.attempts = 4'294'967'295u;
        full.wrongPayloads = 7;
        const NoticeRow receipt{4, std::string(64, 'a'), Bytes(2000, std::byte{9})};
        {
            auto store = openOrDie(state.path());
            VERIFY_OK(store.appendRoot(1, viewOf("anchor")));
            VERIFY_OK(store.appendRoot(2, viewOf("second")));
            VERIFY_OK(store.putNotice(receipt));
            VERIFY_OK(accept(store, 4));
            VERIFY_OK(store.putRecord(full));
            VERIFY_OK(accept(store, other));
            VERIFY_OK(store.reserveSequences("receipt", 5));
            VERIFY_OK(store.putResumeData(hashOf(4), viewOf("resume")));
        }
        for (int reopened = 0; reopened < 2; ++reopened) {
            auto store = openOrDie(state.path());
            QVERIFY(*store.rootChain() == (std::vector<Bytes>{toBytes("anchor"), toBytes("second")}));
            QVERIFY(*store.notices() == (std::vector<NoticeRow>{other.notice, releaseOf(4).notice, receipt}));
            QCOMPARE(store.floors()->all().size(), std::size_t{2});
            QVERIFY(*store.floors()->find(uri()) == releaseOf(4).floor);
            QVERIFY(*store.floors()->find(uri("app/b")) == other.floor);
            QVERIFY(*store.records() == (std::vector<update::Record>{other.record, full}));
            QVERIFY(store.installed(uri())->value() == full);
            QVERIFY(!store.installed(uri("app/b"))->has_value());
            QVERIFY(store.resumeData(hashOf(4))->value() == toBytes("resume"));
            QCOMPARE(*store.reserveSequences("receipt", 1), std::uint64_t(6 + reopened));
        }
    }

    void refusesASecondUserOfTheDirectory()
    {
        const StateDirectory state;
        {
            auto first = openOrDie(state.path());
            const auto second = Store::open(state.path());
            QVERIFY(!second);
            QCOMPARE(second.error().code, Errc::StateLocked);
            QVERIFY(second.error().context.find("process " + std::to_string(::getpid()))
                    != std::string::npos);
            VERIFY_OK(accept(first, 1));
            Store moved = std::move(first); // the lock goes with it
            VERIFY_FAILS(Store::open(state.path()), Errc::StateLocked);
        }
        QCOMPARE(floorOf(openOrDie(state.path())), std::uint64_t{1});
    }

    void refusesANewerLayoutAndTouchesNothing()
    {
        const StateDirectory state;
        {
            auto store = openOrDie(state.path());
            VERIFY_OK(accept(store, 1));
        }
        QCOMPARE(tamper(state.database(), "CREATE TABLE later (x); PRAGMA user_version = 99"), SQLITE_OK);
        const std::string before = contentOf(state.database());
        VERIFY_FAILS(Store::open(state.path()), Errc::StateNewer);
        QVERIFY(contentOf(state.database()) == before);
        QVERIFY(!fs::exists(state.path() / "state.db-wal"));
    }

    void seesANewerLayoutInTheLog()
    {
        const StateDirectory state;
        openOrDie(state.path());
        QCOMPARE(tamper(state.database(), "PRAGMA user_version = 99", AtClose::KeepLog), SQLITE_OK);
        const fs::path log = state.path() / "state.db-wal";
        QVERIFY(fs::file_size(log) > 0);
        const std::string before = contentOf(state.database()) + contentOf(log);
        VERIFY_FAILS(Store::open(state.path()), Errc::StateNewer);
        QVERIFY(contentOf(state.database()) + contentOf(log) == before);
    }

    void refusesADirectoryThatCannotBe()
    {
        const StateDirectory state;
        std::ofstream(state.path()) << "a file";
        VERIFY_FAILS(Store::open(state.path()), Errc::Io);
        VERIFY_FAILS(Store::open(state.path() / "below"), Errc::Io);
        QCOMPARE(contentOf(state.path()), std::string("a file"));
    }

    void worksBelowASymbolicLink()
    {
        const StateDirectory state;
        fs::create_directory(state.path());
        const fs::path link = fs::path(state.path()).concat("-link");
        fs::create_directory_symlink(state.path(), link);
        for (const fs::path& directory : {link / "below", link})
            VERIFY_OK(Store::open(directory));
    }

    void refusesADatabaseBehindASymbolicLink()
    {
        const StateDirectory state;
        fs::create_directory(state.path());
        fs::create_symlink("/dev/null", state.database());
        VERIFY_FAILS(Store::open(state.path()), Errc::Io);
    }

    void beginsAnewAfterAnUnfinishedCreation()
    {
        const StateDirectory state;
        fs::create_directory(state.path());
        for (const char* name : {"state.db.new", "state.db.new-wal", "state.db.new-journal"})
            std::ofstream(state.path() / name) << "half of it";
        auto store = openOrDie(state.path());
        VERIFY_OK(accept(store, 1));
        QVERIFY(!fs::exists(state.path() / "state.db.new"));
    }

    void neverLowersAFloor()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(accept(store, 5));
        VERIFY_FAILS(accept(store, 4), Errc::Rollback);
        auto forged = releaseOf(5);
        forged.floor.infoHash = forged.record.infoHash = hashOf(66);
        VERIFY_FAILS(accept(store, forged), Errc::Equivocation);
        QVERIFY(*store.floors()->find(uri()) == releaseOf(5).floor);
        QVERIFY(*store.notices() == std::vector<NoticeRow>{releaseOf(5).notice});
        QCOMPARE(store.records()->size(), std::size_t{1});
        auto newEpoch = releaseOf(1);
        newEpoch.floor.revision.epoch = newEpoch.record.revision.epoch = 1;
        VERIFY_OK(accept(store, newEpoch)); // an epoch is above every version
        VERIFY_FAILS(accept(store, 6), Errc::Rollback);
    }

    void neverLowersAFloorByOtherSql()
    {
        const StateDirectory state;
        {
            auto store = openOrDie(state.path());
            VERIFY_OK(accept(store, 5));
            VERIFY_OK(store.reserveSequences("receipt", 9));
        }
        for (const char* sql : {"UPDATE floors SET version = 4", "UPDATE floors SET uri = 'fw/x'",
                                "UPDATE floors SET info_hash = zeroblob(32)", "DELETE FROM floors",
                                "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO floors"
                                " VALUES ('fw/gateway', 0, 1, zeroblob(32), zeroblob(8))",
                                "UPDATE sequences SET next = 2", "DELETE FROM sequences"})
            QVERIFY2(tamper(state.database(), sql) == SQLITE_CONSTRAINT, sql);
        QCOMPARE(floorOf(openOrDie(state.path())), std::uint64_t{5});
    }

    void leavesTheRecordWhenAReleaseIsAcceptedAgain()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(accept(store, 5));
        VERIFY_OK(store.putRecord(recordOf(5, Phase::Staged)));
        VERIFY_OK(accept(store, 5));
        QVERIFY(*store.records() == std::vector<update::Record>{recordOf(5, Phase::Staged)});
    }

    void acceptsWhollyOrNotAtAll()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_FAILS(accept(store, releaseOf(1, uri(), Store::kMaxNoticeBytes + 1)), Errc::TooLarge);
        auto longDetail = releaseOf(1);
        longDetail.record.detail = std::string(201, 'd');
        VERIFY_FAILS(accept(store, longDetail), Errc::TooLarge);
        QVERIFY(store.floors()->all().empty());
        QVERIFY(store.notices()->empty());
        QVERIFY(store.records()->empty());
        VERIFY_OK(accept(store, 1)); // and the transaction is over
    }

    void refusesNumbersOutOfRange()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        using trust::Revision;
        for (const Revision& revision : {Revision{0, 0}, Revision{0, 1ull << 53}, Revision{1ull << 53, 1},
                                         Revision{0, ~0ull}, Revision{~0ull, 1}, Revision{1ull << 63, 1}}) {
            auto bad = releaseOf(1);
            bad.floor.revision = bad.record.revision = revision;
            VERIFY_FAILS(accept(store, bad), Errc::Malformed);
            VERIFY_FAILS(store.putRecord(bad.record), Errc::Malformed);
        }
        VERIFY_FAILS(store.putRecord(recordOf(1, static_cast<Phase>(12))), Errc::Malformed);
        QVERIFY(store.floors()->all().empty());
        QVERIFY(store.records()->empty());
    }

    void limitsNoticesAndResumeData()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(store.putNotice({2, std::string(256, 'n'), Bytes(Store::kMaxNoticeBytes)}));
        VERIFY_FAILS(store.putNotice({2, "n", Bytes(Store::kMaxNoticeBytes + 1)}), Errc::TooLarge);
        VERIFY_FAILS(store.putNotice({2, std::string(257, 'n'), {}}), Errc::TooLarge);
        VERIFY_FAILS(store.putResumeData(hashOf(1), Bytes(Store::kMaxResumeBytes + 1)), Errc::TooLarge);
        QCOMPARE(store.notices()->size(), std::size_t{1});
    }

    void replacesANotice()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(store.putNotice({4, "n", toBytes("old")}));
        VERIFY_OK(store.putNotice({2, "n", {}}));
        VERIFY_OK(store.putNotice({4, "n", toBytes("new")}));
        QVERIFY(*store.notices() == (std::vector<NoticeRow>{{2, "n", {}}, {4, "n", toBytes("new")}}));
    }

    void keepsRootsInOrder()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_FAILS(store.appendRoot(0, viewOf("r")), Errc::InvalidRoot);
        VERIFY_FAILS(store.appendRoot(~0ull, viewOf("r")), Errc::InvalidRoot);
        VERIFY_OK(store.appendRoot(3, viewOf("anchor")));
        VERIFY_FAILS(store.appendRoot(2, viewOf("r")), Errc::RootGap);
        VERIFY_FAILS(store.appendRoot(5, viewOf("r")), Errc::RootGap);
        VERIFY_OK(store.appendRoot(4, viewOf("next")));
        VERIFY_OK(store.appendRoot(3, viewOf("anchor")));
        VERIFY_FAILS(store.appendRoot(3, viewOf("another")), Errc::Equivocation);
        VERIFY_FAILS(store.appendRoot(5, Bytes(trust::kMaxRootBytes + 1)), Errc::TooLarge);
        QVERIFY(*store.rootChain() == (std::vector<Bytes>{toBytes("anchor"), toBytes("next")}));
    }

    void seesAMissingRoot()
    {
        const StateDirectory state;
        {
            auto store = openOrDie(state.path());
            for (std::uint64_t number = 1; number <= 3; ++number)
                VERIFY_OK(store.appendRoot(number, viewOf("r")));
        }
        QCOMPARE(tamper(state.database(), "DELETE FROM roots WHERE number = 2"), SQLITE_OK);
        VERIFY_FAILS(openOrDie(state.path()).rootChain(), Errc::StateCorrupt);
    }

    void keepsRecordsOfEveryPhase()
    {
        const StateDirectory state;
        std::vector<update::Record> put;
        {
            auto store = openOrDie(state.path());
            for (std::uint64_t phase = 1; phase <= 11; ++phase) {
                put.push_back(recordOf(phase, static_cast<Phase>(phase)));
                VERIFY_OK(store.putRecord(recordOf(phase, Phase::Announced)));
                VERIFY_OK(store.putRecord(put.back()));
            }
            auto forged = recordOf(3, Phase::Staged);
            forged.infoHash = hashOf(66);
            VERIFY_FAILS(store.putRecord(forged), Errc::Equivocation);
        }
        QVERIFY(*openOrDie(state.path()).records() == put);
    }

    void remembersTheNewestHealthyRelease()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(store.putRecord(recordOf(1, Phase::Healthy)));
        VERIFY_OK(store.putRecord(recordOf(2, Phase::Deploying)));
        QCOMPARE(store.installed(uri())->value().revision.version, std::uint64_t{1});
        VERIFY_OK(store.putRecord(recordOf(2, Phase::RolledBack)));
        QCOMPARE(store.installed(uri())->value().revision.version, std::uint64_t{1});
        VERIFY_OK(store.putRecord(recordOf(3, Phase::Healthy)));
        VERIFY_OK(store.putRecord(recordOf(1, Phase::Healthy))); // concluded again after a restart
        QCOMPARE(store.installed(uri())->value().revision.version, std::uint64_t{3});
        QVERIFY(!store.installed(uri("fw/other"))->has_value());
    }

    void prunesOldRecordsButNotWhatIsInUse()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        const std::vector<Phase> phases{Phase::Healthy,     Phase::Failed,     Phase::Healthy,
                                        Phase::RollingBack, Phase::RolledBack, Phase::Announced,
                                        Phase::Failed};
        for (std::size_t i = 0; i < phases.size(); ++i)
            VERIFY_OK(store.putRecord(recordOf(i + 1, phases[i])));
        auto other = releaseOf(1, uri("app/b")).record;
        other.phase = Phase::Failed;
        VERIFY_OK(store.putRecord(other));
        QVERIFY(store.pruneRecords(uri(), 100)->empty());
        const auto forgotten = store.pruneRecords(uri(), 1);
        QVERIFY(*forgotten == (std::vector<InfoHash>{hashOf(1), hashOf(2), hashOf(5)}));
        std::vector<std::uint64_t> left;
        const auto records = store.records();
        for (const auto& record : *records)
            if (record.uri == uri())
                left.push_back(record.revision.version);
        QCOMPARE(left, (std::vector<std::uint64_t>{3, 4, 6, 7}));
        QCOMPARE(store.installed(uri())->value().revision.version, std::uint64_t{3});
        QVERIFY(*store.pruneRecords(uri(), 0) == std::vector<InfoHash>{hashOf(7)});
        QVERIFY(store.pruneRecords(uri("app/b"), ~0ull)->empty());
    }

    void reservesSequencesOnce()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        QCOMPARE(*store.reserveSequences("receipt", 1), 1ull);
        QCOMPARE(*store.reserveSequences("receipt", 100), 2ull);
        QCOMPARE(*store.reserveSequences("receipt", 1), 102ull);
        QCOMPARE(*store.reserveSequences("descriptor", 1), 1ull);
        VERIFY_FAILS(store.reserveSequences("receipt", 0), Errc::Usage);
        VERIFY_FAILS(store.reserveSequences("receipt", ~0ull), Errc::TooLarge);
        VERIFY_FAILS(store.reserveSequences(std::string(257, 'c'), 1), Errc::TooLarge);
        QCOMPARE(*store.reserveSequences("receipt", Store::kMaxNumber - 103), 103ull);
        VERIFY_FAILS(store.reserveSequences("receipt", 1), Errc::TooLarge);
    }

    void forgetsAPayload()
    {
        const StateDirectory state;
        auto store = openOrDie(state.path());
        VERIFY_OK(store.putResumeData(hashOf(1), viewOf("a")));
        VERIFY_OK(store.putResumeData(hashOf(1), {}));
        VERIFY_OK(store.putResumeData(hashOf(2), viewOf("kept")));
        QVERIFY(store.resumeData(hashOf(1))->value().empty());
        VERIFY_OK(store.forgetPayload(hashOf(1)));
        VERIFY_OK(store.forgetPayload(hashOf(1)));
        QVERIFY(!store.resumeData(hashOf(1))->has_value());
        QVERIFY(store.resumeData(hashOf(2))->has_value());
    }
};

QTEST_GUILESS_MAIN(TestStore)
#include "tst_store.moc"
