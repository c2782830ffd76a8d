// SPDX-License-Identifier: Apache-2.0
/// aria2 to aria2. Without DHT, LPD and PEX it learns of peers from a tracker only, so this is one: on loopback, for one
/// torrent, naming the seed.
#include "bench.h"
#include "bencode/bencode.h"
#include "fleet.h"
#include "node/disk.h"
#include "processes.h"

#include <QCryptographicHash>
#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr qint64 kPieceBytes = 256 * 1024; ///< what our own releases of these sizes have
constexpr std::chrono::milliseconds kPatience = 300s;

/// Answers every announce with the seed's address (BEP 23).
class Tracker
{
public:
    Status listen()
    {
        if (!m_server.listen(QHostAddress::LocalHost, 0))
            return fail(Errc::Io, "tracker: " + m_server.errorString().toStdString());
        QObject::connect(&m_server, &QTcpServer::newConnection, &m_server, [this] { serve(); });
        return {};
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(m_server.serverPort()) + "/announce"; }

    std::uint16_t seedPort = 0;
    /// When somebody asked who has not said that it has nothing left to fetch.
    std::optional<std::chrono::steady_clock::time_point> firstFetcher;
    bool hasSeed = false;

private:
    void serve()
    {
        QTcpSocket* socket = m_server.nextPendingConnection();
        QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        QObject::connect(socket, &QTcpSocket::readyRead, socket, [this, socket] {
            if (!socket->peek(8192).contains("\r\n\r\n"))
                return;
            const QByteArray request = socket->readAll();
            const bool isSeed = request.contains("&left=0&") || request.contains("left=0 ");
            hasSeed = hasSeed || isSeed;
            if (!isSeed && !firstFetcher)
                firstFetcher = std::chrono::steady_clock::now();
            QByteArray peers("\x7f\x00\x00\x01", 4);
            peers.append(static_cast<char>(seedPort >> 8)).append(static_cast<char>(seedPort & 0xff));
            const QByteArray body = "d8:intervali60e5:peers" + (isSeed ? QByteArray("0:") : "6:" + peers) + "e";
            socket->write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
            socket->disconnectFromHost();
        });
    }

    QTcpServer m_server;
};

/// A private single-file torrent of BitTorrent v1.
Status writeTorrent(const fs::path& payload, const std::string& tracker, const fs::path& torrent)
{
    QFile file(toQString(payload));
    if (!file.open(QIODevice::ReadOnly))
        return fail(Errc::Io, payload.string() + ": " + file.errorString().toStdString());
    Bytes hashes;
    for (QByteArray piece = file.read(kPieceBytes); !piece.isEmpty(); piece = file.read(kPieceBytes)) {
        const QByteArray hash = QCryptographicHash::hash(piece, QCryptographicHash::Sha1);
        append(hashes, viewOf({hash.constData(), static_cast<std::size_t>(hash.size())}));
    }
    const bencode::Dict info {{"length", bencode::Integer {file.size()}}, {"name", payload.filename().string()},
                              {"piece length", bencode::Integer {kPieceBytes}}, {"pieces", hashes}, {"private", bencode::Integer {1}}};
    return node::writeFile(torrent, bencode::encode(bencode::Dict {{"announce", tracker}, {"info", info}}), node::FileMode::Public);
}

/// One aria2c; what it says is kept.
class Aria
{
public:
    void start(const fs::path& torrent, const fs::path& directory, std::uint16_t port, const QStringList& extra)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.setStandardInputFile(QProcess::nullDevice());
        QStringList arguments {QStringLiteral("--no-conf=true"), QStringLiteral("--enable-dht=false"), QStringLiteral("--enable-dht6=false"),
                               QStringLiteral("--bt-enable-lpd=false"), QStringLiteral("--enable-peer-exchange=false"),
                               QStringLiteral("--disable-ipv6=true"), QStringLiteral("--file-allocation=none"), QStringLiteral("--follow-torrent=mem"),
                               QStringLiteral("--show-console-readout=false"), QStringLiteral("--summary-interval=0"),
                               QStringLiteral("--listen-port=%1").arg(port), QStringLiteral("--dir=%1").arg(toQString(directory))};
        m_process.start(installed("aria2c"), arguments + extra + QStringList {toQString(torrent)});
        QObject::connect(&m_process, &QProcess::readyRead, &m_process, [this] {
            m_said += m_process.readAll();
            if (!m_completed && (m_said.contains("Download complete")))
                m_completed = std::chrono::steady_clock::now();
        });
    }
    ~Aria()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    /// When it said that the download is complete.
    std::optional<std::chrono::steady_clock::time_point> completed() const { return m_completed; }
    bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    std::string said() const { return m_said.right(600).toStdString(); }
    qint64 pid() const { return m_process.processId(); }

private:
    QProcess m_process;
    QByteArray m_said;
    std::optional<std::chrono::steady_clock::time_point> m_completed;
};

} // namespace

Result<Transfer> transferByAria(const Bench& bench, const fs::path& payload)
{
    const fs::path directory = bench.newDirectory("aria");
    Tracker tracker;
    if (auto listening = tracker.listen(); !listening)
        return tl::unexpected<Error>(listening.error());
    const fs::path torrent = directory / "payload.torrent";
    if (auto written = writeTorrent(payload, tracker.url(), torrent); !written)
        return tl::unexpected<Error>(written.error());
    const auto ports = support::freePorts(2);
    tracker.seedPort = ports[0];
    Aria seed, fetcher;
    // The seed trusts its file, as an agent trusts what it verified before.
    seed.start(torrent, payload.parent_path(), ports[0],
               {QStringLiteral("--bt-seed-unverified=true"), QStringLiteral("--seed-ratio=0.0"), QStringLiteral("--allow-overwrite=true")});
    if (!support::waitUntil([&] { return tracker.hasSeed || !seed.isRunning(); }, 20s) || !seed.isRunning())
        return fail(Errc::Io, "aria2 does not seed: " + seed.said());
    // It stays, so that its memory can be asked for.
    fetcher.start(torrent, directory / "fetched", ports[1], {QStringLiteral("--seed-ratio=0.0")});
    if (!support::waitUntil([&] { return fetcher.completed() || !fetcher.isRunning(); }, kPatience)
        || !fetcher.completed() || !tracker.firstFetcher)
        return fail(Errc::Io, "aria2 does not fetch: " + fetcher.said());
    const std::chrono::duration<double> seconds = *fetcher.completed() - *tracker.firstFetcher;
    auto use = support::processUse(fetcher.pid());
    if (!use)
        return tl::unexpected<Error>(use.error());
    if (fs::file_size(directory / "fetched" / payload.filename()) != fs::file_size(payload))
        return fail(Errc::PayloadMismatch, "aria2 fetched another number of bytes");
    fs::remove_all(directory);
    return Transfer {seconds.count(), fs::file_size(payload), use->peakResidentBytes};
}

} // namespace starling::bench
