// SPDX-License-Identifier: Apache-2.0
/// The agent's side of the control socket: a local socket that only its user and group can open (mode 0660).
#pragma once

#include "control/codec.h"

#include <QObject>
#include <memory>
#include <set>

class QLocalServer;
class QLocalSocket;

namespace starling::control {

/// Names a connection while it lives; never reused.
enum class ConnectionId : std::uint64_t {};

struct ServerConfig
{
    QString path;
    std::size_t maxConnections = 32; ///< guess: people and scripts at one device
    std::size_t maxQueuedBytes = 8 * 1024 * 1024; ///< to a reader that does not read; then it is cut off
};

class Server : public QObject
{
    Q_OBJECT

public:
    /// Answers requests; the agent's service implements it.
    class Handler
    {
    public:
        virtual ~Handler() = default;
        /// Either the reply, or nothing if it follows later by Server::reply(). Requests of one connection
        /// are answered in order: the next one is not read before.
        virtual std::optional<Reply> handle(ConnectionId from, Request request) = 0;
        virtual void closed(ConnectionId connection) = 0;
    };

    Server(ServerConfig config, Handler& handler, QObject* parent = nullptr);
    ~Server() override;

    /// A socket file left behind by a dead agent is replaced. Fails with AlreadyExists if somebody answers
    /// there or the file is no socket, Io.
    Status listen();
    void reply(ConnectionId to, const Reply& reply);
    /// To all that watch.
    void publish(const Event& event);

private:
    struct Connection;
    void accept();
    void turnAway(QLocalSocket* socket);
    void read(ConnectionId id);
    void serve(Connection& connection);
    void send(Connection& connection, const Reply& reply);
    /// Says why, and hangs up.
    void refuse(Connection& connection, const Error& error);
    void close(ConnectionId id);

    ServerConfig m_config;
    Handler& m_handler;
    QLocalServer* m_server;
    std::map<ConnectionId, std::unique_ptr<Connection>> m_connections;
    std::set<QLocalSocket*> m_turnedAway; ///< told that we are busy; at most maxConnections
    std::uint64_t m_nextId = 1;
};

} // namespace starling::control
