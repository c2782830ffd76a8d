// SPDX-License-Identifier: Apache-2.0
#include "qbittorrent.h"

#include "fleet.h"
#include "node/disk.h"
#include "processes.h"

#include <QEventLoop>
#include <QHttpMultiPart>
#include <QJsonArray>
#include <QJsonDocument>
#include <QNetworkReply>
#include <QStandardPaths>
#include <QTimer>

namespace starling::interop {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kReplyLimit = 30s; // most of it for busy machines
constexpr std::chrono::milliseconds kStartLimit = 60s;
constexpr int kStopLimitMs = 30'000;
constexpr std::size_t kMaxTorrentBytes = 4 * 1024 * 1024;

/// The keys are those of qBittorrent 4.5.
std::string profile(std::uint16_t webPort, std::uint16_t peerPort, QBittorrent::Finding finding)
{
    return "[LegalNotice]\nAccepted=true\n"
           "[Meta]\nMigrationVersion=4\n"
           "[Network]\nPortForwardingEnabled=false\n"
           "[Preferences]\n"
           "General\\Locale=C\n"
           "WebUI\\Enabled=true\nWebUI\\Address=127.0.0.1\nWebUI\\Port="
        + std::to_string(webPort)
        + "\nWebUI\\LocalHostAuth=false\nWebUI\\UseUPnP=false\n"
          "[BitTorrent]\n"
          "Session\\DHTEnabled="
        + (finding == QBittorrent::Finding::Dht ? "true" : "false")
        + "\nSession\\LSDEnabled=false\nSession\\PeXEnabled=false\n"
          "Session\\AddTrackersEnabled=false\nSession\\QueueingSystemEnabled=false\n"
          "Session\\Interface=lo\nSession\\InterfaceName=lo\nSession\\InterfaceAddress=127.0.0.1\n"
          "Session\\Port="
        + std::to_string(peerPort) + "\n";
}

} // namespace

QString QBittorrent::program()
{
    return QStandardPaths::findExecutable(QStringLiteral("qbittorrent-nox"));
}

Status QBittorrent::start(const fs::path& directory, Finding finding)
{
    const auto ports = support::freePorts(2);
    m_port = ports[0];
    const fs::path config = directory / "qBittorrent" / "config";
    std::error_code error;
    fs::create_directories(config, error);
    if (auto written = node::writeFile(config / "qBittorrent.conf",
                                       viewOf(profile(ports[0], ports[1], finding)), node::FileMode::Private);
        !written)
        return written;
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    m_process.setStandardInputFile(QProcess::nullDevice());
    m_process.setStandardOutputFile(QString::fromStdString((directory / "output").string()));
    m_process.start(program(),
                    {QStringLiteral("--profile=%1").arg(QString::fromStdString(directory.string()))});
    const bool answers = support::waitUntil(
        [this] {
            return m_process.state() == QProcess::NotRunning
                || get(QStringLiteral("app/version")).has_value();
        },
        kStartLimit);
    if (answers && m_process.state() == QProcess::Running)
        return {};
    const auto output = node::readFile(directory / "output", 64 * 1024);
    return fail(Errc::Unreachable,
                "qbittorrent-nox does not start: " + (output ? toText(*output) : std::string()));
}

QBittorrent::~QBittorrent()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.terminate();
    if (!m_process.waitForFinished(kStopLimitMs)) {
        m_process.kill();
        m_process.waitForFinished();
    }
}

QUrl QBittorrent::url(const QString& path) const
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1/api/v2/%2").arg(m_port).arg(path));
}

Result<QByteArray> QBittorrent::finish(QNetworkReply* reply)
{
    QEventLoop loop;
    QTimer limit;
    limit.setSingleShot(true);
    QObject::connect(reply, &QNetworkReply::finished, &loop, &QEventLoop::quit);
    QObject::connect(&limit, &QTimer::timeout, reply, &QNetworkReply::abort);
    limit.start(kReplyLimit);
    if (!reply->isFinished())
        loop.exec();
    const std::unique_ptr<QNetworkReply> owned(reply);
    const QByteArray body = reply->readAll();
    if (reply->error() != QNetworkReply::NoError)
        return fail(Errc::Unreachable, reply->errorString().toStdString() + ": " + body.toStdString());
    return body;
}

Result<QByteArray> QBittorrent::get(const QString& path)
{
    return finish(m_network.get(QNetworkRequest(url(path))));
}

Result<QByteArray> QBittorrent::post(const QString& path, const Fields& fields)
{
    QHttpMultiPart parts(QHttpMultiPart::FormDataType);
    for (const auto& [disposition, body] : fields) {
        QHttpPart part;
        part.setHeader(QNetworkRequest::ContentDispositionHeader, QByteArray("form-data; " + disposition));
        part.setBody(body);
        parts.append(part);
    }
    return finish(m_network.post(QNetworkRequest(url(path)), &parts));
}

Status QBittorrent::add(const fs::path& torrentFile, const fs::path& saveDirectory)
{
    const auto bytes = node::readFile(torrentFile, kMaxTorrentBytes);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    const QByteArray file(reinterpret_cast<const char*>(bytes->data()),
                          static_cast<qsizetype>(bytes->size()));
    auto added = post(QStringLiteral("torrents/add"),
                      {{"name=\"torrents\"; filename=\"release.torrent\"", file},
                       {"name=\"savepath\"", QByteArray::fromStdString(saveDirectory.string())},
                       {"name=\"contentLayout\"", "Original"},
                       {"name=\"autoTMM\"", "false"}});
    if (!added)
        return tl::unexpected<Error>(added.error());
    if (added->trimmed() != "Ok.")
        return fail(Errc::Refused, "torrents/add: " + added->toStdString());
    return {};
}

Status QBittorrent::remove()
{
    auto removed = post(QStringLiteral("torrents/delete"),
                        {{"name=\"hashes\"", "all"}, {"name=\"deleteFiles\"", "true"}});
    if (!removed)
        return tl::unexpected<Error>(removed.error());
    if (!support::waitUntil([this] { return !torrent().has_value(); }, kReplyLimit))
        return fail(Errc::Timeout, "qBittorrent does not forget the torrent");
    return {};
}

Status QBittorrent::addPeer(const Endpoint& peer)
{
    auto held = torrent();
    if (!held)
        return tl::unexpected<Error>(held.error());
    auto added = post(QStringLiteral("torrents/addPeers"),
                      {{"name=\"hashes\"", held->value(QStringLiteral("hash")).toString().toUtf8()},
                       {"name=\"peers\"", QByteArray::fromStdString(toString(peer))}});
    if (!added)
        return tl::unexpected<Error>(added.error());
    return {};
}

int QBittorrent::dhtNodes()
{
    const auto body = get(QStringLiteral("transfer/info"));
    return body ? QJsonDocument::fromJson(*body)[QStringLiteral("dht_nodes")].toInt() : 0;
}

Result<QJsonObject> QBittorrent::torrent()
{
    auto body = get(QStringLiteral("torrents/info"));
    if (!body)
        return tl::unexpected<Error>(body.error());
    const QJsonArray torrents = QJsonDocument::fromJson(*body).array();
    if (torrents.isEmpty())
        return fail(Errc::NotFound, "qBittorrent holds no torrent: " + body->toStdString());
    return torrents.first().toObject();
}

} // namespace starling::interop
