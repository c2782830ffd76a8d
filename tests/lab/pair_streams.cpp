// SPDX-License-Identifier: Apache-2.0
#include "pair_streams.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace starling::lab {

namespace {

sockaddr_in6 toSystem(const Endpoint& endpoint)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, endpoint.address.data(), endpoint.address.size());
    return address;
}

Endpoint fromSystem(const sockaddr_in6& address)
{
    Endpoint endpoint;
    std::memcpy(endpoint.address.data(), &address.sin6_addr, endpoint.address.size());
    endpoint.port = ntohs(address.sin6_port);
    return endpoint;
}

/// For both families: IPv4 as ::ffff:a.b.c.d.
int makeSocket()
{
    const int made = ::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int no = 0, yes = 1;
    ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    return made;
}

bool isForLater()
{
    return errno == EAGAIN || errno == EINPROGRESS;
}

} // namespace

Result<std::unique_ptr<PairStreams>> PairStreams::listen(const Network& network, const Endpoint& local)
{
    int listener = -1;
    const auto opened = network.inside([&]() -> Status {
        listener = makeSocket();
        const sockaddr_in6 address = toSystem(local);
        if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0
            || ::listen(listener, SOMAXCONN) != 0)
            return fail(Errc::Io, "TCP " + toString(local) + ": " + std::strerror(errno));
        return {};
    });
    if (!opened) {
        ::close(listener);
        return tl::unexpected<Error>(opened.error());
    }
    return std::unique_ptr<PairStreams>(new PairStreams(network, listener));
}

PairStreams::~PairStreams()
{
    for (const auto& [stream, connection] : m_connections)
        ::close(connection.descriptor);
    ::close(m_listener);
}

void PairStreams::take(const link::Output& output)
{
    if (const auto* opened = std::get_if<link::OpenStream>(&output)) {
        open(*opened);
    } else if (const auto* sent = std::get_if<link::SendOnStream>(&output)) {
        const auto found = m_connections.find(sent->stream);
        if (found == m_connections.end())
            return;
        append(found->second.waiting, link::framed(sent->bytes));
        if (!found->second.isConnecting && !send(found->second))
            m_broken.push_back(sent->stream);
    } else if (const auto* closed = std::get_if<link::CloseStream>(&output)) {
        drop(closed->stream);
    }
}

void PairStreams::open(const link::OpenStream& what)
{
    Connection connection;
    connection.isConnecting = true;
    const auto begun = m_network.inside([&]() -> Status {
        connection.descriptor = makeSocket();
        const sockaddr_in6 address = toSystem(what.to);
        const auto* there = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(connection.descriptor, there, sizeof address) != 0 && !isForLater())
            return fail(Errc::Unreachable, std::strerror(errno));
        return {};
    });
    m_connections[what.stream] = std::move(connection);
    if (!begun)
        m_broken.push_back(what.stream);
}

void PairStreams::poll(std::vector<pollfd>& polled) const
{
    polled.push_back({m_listener, POLLIN, 0});
    for (const auto& [stream, connection] : m_connections) {
        const bool isToSend = connection.isConnecting || !connection.waiting.empty();
        polled.push_back(
            {connection.descriptor, static_cast<short>(isToSend ? POLLIN | POLLOUT : POLLIN), 0});
    }
}

void PairStreams::work(const std::function<void(const link::Input&)>& give)
{
    accept(give);
    std::vector<link::StreamId> all;
    for (const auto& [stream, connection] : m_connections)
        all.push_back(stream);
    for (const link::StreamId stream : all) {
        const auto found = m_connections.find(stream);
        if (found == m_connections.end())
            continue;
        pollfd state{found->second.descriptor, POLLIN | POLLOUT, 0};
        ::poll(&state, 1, 0);
        if ((state.revents & POLLOUT) != 0)
            found->second.isConnecting = false;
        const bool isGood = (state.revents & (POLLERR | POLLNVAL)) == 0
            && (found->second.isConnecting || (send(found->second) && receive(stream, give)));
        if (!isGood)
            m_broken.push_back(stream);
    }
    for (const link::StreamId stream : std::exchange(m_broken, {})) {
        drop(stream);
        give(link::StreamClosed{stream});
    }
}

void PairStreams::accept(const std::function<void(const link::Input&)>& give)
{
    for (;;) {
        sockaddr_in6 from{};
        socklen_t size = sizeof from;
        const int accepted =
            ::accept4(m_listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0)
            return;
        const link::StreamId stream{++m_accepted};
        m_connections[stream].descriptor = accepted;
        give(link::StreamAccepted{stream, fromSystem(from)});
    }
}

bool PairStreams::send(Connection& connection)
{
    while (!connection.waiting.empty()) {
        const ssize_t sent =
            ::send(connection.descriptor, connection.waiting.data(), connection.waiting.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return isForLater();
        connection.waiting.erase(connection.waiting.begin(), connection.waiting.begin() + sent);
    }
    return true;
}

bool PairStreams::receive(link::StreamId stream, const std::function<void(const link::Input&)>& give)
{
    std::array<std::byte, 16 * 1024> buffer{};
    for (;;) {
        auto found = m_connections.find(stream);
        if (found == m_connections.end())
            return true; // links have closed it
        const ssize_t size = ::recv(found->second.descriptor, buffer.data(), buffer.size(), 0);
        if (size <= 0)
            return size < 0 && isForLater();
        found->second.reader.push(std::span(buffer).first(static_cast<std::size_t>(size)));
        for (;;) {
            found = m_connections.find(stream);
            if (found == m_connections.end())
                return true;
            const auto next = found->second.reader.next();
            if (!next)
                return false;
            if (!*next)
                break;
            const Bytes datagram = toBytes(**next);
            give(link::StreamReceived{stream, datagram});
        }
    }
}

void PairStreams::drop(link::StreamId stream)
{
    const auto dropped = m_connections.extract(stream);
    if (!dropped.empty())
        ::close(dropped.mapped().descriptor);
}

} // namespace starling::lab
