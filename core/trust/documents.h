// SPDX-License-Identifier: Apache-2.0
/// The signed documents about devices (trust.md, "Kinds"): certificates, receipts, descriptors. Values with a
/// serialize/parse pair each; verifying them is TrustSet's. Releases are release::TorrentFile.
/// All counters, epochs and times are at most 2^53-1, which serialize() asserts; the other limits are
/// parse()'s: it fails with the decoder's codes, Malformed, TooLarge, NotCanonical (unsorted entries),
/// InvalidUri or UnsupportedFormat.
#pragma once

#include "base/endpoint.h"
#include "base/uri.h"
#include "trust/envelope.h"

namespace starling::trust {

/// Position of a release in its URI's order; compared epoch first.
struct Revision
{
    static constexpr std::uint64_t kMaxVersion = (1ull << 53) - 1; ///< trust.md: exact in a double, too
    std::uint64_t epoch = 0;
    std::uint64_t version = 0; ///< 1 to kMaxVersion in a release; 0 stands for none
    auto operator<=>(const Revision&) const = default;
};
/// "2", or "1:2" when the epoch is not 0.
std::string toString(const Revision& revision);

/// Admits a device to the fleet (kind `admit`).
struct Certificate
{
    NodeId node; ///< its Ed25519 key
    LinkKey linkKey; ///< of its links, which refuse a certificate where it is zero
    std::string name; ///< 1 to 64 bytes, plain text
    std::map<std::string, std::string> labels; ///< at most 32; keys and values of at most 64 bytes
    std::optional<std::uint64_t> notAfter; ///< seconds since 1970
    std::uint64_t admitEpoch = 0;

    Bytes serialize() const;
    static Result<Certificate> parse(ByteView payload);
    bool operator==(const Certificate&) const = default;
};

/// How far a release got on a device; the order is that of the life cycle (core/update).
enum class Phase : std::uint8_t {
    Announced = 1,
    Accepted = 2,
    Downloading = 3,
    Verifying = 4,
    Staged = 5,
    Deploying = 6,
    Checking = 7,
    RollingBack = 8,
    Healthy = 9,
    Failed = 10,
    RolledBack = 11,
};
std::string_view
phaseName(Phase phase); ///< "announced", …, "rolling-back", "healthy", "failed", "rolled-back"
std::optional<Phase> phaseNamed(std::string_view name);

/// One URI's line of a receipt.
struct ReceiptEntry
{
    ResourceUri uri;
    Revision revision;
    InfoHash infoHash;
    Phase phase = Phase::Announced;
    std::uint16_t code = 0; ///< Errc as a number, 0 for none
    std::string detail; ///< at most 200 bytes of plain text, for people
    bool operator==(const ReceiptEntry&) const = default;
};

/// A device's signed statement of where it stands (kind `receipt`). Entries are sorted by URI and unique,
/// at most 64.
struct Receipt
{
    NodeId node;
    std::uint64_t sequence = 0; ///< newest wins
    std::uint64_t rootNumber = 0;
    std::uint64_t uptimeSeconds = 0;
    std::vector<ReceiptEntry> entries;
    std::map<std::string, std::uint64_t>
        alarms; ///< refusals by short name since start, at most 32 of at most 64 bytes
    /// Bytes of BitTorrent that came since start, uTP's headers included, by the kind of link that brought
    /// them ("direct", "punched", "tcp", "relayed"); at most 8. Agents that do not count say nothing.
    std::map<std::string, std::uint64_t> paths{};

    Bytes serialize() const;
    static Result<Receipt> parse(ByteView payload);
    bool operator==(const Receipt&) const = default;
};

/// Where a node can be reached (kind `descriptor`): the only source of addresses for others.
struct Descriptor
{
    NodeId node;
    std::uint64_t sequence = 0; ///< newest wins
    std::vector<Endpoint> addresses; ///< of its links, best first, at most 8, none with port 0
    std::uint16_t swarmPort = 0; ///< for foreign clients, at the same addresses; 0 for none

    Bytes serialize() const;
    static Result<Descriptor> parse(ByteView payload);
    bool operator==(const Descriptor&) const = default;
};

} // namespace starling::trust
