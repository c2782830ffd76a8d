// SPDX-License-Identifier: Apache-2.0
#include "store/rows.h"

#include "crypto/sha256.h"

namespace starling::store {

namespace {

constexpr std::size_t kMarkBytes = 8;

Bytes markOf(ByteWriter writer)
{
    const Digest digest = crypto::sha256(writer.take());
    return toBytes(digest.bytes().first(kMarkBytes));
}

Result<ResourceUri> uriFrom(const Statement& row, int column)
{
    auto uri = ResourceUri::parse(row.text(column));
    if (!uri)
        return fail(Errc::StateCorrupt, "database: " + uri.error().context);
    return uri;
}

} // namespace

Bytes floorMark(const ResourceUri& uri, const trust::Floor& floor)
{
    ByteWriter writer;
    writer.sized(viewOf(uri.text()));
    writer.u64(floor.revision.epoch);
    writer.u64(floor.revision.version);
    writer.raw(floor.infoHash.bytes());
    return markOf(std::move(writer));
}

Bytes sequenceMark(std::string_view counter, std::uint64_t next)
{
    ByteWriter writer;
    writer.sized(viewOf(counter));
    writer.u64(next);
    return markOf(std::move(writer));
}

Result<InfoHash> infoHashFrom(const Statement& row, int column)
{
    auto hash = InfoHash::fromBytes(row.blob(column));
    if (!hash)
        return fail(Errc::StateCorrupt, "database: " + hash.error().context);
    return hash;
}

Result<FloorRow> floorFrom(const Statement& row)
{
    auto uri = uriFrom(row, 0);
    if (!uri)
        return tl::unexpected<Error>(uri.error());
    const auto hash = infoHashFrom(row, 3);
    if (!hash)
        return tl::unexpected<Error>(hash.error());
    FloorRow found{std::move(*uri), {{row.natural(1), row.natural(2)}, *hash}};
    if (row.blob(4) != floorMark(found.uri, found.floor))
        return fail(Errc::StateCorrupt, "database: the floor of " + found.uri.text() + " is damaged");
    return found;
}

Result<update::Record> recordFrom(const Statement& row)
{
    auto uri = uriFrom(row, 0);
    if (!uri)
        return tl::unexpected<Error>(uri.error());
    const auto hash = infoHashFrom(row, 3);
    if (!hash)
        return tl::unexpected<Error>(hash.error());
    // The schema's constraints, verified when the database was opened, keep the numbers in their types.
    update::Record record{.uri = std::move(*uri),
                          .revision = {row.natural(1), row.natural(2)},
                          .infoHash = *hash,
                          .phase = static_cast<trust::Phase>(row.integer(4)),
                          .code = static_cast<std::uint16_t>(row.integer(5)),
                          .detail = row.text(6),
                          .attempts = static_cast<std::uint32_t>(row.integer(7)),
                          .wrongPayloads = static_cast<std::uint32_t>(row.integer(8))};
    if (record.detail.size() > update::kMaxDetailBytes)
        return fail(Errc::StateCorrupt, "database: a detail is over its limit");
    return record;
}

} // namespace starling::store
