// SPDX-License-Identifier: Apache-2.0
/// How the fields that all payloads share are written and read. For the .cpp files of this room, and of
/// enrol's.
#pragma once

#include "base/assert.h"
#include "base/uri.h"
#include "bencode/bencode.h"
#include "trust/documents.h"

namespace starling::trust::fields {

/// Every payload's `format`.
constexpr bencode::Integer kFormat = 1;
constexpr std::size_t kMaxNameBytes = 64; ///< of a device's name, and of labels and their values
constexpr std::size_t kMaxLabels = 32;

/// `value` must be at most Revision::kMaxVersion, the limit of all our counters and times.
inline bencode::Value counter(std::uint64_t value)
{
    STARLING_ASSERT(value <= Revision::kMaxVersion);
    return static_cast<bencode::Integer>(value);
}

template <class Identity> bencode::Value id(const Identity& identity)
{
    return toBytes(identity.bytes());
}

inline bencode::Value text(std::string_view text)
{
    return text;
}

inline Result<std::uint64_t> readCounter(const bencode::DictReader& from, std::string_view key,
                                         std::uint64_t most = Revision::kMaxVersion)
{
    auto value = from.integer(key, 0, static_cast<bencode::Integer>(most));
    if (!value)
        return tl::unexpected(std::move(value.error()));
    return static_cast<std::uint64_t>(*value);
}

inline Result<std::optional<std::uint64_t>> readOptionalCounter(const bencode::DictReader& from,
                                                                std::string_view key)
{
    if (!from.has(key))
        return std::optional<std::uint64_t>();
    auto value = readCounter(from, key);
    if (!value)
        return tl::unexpected(std::move(value.error()));
    return std::optional<std::uint64_t>(*value);
}

template <class Identity> Result<Identity> readId(const bencode::DictReader& from, std::string_view key)
{
    auto bytes = from.bytes(key, Identity::kSize);
    if (!bytes)
        return tl::unexpected(std::move(bytes.error()));
    auto identity = Identity::fromBytes(*bytes);
    if (!identity)
        return fail(std::move(identity.error()), from.name() + "." + std::string(key));
    return std::move(*identity);
}

inline Result<ResourceUri> readUri(const bencode::DictReader& from, std::string_view key)
{
    auto text = from.text(key, ResourceUri::kMaxBytes);
    if (!text)
        return tl::unexpected(std::move(text.error()));
    auto uri = ResourceUri::parse(*text);
    if (!uri)
        return fail(std::move(uri.error()), from.name() + "." + std::string(key));
    return std::move(*uri);
}

inline Result<Revision> readRevision(const bencode::DictReader& from)
{
    auto epoch = readCounter(from, "epoch");
    if (!epoch)
        return tl::unexpected(std::move(epoch.error()));
    auto version = readCounter(from, "version");
    if (!version)
        return tl::unexpected(std::move(version.error()));
    return Revision{*epoch, *version};
}

/// The dictionary `key` of `from`, whose keys are names and which has at most `maxItems`.
inline Result<bencode::DictReader> readNamed(const bencode::DictReader& from, std::string_view key,
                                             std::size_t maxItems)
{
    auto dict = from.dict(key);
    if (!dict)
        return dict;
    if (dict->entries().size() > maxItems)
        return fail(Errc::TooLarge, dict->name() + " has more than " + std::to_string(maxItems) + " entries");
    for (const auto& [name, value] : dict->entries()) {
        if (name.empty() || name.size() > kMaxNameBytes)
            return fail(Errc::TooLarge, dict->name() + ": a name has 1 to 64 bytes");
        if (!bencode::isPlainText(name))
            return fail(Errc::Malformed, dict->name() + ": a name is not plain text");
    }
    return dict;
}

inline Result<std::map<std::string, std::string>> readLabels(const bencode::DictReader& from)
{
    auto dict = readNamed(from, "labels", kMaxLabels);
    if (!dict)
        return tl::unexpected(std::move(dict.error()));
    std::map<std::string, std::string> labels;
    for (const auto& [name, value] : dict->entries()) {
        auto text = dict->text(name, kMaxNameBytes);
        if (!text)
            return tl::unexpected(std::move(text.error()));
        labels.emplace(name, std::move(*text));
    }
    return labels;
}

} // namespace starling::trust::fields
