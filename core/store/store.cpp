// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "base/assert.h"
#include "store/directory_lock.h"
#include "store/layout.h"
#include "store/rows.h"
#include "trust/root.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <sys/stat.h>

namespace starling::store {

namespace {

Status requireAtMost(std::size_t size, std::size_t limit, std::string_view what)
{
    if (size > limit)
        return fail(Errc::TooLarge,
                    std::string(what) + ": " + std::to_string(size) + " bytes, over "
                        + std::to_string(limit));
    return {};
}

Status makeDirectory(const std::filesystem::path& directory)
{
    std::error_code error;
    if (std::filesystem::is_directory(directory, error))
        return {};
    if (directory.has_parent_path())
        std::filesystem::create_directories(directory.parent_path(), error);
    if (error)
        return failSystem(error.value(), "make " + directory.parent_path().string());
    if (::mkdir(directory.c_str(), 0700) != 0)
        return failSystem(errno, "make " + directory.string());
    return {};
}

Status upsertNotice(Database& database, const NoticeRow& notice)
{
    if (auto fits = requireAtMost(notice.bytes.size(), Store::kMaxNoticeBytes, "notice"); !fits)
        return fits;
    if (auto fits = requireAtMost(notice.name.size(), Store::kMaxNameBytes, "notice name"); !fits)
        return fits;
    const auto done = database.run("INSERT INTO notices (kind, name, bytes) VALUES (?1, ?2, ?3)"
                                   " ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
                                   std::int64_t{notice.kind}, notice.name, notice.bytes);
    if (!done)
        return fail(Error(done.error()), "notice " + notice.name);
    return {};
}

/// Whether it is the first of its device.
Result<bool> upsertReceipt(Database& database, const ReceiptRow& receipt)
{
    if (auto fits = requireAtMost(receipt.bytes.size(), Store::kMaxReceiptBytes, "receipt"); !fits)
        return tl::unexpected<Error>(fits.error());
    const auto renewed = database.run("UPDATE receipts SET change = (SELECT max(change) FROM receipts) + 1,"
                                      " sequence = ?2, bytes = ?3 WHERE device = ?1 AND sequence < ?2",
                                      receipt.device.bytes(), receipt.sequence, receipt.bytes);
    if (renewed && *renewed != 0)
        return false;
    const auto added = !renewed ? renewed
                                : database.run("INSERT INTO receipts (device, sequence, change, bytes)"
                                               " VALUES (?1, ?2, (SELECT coalesce(max(change), 0)"
                                               " FROM receipts) + 1, ?3) ON CONFLICT (device) DO NOTHING",
                                               receipt.device.bytes(), receipt.sequence, receipt.bytes);
    if (!added)
        return fail(Error(added.error()), "receipt of " + receipt.device.shortHex());
    return *added != 0;
}

Status requireNotBelow(Database& database, const ResourceUri& uri, const trust::Floor& floor)
{
    trust::Floors held;
    std::string sql(kSelectFloors);
    sql += "WHERE uri = ?1";
    auto read = forEachRow(database.query(sql.c_str(), uri.text()), [&](const Statement& row) -> Status {
        auto found = floorFrom(row);
        if (!found)
            return tl::unexpected<Error>(found.error());
        held.raise(found->uri, found->floor);
        return {};
    });
    if (!read)
        return read;
    return held.admit(uri, floor.revision, floor.infoHash);
}

Status raiseFloor(Database& database, const ResourceUri& uri, const trust::Floor& floor)
{
    if (auto admitted = requireNotBelow(database, uri, floor); !admitted)
        return admitted;
    const auto done =
        database.run("INSERT INTO floors (uri, epoch, version, info_hash, mark) VALUES (?1, ?2, ?3, ?4, ?5)"
                     " ON CONFLICT DO UPDATE SET epoch = excluded.epoch, version = excluded.version,"
                     " info_hash = excluded.info_hash, mark = excluded.mark"
                     " WHERE (excluded.epoch, excluded.version) > (epoch, version)",
                     uri.text(), floor.revision.epoch, floor.revision.version, floor.infoHash.bytes(),
                     floorMark(uri, floor));
    if (!done)
        return fail(Error(done.error()), "floor of " + uri.text());
    return {};
}

/// Only if there is none of that revision.
Status insertRecord(Database& database, const update::Record& record)
{
    if (auto fits = requireAtMost(record.detail.size(), update::kMaxDetailBytes, "detail"); !fits)
        return fits;
    const auto done = database.run(
        "INSERT INTO records (uri, epoch, version, info_hash, phase, code, detail, attempts, wrong_payloads)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        record.uri.text(), record.revision.epoch, record.revision.version, record.infoHash.bytes(),
        static_cast<std::int64_t>(record.phase), std::int64_t{record.code}, record.detail,
        std::int64_t{record.attempts}, std::int64_t{record.wrongPayloads});
    if (!done)
        return fail(Error(done.error()), "record of " + record.uri.text());
    return {};
}

Status updateRecord(Database& database, const update::Record& record)
{
    const auto done = database.run(
        "UPDATE records SET phase = ?5, code = ?6, detail = ?7, attempts = ?8, wrong_payloads = ?9"
        " WHERE (uri, epoch, version, info_hash) = (?1, ?2, ?3, ?4)",
        record.uri.text(), record.revision.epoch, record.revision.version, record.infoHash.bytes(),
        static_cast<std::int64_t>(record.phase), std::int64_t{record.code}, record.detail,
        std::int64_t{record.attempts}, std::int64_t{record.wrongPayloads});
    if (!done)
        return fail(Error(done.error()), "record of " + record.uri.text());
    if (*done != 1)
        return fail(Errc::Equivocation,
                    "record of " + record.uri.text() + ' ' + trust::toString(record.revision)
                        + " is of another content");
    return {};
}

/// A record may be put again after a restart, also an older one: the newest healthy release is what is in
/// place.
Status markInstalled(Database& database, const update::Record& record)
{
    const auto done =
        database.run("INSERT INTO installed (uri, epoch, version) VALUES (?1, ?2, ?3)"
                     " ON CONFLICT DO UPDATE SET epoch = excluded.epoch, version = excluded.version"
                     " WHERE (excluded.epoch, excluded.version) > (epoch, version)",
                     record.uri.text(), record.revision.epoch, record.revision.version);
    if (!done)
        return fail(Error(done.error()), "installed " + record.uri.text());
    return {};
}

/// The next number of `counter`, 1 if it was never used.
Result<std::uint64_t> nextSequence(Database& database, std::string_view counter)
{
    std::uint64_t next = 1;
    auto read = forEachRow(database.query("SELECT next, mark FROM sequences WHERE counter = ?1", counter),
                           [&](const Statement& row) -> Status {
                               next = row.natural(0);
                               if (row.blob(1) != sequenceMark(counter, next))
                                   return fail(Errc::StateCorrupt,
                                               "database: sequence " + std::string(counter) + " is damaged");
                               return {};
                           });
    if (!read)
        return fail(std::move(read.error()), "sequence");
    return next;
}

Status verifySequences(Database& database)
{
    std::vector<std::string> counters;
    auto read =
        forEachRow(database.query("SELECT counter FROM sequences"), [&](const Statement& row) -> Status {
            counters.push_back(row.text(0));
            return {};
        });
    if (!read)
        return read;
    for (const std::string& counter : counters)
        if (auto next = nextSequence(database, counter); !next)
            return tl::unexpected<Error>(next.error());
    return {};
}

} // namespace

class Store::Impl
{
public:
    Impl(DirectoryLock lock, Database opened)
        : m_lock(std::move(lock))
        , database(std::move(opened))
    {
    }

