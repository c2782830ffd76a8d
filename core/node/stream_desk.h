// SPDX-License-Identifier: Apache-2.0
/// TCP connections that carry links where UDP is blocked (link/streams.h): opens them, through an HTTP proxy
/// if one is set, accepts them, and closes them when links say so. Who may have one links decide.
#pragma once

#include "link/framing.h"
#include "link/link.h"
#include "nat/connect_proxy.h"
#include "node/config.h"
#include "node/timer_queue.h"

#include <QTcpServer>
#include <QTcpSocket>

namespace starling::node {

class StreamDesk : public QObject
{
    Q_OBJECT

public:
    /// Waits on one socket, in bytes; more is dropped, and links send again what must arrive. Guess: what
    /// 20 Mbit/s take 25 ms for. Small datagrams, which acknowledge and ask, have some more room.
    static constexpr qint64 kMaxWaiting = 64 * 1024, kMaxWaitingSmall = 96 * 1024;
    static constexpr std::size_t kSmallBytes = 128;
    static constexpr std::size_t kMaxBeforeOpen = 8 * 1024; ///< waits for a connection to open; guess
    static constexpr std::size_t kMaxConnections = 256; ///< guess: above link::Streams::kMaxStreams

    struct Services
    {
        TimerQueue& timers;
        std::function<void(const link::Input&)> links;
    };
    explicit StreamDesk(Services services);
    ~StreamDesk() override;

    /// Fails with PortInUse or Io.
    Status listen(const Endpoint& endpoint);
    bool isListening() const { return m_server.isListening(); }
    Endpoint endpoint() const; ///< where it listens
    /// For connections that are opened from now on.
    void setProxy(const std::optional<ProxyAddress>& proxy);
    const std::optional<ProxyAddress>& proxy() const { return m_proxy; }
    /// What the proxy did the last time, if that was no good.
    const std::optional<Error>& proxyTrouble() const { return m_proxyTrouble; }
    /// To be called for every output of the links.
    void take(const link::Output& output);
    /// Who is at the other end, as the kernel says; nobody's address if there is no such stream.
    Endpoint remoteOf(link::StreamId stream) const;
    /// Datagrams that found no room.
    std::uint64_t dropped() const { return m_dropped; }

private:
    struct Connection
    {
        QTcpSocket* socket = nullptr; ///< a child of ours
        link::StreamReader reader;
        std::optional<nat::ConnectReply> proxy; ///< while it has not opened the way
        std::string request; ///< to the proxy
        Bytes waiting; ///< for it to open
        bool isOpen = false, isByProxy = false;
    };

    void open(const link::OpenStream& what);
    void accept();
    void send(const link::SendOnStream& what);
    void close(link::StreamId stream);
    Connection& add(link::StreamId stream, QTcpSocket* socket);
    void onConnected(link::StreamId stream);
    void onOpen(Connection& connection);
    void read(link::StreamId stream);
    bool takeReply(link::StreamId stream, Connection& connection, ByteView bytes);
    void takeDatagrams(link::StreamId stream);
    /// It is over, by the other side or by itself.
    void end(link::StreamId stream);
    void release(Connection& connection);
    void noteTrouble(Error trouble);

    Services m_services;
    QTcpServer m_server;
    std::map<link::StreamId, Connection> m_connections;
    std::optional<ProxyAddress> m_proxy;
    std::optional<Error> m_proxyTrouble;
    std::uint64_t m_lastAccepted = 0, m_dropped = 0;
};

} // namespace starling::node
