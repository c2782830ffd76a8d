// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include "base/assert.h"
#include "store/directory_lock.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace starling::store {

namespace {

// An idle agent's memory matters more than the speed of a database with a few writes a minute.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE;" // no shared-memory file; the lock is ours
    "PRAGMA cache_size = -256;" // KiB
    "PRAGMA mmap_size = 0;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA recursive_triggers = ON;" // so that REPLACE cannot evade them
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 64;" // pages
    "PRAGMA journal_size_limit = 0;";
constexpr sqlite3_int64 kHeapBytes = 1024 * 1024; ///< guess: above it SQLite gives back what it cached
constexpr std::size_t kHeaderBytes = 100; ///< SQLite file format, 1.3
constexpr std::string_view kMagic("SQLite format 3\0", 16);

Errc codeOf(int result, int systemError)
{
    if (result == SQLITE_CONSTRAINT_TRIGGER)
        return Errc::Rollback;
    switch (result & 0xff) {
    case SQLITE_FULL:
        return Errc::DiskFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: // our own SQL is right, so a table that it names is not there
    case SQLITE_SCHEMA:
        return Errc::StateCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return Errc::StateLocked;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return Errc::Malformed;
    case SQLITE_TOOBIG:
        return Errc::TooLarge;
    default:
        return systemError == ENOSPC || systemError == EDQUOT ? Errc::DiskFull : Errc::Io;
    }
}

[[nodiscard]] tl::unexpected<Error> failSqlite(sqlite3* database, int result)
{
    const int systemError = database ? sqlite3_system_errno(database) : 0;
    std::string context = "database: ";
    context += database ? sqlite3_errmsg(database) : sqlite3_errstr(result);
    if ((result & 0xff) == SQLITE_IOERR && systemError != 0)
        context += std::string(" (") + std::strerror(systemError) + ')';
    return fail(codeOf(database ? sqlite3_extended_errcode(database) : result, systemError), context);
}

sqlite3_destructor_type destructorOf(Lifetime life)
{
    return life == Lifetime::OutlivesStatement ? SQLITE_STATIC : SQLITE_TRANSIENT;
}

} // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const
{
    sqlite3_finalize(statement);
}

Result<bool> Statement::step()
{
    const int result = sqlite3_step(m_statement.get());
    if (result == SQLITE_ROW || result == SQLITE_DONE)
        return result == SQLITE_ROW;
    return failSqlite(sqlite3_db_handle(m_statement.get()), result);
}

std::int64_t Statement::integer(int column) const
{
    return sqlite3_column_int64(m_statement.get(), column);
}

std::string Statement::text(int column) const
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
    return text ? std::string(text, size) : std::string();
}

