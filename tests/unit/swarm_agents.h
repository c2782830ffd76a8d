// SPDX-License-Identifier: Apache-2.0
/// Real swarms on loopback for tests: a fleet's proofs, payloads made by release::Builder, agents that wait
/// for events.
#pragma once

#include "base/assert.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"
#include "release/builder.h"
#include "swarm/swarm.h"

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>

namespace starling::test {

inline constexpr auto kPatience =
    std::chrono::seconds(30); ///< far over what any step takes on a loaded machine

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

/// A swarm with the events it has given so far.
class TestAgent
{
public:
    TestAgent(swarm::Config config, std::shared_ptr<const swarm::MemberProof> proof)
    {
        auto made = swarm::Swarm::create(config, std::move(proof), [this] {
            const std::lock_guard lock(m_mutex);
            m_isAwake = true;
            m_woken.notify_all();
        });
        STARLING_ASSERT(made.has_value());
        m_swarm = std::move(*made);
    }
    explicit TestAgent(std::shared_ptr<const swarm::MemberProof> proof)
        : TestAgent(onLoopback(), std::move(proof))
    {
    }

    static swarm::Config onLoopback()
    {
        swarm::Config config;
        config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
        return config;
    }

    swarm::Swarm* operator->() { return m_swarm.get(); }
    Endpoint endpoint() const { return Endpoint::ipv4(127, 0, 0, 1, m_swarm->port()); }

    /// Collects the events there are.
    void poll()
    {
        for (auto& event : m_swarm->poll())
            m_events.push_back(std::move(event));
    }

    /// Collects events until `isDone` holds; false after kPatience. What has no event, such as progress, is
    /// looked at again every 10 ms.
    bool waitUntil(const std::function<bool()>& isDone)
    {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            poll();
            if (isDone())
                return true;
            if (std::chrono::steady_clock::now() > deadline) {
                explain();
                return false;
            }
            std::unique_lock lock(m_mutex);
            m_woken.wait_for(lock, std::chrono::milliseconds(10), [this] { return m_isAwake; });
            m_isAwake = false;
        }
    }

    template <class E> const E* first() const
    {
        for (const auto& event : m_events) {
            if (const auto* found = std::get_if<E>(&event))
                return found;
        }
        return nullptr;
    }
    template <class E> bool waitFor()
    {
        return waitUntil([this] { return first<E>() != nullptr; });
    }
    bool waitForTrouble(Errc code)
    {
        return waitFor<swarm::Trouble>() && first<swarm::Trouble>()->error.code == code;
    }
    bool waitForRefusal(Errc code)
    {
        return waitFor<swarm::PeerRefused>() && first<swarm::PeerRefused>()->error.code == code;
    }
    void forgetEvents() { m_events.clear(); }

    std::uint64_t doneBytes(const InfoHash& payload) const { return m_swarm->progress(payload)->doneBytes; }
    bool isSeeding(const InfoHash& payload) const { return m_swarm->progress(payload)->isSeeding; }
    swarm::PeerTraffic trafficWith(const NodeId& node) const
    {
        for (const auto& line : m_swarm->traffic()) {
            if (line.node == node)
                return line;
        }
        return {};
    }
    std::uint64_t sentBytes() const
    {
        std::uint64_t sum = 0;
        for (const auto& line : m_swarm->traffic())
            sum += line.bytesTo;
        return sum;
    }

private:
    /// What a failed wait had seen.
    void explain() const
    {
        for (const auto& event : m_events) {
            if (const auto* trouble = std::get_if<swarm::Trouble>(&event))
                std::fprintf(stderr, "trouble: %s\n", toString(trouble->error).c_str());
            else if (const auto* refused = std::get_if<swarm::PeerRefused>(&event))
                std::fprintf(stderr, "refused %s: %s\n", toString(refused->endpoint).c_str(),
                             toString(refused->error).c_str());
            else
                std::fprintf(stderr, "event %zu\n", event.index());
        }
        for (const auto& line : m_swarm->traffic()) {
            const auto progress = m_swarm->progress(line.payload);
            std::fprintf(stderr, "%s: %llu from, %llu to; %llu bytes done, %zu peers\n",
                         toString(line.endpoint).c_str(), static_cast<unsigned long long>(line.bytesFrom),
                         static_cast<unsigned long long>(line.bytesTo),
                         progress ? static_cast<unsigned long long>(progress->doneBytes) : 0,
                         progress ? progress->peers : 0);
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_woken;
    bool m_isAwake = false;
    std::vector<swarm::Event> m_events;
    std::unique_ptr<swarm::Swarm> m_swarm; ///< last: its threads use the others
};

} // namespace starling::test
