// SPDX-License-Identifier: Apache-2.0
#include "node/stream_desk.h"

#include "node/log.h"
#include "node/net_address.h"

#include <QNetworkProxy>
#include <QPointer>

namespace starling::node {

namespace {

/// Of the kernel, beside kMaxWaiting: 20 Mbit/s over 100 ms (nat.md's uplinks). Guess.
constexpr int kSocketBufferBytes = 256 * 1024;
constexpr qint64 kReadBytes = 64 * 1024; ///< at once, and kept unread; then the other side must wait
/// Goodbyes that are still to be sent have so long. Guess.
constexpr Duration kLinger = std::chrono::seconds(2);

ByteView viewOf(const QByteArray& bytes)
{
    return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

void write(QTcpSocket& socket, ByteView bytes)
{
    socket.write(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()));
}

} // namespace

StreamDesk::StreamDesk(Services services)
    : m_services(std::move(services))
{
    connect(&m_server, &QTcpServer::newConnection, this, &StreamDesk::accept);
}

StreamDesk::~StreamDesk()
{
    for (auto& [stream, connection] : m_connections)
        connection.socket->disconnect(this);
}

Status StreamDesk::listen(const Endpoint& endpoint)
{
    m_server.close();
    m_server.setProxy(QNetworkProxy::NoProxy);
    if (m_server.listen(toQt(endpoint), endpoint.port))
        return {};
    const bool isInUse = m_server.serverError() == QAbstractSocket::AddressInUseError;
    return fail(isInUse ? Errc::PortInUse : Errc::Io,
                "TCP " + toString(endpoint) + ": " + m_server.errorString().toStdString());
}

Endpoint StreamDesk::endpoint() const
{
    return fromQt(m_server.serverAddress(), m_server.serverPort());
}

void StreamDesk::setProxy(const std::optional<ProxyAddress>& proxy)
{
    m_proxy = proxy;
    m_proxyTrouble.reset();
}

void StreamDesk::take(const link::Output& output)
{
    if (const auto* sent = std::get_if<link::SendOnStream>(&output))
        send(*sent);
    else if (const auto* opened = std::get_if<link::OpenStream>(&output))
        open(*opened);
    else if (const auto* closed = std::get_if<link::CloseStream>(&output))
        close(closed->stream);
}

Endpoint StreamDesk::remoteOf(link::StreamId stream) const
{
    const auto found = m_connections.find(stream);
    if (found == m_connections.end())
        return {};
    const QTcpSocket& socket = *found->second.socket;
    return fromQt(socket.peerAddress(), socket.peerPort());
}

StreamDesk::Connection& StreamDesk::add(link::StreamId stream, QTcpSocket* socket)
{
    socket->setParent(this);
    socket->setReadBufferSize(kReadBytes);
    connect(socket, &QTcpSocket::readyRead, this, [this, stream] { read(stream); });
    connect(socket, &QTcpSocket::errorOccurred, this, [this, stream] { end(stream); });
    connect(socket, &QTcpSocket::disconnected, this, [this, stream] { end(stream); });
    Connection& connection = m_connections[stream];
    connection.socket = socket;
    return connection;
}

void StreamDesk::open(const link::OpenStream& what)
{
    auto* socket = new QTcpSocket(this);
    socket->setProxy(QNetworkProxy::NoProxy); // of the system's we know nothing
    Connection& connection = add(what.stream, socket);
    connect(socket, &QTcpSocket::connected, this, [this, stream = what.stream] { onConnected(stream); });
    if (!m_proxy || !m_proxy->isFor(what.to))
        return socket->connectToHost(toQt(what.to), what.to.port);
    connection.isByProxy = true;
    connection.proxy.emplace(!m_proxy->login.empty());
    connection.request = nat::connectRequest(what.to, m_proxy->login);
    socket->connectToHost(QString::fromStdString(m_proxy->host), m_proxy->port);
}

void StreamDesk::accept()
{
    while (QTcpSocket* socket = m_server.nextPendingConnection()) {
        if (m_connections.size() >= kMaxConnections) {
            socket->abort();
            socket->deleteLater();
            continue;
        }
        const link::StreamId stream{++m_lastAccepted};
        const Endpoint remote = fromQt(socket->peerAddress(), socket->peerPort());
        onOpen(add(stream, socket));
        m_services.links(link::StreamAccepted{stream, remote});
        read(stream); // what has come already says nothing any more
    }
}

void StreamDesk::onConnected(link::StreamId stream)
{
    const auto found = m_connections.find(stream);
    if (found == m_connections.end())
        return;
    Connection& connection = found->second;
    if (!connection.proxy)
        return onOpen(connection);
    write(*connection.socket, starling::viewOf(std::exchange(connection.request, {})));
}

void StreamDesk::onOpen(Connection& connection)
{
    connection.isOpen = true;
    connection.socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    connection.socket->setSocketOption(QAbstractSocket::SendBufferSizeSocketOption, kSocketBufferBytes);
    write(*connection.socket, std::exchange(connection.waiting, {}));
}

void StreamDesk::send(const link::SendOnStream& what)
{
    const auto found = m_connections.find(what.stream);
    if (found == m_connections.end() || what.bytes.size() < link::kMinFramedBytes
        || what.bytes.size() > link::kMaxFramedBytes) {
        ++m_dropped;
        return;
    }
    Connection& connection = found->second;
    const bool isSmall = what.bytes.size() <= kSmallBytes;
    const bool hasRoom = connection.isOpen
        ? connection.socket->bytesToWrite() < (isSmall ? kMaxWaitingSmall : kMaxWaiting)
        : connection.waiting.size() + what.bytes.size() < kMaxBeforeOpen;
    if (!hasRoom) {
        ++m_dropped;
        return;
    }
    const Bytes bytes = link::framed(what.bytes);
    if (connection.isOpen)
        write(*connection.socket, bytes);
    else
        append(connection.waiting, bytes);
}

// --- What comes in

void StreamDesk::read(link::StreamId stream)
{
    const auto found = m_connections.find(stream);
    if (found == m_connections.end())
        return;
    const QByteArray bytes = found->second.socket->read(kReadBytes);
    if (bytes.isEmpty())
        return;
    if (!found->second.proxy)
        found->second.reader.push(viewOf(bytes));
    else if (!takeReply(stream, found->second, viewOf(bytes)))
        return;
    takeDatagrams(stream);
    // One piece in each turn of the event loop: others want to be read, too.
    QMetaObject::invokeMethod(
        this, [this, stream] { read(stream); }, Qt::QueuedConnection);
}

/// Whether the proxy has opened the way.
bool StreamDesk::takeReply(link::StreamId stream, Connection& connection, ByteView bytes)
{
    const auto isOpen = connection.proxy->push(bytes);
    if (!isOpen) {
        noteTrouble(isOpen.error());
        connection.proxy.reset();
        qCInfo(lcNode, "proxy: %ls", qUtf16Printable(forLog(isOpen.error())));
        end(stream);
        return false;
    }
    if (!*isOpen)
        return false;
    m_proxyTrouble.reset();
    connection.reader.push(connection.proxy->rest());
    connection.proxy.reset();
    onOpen(connection);
    return true;
}

void StreamDesk::takeDatagrams(link::StreamId stream)
{
    for (;;) {
        // What links do with one may close the connection.
        const auto found = m_connections.find(stream);
        if (found == m_connections.end())
            return;
        const auto next = found->second.reader.next();
        if (!next)
            return end(stream); // a stranger: no answer
        if (!*next)
            return;
        const Bytes datagram = toBytes(**next);
        m_services.links(link::StreamReceived{stream, datagram});
    }
}

void StreamDesk::noteTrouble(Error trouble)
{
    // While it carries links, whom it cannot reach is not its fault.
    const bool isAboutOthers = trouble.code == Errc::Unreachable || trouble.code == Errc::Timeout;
    const bool isCarrying = std::any_of(m_connections.begin(), m_connections.end(), [](const auto& one) {
        return one.second.isByProxy && one.second.isOpen;
    });
    if (!isAboutOthers || !isCarrying)
        m_proxyTrouble = std::move(trouble);
}

// --- The end

void StreamDesk::end(link::StreamId stream)
{
    auto ended = m_connections.extract(stream);
    if (ended.empty())
        return;
    Connection& connection = ended.mapped();
    const bool isProxyGone = connection.isByProxy && connection.proxy;
    if (isProxyGone)
        noteTrouble({Errc::Unreachable, "the proxy: " + connection.socket->errorString().toStdString()});
    connection.socket->disconnect(this);
    connection.socket->abort();
    connection.socket->deleteLater();
    m_services.links(link::StreamClosed{stream});
}

void StreamDesk::close(link::StreamId stream)
{
    auto closed = m_connections.extract(stream);
    if (closed.empty())
        return;
    Connection& connection = closed.mapped();
    if (connection.isByProxy && connection.proxy)
        noteTrouble({Errc::Timeout, "the proxy did not open a way in time"});
    release(connection);
}

/// What is still to be sent goes out, for a while.
void StreamDesk::release(Connection& connection)
{
    QTcpSocket* socket = connection.socket;
    socket->disconnect(this);
    if (!connection.isOpen || socket->bytesToWrite() == 0) {
        socket->abort();
        socket->deleteLater();
        return;
    }
    connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
    socket->disconnectFromHost();
    m_services.timers.schedule(kLinger, [waiting = QPointer<QTcpSocket>(socket)] {
        if (waiting) {
            waiting->abort();
            waiting->deleteLater();
        }
    });
}

} // namespace starling::node
