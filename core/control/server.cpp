// SPDX-License-Identifier: Apache-2.0
#include "control/server.h"

#include <QFile>
#include <QLocalServer>
#include <QLocalSocket>

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace starling::control {

namespace {

/// How long a socket that is there already has to take a connection. The kernel does that, not the agent's
/// event loop.
constexpr int kProbeMilliseconds = 200;

/// Removes the socket of a dead agent. Anything else at its place stays: a mistaken path must not cost a
/// file.
Status makeWay(const QString& path)
{
    struct stat found
    {
    };
    const QByteArray name = QFile::encodeName(path);
    if (::lstat(name.constData(), &found) != 0) {
        if (errno == ENOENT)
            return {};
        return fail(Errc::Io, "control socket " + path.toStdString() + ": " + std::strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode))
        return fail(Errc::AlreadyExists,
                    "control socket " + path.toStdString() + ": a file that is no socket is in its place");
    QLocalSocket probe;
    probe.connectToServer(path);
    if (probe.waitForConnected(kProbeMilliseconds))
        return fail(Errc::AlreadyExists,
                    "control socket " + path.toStdString() + ": another agent answers there");
    QLocalServer::removeServer(path);
    return {};
}

} // namespace

struct Server::Connection
{
    ConnectionId id{};
    QLocalSocket* socket = nullptr;
    FrameReader frames;
    bool isAwaitingReply = false;
    bool isWatching = false;
    bool isClosing = false; ///< told why, and not listened to any more
};

Server::Server(ServerConfig config, Handler& handler, QObject* parent)
    : QObject(parent)
    , m_config(std::move(config))
    , m_handler(handler)
    , m_server(new QLocalServer(this))
{
    connect(m_server, &QLocalServer::newConnection, this, &Server::accept);
}

Server::~Server()
{
    for (auto& [id, connection] : m_connections)
        connection->socket->disconnect(this);
    for (QLocalSocket* socket : m_turnedAway)
        socket->disconnect(this);
}

Status Server::listen()
{
    if (auto free = makeWay(m_config.path); !free)
        return free;
    m_server->setSocketOptions(QLocalServer::UserAccessOption | QLocalServer::GroupAccessOption);
    m_server->setMaxPendingConnections(static_cast<int>(m_config.maxConnections));
    if (!m_server->listen(m_config.path))
        return fail(Errc::Io,
                    "control socket " + m_config.path.toStdString() + ": "
                        + m_server->errorString().toStdString());
    // Qt has made it 0770 before it got its name; a socket needs no right to execute.
    if (::chmod(QFile::encodeName(m_config.path).constData(), 0660) != 0)
        return fail(Errc::Io, "control socket " + m_config.path.toStdString() + ": " + std::strerror(errno));
    return {};
}

void Server::accept()
{
    while (QLocalSocket* socket = m_server->nextPendingConnection()) {
        if (m_connections.size() >= m_config.maxConnections) {
            turnAway(socket);
            continue;
        }
        const ConnectionId id{m_nextId++};
        auto connection = std::make_unique<Connection>();
        connection->id = id;
        connection->socket = socket;
        // Bounds what a client can make us hold: the rest waits in the kernel, and then in the client.
        socket->setReadBufferSize(static_cast<qint64>(kMaxChunkBytes) * 2);
        connect(socket, &QLocalSocket::readyRead, this, [this, id] { read(id); });
        connect(socket, &QLocalSocket::disconnected, this, [this, id] { close(id); });
        m_connections.emplace(id, std::move(connection));
        read(id);
    }
}

void Server::turnAway(QLocalSocket* socket)
{
    const Bytes refusal = encode(Reply(ErrorReply{{Errc::Busy, "too many control connections"}}));
    socket->write(reinterpret_cast<const char*>(refusal.data()), static_cast<qint64>(refusal.size()));
    connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
    if (m_turnedAway.size() >= m_config.maxConnections) {
        socket->disconnectFromServer();
        return;
    }
    // Kept until it asks: a client that writes into a closed connection never gets to read why it was closed.
    m_turnedAway.insert(socket);
    connect(socket, &QLocalSocket::disconnected, this, [this, socket] { m_turnedAway.erase(socket); });
    connect(socket, &QLocalSocket::readyRead, socket, [socket] {
        socket->readAll();
        socket->disconnectFromServer();
    });
}

void Server::read(ConnectionId id)
{
    const auto found = m_connections.find(id);
    if (found == m_connections.end())
        return;
    Connection& connection = *found->second;
    // While a reply is owed nothing is read, so a client cannot make us queue its requests.
    if (connection.isAwaitingReply)
        return;
    const QByteArray bytes = connection.socket->readAll();
    if (connection.isClosing)
        return;
    if (auto taken = connection.frames.feed(
            std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
        !taken) {
        refuse(connection, taken.error());
        return;
    }
    serve(connection);
}

void Server::refuse(Connection& connection, const Error& error)
{
    connection.isClosing = true;
    send(connection, ErrorReply{error});
    connection.socket->disconnectFromServer();
}

void Server::serve(Connection& connection)
{
    const ConnectionId id = connection.id;
    while (m_connections.contains(id) && !connection.isAwaitingReply) {
        const std::optional<Bytes> frame = connection.frames.next();
        if (!frame)
            return;
        auto request = decodeRequest(*frame);
        if (!request) {
            refuse(connection, request.error());
            return;
        }
        if (std::holds_alternative<WatchRequest>(*request)) {
            connection.isWatching = true;
            send(connection, WatchReply{});
            continue;
        }
        connection.isAwaitingReply = true;
        if (const auto answer = m_handler.handle(id, std::move(*request)))
            reply(id, *answer);
    }
}

void Server::reply(ConnectionId to, const Reply& answer)
{
    const auto found = m_connections.find(to);
    if (found == m_connections.end() || !found->second->isAwaitingReply)
        return;
    found->second->isAwaitingReply = false;
    send(*found->second, answer);
    // What arrived meanwhile is served from the event loop, not from within the handler's call.
    QMetaObject::invokeMethod(
        this, [this, to] { read(to); }, Qt::QueuedConnection);
}

void Server::publish(const Event& event)
{
    std::vector<ConnectionId> watching;
    for (const auto& [id, connection] : m_connections)
        if (connection->isWatching)
            watching.push_back(id);
    for (const ConnectionId id : watching)
        if (const auto found = m_connections.find(id); found != m_connections.end())
            send(*found->second, event);
}

void Server::send(Connection& connection, const Reply& answer)
{
    if (static_cast<std::size_t>(connection.socket->bytesToWrite()) > m_config.maxQueuedBytes) {
        connection.socket->abort();
        return;
    }
    Bytes bytes = encode(answer);
    if (bytes.size() > kMaxFrameBytes)
        bytes = encode(Reply(ErrorReply{{Errc::TooLarge, "the answer is larger than a control frame"}}));
    connection.socket->write(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()));
}

void Server::close(ConnectionId id)
{
    const auto found = m_connections.find(id);
    if (found == m_connections.end())
        return;
    // Not destroyed here: this may be running inside one of the connection's own calls.
    found->second->socket->deleteLater();
    std::shared_ptr<Connection> dying = std::move(found->second);
    m_connections.erase(found);
    QMetaObject::invokeMethod(
        this, [dying] {}, Qt::QueuedConnection);
    m_handler.closed(id);
}

} // namespace starling::control
