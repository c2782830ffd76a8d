// SPDX-License-Identifier: Apache-2.0
/// What the signed `info` dictionary of a torrent-file++ says: a BitTorrent v2 torrent (BEP 52) plus
/// `update`.
#pragma once

#include "base/size.h"
#include "trust/documents.h"

namespace starling::release {

/// One file of the payload.
struct PayloadFile
{
    std::string path; ///< relative, `/`-separated; for a single-file release just the name
    std::uint64_t size = 0;
    Digest piecesRoot; ///< merkle root over 16 KiB blocks; zero for an empty file (then absent in `info`)
    bool operator==(const PayloadFile&) const = default;
};

/// How a release is deployed; scripts are paths of payload files.
enum class Method : std::uint8_t {
    None = 0, ///< only distributed: healthy once verified
    Script = 1, ///< `run` is executed
    Puppet = 2, ///< `run` is a manifest for `puppet apply`
};
std::string_view methodName(Method method); ///< "none", "script", "puppet"
std::optional<Method> methodNamed(std::string_view name);

struct DeployPlan
{
    Method method = Method::None;
    std::string run; ///< script or manifest; a payload file
    std::string check; ///< health check script, empty for none; a payload file
    std::string rollback; ///< script that undoes `run`, empty: the previous release is deployed again
    std::uint32_t timeoutSeconds = 300; ///< for each of the scripts, 1 to 86,400
    bool operator==(const DeployPlan&) const = default;
};

/// The `update` dictionary: what makes a torrent a release.
struct UpdateInfo
{
    ResourceUri uri;
    trust::Revision revision;
    std::string label; ///< for people, e.g. "2.4.1"; at most 64 bytes, may be empty
    std::optional<std::uint64_t> created; ///< seconds since 1970, if the maker gave one
    std::map<std::string, std::string> requirements; ///< labels that the device must have, at most 32
    DeployPlan deploy;
    bool operator==(const UpdateInfo&) const = default;
};

/// Limits of an `info` (security-cases.md 18; architecture.md).
struct InfoLimits
{
    static constexpr std::size_t kMaxInfoBytes = 512 * 1024;
    static constexpr std::size_t kMaxFiles = 16'384;
    static constexpr std::uint64_t kMaxPieces = 65'536;
    static constexpr std::size_t kMaxPathBytes = 1'024;
    static constexpr std::size_t kMaxNameBytes = 240; ///< of a component: libtorrent cuts longer ones off
    static constexpr std::size_t kMaxDepth =
        16; ///< of a whole torrent-file++ (resources/docs/adr/0010-depth-of-releases.md)
    /// What `kMaxDepth` leaves after the dictionaries of the file, `info`, `file tree` and the file's
    /// properties.
    static constexpr std::size_t kMaxPathComponents = kMaxDepth - 4;
    /// Of the decoder, which counts keys, too: a file is eight, ten with its layer, and more in directories
    /// of its own; no `info` of 512 KiB within the other limits has more.
    static constexpr std::size_t kMaxValues = 12 * kMaxFiles;
    static constexpr std::uint64_t kMinPieceBytes = 16 * 1024;
    static constexpr std::uint64_t kMaxPieceBytes = 64 * 1024 * 1024;
    static constexpr std::uint64_t kMaxPayloadBytes = 1ull << 42; ///< 65,536 pieces of 64 MiB
};

/// The whole `info`.
struct ReleaseInfo
{
    std::string name; ///< of the file, or of the directory that holds `files`
    /// Whether the file tree is one file at its top: BitTorrent v2 cannot tell a directory with but one file
    /// from that file, so it is the file, and `name` is its name.
    bool isSingleFile = true;
    std::uint64_t pieceBytes = InfoLimits::kMinPieceBytes; ///< power of two
    std::vector<PayloadFile> files; ///< in the order of the file tree (bytewise by path component)
    UpdateInfo update;

    Bytes serialize() const;
    /// Strict: v2 only (LegacyTorrent otherwise), safe names only (UnsafeName), the limits above (TooLarge),
    /// deploy scripts that are payload files (DeployMissing), version 1…2^53−1, no other top-level key that
    /// libtorrent would act on.
    static Result<ReleaseInfo> parse(ByteView info);
    /// The same for bytes that are decoded already; their length is for the caller to limit.
    static Result<ReleaseInfo> fromValue(const bencode::Value& info);
    std::uint64_t payloadBytes() const;
    std::uint64_t pieceCount() const; ///< sum over files, each rounded up: v2 pieces never span files
    bool operator==(const ReleaseInfo&) const = default;
};

/// The smallest power of two from 16 KiB to 1 MiB that gives at most 2,048 pieces, so that piece layers stay
/// below 64 KiB while a downloading device need not hold large pieces in memory; from 2 GiB on 1 MiB, and
/// more only as far as 65,536 pieces demand it (from 64 GiB on). Small files add pieces of their own, which
/// Builder allows for.
std::uint64_t pieceBytesFor(std::uint64_t payloadBytes);

/// UnsafeName, with the reason, for a path component that a sanitiser would change, that another operating
/// system cannot hold or that hides its nature: empty, `.`, `..`, over 240 bytes, `/ \ : * ? " < > |`, NUL,
/// control characters, not UTF-8, direction marks, invisible characters, combining marks (macOS composes
/// them), trailing dot or space, reserved DOS names.
Status requireSafeName(std::string_view component);

} // namespace starling::release
