// SPDX-License-Identifier: Apache-2.0
/// One end of a transfer between two swarms, for measuring throughput and memory apart from the rest of the agent.
///
///     starling-transfer-pair seed FILE INFO      hashes FILE, writes its `info` to INFO, prints "port N", serves until stdin ends
///     starling-transfer-pair get INFO PORT DIR   fetches into DIR from 127.0.0.1:PORT, prints one JSON line
#include "crypto/signing.h"
#include "release/builder.h"
#include "swarm/swarm.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <semaphore>

using namespace starling;

namespace {

/// A fleet for one measurement: the key is in the program, and a certificate is the device's public key.
class BenchProof final : public swarm::MemberProof {
public:
    BenchProof()
        : m_key(crypto::SecretKey::generate())
    {
    }
    Bytes certificate() const override { return toBytes(m_key.id().bytes()); }
    crypto::Signature prove(ByteView challenge) const override { return m_key.sign(challenge); }
    Result<NodeId> verify(ByteView certificate, ByteView challenge, const crypto::Signature& signature) const override
    {
        auto key = KeyId::fromBytes(certificate);
        if (!key)
            return fail(std::move(key.error()), "certificate");
        if (auto good = crypto::verify(*key, challenge, signature); !good)
            return fail(std::move(good.error()), "proof");
        return NodeId::fromBytes(certificate);
    }

private:
    crypto::SecretKey m_key;
};

struct Host {
    std::counting_semaphore<> awake {0};
    std::unique_ptr<swarm::Swarm> swarm;
};

Status start(Host& host)
{
    swarm::Config config;
    config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
    auto made = swarm::Swarm::create(config, std::make_shared<BenchProof>(), [&host] { host.awake.release(); });
    if (!made)
        return fail(std::move(made.error()), "swarm");
    host.swarm = std::move(*made);
    return {};
}

Result<release::TorrentFile> hashFile(const std::filesystem::path& path)
{
    auto uri = ResourceUri::parse("bench/payload");
    if (!uri)
        return fail(std::move(uri.error()), "uri");
    release::UpdateInfo update {*uri, {}, {}, {}, {}, {}};
    update.revision.version = 1;
    auto builder = release::Builder::create(path.filename().string(), true,
                                            {{path.filename().string(), std::filesystem::file_size(path)}}, update);
    if (!builder)
        return fail(std::move(builder.error()), "builder");
    std::ifstream file(path, std::ios::binary);
    std::vector<char> portion(1024 * 1024);
    while (file.read(portion.data(), static_cast<std::streamsize>(portion.size())) || file.gcount() > 0)
        builder->feed(viewOf({portion.data(), static_cast<std::size_t>(file.gcount())}));
    return builder->finish();
}

Status seed(const std::filesystem::path& path, const std::filesystem::path& infoPath)
{
    auto torrent = hashFile(path);
    if (!torrent)
        return fail(std::move(torrent.error()), "hashing");
    std::ofstream(infoPath, std::ios::binary) << toText(torrent->infoBytes);
    Host host;
    if (auto started = start(host); !started)
        return started;
    swarm::Payload payload;
    payload.infoHash = torrent->infoHash;
    payload.infoBytes = torrent->infoBytes;
    payload.layers = torrent->layers;
    payload.directory = path.parent_path();
    payload.presence = swarm::Payload::Presence::Complete;
    if (auto added = host.swarm->add(payload); !added)
        return added;
    std::printf("port %u\n", static_cast<unsigned>(host.swarm->port()));
    std::fflush(stdout);
    while (std::getchar() != EOF) { }
    return {};
}

/// Peak resident memory of this process in KiB.
long peakMemory()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:"))
            return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return -1;
}

Status get(const std::filesystem::path& infoPath, std::uint16_t port, const std::filesystem::path& directory)
{
    std::ifstream file(infoPath, std::ios::binary);
    const std::string text {std::istreambuf_iterator<char>(file), {}};
    Host host;
    if (auto started = start(host); !started)
        return started;
    swarm::Payload payload;
    payload.infoBytes = toBytes(text);
    payload.infoHash = *InfoHash::fromBytes(crypto::sha256(payload.infoBytes).bytes());
    payload.directory = directory;
    const auto begin = std::chrono::steady_clock::now();
    if (auto added = host.swarm->add(payload); !added)
        return added;
    host.swarm->addPeer(payload.infoHash, Endpoint::ipv4(127, 0, 0, 1, port));
    for (;;) {
        host.awake.acquire();
        for (auto& event : host.swarm->poll()) {
            if (auto* trouble = std::get_if<swarm::Trouble>(&event))
                return fail(std::move(trouble->error), "transfer");
            if (auto* refused = std::get_if<swarm::PeerRefused>(&event))
                return fail(std::move(refused->error), "peer");
            if (std::holds_alternative<swarm::Completed>(event)) {
                const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
                const auto bytes = host.swarm->progress(payload.infoHash)->totalBytes;
                std::printf("{\"bytes\":%llu,\"seconds\":%.3f,\"megabytes_per_second\":%.1f,\"peak_rss_kib\":%ld}\n",
                            static_cast<unsigned long long>(bytes), seconds.count(),
                            static_cast<double>(bytes) / 1e6 / seconds.count(), peakMemory());
                return {};
            }
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    Status done = fail(Errc::Usage, "seed FILE INFO | get INFO PORT DIR");
    if (auto ready = crypto::initialize(); !ready)
        done = ready;
    else if (argc == 4 && std::strcmp(argv[1], "seed") == 0)
        done = seed(std::filesystem::absolute(argv[2]), argv[3]);
    else if (argc == 5 && std::strcmp(argv[1], "get") == 0)
        done = get(argv[2], static_cast<std::uint16_t>(std::strtoul(argv[3], nullptr, 10)), argv[4]);
    if (done)
        return 0;
    std::cerr << "starling-transfer-pair: " << toString(done.error()) << '\n';
    return done.error().code == Errc::Usage ? 2 : 1;
}
