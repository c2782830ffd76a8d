// SPDX-License-Identifier: Apache-2.0
// The payload, canonical bencoding:
//
//     d 5:epoch <n> 6:format i1e 9:info-hash <32 bytes> 3:uri <uri> 7:version <n> e
#include "trust/withdrawal.h"

#include "trust/fields.h"

namespace starling::trust {

namespace {

constexpr std::size_t kMaxPayloadBytes = 1'024; ///< guess: twice what the longest URI needs
constexpr std::array<std::string_view, 6> kKnownKeys{"critical",  "epoch", "format",
                                                     "info-hash", "uri",   "version"};

} // namespace

Bytes Withdrawal::serialize() const
{
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("uri", fields::text(uri.text()));
    dict.emplace("epoch", fields::counter(revision.epoch));
    dict.emplace("version", fields::counter(revision.version));
    dict.emplace("info-hash", fields::id(infoHash));
    return bencode::encode(dict);
}

Result<Withdrawal> Withdrawal::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "withdrawal");
    auto from = bencode::DictReader::of(*value, "withdraw");
    if (!from)
        return tl::unexpected(std::move(from.error()));
    if (auto status = from->requireFormat(fields::kFormat, kKnownKeys); !status)
        return tl::unexpected(std::move(status.error()));
    auto uri = fields::readUri(*from, "uri");
    if (!uri)
        return tl::unexpected(std::move(uri.error()));
    auto revision = fields::readRevision(*from);
    if (!revision)
        return tl::unexpected(std::move(revision.error()));
    if (revision->version == 0)
        return fail(Errc::Malformed, "withdraw.version is 0, which is no release");
    auto infoHash = fields::readId<InfoHash>(*from, "info-hash");
    if (!infoHash)
        return tl::unexpected(std::move(infoHash.error()));
    return Withdrawal{std::move(*uri), *revision, *infoHash};
}

} // namespace starling::trust
