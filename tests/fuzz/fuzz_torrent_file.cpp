// SPDX-License-Identifier: Apache-2.0
/// TorrentFile::parse: what it accepts it writes back byte for byte, with names that are safe and sums that
/// hold.
#include "../unit/release_samples.h"
#include "base/assert.h"
#include "fuzz.h"

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const auto torrent = TorrentFile::parse(input);
    if (!torrent)
        return 0;
    const Bytes whole = torrent->serialize();
    const Bytes notice = torrent->notice();
    STARLING_ASSERT(std::ranges::equal(whole, input) || std::ranges::equal(notice, input));
    STARLING_ASSERT(
        std::ranges::equal(crypto::sha256(torrent->infoBytes).bytes(), torrent->infoHash.bytes()));
    // What is understood of it comes back from a file that says only that.
    const auto again = ReleaseInfo::parse(torrent->info.serialize());
    STARLING_ASSERT(again && *again == torrent->info);
    STARLING_ASSERT(torrent->info.payloadBytes() <= InfoLimits::kMaxPayloadBytes);
    STARLING_ASSERT(torrent->info.pieceCount() <= InfoLimits::kMaxPieces);
    for (const PayloadFile& file : torrent->info.files)
        STARLING_ASSERT(file.path.find("..") != 0 && file.path.find("/..") == std::string::npos
                        && file.path.find('\\') == std::string::npos);
    return 0;
}

std::vector<Bytes> seeds()
{
    STARLING_ASSERT(crypto::initialize().has_value());
    UpdateInfo info = update("fw/gateway/rootfs", 7, 0);
    info.label = "2.4.1";
    info.created = 1'732'190'000;
    info.requirements = {{"arch", "arm64"}};
    info.deploy = {.method = Method::Script, .run = "bin/run", .check = "check", .rollback = {}};
    auto directory = *tryBuild(
        "payload", false,
        {{"bin/run", pattern(3)}, {"check", pattern(40'000)}, {"empty", {}}, {"lib/a.so", pattern(9)}},
        std::move(info));
    directory.sign(trustSet().fleet(), key(21));
    TorrentFile file = single(5);
    const Bytes unsignedFile = file.serialize();
    file.sign(trustSet().fleet(), key(21));
    return {directory.serialize(), directory.notice(), file.serialize(), file.notice(), unsignedFile};
}
