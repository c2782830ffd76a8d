// SPDX-License-Identifier: Apache-2.0
#include "store/layout.h"

#include "store/directory_lock.h"
#include "store/migrations.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace starling::store {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kApplication = 0x53544152; ///< "STAR", as in the first migration

fs::path logOf(const fs::path& file)
{
    return fs::path(file).concat("-wal");
}

std::uint32_t latestLayout()
{
    return static_cast<std::uint32_t>(migrations().size());
}

Status requireOurLayout(const fs::path& file, std::int64_t layout)
{
    if (layout > std::int64_t{latestLayout()})
        return fail(Errc::StateNewer,
                    file.string() + " has layout " + std::to_string(layout)
                        + ", and this version speaks layouts up to " + std::to_string(latestLayout()));
    if (layout < 1)
        return fail(Errc::StateCorrupt, file.string() + " has no layout");
    return {};
}

/// Each migration with its number in one transaction.
Status migrate(Database& database)
{
    const auto layout = database.integer("PRAGMA user_version");
    if (!layout)
        return fail(Error(layout.error()), "layout");
    for (auto next = static_cast<std::size_t>(*layout); next < migrations().size(); ++next) {
        const std::string number = std::to_string(next + 1);
        auto transaction = Transaction::begin(database);
        if (!transaction)
            return fail(std::move(transaction.error()), "migration " + number);
        if (auto done = database.execute(migrations()[next]); !done)
            return fail(std::move(done.error()), "migration " + number);
        if (auto done = database.execute(("PRAGMA user_version = " + number).c_str()); !done)
            return fail(std::move(done.error()), "migration " + number);
        if (auto done = transaction->commit(); !done)
            return fail(std::move(done.error()), "migration " + number);
    }
    return {};
}

Status makeEmptyFile(const fs::path& file)
{
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return failSystem(errno, "create " + file.string());
    ::close(descriptor);
    return {};
}

Status syncDirectory(const fs::path& directory)
{
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return failSystem(errno, "open " + directory.string());
    const int result = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (result != 0)
        return failSystem(error, "sync " + directory.string());
    return {};
}

/// Under another name until it is whole, so that a state.db is never an unfinished one.
Status createState(const fs::path& file)
{
    const fs::path unfinished = fs::path(file).concat(".new");
    std::error_code ignored; // what cannot be removed makes makeEmptyFile() fail
    for (const char* suffix : {"", "-wal", "-journal"})
        fs::remove(fs::path(unfinished).concat(suffix), ignored);
    if (auto made = makeEmptyFile(unfinished); !made)
        return made;
    {
        auto database = Database::open(unfinished);
        if (!database)
            return tl::unexpected<Error>(database.error());
        if (auto settled = database->settle(); !settled)
            return settled;
        if (auto migrated = migrate(*database); !migrated)
            return migrated;
        if (auto folded = database->checkpoint(); !folded)
            return folded;
    }
    if (::rename(unfinished.c_str(), file.c_str()) != 0)
        return failSystem(errno, "rename " + unfinished.string());
    return syncDirectory(file.parent_path());
}

/// Before SQLite sees the file: nothing is touched of what another version or program wrote.
Status judgeHeader(const fs::path& file)
{
    const auto header = Database::readHeader(file);
    if (!header)
        return tl::unexpected<Error>(header.error());
    if (header->application != kApplication)
        return fail(Errc::StateCorrupt, file.string() + " is not a state of Starling");
    return requireOurLayout(file, header->layout);
}

} // namespace

Result<Database> openState(const fs::path& directory)
{
    const fs::path file = directory / "state.db";
    std::error_code error;
    if (!fs::exists(fs::symlink_status(file, error))) {
        if (fs::exists(logOf(file), error))
            return fail(Errc::StateCorrupt, file.string() + " is missing, but its log is there");
        if (auto created = createState(file); !created)
            return fail(std::move(created.error()), "create " + file.string());
    }
    if (auto judged = judgeHeader(file); !judged)
        return tl::unexpected<Error>(judged.error());
    auto database = Database::open(file);
    if (!database)
        return database;
    // Once more with the log, which may hold a later migration than the file.
    const auto layout = database->integer("PRAGMA user_version");
    if (!layout)
        return fail(Error(layout.error()), file.string());
    if (auto ours = requireOurLayout(file, *layout); !ours)
        return tl::unexpected<Error>(ours.error());
    if (auto verified = database->verifyStructure(); !verified)
        return fail(std::move(verified.error()), file.string());
    if (auto settled = database->settle(); !settled)
        return fail(std::move(settled.error()), file.string());
    if (auto migrated = migrate(*database); !migrated)
        return fail(std::move(migrated.error()), file.string());
    database->releaseMemory();
    return database;
}

} // namespace starling::store
