// SPDX-License-Identifier: Apache-2.0
/// The attacker: a device of the fleet that was broken into. It gets links, as its certificate is good, but
/// holds no key that may sign a release.
#include "board/link_authenticator.h"
#include "demo.h"
#include "link/link.h"
#include "node/config.h"
#include "node/disk.h"
#include "node/identity.h"
#include "node/net_address.h"
#include "node/timer_queue.h"
#include "overlay/membership_message.h"
#include "release/board.h"

#include <QCoreApplication>
#include <QUdpSocket>

#include <cstdio>

namespace starling::demo {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr Duration kAttackLimit = std::chrono::seconds(60); // most of it for busy machines

Result<release::TorrentFile> load(const std::string& file)
{
    auto bytes = node::readFile(file, 4 * 1024 * 1024);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    return release::TorrentFile::parse(*bytes);
}

/// A release that nobody signed: the newest one with a higher version, under the old signatures.
Result<Bytes> tamper(const release::TorrentFile& newest)
{
    release::ReleaseInfo info = newest.info;
    info.update.revision.version += 1;
    release::TorrentFile forged = release::TorrentFile::of(std::move(info), {});
    forged.signatures = newest.signatures;
    return forged.notice();
}

class Attacker : public QObject
{
public:
    Attacker(node::Identity identity, const trust::TrustSet& trust, std::vector<Endpoint> victims,
             std::vector<Bytes> notices)
        : m_notices(std::move(notices))
        , m_victims(std::move(victims))
        , m_identity(std::move(identity))
        , m_board(trust, {})
        , m_authenticator(*m_identity.linkKey, m_identity.certificateEnvelope, m_board,
                          [] { return UtcTime(); })
        , m_links(m_identity.node, {}, m_authenticator, m_random)
    {
        m_socket.bind(QHostAddress(QHostAddress::AnyIPv4), 0);
        connect(&m_socket, &QUdpSocket::readyRead, this, [this] { read(); });
        m_timers.schedule(kAttackLimit, [] { QCoreApplication::exit(1); });
        for (const Endpoint& victim : m_victims)
            feed(link::Connect{victim});
    }

private:
    void read()
    {
        while (m_socket.hasPendingDatagrams()) {
            QByteArray buffer(static_cast<qsizetype>(m_socket.pendingDatagramSize()), '\0');
            QHostAddress from;
            quint16 port = 0;
            m_socket.readDatagram(buffer.data(), buffer.size(), &from, &port);
            feed(link::DatagramReceived{
                node::fromQt(from, port),
                std::as_bytes(std::span(buffer.constData(), static_cast<std::size_t>(buffer.size())))});
        }
    }

    void feed(const link::Input& input)
    {
        for (const link::Output& output : m_links.handle(input, m_timers.now())) {
            if (const auto* send = std::get_if<link::SendDatagram>(&output)) {
                m_socket.writeDatagram(reinterpret_cast<const char*>(send->bytes.data()),
                                       static_cast<qint64>(send->bytes.size()), node::toQt(send->to),
                                       send->to.port);
            } else if (const auto* timer = std::get_if<link::ScheduleTimer>(&output)) {
                m_timers.schedule(timer->delay,
                                  [this, value = timer->timer] { feed(link::TimerExpired{value}); });
            } else if (const auto* up = std::get_if<link::LinkUp>(&output)) {
                feed(link::SendMessage{up->link,
                                       overlay::serialize(overlay::AskMessage{overlay::Urgency::High, {}})});
                for (const Bytes& notice : m_notices)
                    feed(link::SendMessage{up->link, overlay::serialize(overlay::NoticeMessage{notice})});
            } else if (const auto* message = std::get_if<link::MessageReceived>(&output)) {
                // The agent's first words (its answer): it listens, and links deliver in order.
                ++m_heard[message->link];
            }
        }
        if (m_heard.size() == m_victims.size())
            m_timers.schedule(500ms, [] { QCoreApplication::exit(0); });
    }

