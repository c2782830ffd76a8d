// SPDX-License-Identifier: Apache-2.0
/// Rows of the database as values, and the marks that show a damaged one. What cannot be is StateCorrupt.
#pragma once

#include "store/database.h"
#include "trust/floors.h"
#include "update/life_cycle.h"

namespace starling::store {

/// First 8 bytes of a SHA-256 over the row: against damage, not against an attacker, who could write a mark,
/// too.
Bytes floorMark(const ResourceUri& uri, const trust::Floor& floor);
Bytes sequenceMark(std::string_view counter, std::uint64_t next);

struct FloorRow
{
    ResourceUri uri;
    trust::Floor floor;
};
/// The columns that floorFrom() takes, in its order; a WHERE may follow.
constexpr const char* kSelectFloors = "SELECT uri, epoch, version, info_hash, mark FROM floors ";
Result<FloorRow> floorFrom(const Statement& row);

/// The columns that recordFrom() takes, in its order; a WHERE may follow.
constexpr const char* kSelectRecords = "SELECT uri, epoch, version, info_hash, phase, code, detail, attempts,"
                                       " wrong_payloads FROM records ";
Result<update::Record> recordFrom(const Statement& row);

/// StateCorrupt unless the blob is a hash.
Result<InfoHash> infoHashFrom(const Statement& row, int column);

/// `take(row)` for each row, until one fails.
template <class Take> Status forEachRow(Result<Statement> rows, Take take)
{
    if (!rows)
        return fail(std::move(rows.error()), "read");
    for (;;) {
        const auto row = rows->step();
        if (!row)
            return fail(Error(row.error()), "read");
        if (!*row)
            return {};
        if (Status taken = take(*rows); !taken)
            return taken;
    }
}

} // namespace starling::store