Bytes Statement::blob(int column) const
{
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(m_statement.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
    return bytes ? Bytes(bytes, bytes + size) : Bytes();
}

Status Statement::bind(int parameter, std::int64_t value, Lifetime)
{
    const int result = sqlite3_bind_int64(m_statement.get(), parameter, value);
    if (result != SQLITE_OK)
        return failSqlite(sqlite3_db_handle(m_statement.get()), result);
    return {};
}

Status Statement::bind(int parameter, std::uint64_t value, Lifetime life)
{
    return bind(parameter, static_cast<std::int64_t>(value), life);
}

Status Statement::bind(int parameter, std::string_view value, Lifetime life)
{
    const char* text = value.data() ? value.data() : ""; // a null pointer would bind NULL
    const int result = sqlite3_bind_text64(m_statement.get(), parameter, text, value.size(),
                                           destructorOf(life), SQLITE_UTF8);
    if (result != SQLITE_OK)
        return failSqlite(sqlite3_db_handle(m_statement.get()), result);
    return {};
}

Status Statement::bind(int parameter, ByteView value, Lifetime life)
{
    const void* bytes = value.data() ? static_cast<const void*>(value.data()) : "";
    const int result =
        sqlite3_bind_blob64(m_statement.get(), parameter, bytes, value.size(), destructorOf(life));
    if (result != SQLITE_OK)
        return failSqlite(sqlite3_db_handle(m_statement.get()), result);
    return {};
}

void Database::Closer::operator()(sqlite3* database) const
{
    const int result = sqlite3_close(database);
    STARLING_ASSERT(result == SQLITE_OK); // otherwise a statement outlives its database
}

Result<Database::Header> Database::readHeader(const std::filesystem::path& file)
{
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return failSystem(errno, "open " + file.string());
    Bytes bytes(kHeaderBytes);
    const auto got = ::read(descriptor, bytes.data(), bytes.size());
    const int error = errno;
    ::close(descriptor);
    if (got < 0)
        return failSystem(error, "read " + file.string());
    ByteReader reader(ByteView(bytes).first(static_cast<std::size_t>(got)));
    const auto magic = reader.raw(kMagic.size());
    reader.raw(44);
    Header header;
    header.layout = reader.u32(); // offset 60
    reader.raw(4);
    header.application = reader.u32(); // offset 68
    if (!reader.isGood() || toText(magic) != kMagic)
        return fail(Errc::StateCorrupt, file.string() + " is not a database");
    return header;
}

Result<Database> Database::open(const std::filesystem::path& file)
{
    sqlite3_soft_heap_limit64(kHeapBytes);
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    Database database(handle);
    if (result != SQLITE_OK)
        return fail(failSqlite(handle, result).value(), "open " + file.string());
    if (auto configured = database.configure(); !configured)
        return fail(std::move(configured.error()), file.string());
    return database;
}

Status Database::configure()
{
    sqlite3* handle = m_database.get();
    sqlite3_busy_timeout(handle, 0);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return execute(kSettings);
}

Status Database::verifyStructure()
{
    auto found = query("PRAGMA quick_check(1)");
    if (!found)
        return fail(std::move(found.error()), "verify");
    const auto row = found->step();
    if (!row)
        return tl::unexpected<Error>(row.error());
    const std::string verdict = *row ? found->text(0) : "no verdict";
    if (verdict != "ok")
        return fail(Errc::StateCorrupt, "database: " + verdict);
    return {};
}

Status Database::settle()
{
    if (auto done = execute("PRAGMA journal_mode = WAL"); !done)
        return done;
    sqlite3_db_config(m_database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return {};
}

Status Database::checkpoint()
{
    const int result =
        sqlite3_wal_checkpoint_v2(m_database.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (result != SQLITE_OK)
        return failSqlite(m_database.get(), result);
    return {};
}

void Database::releaseMemory()
{
    sqlite3_db_release_memory(m_database.get());
}

Status Database::execute(const char* sql)
{
    const int result = sqlite3_exec(m_database.get(), sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK)
        return failSqlite(m_database.get(), result);
    return {};
}

Result<std::int64_t> Database::integer(const char* sql)
{
    auto statement = query(sql);
    if (!statement)
        return tl::unexpected<Error>(statement.error());
    const auto row = statement->step();
    if (!row)
        return tl::unexpected<Error>(row.error());
    if (!*row)
        return fail(Errc::StateCorrupt, std::string("database: no answer to ") + sql);
    return statement->integer(0);
}

Result<Statement> Database::compile(const char* sql)
{
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v2(m_database.get(), sql, -1, &statement, nullptr);
    if (result != SQLITE_OK)
        return failSqlite(m_database.get(), result);
    return Statement(statement);
}

int Database::changes() const
{
    return sqlite3_changes(m_database.get());
}

Result<Transaction> Transaction::begin(Database& database)
{
    // IMMEDIATE: whoever begins means to write.
    if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun)
        return tl::unexpected<Error>(begun.error());
    return Transaction(database);
}

Status Transaction::commit()
{
    auto committed = m_database->execute("COMMIT");
    if (!committed)
        return committed; // the destructor rolls back
    m_database = nullptr;
    return {};
}

Transaction::~Transaction()
{
    // Some failures (full disk, input/output) have rolled back by themselves.
    if (m_database && sqlite3_get_autocommit(m_database->m_database.get()) == 0)
        sqlite3_exec(m_database->m_database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

} // namespace starling::store
