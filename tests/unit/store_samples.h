// SPDX-License-Identifier: Apache-2.0
/// Values for the tests of core/store.
#pragma once

#include "store/store.h"

namespace starling::samples {

inline ResourceUri uri(std::string_view text = "fw/gateway")
{
    return ResourceUri::parse(text).value();
}

/// A different one for each number.
inline InfoHash hashOf(std::uint64_t number)
{
    ByteWriter writer;
    for (int i = 0; i < 4; ++i)
        writer.u64(number * 0x9e3779b97f4a7c15ull + static_cast<std::uint64_t>(i));
    return InfoHash::fromBytes(writer.take()).value();
}

/// What a release of that version leaves in a store.
struct Accepted
{
    store::NoticeRow notice;
    trust::Floor floor;
    update::Record record;
};

inline Accepted releaseOf(std::uint64_t version, const ResourceUri& of = uri(), std::size_t noticeBytes = 300)
{
    Bytes bytes = toBytes(of.text() + ' ' + std::to_string(version) + ' ');
    bytes.resize(std::max(bytes.size(), noticeBytes), static_cast<std::byte>(version));
    return {{.kind = 3, .name = of.text(), .bytes = std::move(bytes)},
            {{0, version}, hashOf(version)},
            {.uri = of, .revision = {0, version}, .infoHash = hashOf(version)}};
}

inline Status accept(store::Store& store, const Accepted& release)
{
    return store.acceptRelease(release.notice, release.floor, release.record);
}

inline Status accept(store::Store& store, std::uint64_t version)
{
    return accept(store, releaseOf(version));
}

/// The version of the floor of `of`, 0 if there is none.
inline std::uint64_t floorOf(const store::Store& store, const ResourceUri& of = uri())
{
    const auto floors = store.floors();
    const trust::Floor* floor = floors ? floors->find(of) : nullptr;
    return floor ? floor->revision.version : 0;
}

} // namespace starling::samples
