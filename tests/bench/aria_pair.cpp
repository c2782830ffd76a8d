// SPDX-License-Identifier: Apache-2.0
/// aria2 to aria2. Without DHT, LPD and PEX it learns of peers from a tracker only, so this is one: on
/// loopback, for one torrent, naming the seed.
#include "bench.h"
#include "bencode/bencode.h"
#include "fleet.h"
#include "node/disk.h"
#include "processes.h"

#include <QCryptographicHash>
#include <QFile>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr qint64 kPieceBytes = 256 * 1024; ///< what our own releases of these sizes have
constexpr std::chrono::milliseconds kPatience = 120s;

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
    std::string url() const
    {
        return "http://127.0.0.1:" + std::to_string(m_server.serverPort()) + "/announce";
    }

    std::uint16_t seedPort = 0;
    bool hasSeed = false;
    /// When the one that fetches first asked for peers.
    std::optional<std::chrono::steady_clock::time_point> fetcherAsked;

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
            if (!isSeed && !fetcherAsked)
                fetcherAsked = std::chrono::steady_clock::now();
            QByteArray peers("\x7f\x00\x00\x01", 4);
            peers.append(static_cast<char>(seedPort >> 8)).append(static_cast<char>(seedPort & 0xff));
            const QByteArray body =
                "d8:intervali60e5:peers" + (isSeed ? QByteArray("0:") : "6:" + peers) + "e";
            socket->write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
                          + QByteArray::number(body.size()) + "\r\n\r\n" + body);
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
    const std::string name = payload.filename().string();
    const bencode::Dict info{{"length", bencode::Integer{file.size()}},
                             {"name", std::string_view(name)},
                             {"piece length", bencode::Integer{kPieceBytes}},
                             {"pieces", hashes},
                             {"private", bencode::Integer{1}}};
    return node::writeFile(
        torrent, bencode::encode(bencode::Dict{{"announce", std::string_view(tracker)}, {"info", info}}),
        node::FileMode::Public);
}

/// One aria2c; what it says is kept.
class Aria
{
public:
    void start(const fs::path& torrent, const fs::path& directory, std::uint16_t port,
               const QStringList& extra)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.setStandardInputFile(QProcess::nullDevice());
        // Nothing is allocated beforehand, and without a cache the first byte is on the disk when it arrives:
        // neither costs aria2 anything (measured).
        const QStringList arguments{QStringLiteral("--no-conf=true"),
                                    QStringLiteral("--enable-dht=false"),
                                    QStringLiteral("--enable-dht6=false"),
                                    QStringLiteral("--bt-enable-lpd=false"),
                                    QStringLiteral("--enable-peer-exchange=false"),
                                    QStringLiteral("--disable-ipv6=true"),
                                    QStringLiteral("--file-allocation=none"),
                                    QStringLiteral("--disk-cache=0"),
                                    QStringLiteral("--seed-ratio=0.0"),
                                    QStringLiteral("--show-console-readout=false"),
                                    QStringLiteral("--listen-port=%1").arg(port),
                                    QStringLiteral("--dir=%1").arg(toQString(directory))};
        m_process.start(installed("aria2c"), arguments + extra + QStringList{toQString(torrent)});
    }
    ~Aria()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    std::string said() { return m_process.readAll().right(600).toStdString(); }
    qint64 pid() const { return m_process.processId(); }

private:
    QProcess m_process;
};

/// When a file first had a byte in it, to the few milliseconds of a timer.
class FirstByte
{
public:
    explicit FirstByte(fs::path file)
        : m_file(std::move(file))
    {
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] {
            std::error_code error;
            if (fs::file_size(m_file, error) == 0 || error)
                return;
            m_seen = std::chrono::steady_clock::now();
            m_timer.stop();
        });
        m_timer.start(2ms);
    }
    std::optional<std::chrono::steady_clock::time_point> seen() const { return m_seen; }

private:
    fs::path m_file;
    QTimer m_timer;
    std::optional<std::chrono::steady_clock::time_point> m_seen;
};

/// What aria2 runs when it has all of a payload: it leaves a mark, and goes on.
Status writeHook(const fs::path& hook, const fs::path& mark)
{
    QFile script(toQString(hook));
    if (!script.open(QIODevice::WriteOnly | QIODevice::NewOnly))
        return fail(Errc::Io, script.errorString().toStdString());
    script.write("#!/bin/sh\necho complete >'" + QByteArray::fromStdString(mark.string()) + "'\n");
    script.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return {};
}

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
    if (auto written = writeHook(directory / "hook", directory / "complete"); !written)
        return tl::unexpected<Error>(written.error());
    const auto ports = support::freePorts(2);
    tracker.seedPort = ports[0];
    Aria seed, fetcher;
    // The seed trusts its file, as an agent trusts what it verified before.
    seed.start(torrent, payload.parent_path(), ports[0],
               {QStringLiteral("--bt-seed-unverified=true"), QStringLiteral("--allow-overwrite=true")});
    if (!support::waitUntil([&] { return tracker.hasSeed || !seed.isRunning(); }, 90s) || !seed.isRunning())
        return fail(Errc::Io, "aria2 does not seed: " + seed.said());
    const fs::path fetched = directory / "fetched" / payload.filename();
    const FirstByte begin(fetched);
    const FirstByte end(directory / "complete");
    // It goes on as a seed, so that its memory can be asked for.
    fetcher.start(torrent, fetched.parent_path(), ports[1],
                  {QStringLiteral("--on-bt-download-complete=%1").arg(toQString(directory / "hook"))});
    if (!support::waitUntil([&] { return end.seen() || !fetcher.isRunning(); }, kPatience) || !end.seen()
        || !begin.seen() || !tracker.fetcherAsked)
        return fail(Errc::Io, "aria2 does not fetch: " + fetcher.said());
    auto use = support::processUse(fetcher.pid());
    if (!use)
        return tl::unexpected<Error>(use.error());
    if (fs::file_size(fetched) != fs::file_size(payload))
        return fail(Errc::PayloadMismatch, "aria2 fetched another number of bytes");
    using Seconds = std::chrono::duration<double>;
    const Seconds seconds = *end.seen() - *begin.seen(), waited = *begin.seen() - *tracker.fetcherAsked;
    fs::remove_all(directory);
    return Transfer{seconds.count(), fs::file_size(payload), use->peakResidentBytes, waited.count()};
}

} // namespace starling::bench
