// SPDX-License-Identifier: Apache-2.0
#include "node/link_socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace starling::node {

namespace {

constexpr int kSocketBufferBytes = 4 * 1024
    * 1024; // nat.md: with the system's 208 KiB uTP was measured at a tenth; the kernel may give less
constexpr std::size_t kSlots = 16; // read at once; guess
constexpr std::size_t kSlotBytes = 65'536; // what the kernel may have joined
constexpr int kBatchesPerTurn = 8; // before timers and other sockets get their turn; guess

union Address {
    sockaddr_storage storage; ///< the first, so that {} clears all
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

socklen_t fill(Address& address, const Endpoint& endpoint, bool isIpv4)
{
    address = {};
    if (isIpv4) {
        address.v4.sin_family = AF_INET;
        std::memcpy(&address.v4.sin_addr, endpoint.address.data() + 12, 4);
        address.v4.sin_port = htons(endpoint.port);
        return sizeof address.v4;
    }
    address.v6.sin6_family = AF_INET6;
    std::memcpy(&address.v6.sin6_addr, endpoint.address.data(), endpoint.address.size());
    address.v6.sin6_port = htons(endpoint.port);
    return sizeof address.v6;
}

Endpoint endpointOf(const Address& address)
{
    Endpoint endpoint;
    if (address.any.sa_family == AF_INET) {
        std::array<std::uint8_t, 4> a{};
        std::memcpy(a.data(), &address.v4.sin_addr, a.size());
        return Endpoint::ipv4(a[0], a[1], a[2], a[3], ntohs(address.v4.sin_port));
    }
    std::memcpy(endpoint.address.data(), &address.v6.sin6_addr, endpoint.address.size());
    endpoint.port = ntohs(address.v6.sin6_port);
    return endpoint;
}

/// The size of each datagram of those that the kernel joined; 0 if it did not.
std::size_t joinedSize(msghdr& header)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part))
        if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
            int size = 0;
            std::memcpy(&size, CMSG_DATA(part), sizeof size);
            return size > 0 ? static_cast<std::size_t>(size) : 0;
        }
    return 0;
}

} // namespace

struct LinkSocket::Buffers
{
    struct Slot
    {
        Address from;
        iovec part;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
    };
    std::vector<std::byte> bytes = std::vector<std::byte>(kSlots * kSlotBytes);
    std::array<Slot, kSlots> slots;
    std::array<mmsghdr, kSlots> headers;

    void reset()
    {
        for (std::size_t i = 0; i < kSlots; ++i) {
            slots[i].part = {bytes.data() + i * kSlotBytes, kSlotBytes};
            headers[i] = {};
            msghdr& header = headers[i].msg_hdr;
            header.msg_name = &slots[i].from;
            header.msg_namelen = sizeof slots[i].from;
            header.msg_iov = &slots[i].part;
            header.msg_iovlen = 1;
            header.msg_control = slots[i].control.data();
            header.msg_controllen = slots[i].control.size();
        }
    }
};

LinkSocket::LinkSocket(Receiver receiver)
    : m_receiver(std::move(receiver))
    , m_buffers(std::make_unique<Buffers>())
    , m_queue(
          [this](const Endpoint& to, ByteView bytes, std::uint16_t size) { return sendNow(to, bytes, size); })
{
}

LinkSocket::~LinkSocket()
{
    if (m_descriptor < 0)
        return;
    flush();
    m_notifier.reset();
    ::close(m_descriptor);
}

Status LinkSocket::bind(const Endpoint& listen)
{
    m_isIpv4 = listen.isIpv4();
    m_descriptor = ::socket(m_isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (m_descriptor < 0)
        return fail(Errc::Io, std::string("UDP socket: ") + std::strerror(errno));
    if (auto prepared = prepare(listen); !prepared)
        return prepared;
    Address bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(m_descriptor, &bound.any, &size) != 0)
        return fail(Errc::Io, std::string("UDP socket: ") + std::strerror(errno));
    m_local = endpointOf(bound);
    m_notifier = std::make_unique<QSocketNotifier>(m_descriptor, QSocketNotifier::Read);
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(), [this] { receive(); });
    return {};
}

Status LinkSocket::prepare(const Endpoint& listen)
{
    const auto set = [this](int level, int option, int value) {
        ::setsockopt(m_descriptor, level, option, &value, sizeof value); // what the kernel has not it lacks
    };
    set(SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
    set(SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
    set(SOL_UDP, UDP_GRO, 1); // since Linux 5.0
    if (!m_isIpv4)
        set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
    Address address;
    const socklen_t size = fill(address, listen, m_isIpv4);
    if (::bind(m_descriptor, &address.any, size) == 0)
        return {};
    return fail(errno == EADDRINUSE ? Errc::PortInUse : Errc::Io,
                "UDP " + toString(listen) + ": " + std::strerror(errno)
                    + "; set another 'listen' in [agent]");
}

// --- Sending

void LinkSocket::send(const Endpoint& to, ByteView datagram)
{
    if (!m_isIpv4 || to.isIpv4()) // otherwise nobody is there for this socket
        m_queue.add(to, datagram);
}

bool LinkSocket::sendNow(const Endpoint& to, ByteView bytes, std::uint16_t size)
{
    Address address;
    msghdr header{};
    header.msg_namelen = fill(address, to, m_isIpv4);
    header.msg_name = &address;
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, SendQueue::kControlBytes> control{};
    if (size > 0) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        SendQueue::tellSize(*CMSG_FIRSTHDR(&header), size);
    }
    return SendQueue::sendJoined(m_descriptor, header, size > 0);
}

// --- Receiving

bool LinkSocket::receiveBatch()
{
    m_buffers->reset();
    const int count = ::recvmmsg(m_descriptor, m_buffers->headers.data(), kSlots, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        mmsghdr& header = m_buffers->headers[at];
        if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0)
            continue;
        const Endpoint from = endpointOf(m_buffers->slots[at].from);
        ByteView rest = ByteView(m_buffers->bytes).subspan(at * kSlotBytes, header.msg_len);
        const std::size_t size = joinedSize(header.msg_hdr);
        do {
            const ByteView datagram = size == 0 ? rest : rest.first(std::min(size, rest.size()));
            rest = rest.subspan(datagram.size());
            m_receiver(from, datagram);
        } while (!rest.empty());
    }
    return count == static_cast<int>(kSlots);
}

void LinkSocket::receive()
{
    for (int i = 0; i < kBatchesPerTurn; ++i)
        if (!receiveBatch())
            return;
}

} // namespace starling::node
