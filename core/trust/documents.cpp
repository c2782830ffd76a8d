// SPDX-License-Identifier: Apache-2.0
// The payloads, canonical bencoding; every dictionary's keys in bytewise order:
//
//     admit       d 11:admit-epoch <n> 6:format i1e 6:labels d <key> <value> … e 4:link <32 bytes> 4:name
//     <text>
//                   4:node <32 bytes> [9:not-after <n>] e
//     receipt     d 6:alarms d <name> <n> … e 7:entries l <entry> … e 6:format i1e 4:node <32 bytes>
//                   [5:paths d <name> <n> … e] 4:root <n> 8:sequence <n> 6:uptime <n> e
//       entry     d 4:code <n> 6:detail <text> 5:epoch <n> 9:info-hash <32 bytes> 5:phase <n> 3:uri <uri>
//                   7:version <n> e
//     descriptor  d 9:addresses l <18 bytes> … e 6:format i1e 4:node <32 bytes> 8:sequence <n> 10:swarm-port
//     <n> e
#include "trust/documents.h"

#include "trust/fields.h"

#include <limits>

namespace starling::trust {

namespace {

constexpr std::size_t kMaxPayloadBytes = 64 * 1024; ///< the default limit of an envelope
constexpr std::size_t kMaxEntries = 64;
constexpr std::size_t kMaxDetailBytes = 200;
constexpr std::size_t kMaxAlarms = 32;
constexpr std::size_t kMaxPaths = 8;
constexpr std::size_t kMaxAddresses = 8;
constexpr std::size_t kEndpointBytes = 18; ///< base/endpoint.h
constexpr std::uint64_t kMaxU16 = std::numeric_limits<std::uint16_t>::max();

constexpr std::array<std::string_view, 8> kCertificateKeys{
    "admit-epoch", "critical", "format", "labels", "link", "name", "node", "not-after",
};
constexpr std::array<std::string_view, 9> kReceiptKeys{
    "alarms", "critical", "entries", "format", "node", "paths", "root", "sequence", "uptime",
};
constexpr std::array<std::string_view, 6> kDescriptorKeys{
    "addresses", "critical", "format", "node", "sequence", "swarm-port",
};

struct PhaseRow
{
    Phase phase;
    std::string_view name;
};
constexpr std::array kPhases{
    PhaseRow{Phase::Announced, "announced"},     PhaseRow{Phase::Accepted, "accepted"},
    PhaseRow{Phase::Downloading, "downloading"}, PhaseRow{Phase::Verifying, "verifying"},
    PhaseRow{Phase::Staged, "staged"},           PhaseRow{Phase::Deploying, "deploying"},
    PhaseRow{Phase::Checking, "checking"},       PhaseRow{Phase::RollingBack, "rolling-back"},
    PhaseRow{Phase::Healthy, "healthy"},         PhaseRow{Phase::Failed, "failed"},
    PhaseRow{Phase::RolledBack, "rolled-back"},
};

Result<std::map<std::string, std::uint64_t>> readCounts(const bencode::DictReader& from, std::string_view key,
                                                        std::size_t most)
{
    auto dict = fields::readNamed(from, key, most);
    if (!dict)
        return tl::unexpected(std::move(dict.error()));
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [name, value] : dict->entries()) {
        auto count = fields::readCounter(*dict, name);
        if (!count)
            return tl::unexpected(std::move(count.error()));
        counts.emplace(name, *count);
    }
    return counts;
}

bencode::Dict countsOf(const std::map<std::string, std::uint64_t>& counts)
{
    bencode::Dict dict;
    for (const auto& [name, count] : counts)
        dict.emplace(name, fields::counter(count));
    return dict;
}

bencode::Value encodeEntry(const ReceiptEntry& entry)
{
    bencode::Dict dict;
    dict.emplace("uri", fields::text(entry.uri.text()));
    dict.emplace("epoch", fields::counter(entry.revision.epoch));
    dict.emplace("version", fields::counter(entry.revision.version));
    dict.emplace("info-hash", fields::id(entry.infoHash));
    dict.emplace("phase", static_cast<bencode::Integer>(entry.phase));
    dict.emplace("code", static_cast<bencode::Integer>(entry.code));
    dict.emplace("detail", fields::text(entry.detail));
    return dict;
}

Result<Phase> readPhase(const bencode::DictReader& from)
{
    auto number = from.integer("phase", 0, std::numeric_limits<std::uint8_t>::max());
    if (!number)
        return tl::unexpected(std::move(number.error()));
    for (const PhaseRow& row : kPhases)
        if (static_cast<bencode::Integer>(row.phase) == *number)
            return row.phase;
    return fail(Errc::Malformed, from.name() + ".phase " + std::to_string(*number) + " is none");
}

Result<ReceiptEntry> decodeEntry(const bencode::Value& value, std::string name)
{
    auto from = bencode::DictReader::of(value, std::move(name));
    if (!from)
        return tl::unexpected(std::move(from.error()));
    auto uri = fields::readUri(*from, "uri");
    if (!uri)
        return tl::unexpected(std::move(uri.error()));
    auto revision = fields::readRevision(*from);
    if (!revision)
        return tl::unexpected(std::move(revision.error()));
    auto infoHash = fields::readId<InfoHash>(*from, "info-hash");
    if (!infoHash)
        return tl::unexpected(std::move(infoHash.error()));
    auto phase = readPhase(*from);
    if (!phase)
        return tl::unexpected(std::move(phase.error()));
    auto code = fields::readCounter(*from, "code", kMaxU16);
    if (!code)
        return tl::unexpected(std::move(code.error()));
    auto detail = from->text("detail", kMaxDetailBytes);
    if (!detail)
        return tl::unexpected(std::move(detail.error()));
    return ReceiptEntry{std::move(*uri),   *revision, *infoHash, *phase, static_cast<std::uint16_t>(*code),
                        std::move(*detail)};
}

Result<std::vector<ReceiptEntry>> readEntries(const bencode::DictReader& from)
{
    auto list = from.list("entries", kMaxEntries);
    if (!list)
        return tl::unexpected(std::move(list.error()));
    std::vector<ReceiptEntry> entries;
    for (const bencode::Value& item : **list) {
        auto entry = decodeEntry(item, "receipt.entries[" + std::to_string(entries.size()) + "]");
        if (!entry)
            return tl::unexpected(std::move(entry.error()));
        if (!entries.empty() && !(entries.back().uri < entry->uri))
            return fail(Errc::NotCanonical,
                        "receipt.entries: " + entry->uri.text() + " is unsorted or there twice");
        entries.push_back(std::move(*entry));
    }
    return entries;
}

Result<std::vector<Endpoint>> readAddresses(const bencode::DictReader& from)
{
    auto list = from.list("addresses", kMaxAddresses);
    if (!list)
        return tl::unexpected(std::move(list.error()));
    std::vector<Endpoint> addresses;
    for (const bencode::Value& item : **list) {
        const bencode::String* bytes = item.string();
        if (!bytes || bytes->size() != kEndpointBytes)
            return fail(Errc::Malformed, "descriptor.addresses: an address is a string of 18 bytes");
        ByteReader reader(*bytes);
        const Endpoint endpoint = readEndpoint(reader);
        if (endpoint.port == 0)
            return fail(Errc::Malformed, "descriptor.addresses: port 0");
        addresses.push_back(endpoint);
    }
    return addresses;
}

Result<bencode::DictReader> readPayload(const bencode::Value& value, std::string_view what,
                                        std::span<const std::string_view> knownKeys)
{
    auto from = bencode::DictReader::of(value, std::string(what));
    if (!from)
        return from;
    if (auto status = from->requireFormat(fields::kFormat, knownKeys); !status)
        return tl::unexpected(std::move(status.error()));
    return from;
}

} // namespace