    std::vector<Bytes> m_notices;
    std::vector<Endpoint> m_victims;
    std::map<link::LinkId, int> m_heard;
    crypto::SystemRandom m_random;
    node::TimerQueue m_timers;
    QUdpSocket m_socket;
    node::Identity m_identity;
    release::Board m_board;
    board::LinkAuthenticator m_authenticator;
    link::Links m_links;
};

struct Before
{
    std::map<std::string, std::uint64_t> refused;
    std::vector<control::FloorLine> floors;
};

std::uint64_t countOf(const std::map<std::string, std::uint64_t>& counters, Errc code)
{
    const auto found = counters.find(std::string(shortName(code)));
    return found == counters.end() ? 0 : found->second;
}

bool sameFloors(const std::vector<control::FloorLine>& a, const std::vector<control::FloorLine>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.uri == y.uri && x.revision == y.revision && x.infoHash == y.infoHash;
    });
}

} // namespace

int runAttacker(const fs::path& home, const std::vector<std::string>& endpoints,
                const std::string& oldTorrent, const std::string& newTorrent)
{
    if (!crypto::initialize())
        return 2;
    node::AgentConfig config;
    config.key = home / "device.key";
    config.certificate = home / "device.admit";
    config.root = home / "root.envelope";
    auto identity = node::loadIdentity(config);
    const auto trust = identity ? trust::TrustSet::fromAnchor(identity->anchorEnvelope)
                                : Result<trust::TrustSet>(tl::unexpected<Error>(identity.error()));
    if (!trust)
        return 2;
    std::vector<Endpoint> victims;
    for (const std::string& text : endpoints) {
        const auto endpoint = node::parseEndpoint(text);
        if (!endpoint)
            return 2;
        victims.push_back(*endpoint);
    }
    const auto old = load(oldTorrent);
    const auto newest = load(newTorrent);
    if (!old || !newest)
        return 2;
    const auto forged = tamper(*newest);
    if (!forged)
        return 2;
    const Attacker attacker(std::move(*identity), *trust, std::move(victims),
                            {release::noticeOf(trust::Kind::Release, old->notice()),
                             release::noticeOf(trust::Kind::Release, *forged)});
    return QCoreApplication::exec();
}

Status attackAll(const Options& options, support::Fleet& fleet, const fs::path& oldTorrent,
                 const fs::path& newTorrent, std::vector<AgentResult>& results)
{
    std::vector<Before> before;
    // Of those in the networks of Figure 2 no one place reaches all.
    std::vector<QStringList> victims(options.isFigure2 ? fleet.size() : 1);
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        const auto status = fleet.ask<control::StatusReply>(i, control::StatusRequest{});
        if (!status)
            return tl::unexpected<Error>(status.error());
        before.push_back({status->refused, status->floors});
        victims[i % victims.size()] << QString::fromStdString(toString(fleet.endpoint(i)));
    }
    for (std::size_t i = 0; i < victims.size(); ++i) {
        const QStringList arguments{QStringLiteral("--attack"), QString::fromStdString(oldTorrent.string()),
                                    QString::fromStdString(newTorrent.string()),
                                    QString::fromStdString(fleet.home(fleet.size()).string())};
        auto attacked = fleet.runBeside(i, fleet.program("starling-demo"), arguments + victims[i], 90s);
        if (!attacked)
            return tl::unexpected<Error>(attacked.error());
    }
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        const auto judge = [&] {
            const auto status = fleet.ask<control::StatusReply>(i, control::StatusRequest{});
            if (!status)
                return false;
            results[i].refusedRollback =
                countOf(status->refused, Errc::Rollback) > countOf(before[i].refused, Errc::Rollback);
            results[i].refusedSignature =
                countOf(status->refused, Errc::BadSignature) > countOf(before[i].refused, Errc::BadSignature);
            results[i].floorsUnchanged = sameFloors(before[i].floors, status->floors);
            return results[i].refusedRollback && results[i].refusedSignature;
        };
        support::waitUntil(judge, 60s);
    }
    return {};
}

} // namespace starling::demo
