// SPDX-License-Identifier: Apache-2.0
#include "control/server.h"

#include <QFileInfo>
#include <QLocalServer>
#include <QLocalSocket>

namespace starling::control {

struct Server::Connection {
    ConnectionId id {};
    QLocalSocket* socket = nullptr;
    FrameReader frames;
    bool isAwaitingReply = false;
    bool isWatching = false;
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
}

Status Server::listen()
{
    QLocalServer::removeServer(m_config.path);
    m_server->setSocketOptions(QLocalServer::UserAccessOption | QLocalServer::GroupAccessOption);
    m_server->setMaxPendingConnections(static_cast<int>(m_config.maxConnections));
    if (!m_server->listen(m_config.path))
        return fail(Errc::Io, "control socket " + m_config.path.toStdString() + ": " + m_server->errorString().toStdString());
    return {};
}

void Server::accept()
{
    while (QLocalSocket* socket = m_server->nextPendingConnection()) {
        if (m_connections.size() >= m_config.maxConnections) {
            const Bytes refusal = encode(Reply(ErrorReply {{Errc::Busy, "too many control connections"}}));
            socket->write(reinterpret_cast<const char*>(refusal.data()), static_cast<qint64>(refusal.size()));
            connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
            socket->disconnectFromServer();
            continue;
        }
        const ConnectionId id {m_nextId++};
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
    if (auto taken = connection.frames.feed(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())))); !taken) {
        send(connection, ErrorReply {taken.error()});
        connection.socket->disconnectFromServer();
        return;
    }
    serve(connection);
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
            send(connection, ErrorReply {request.error()});
            connection.socket->disconnectFromServer();
            return;
        }
        if (std::holds_alternative<WatchRequest>(*request)) {
            connection.isWatching = true;
            send(connection, WatchReply {});
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
    QMetaObject::invokeMethod(this, [this, to] { read(to); }, Qt::QueuedConnection);
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
    const Bytes bytes = encode(answer);
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
    QMetaObject::invokeMethod(this, [dying] {}, Qt::QueuedConnection);
    m_handler.closed(id);
}

} // namespace starling::control