std::string toString(const Revision& revision)
{
    const std::string version = std::to_string(revision.version);
    return revision.epoch == 0 ? version : std::to_string(revision.epoch) + ":" + version;
}

std::string_view phaseName(Phase phase)
{
    for (const PhaseRow& row : kPhases)
        if (row.phase == phase)
            return row.name;
    assertionFailed("every Phase has a name", __FILE__, __LINE__);
}

std::optional<Phase> phaseNamed(std::string_view name)
{
    for (const PhaseRow& row : kPhases)
        if (row.name == name)
            return row.phase;
    return std::nullopt;
}

Bytes Certificate::serialize() const
{
    bencode::Dict encodedLabels;
    for (const auto& [key, value] : labels)
        encodedLabels.emplace(key, fields::text(value));
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("node", fields::id(node));
    dict.emplace("link", fields::id(linkKey));
    dict.emplace("name", fields::text(name));
    dict.emplace("labels", std::move(encodedLabels));
    if (notAfter)
        dict.emplace("not-after", fields::counter(*notAfter));
    dict.emplace("admit-epoch", fields::counter(admitEpoch));
    return bencode::encode(dict);
}

Result<Certificate> Certificate::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "certificate");
    auto from = readPayload(*value, "certificate", kCertificateKeys);
    if (!from)
        return tl::unexpected(std::move(from.error()));
    auto node = fields::readId<NodeId>(*from, "node");
    if (!node)
        return tl::unexpected(std::move(node.error()));
    auto linkKey = fields::readId<LinkKey>(*from, "link");
    if (!linkKey)
        return tl::unexpected(std::move(linkKey.error()));
    auto name = from->text("name", fields::kMaxNameBytes);
    if (!name)
        return tl::unexpected(std::move(name.error()));
    if (name->empty())
        return fail(Errc::Malformed, "certificate.name is empty");
    auto labels = fields::readLabels(*from);
    if (!labels)
        return tl::unexpected(std::move(labels.error()));
    auto notAfter = fields::readOptionalCounter(*from, "not-after");
    if (!notAfter)
        return tl::unexpected(std::move(notAfter.error()));
    auto admitEpoch = fields::readCounter(*from, "admit-epoch");
    if (!admitEpoch)
        return tl::unexpected(std::move(admitEpoch.error()));
    return Certificate{*node, *linkKey, std::move(*name), std::move(*labels), *notAfter, *admitEpoch};
}

