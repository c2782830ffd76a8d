// SPDX-License-Identifier: Apache-2.0
#include "release/torrent_file.h"

#include "crypto/sha256.h"
#include "release/builder.h"
#include "release/paths.h"

#include <algorithm>

namespace starling::release {

namespace {

constexpr std::string_view kInfoKey = "info";
constexpr std::string_view kLayersKey = "piece layers";
constexpr std::string_view kSignaturesKey = "signatures";

bool needsLayer(const PayloadFile& file, std::uint64_t pieceBytes)
{
    return file.size > pieceBytes;
}

Status verifyLayer(const PayloadFile& file, std::uint64_t pieceBytes, const Bytes& layer,
                   const Digest& padding)
{
    const std::uint64_t pieces = (file.size + pieceBytes - 1) / pieceBytes;
    if (layer.size() != pieces * Digest::kSize)
        return fail(Errc::PayloadMismatch,
                    "piece layers: " + quoted(file.path) + " has " + std::to_string(pieces)
                        + " pieces, its layer " + std::to_string(layer.size()) + " bytes");
    std::vector<Digest> hashes;
    hashes.reserve(static_cast<std::size_t>(pieces));
    for (ByteView rest = layer; !rest.empty(); rest = rest.subspan(Digest::kSize))
        hashes.push_back(*Digest::fromBytes(rest.first(Digest::kSize)));
    if (merkleRoot(std::move(hashes), padding) != file.piecesRoot)
        return fail(Errc::PayloadMismatch,
                    "piece layers: the layer of " + quoted(file.path) + " does not hash to its root");
    return {};
}

/// Exactly the layers that `info` calls for, each hashing to its root.
Result<PieceLayers> readLayers(const bencode::Value& value, const ReleaseInfo& info)
{
    auto fields = bencode::DictReader::of(value, std::string(kLayersKey));
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    PieceLayers layers;
    for (const auto& [key, layer] : fields->entries()) {
        auto root = Digest::fromBytes(viewOf(key));
        if (!root)
            return fail(std::move(root.error()), kLayersKey);
        const Bytes* hashes = layer.string();
        if (!hashes)
            return fail(Errc::Malformed, "piece layers: not a string");
        layers.emplace(*root, *hashes);
    }
    const Digest padding = paddingForPiece(info.pieceBytes);
    std::map<Digest, std::uint64_t> verified; ///< files of the same content share a layer
    for (const PayloadFile& file : info.files) {
        if (!needsLayer(file, info.pieceBytes))
            continue;
        const auto layer = layers.find(file.piecesRoot);
        if (layer == layers.end())
            return fail(Errc::Malformed, "piece layers: none for " + quoted(file.path));
        const auto known = verified.find(file.piecesRoot);
        if (known != verified.end() && known->second == file.size)
            continue;
        if (auto status = verifyLayer(file, info.pieceBytes, layer->second, padding); !status)
            return tl::unexpected(std::move(status.error()));
        verified.emplace(file.piecesRoot, file.size);
    }
    if (verified.size() != layers.size())
        return fail(Errc::Malformed, "piece layers: some belong to no file");
    return layers;
}

void appendKey(Bytes& to, std::string_view key)
{
    append(to, viewOf(std::to_string(key.size()) + ":"));
    append(to, viewOf(key));
}

/// Built by hand around the bytes of `info`, which are signed and therefore never encoded anew.
Bytes assemble(const Bytes& info, const PieceLayers* layers, const trust::Signatures& signatures)
{
    Bytes file = toBytes("d");
    appendKey(file, kInfoKey);
    append(file, info);
    if (layers) {
        bencode::Dict byRoot;
        for (const auto& [root, layer] : *layers)
            byRoot.emplace(toText(root.bytes()), layer);
        appendKey(file, kLayersKey);
        append(file, bencode::encode(std::move(byRoot)));
    }
    if (!signatures.empty()) {
        appendKey(file, kSignaturesKey);
        append(file, bencode::encode(trust::encodeSignatures(signatures)));
    }
    append(file, viewOf("e"));
    return file;
}

} // namespace

TorrentFile TorrentFile::of(ReleaseInfo info, PieceLayers layers)
{
    Bytes infoBytes = info.serialize();
    const auto infoHash = recast<InfoHash>(crypto::sha256(infoBytes));
    return {.info = std::move(info),
            .infoBytes = std::move(infoBytes),
            .infoHash = infoHash,
            .signatures = {},
            .layers = std::move(layers)};
}

Result<TorrentFile> TorrentFile::parse(ByteView bytes)
{
    auto value = bencode::decode(
        bytes, {.bytes = kMaxBytes, .depth = InfoLimits::kMaxDepth, .values = InfoLimits::kMaxValues});
    if (!value)
        return fail(std::move(value.error()), "torrent-file++");
    auto fields = bencode::DictReader::of(*value, "torrent-file++");
    if (!fields)
        return tl::unexpected(std::move(fields.error()));
    const bencode::Value* infoValue = value->find(kInfoKey);
    if (!infoValue)
        return fail(Errc::Malformed, "torrent-file++: no info");
    auto info = ReleaseInfo::fromValue(*infoValue);
    if (!info)
        return tl::unexpected(std::move(info.error()));
    // The decoder accepts one form only, so these are the bytes that were received.
    Bytes infoBytes = bencode::encode(*infoValue);
    if (infoBytes.size() > InfoLimits::kMaxInfoBytes)
        return fail(Errc::TooLarge, "info: " + std::to_string(infoBytes.size()) + " bytes");
    for (const auto& [key, unused] : fields->entries()) {
        if (key != kInfoKey && key != kLayersKey && key != kSignaturesKey)
            return fail(Errc::Malformed, "torrent-file++: unknown unsigned key " + quoted(key));
    }
    trust::Signatures signatures;
    if (const bencode::Value* signaturesValue = value->find(kSignaturesKey)) {
        auto decoded = trust::decodeSignatures(signaturesValue);
        if (!decoded && decoded.error().code == Errc::Unsigned)
            return fail(Errc::Malformed, "torrent-file++: signatures without a signature");
        if (!decoded)
            return fail(std::move(decoded.error()), "torrent-file++");
        signatures = std::move(*decoded);
    }
    PieceLayers layers;
    if (const bencode::Value* layersValue = value->find(kLayersKey)) {
        auto read = readLayers(*layersValue, *info);
        if (!read)
            return tl::unexpected(std::move(read.error()));
        layers = std::move(*read);
    }
    const auto infoHash = recast<InfoHash>(crypto::sha256(infoBytes));
    return TorrentFile{.info = std::move(*info),
                       .infoBytes = std::move(infoBytes),
                       .infoHash = infoHash,
                       .signatures = std::move(signatures),
                       .layers = std::move(layers)};
}

Bytes TorrentFile::serialize() const
{
    // BitTorrent clients want the dictionary even where no file is larger than a piece; it is left out only
    // when the layers are not known.
    const bool isComplete = !layers.empty()
        || std::none_of(info.files.begin(), info.files.end(),
                        [this](const auto& file) { return needsLayer(file, info.pieceBytes); });
    return assemble(infoBytes, isComplete ? &layers : nullptr, signatures);
}

Bytes TorrentFile::notice() const
{
    return assemble(infoBytes, nullptr, signatures);
}

void TorrentFile::sign(const FleetId& fleet, const crypto::SecretKey& key)
{
    const auto message = trust::signedMessage(trust::Kind::Release, fleet, recast<Digest>(infoHash));
    signatures[key.id()] = key.sign(message);
}

Result<VerifiedRelease> verifyRelease(TorrentFile torrent, const trust::TrustSet& trust)
{
    const UpdateInfo& update = torrent.info.update;
    if (auto status = trust.authorizeRelease(update.uri, update.revision.epoch,
                                             recast<Digest>(torrent.infoHash), torrent.signatures);
        !status)
        return fail(std::move(status.error()), "release " + update.uri.text());
    return VerifiedRelease(std::move(torrent));
}

} // namespace starling::release
