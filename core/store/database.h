// SPDX-License-Identifier: Apache-2.0
/// SQLite's C interface with owners for its handles and its errors as values. Knows no table of ours.
#pragma once

#include "base/bytes.h"

#include <filesystem>
#include <memory>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace starling::store {

/// How long a bound text or blob stays where it is.
enum class Lifetime : std::uint8_t { OutlivesStatement, MustBeCopied };

/// A prepared statement. Columns and parameters are numbered as SQLite does: from 0 and from 1.
class Statement
{
public:
    /// Whether there is a row; false once it is done.
    Result<bool> step();
    std::int64_t integer(int column) const;
    /// integer() of a column that the schema keeps from being negative.
    std::uint64_t natural(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::string text(int column) const;
    Bytes blob(int column) const;

private:
    friend class Database;
    struct Finalizer
    {
        void operator()(sqlite3_stmt* statement) const;
    };
    explicit Statement(sqlite3_stmt* statement)
        : m_statement(statement)
    {
    }
    Status bind(int parameter, std::int64_t value, Lifetime);
    Status bind(int parameter, std::uint64_t value, Lifetime);
    Status bind(int parameter, std::string_view value, Lifetime);
    Status bind(int parameter, ByteView value, Lifetime);
    std::unique_ptr<sqlite3_stmt, Finalizer> m_statement;
};

class Database
{
public:
    /// What stands in the file's header, which SQLite need not be asked for.
    struct Header
    {
        std::uint32_t layout = 0; ///< `user_version`: number of the last migration
        std::uint32_t application = 0; ///< `application_id`
    };
    /// StateCorrupt if the file is not a database.
    static Result<Header> readHeader(const std::filesystem::path& file);

    /// Opens a file that exists (it may be empty), exclusively, and writes nothing yet: see settle().
    static Result<Database> open(const std::filesystem::path& file);
    /// Reads the whole file: StateCorrupt if its structure or a constraint does not hold.
    Status verifyStructure();
    /// From here on the file may change: WAL, synced at every commit, folded into the file when closed.
    Status settle();
    /// Folds the log into the file and empties it. When it fails, the log remains and nothing is lost.
    Status checkpoint();
    /// Gives cached pages back.
    void releaseMemory();

    /// One or several statements without parameters.
    Status execute(const char* sql);
    /// A statement that changes something, at once; returns how many rows it changed.
    template <class... Values> Result<int> run(const char* sql, const Values&... values)
    {
        auto statement = prepare(sql, Lifetime::OutlivesStatement, values...);
        if (!statement)
            return fail(std::move(statement.error()), "write");
        const auto stepped = statement->step();
        if (!stepped)
            return tl::unexpected<Error>(stepped.error());
        return changes();
    }
    /// A statement to be stepped through.
    template <class... Values> Result<Statement> query(const char* sql, const Values&... values)
    {
        return prepare(sql, Lifetime::MustBeCopied, values...);
    }
    /// The first column of the only row.
    Result<std::int64_t> integer(const char* sql);

private:
    friend class Transaction;
    struct Closer
    {
        void operator()(sqlite3* database) const;
    };
    explicit Database(sqlite3* database)
        : m_database(database)
    {
    }
    Status configure();
    Result<Statement> compile(const char* sql);
    int changes() const;
    template <class... Values>
    Result<Statement> prepare(const char* sql, [[maybe_unused]] Lifetime life, const Values&... values)
    {
        auto statement = compile(sql);
        if (!statement)
            return statement;
        Status bound;
        int parameter = 0;
        ((bound = bound ? statement->bind(++parameter, values, life) : std::move(bound)), ...);
        if (!bound)
            return tl::unexpected<Error>(bound.error());
        return statement;
    }
    std::unique_ptr<sqlite3, Closer> m_database;
};

/// All or nothing: rolled back unless committed.
class Transaction
{
public:
    static Result<Transaction> begin(Database& database);
    /// Durable when it returns Ok.
    Status commit();
    ~Transaction();
    Transaction(Transaction&& other) noexcept
        : m_database(std::exchange(other.m_database, nullptr))
    {
    }
    Transaction& operator=(Transaction&&) = delete;

private:
    explicit Transaction(Database& database)
        : m_database(&database)
    {
    }
    Database* m_database;
};

} // namespace starling::store
