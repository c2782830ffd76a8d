// SPDX-License-Identifier: Apache-2.0
/// For tests of swarms: a fleet's proofs, and payloads made by release::Builder.
#pragma once

#include "base/assert.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"
#include "release/builder.h"
#include "swarm/swarm.h"

#include <fstream>

namespace starling::test {

/// A certificate of a test fleet is the device's key and the fleet's signature over it.
class FleetProof : public swarm::MemberProof
{
public:
    FleetProof(const crypto::SecretKey& fleet, crypto::SecretKey device)
        : m_fleet(fleet.id())
        , m_device(std::move(device))
    {
        append(m_certificate, m_device.id().bytes());
        append(m_certificate, fleet.sign(m_device.id().bytes()));
    }
    NodeId node() const { return *NodeId::fromBytes(m_device.id().bytes()); }
    Bytes certificate() const override { return m_certificate; }
    crypto::Signature prove(ByteView challenge) const override { return m_device.sign(challenge); }
    Result<NodeId> verify(ByteView certificate, ByteView challenge,
                          const crypto::Signature& signature) const override
    {
        ByteReader reader(certificate);
        const auto device = reader.raw(KeyId::kSize);
        const auto admitted = reader.raw(sizeof(crypto::Signature));
        if (!reader.isGood() || !reader.rest().empty())
            return fail(Errc::Malformed, "certificate");
        crypto::Signature admission;
        std::copy(admitted.begin(), admitted.end(), admission.begin());
        if (auto good = crypto::verify(m_fleet, device, admission); !good)
            return fail(Errc::NotAdmitted, "certificate of another fleet");
        if (auto good = crypto::verify(*KeyId::fromBytes(device), challenge, signature); !good)
            return fail(std::move(good.error()), "proof");
        return NodeId::fromBytes(device);
    }

private:
    KeyId m_fleet;
    crypto::SecretKey m_device;
    Bytes m_certificate;
};

/// Content that no other call with another seed gives.
inline Bytes randomBytes(std::size_t size, std::uint64_t seed)
{
    Bytes bytes(size);
    SeededRandom(seed).fill(bytes);
    return bytes;
}

inline void writeFile(const std::filesystem::path& path, ByteView bytes)
{
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline Bytes readFile(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return toBytes(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// A directory payload and how its agents are told about it.
struct TestRelease
{
    std::map<std::string, Bytes> files; ///< by path below the directory `name`
    release::TorrentFile torrent;
    static constexpr char kName[] = "payload";

    static TestRelease make(std::map<std::string, Bytes> files)
    {
        std::vector<release::SourceFile> sources;
        for (const auto& [path, bytes] : files)
            sources.push_back({path, bytes.size()});
        release::UpdateInfo update{*ResourceUri::parse("test/payload"), {}, {}, {}, {}, {}};
        update.revision.version = 1;
        auto builder = release::Builder::create(kName, false, sources, update);
        STARLING_ASSERT(builder.has_value());
        const auto order = builder->files();
        for (const auto& file : order)
            builder->feed(files.at(file.path));
        auto torrent = builder->finish();
        STARLING_ASSERT(torrent.has_value());
        return {std::move(files), std::move(*torrent)};
    }

    /// Three files in two directories, one of them empty.
    static TestRelease ofSize(std::size_t bytes, std::uint64_t seed = 1)
    {
        return make({{"a.bin", randomBytes(bytes / 2, seed)},
                     {"sub/b.bin", randomBytes(bytes - bytes / 2, seed + 1)},
                     {"sub/empty", {}}});
    }

    std::uint64_t size() const { return torrent.info.payloadBytes(); }
    const InfoHash& hash() const { return torrent.infoHash; }

    void writeTo(const std::filesystem::path& directory) const
    {
        for (const auto& [path, bytes] : files)
            writeFile(directory / kName / path, bytes);
    }
    bool isIn(const std::filesystem::path& directory) const
    {
        return std::ranges::all_of(
            files, [&](const auto& file) { return readFile(directory / kName / file.first) == file.second; });
    }

    swarm::Payload toFetch(const std::filesystem::path& directory) const
    {
        swarm::Payload payload;
        payload.infoHash = torrent.infoHash;
        payload.infoBytes = torrent.infoBytes;
        payload.directory = directory;
        return payload;
    }
    swarm::Payload toSeed(const std::filesystem::path& directory) const
    {
        auto payload = toFetch(directory);
        payload.layers = torrent.layers;
        payload.presence = swarm::Payload::Presence::Complete;
        return payload;
    }
};

} // namespace starling::test