Bytes Receipt::serialize() const
{
    bencode::List list;
    for (const ReceiptEntry& entry : entries)
        list.push_back(encodeEntry(entry));
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("node", fields::id(node));
    dict.emplace("sequence", fields::counter(sequence));
    dict.emplace("root", fields::counter(rootNumber));
    dict.emplace("uptime", fields::counter(uptimeSeconds));
    dict.emplace("entries", std::move(list));
    dict.emplace("alarms", countsOf(alarms));
    if (!paths.empty())
        dict.emplace("paths", countsOf(paths));
    return bencode::encode(dict);
}

Result<Receipt> Receipt::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "receipt");
    auto from = readPayload(*value, "receipt", kReceiptKeys);
    if (!from)
        return tl::unexpected(std::move(from.error()));
    auto node = fields::readId<NodeId>(*from, "node");
    if (!node)
        return tl::unexpected(std::move(node.error()));
    auto sequence = fields::readCounter(*from, "sequence");
    if (!sequence)
        return tl::unexpected(std::move(sequence.error()));
    auto rootNumber = fields::readCounter(*from, "root");
    if (!rootNumber)
        return tl::unexpected(std::move(rootNumber.error()));
    auto uptime = fields::readCounter(*from, "uptime");
    if (!uptime)
        return tl::unexpected(std::move(uptime.error()));
    auto entries = readEntries(*from);
    if (!entries)
        return tl::unexpected(std::move(entries.error()));
    auto alarms = readCounts(*from, "alarms", kMaxAlarms);
    if (!alarms)
        return tl::unexpected(std::move(alarms.error()));
    Result<std::map<std::string, std::uint64_t>> paths;
    if (from->has("paths"))
        paths = readCounts(*from, "paths", kMaxPaths);
    if (!paths)
        return tl::unexpected(std::move(paths.error()));
    return Receipt{
        *node, *sequence, *rootNumber, *uptime, std::move(*entries), std::move(*alarms), std::move(*paths)};
}

Bytes Descriptor::serialize() const
{
    bencode::List list;
    for (const Endpoint& address : addresses) {
        ByteWriter writer;
        write(writer, address);
        list.push_back(writer.take());
    }
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("node", fields::id(node));
    dict.emplace("sequence", fields::counter(sequence));
    dict.emplace("addresses", std::move(list));
    dict.emplace("swarm-port", static_cast<bencode::Integer>(swarmPort));
    return bencode::encode(dict);
}

Result<Descriptor> Descriptor::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "descriptor");
    auto from = readPayload(*value, "descriptor", kDescriptorKeys);
    if (!from)
        return tl::unexpected(std::move(from.error()));
    auto node = fields::readId<NodeId>(*from, "node");
    if (!node)
        return tl::unexpected(std::move(node.error()));
    auto sequence = fields::readCounter(*from, "sequence");
    if (!sequence)
        return tl::unexpected(std::move(sequence.error()));
    auto addresses = readAddresses(*from);
    if (!addresses)
        return tl::unexpected(std::move(addresses.error()));
    auto port = fields::readCounter(*from, "swarm-port", kMaxU16);
    if (!port)
        return tl::unexpected(std::move(port.error()));
    return Descriptor{*node, *sequence, std::move(*addresses), static_cast<std::uint16_t>(*port)};
}

} // namespace starling::trust
