// SPDX-License-Identifier: Apache-2.0
/// Debian's qBittorrent as a process on loopback, used through its web API. Everything that would find peers
/// by itself is off, or all but DHT.
#pragma once

#include "base/endpoint.h"
#include "base/result.h"

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QProcess>

#include <filesystem>

namespace starling::interop {

class QBittorrent
{
public:
    /// The program, or an empty path where it is not installed.
    static QString program();
    enum class Finding : std::uint8_t { Nothing, Dht };
    /// Writes a profile below `directory`, starts it and waits until the web API answers.
    Status start(const std::filesystem::path& directory, Finding finding = Finding::Nothing);
    ~QBittorrent(); ///< ends it

    /// Fetches what `torrentFile` describes into `saveDirectory`.
    Status add(const std::filesystem::path& torrentFile, const std::filesystem::path& saveDirectory);
    /// Forgets the only torrent, and with it what it thinks of peers, and deletes what it fetched.
    Status remove();
    /// Tells it of one peer of the only torrent.
    Status addPeer(const Endpoint& peer);
    /// How many nodes its DHT knows.
    int dhtNodes();
    /// What it says of the only torrent (`progress`, `state`, `downloaded`, …). NotFound while there is none.
    Result<QJsonObject> torrent();

private:
    using Fields = std::vector<std::pair<QByteArray, QByteArray>>;
    Result<QByteArray> get(const QString& path);
    Result<QByteArray> post(const QString& path, const Fields& fields);
    Result<QByteArray> finish(QNetworkReply* reply);
    QUrl url(const QString& path) const;

    std::uint16_t m_port = 0;
    QNetworkAccessManager m_network;
    QProcess m_process;
};

} // namespace starling::interop
