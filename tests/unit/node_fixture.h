// SPDX-License-Identifier: Apache-2.0
/// Devices of the sample fleet as whole nodes on loopback, in this process.
#pragma once

#include "crypto/key_file.h"
#include "node/node.h"
#include "payload_fixture.h"

namespace starling::node::fixture {

/// What device `number` has on its disk, and its configuration.
class Device
{
public:
    explicit Device(unsigned char number)
        : m_number(number)
    {
        const Bytes notice = samples::certificateNotice(number);
        certify(ByteView(notice).subspan(1));
        QVERIFY(writeFile(m_home / "device.key", crypto::plainKey(samples::key(number)), FileMode::Private)
                    .has_value());
        put(m_home / "root.envelope", samples::trustSet().chain().front());
        config.state = m_home / "state";
        config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
        config.key = m_home / "device.key";
        config.certificate = m_home / "device.admit";
        config.root = m_home / "root.envelope";
        config.subscription = m_home / "observer.subscription";
        config.deviceRoot = m_home / "root";
        fs::create_directory(config.deviceRoot);
        limits.retryMin = std::chrono::milliseconds(50);
    }

    void certify(ByteView envelope) { put(m_home / "device.admit", envelope); }
    /// Has the device bring the fleet, when it starts, a subscription of its own for a long time.
    void observe(unsigned char signer = 41) const
    {
        const trust::Subscription subscription{id(), {}, 1, 4'000'000'000, 0};
        trust::Envelope envelope{trust::Kind::Subscription, subscription.serialize(), {}};
        envelope.sign(samples::trustSet().fleet(), samples::key(signer));
        put(config.subscription, envelope.serialize());
    }
    NodeId id() const { return samples::nodeOf(m_number); }
    fs::path operator/(const std::string& name) const { return m_home / name; }

    Result<std::unique_ptr<Node>> start() const { return Node::start({config, limits, observer}); }

    AgentConfig config;
    update::Limits limits;
    StepObserver observer;

private:
    unsigned char m_number;
    Directory m_home;
};

/// Signed by the keys of the scope "fw".
inline release::TorrentFile signedRelease(const samples::Contents& files,
                                          release::UpdateInfo update = samples::update())
{
    release::TorrentFile torrent = torrentOf(files, std::move(update));
    torrent.sign(samples::trustSet().fleet(), samples::key(21));
    return torrent;
}

/// As the control socket does it.
inline Status push(Node& node, const release::TorrentFile& torrent, ByteView stream)
{
    auto examined = node.examinePush(torrent.serialize());
    if (!examined)
        return tl::unexpected<Error>(examined.error());
    auto intake = node.beginPush(examined->torrent());
    if (!intake)
        return tl::unexpected<Error>(intake.error());
    if (auto fed = intake->feed(stream); !fed)
        return fed;
    if (auto finished = intake->finish(); !finished)
        return finished;
    return node.publish(intake->torrent());
}

/// What `node` tells of first.
inline std::vector<board::DeviceReceipt> receiptsAt(Node& node)
{
    return node.receiptsSince({}, 100, 1'000'000).value().receipts;
}

inline trust::Phase phaseAt(const Node& node, const InfoHash& payload)
{
    for (const Updater::View& view : node.updater().views())
        if (view.record.infoHash == payload)
            return view.record.phase;
    return trust::Phase::Announced;
}

} // namespace starling::node::fixture