    /// `write()` wholly or not at all, and durable when it returns Ok.
    template <class Write> Status atomically(Write write)
    {
        auto transaction = Transaction::begin(database);
        if (!transaction)
            return tl::unexpected<Error>(transaction.error());
        if (Status written = write(); !written)
            return written;
        return transaction->commit();
    }

    /// What protects against going back is put into the file itself at once, so that a log that is lost
    /// cannot take it away. The commit was durable without this: a failure changes nothing and the next one
    /// tries again.
    void protect()
    {
        if (auto folded = database.checkpoint(); !folded)
            return;
    }

private:
    DirectoryLock m_lock; // let go after the database is closed

public:
    Database database;
    std::optional<std::uint64_t> receipts; ///< how many rows there are, once somebody has asked
};

Store::Store(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{
}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Result<Store> Store::open(const std::filesystem::path& directory)
{
    if (auto made = makeDirectory(directory); !made)
        return fail(std::move(made.error()), "state directory");
    auto lock = DirectoryLock::take(directory);
    if (!lock)
        return fail(std::move(lock.error()), "state directory");
    auto database = openState(directory);
    if (!database)
        return fail(std::move(database.error()), "state directory");
    Store store(std::make_unique<Impl>(std::move(*lock), std::move(*database)));
    if (auto floors = store.floors(); !floors)
        return fail(std::move(floors.error()), "state directory");
    if (auto verified = verifySequences(store.m_impl->database); !verified)
        return fail(std::move(verified.error()), "state directory");
    return store;
}

Result<std::vector<Bytes>> Store::rootChain() const
{
    std::vector<Bytes> chain;
    std::uint64_t expected = 0;
    auto read = forEachRow(m_impl->database.query("SELECT number, envelope FROM roots ORDER BY number"),
                           [&](const Statement& row) -> Status {
                               if (!chain.empty() && row.natural(0) != expected)
                                   return fail(Errc::StateCorrupt,
                                               "database: root " + std::to_string(expected) + " is missing");
                               expected = row.natural(0) + 1;
                               chain.push_back(row.blob(1));
                               return {};
                           });
    if (!read)
        return fail(std::move(read.error()), "roots");
    return chain;
}

Status Store::appendRoot(std::uint64_t number, ByteView envelope)
{
    if (auto fits = requireAtMost(envelope.size(), trust::kMaxRootBytes, "root"); !fits)
        return fits;
    if (number < 1 || number > kMaxNumber)
        return fail(Errc::InvalidRoot, "root number " + std::to_string(number) + " is out of range");
    std::optional<std::uint64_t> newest;
    std::uint64_t count = 0;
    std::optional<Bytes> same;
    auto read = forEachRow(m_impl->database.query("SELECT number, envelope FROM roots ORDER BY number"),
                           [&](const Statement& row) -> Status {
                               newest = row.natural(0);
                               ++count;
                               if (*newest == number)
                                   same = row.blob(1);
                               return {};
                           });
    if (!read)
        return fail(std::move(read.error()), "roots");
    if (same && *same == toBytes(envelope))
        return {};
    if (same)
        return fail(Errc::Equivocation, "another root " + std::to_string(number) + " is stored");
    if (newest && number != *newest + 1)
        return fail(Errc::RootGap, "root " + std::to_string(number) + " after " + std::to_string(*newest));
    if (count >= trust::kMaxRootChain)
        return fail(Errc::TooLarge, "over " + std::to_string(trust::kMaxRootChain) + " roots");
    const auto done =
        m_impl->database.run("INSERT INTO roots (number, envelope) VALUES (?1, ?2)", number, envelope);
    if (!done)
        return fail(Error(done.error()), "root");
    m_impl->protect();
    return {};
}

Result<std::vector<NoticeRow>> Store::notices() const
{
    std::vector<NoticeRow> rows;
    auto read =
        forEachRow(m_impl->database.query("SELECT kind, name, bytes FROM notices ORDER BY kind, name"),
                   [&](const Statement& row) -> Status {
                       rows.push_back({static_cast<std::uint8_t>(row.integer(0)), row.text(1), row.blob(2)});
                       return {};
                   });
    if (!read)
        return fail(std::move(read.error()), "notices");
    return rows;
}

Status Store::putNotice(const NoticeRow& notice)
{
    return upsertNotice(m_impl->database, notice);
}

Status Store::removeNotice(std::uint8_t kind, std::string_view name)
{
    const auto done =
        m_impl->database.run("DELETE FROM notices WHERE kind = ?1 AND name = ?2", std::int64_t{kind}, name);
    if (!done)
        return fail(Error(done.error()), "notice");
    return {};
}

Result<trust::Floors> Store::floors() const
{
    trust::Floors floors;
    auto read = forEachRow(m_impl->database.query(kSelectFloors), [&](const Statement& row) -> Status {
        auto found = floorFrom(row);
        if (!found)
            return tl::unexpected<Error>(found.error());
        floors.raise(found->uri, found->floor);
        return {};
    });
    if (!read)
        return fail(std::move(read.error()), "floors");
    return floors;
}

Result<std::vector<update::Record>> Store::records() const
{
    std::vector<update::Record> records;
    std::string sql(kSelectRecords);
    sql += "ORDER BY uri, epoch, version";
    auto read = forEachRow(m_impl->database.query(sql.c_str()), [&](const Statement& row) -> Status {
        auto record = recordFrom(row);
        if (!record)
            return tl::unexpected<Error>(record.error());
        records.push_back(std::move(*record));
        return {};
    });
    if (!read)
        return fail(std::move(read.error()), "records");
    return records;
}

Status Store::acceptRelease(const NoticeRow& notice, const trust::Floor& floor, const update::Record& record)
{
    STARLING_ASSERT(record.revision == floor.revision && record.infoHash == floor.infoHash);
    Database& database = m_impl->database;
    auto accepted = m_impl->atomically([&]() -> Status {
        if (auto raised = raiseFloor(database, record.uri, floor); !raised)
            return raised;
        if (auto put = upsertNotice(database, notice); !put)
            return put;
        return insertRecord(database, record);
    });
    if (!accepted)
        return fail(std::move(accepted.error()), "accept " + record.uri.text());
    m_impl->protect();
    return {};
}

Status Store::putRecord(const update::Record& record)
{
    Database& database = m_impl->database;
    return m_impl->atomically([&]() -> Status {
        if (auto inserted = insertRecord(database, record); !inserted)
            return inserted;
        if (auto updated = updateRecord(database, record); !updated)
            return updated;
        return record.phase == trust::Phase::Healthy ? markInstalled(database, record) : Status();
    });
}

Result<std::vector<InfoHash>> Store::pruneRecords(const ResourceUri& uri, std::size_t keep)
{
    std::vector<InfoHash> forgotten;
    constexpr std::uint64_t kAll = std::numeric_limits<std::int64_t>::max();
    auto done = forEachRow(
        m_impl->database.query(
            "DELETE FROM records WHERE uri = ?1 AND phase IN (?3, ?4, ?5)"
            " AND (epoch, version) NOT IN (SELECT epoch, version FROM records WHERE uri = ?1"
            " ORDER BY epoch DESC, version DESC LIMIT ?2)"
            " AND (epoch, version) NOT IN (SELECT epoch, version FROM installed WHERE uri = ?1)"
            " RETURNING info_hash",
            uri.text(), std::min(std::uint64_t{keep}, kAll), static_cast<std::int64_t>(trust::Phase::Healthy),
            static_cast<std::int64_t>(trust::Phase::Failed),
            static_cast<std::int64_t>(trust::Phase::RolledBack)),
        [&](const Statement& row) -> Status {
            auto hash = infoHashFrom(row, 0);
            if (!hash)
                return tl::unexpected<Error>(hash.error());
            forgotten.push_back(*hash);
            return {};
        });
    if (!done)
        return fail(std::move(done.error()), "prune " + uri.text());
    return forgotten;
}

Result<std::optional<update::Record>> Store::installed(const ResourceUri& uri) const
{
    std::optional<update::Record> record;
    std::string sql(kSelectRecords);
    sql += "WHERE (uri, epoch, version) IN (SELECT uri, epoch, version FROM installed WHERE uri = ?1)";
    auto read =
        forEachRow(m_impl->database.query(sql.c_str(), uri.text()), [&](const Statement& row) -> Status {
            auto found = recordFrom(row);
            if (!found)
                return tl::unexpected<Error>(found.error());
            record = std::move(*found);
            return {};
        });
    if (!read)
        return fail(std::move(read.error()), "installed " + uri.text());
    return record;
}

Result<std::uint64_t> Store::reserveSequences(std::string_view counter, std::uint64_t count)
{
    if (count == 0)
        return fail(Errc::Usage, "no sequence numbers asked for");
    if (auto fits = requireAtMost(counter.size(), kMaxNameBytes, "counter"); !fits)
        return tl::unexpected<Error>(fits.error());
    Database& database = m_impl->database;
    std::uint64_t first = 0;
    auto reserved = m_impl->atomically([&]() -> Status {
        const auto next = nextSequence(database, counter);
        if (!next)
            return tl::unexpected<Error>(next.error());
        if (count > kMaxNumber - *next)
            return fail(Errc::TooLarge, "sequence numbers of " + std::string(counter) + " are used up");
        first = *next;
        const auto done =
            database.run("INSERT INTO sequences (counter, next, mark) VALUES (?1, ?2, ?3)"
                         " ON CONFLICT DO UPDATE SET next = excluded.next, mark = excluded.mark",
                         counter, first + count, sequenceMark(counter, first + count));
        return done ? Status() : Status(tl::unexpected<Error>(done.error()));
    });
    if (!reserved)
        return fail(std::move(reserved.error()), "reserve sequences");
    m_impl->protect();
    return first;
}

Result<std::uint64_t> Store::peekSequence(std::string_view counter) const
{
    auto next = nextSequence(m_impl->database, counter);
    if (!next)
        return fail(std::move(next.error()), "sequences");
    return next;
}

Status Store::putReceipts(const std::vector<ReceiptRow>& receipts)
{
    const auto before = receiptCount();
    if (!before)
        return tl::unexpected<Error>(before.error());
    std::uint64_t count = *before;
    auto put = m_impl->atomically([&]() -> Status {
        for (const ReceiptRow& receipt : receipts) {
            const auto isFirst = upsertReceipt(m_impl->database, receipt);
            if (!isFirst)
                return tl::unexpected<Error>(isFirst.error());
            count += *isFirst ? 1 : 0;
        }
        if (count > kMaxReceipts)
            return fail(Errc::TooLarge, "receipts of more than " + std::to_string(kMaxReceipts) + " devices");
        return {};
    });
    if (put)
        m_impl->receipts = count;
    return put;
}

Result<std::vector<StoredReceipt>> Store::receiptsAfter(std::uint64_t change, std::size_t limit,
                                                        std::size_t bytes) const
{
    std::vector<StoredReceipt> receipts;
    if (change > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return receipts;
    auto rows = m_impl->database.query("SELECT change, device, sequence, bytes FROM receipts"
                                       " WHERE change > ?1 ORDER BY change LIMIT ?2",
                                       change, static_cast<std::int64_t>(limit));
    if (!rows)
        return fail(std::move(rows.error()), "receipts");
    for (std::size_t taken = 0;;) {
        const auto row = rows->step();
        if (!row)
            return fail(Error(row.error()), "receipts");
        if (!*row)
            return receipts;
        const auto device = NodeId::fromBytes(rows->blob(1));
        if (!device)
            return fail(Errc::StateCorrupt, "database: receipt of no device");
        StoredReceipt next{rows->natural(0), {*device, rows->natural(2), rows->blob(3)}};
        taken += next.row.bytes.size();
        if (taken > bytes && !receipts.empty())
            return receipts;
        receipts.push_back(std::move(next));
    }
}

Result<std::uint64_t> Store::newestReceipt() const
{
    const auto newest = m_impl->database.integer("SELECT coalesce(max(change), 0) FROM receipts");
    if (!newest)
        return fail(Error(newest.error()), "receipts");
    return static_cast<std::uint64_t>(*newest);
}

Result<std::uint64_t> Store::receiptCount() const
{
    if (m_impl->receipts)
        return *m_impl->receipts;
    const auto count = m_impl->database.integer("SELECT count(*) FROM receipts");
    if (!count)
        return fail(Error(count.error()), "receipts");
    m_impl->receipts = static_cast<std::uint64_t>(*count);
    return *m_impl->receipts;
}

Status Store::putResumeData(const InfoHash& payload, ByteView data)
{
    if (auto fits = requireAtMost(data.size(), kMaxResumeBytes, "resume data"); !fits)
        return fits;
    const auto done = m_impl->database.run("INSERT INTO resume_data (info_hash, data) VALUES (?1, ?2)"
                                           " ON CONFLICT DO UPDATE SET data = excluded.data",
                                           payload.bytes(), data);
    return done ? Status() : Status(fail(Error(done.error()), "resume data"));
}

Result<std::optional<Bytes>> Store::resumeData(const InfoHash& payload) const
{
    std::optional<Bytes> data;
    auto read = forEachRow(
        m_impl->database.query("SELECT data FROM resume_data WHERE info_hash = ?1", payload.bytes()),
        [&](const Statement& row) -> Status {
            data = row.blob(0);
            return {};
        });
    if (!read)
        return fail(std::move(read.error()), "resume data");
    return data;
}

Status Store::forgetPayload(const InfoHash& payload)
{
    const auto done = m_impl->database.run("DELETE FROM resume_data WHERE info_hash = ?1", payload.bytes());
    return done ? Status() : Status(fail(Error(done.error()), "forget payload"));
}

} // namespace starling::store
