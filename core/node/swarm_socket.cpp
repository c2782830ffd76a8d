// SPDX-License-Identifier: Apache-2.0
#include "node/swarm_socket.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace starling::node {

namespace {

/// nat.md: with the system's defaults uTP was measured at a tenth of what it reaches with these.
constexpr int kReceiveBytes = 4 * 1024 * 1024, kSendBytes = 1024 * 1024;
constexpr std::size_t kBatch = 32; ///< datagrams read at once; guess
constexpr int kBatchesPerTurn = 4; ///< before timers and other sockets get their turn; guess
constexpr std::size_t kMaxDatagram = 2'048; ///< libtorrent takes the MTU for 1,500

sockaddr_in toSystem(const Endpoint& endpoint)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, endpoint.address.data() + 12, 4);
    address.sin_port = htons(endpoint.port);
    return address;
}

Error systemError(const char* call)
{
    return {Errc::Io, std::string(call) + ": " + std::strerror(errno)};
}

/// Where the kernel says that a datagram was sent to, if it came over loopback.
std::optional<in_addr> destinationOf(msghdr& header)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != IPPROTO_IP || part->cmsg_type != IP_PKTINFO)
            continue;
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        return info.ipi_addr;
    }
    return std::nullopt;
}

} // namespace

struct SwarmSocket::Batch
{
    struct Slot
    {
        std::array<std::byte, kMaxDatagram> bytes;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control;
        sockaddr_in from;
        iovec part;
    };
    std::array<Slot, kBatch> slots;
    std::array<mmsghdr, kBatch> headers;

    void reset()
    {
        for (std::size_t i = 0; i < kBatch; ++i) {
            Slot& slot = slots[i];
            slot.part = {slot.bytes.data(), slot.bytes.size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_name = &slot.from;
            headers[i].msg_hdr.msg_namelen = sizeof slot.from;
            headers[i].msg_hdr.msg_iov = &slot.part;
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_control = slot.control.data();
            headers[i].msg_hdr.msg_controllen = slot.control.size();
        }
    }
};

Result<std::unique_ptr<SwarmSocket>> SwarmSocket::open(const Endpoint& swarm, Receiver receiver)
{
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return tl::unexpected<Error>(systemError("socket"));
    std::unique_ptr<SwarmSocket> made(new SwarmSocket(descriptor, swarm, std::move(receiver)));
    if (auto prepared = made->prepare(); !prepared)
        return tl::unexpected<Error>(prepared.error());
    return made;
}

SwarmSocket::SwarmSocket(int descriptor, const Endpoint& swarm, Receiver receiver)
    : m_descriptor(descriptor)
    , m_swarm(swarm)
    , m_receiver(std::move(receiver))
    , m_batch(std::make_unique<Batch>())
    , m_queue([this](const Endpoint& from, ByteView bytes, std::uint16_t size) {
        return sendNow(from, bytes, size);
    })
    , m_notifier(descriptor, QSocketNotifier::Read)
{
    QObject::connect(&m_notifier, &QSocketNotifier::activated, &m_notifier, [this] { receive(); });
}

SwarmSocket::~SwarmSocket()
{
    m_notifier.setEnabled(false);
    ::close(m_descriptor);
}

Status SwarmSocket::prepare()
{
    const auto set = [this](int level, int option, const void* value, socklen_t size) {
        return ::setsockopt(m_descriptor, level, option, value, size) == 0;
    };
    // Unprivileged since Linux 5.7. Before, what comes from elsewhere is dropped by its sender alone.
    set(SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
    set(SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
    set(SOL_SOCKET, SO_SNDBUF, &kSendBytes, sizeof kSendBytes);
    const int on = 1;
    if (!set(IPPROTO_IP, IP_PKTINFO, &on, sizeof on))
        return tl::unexpected<Error>(systemError("IP_PKTINFO"));
    const sockaddr_in any = toSystem(Endpoint::ipv4(0, 0, 0, 0, 0));
    if (::bind(m_descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
        return tl::unexpected<Error>(systemError("bind"));
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(m_descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
        return tl::unexpected<Error>(systemError("getsockname"));
    m_port = ntohs(bound.sin_port);
    int given = 0;
    size = sizeof given;
    if (::getsockopt(m_descriptor, SOL_SOCKET, SO_RCVBUF, &given, &size) == 0)
        m_receiveBuffer = static_cast<std::size_t>(given) / 2; // socket(7): the kernel doubles it
    return {};
}

void SwarmSocket::send(const Endpoint& from, ByteView datagram)
{
    m_queue.add(from, datagram);
}

bool SwarmSocket::sendNow(const Endpoint& from, ByteView bytes, std::uint16_t size)
{
    sockaddr_in to = toSystem(m_swarm);
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo)) + SendQueue::kControlBytes> control{};
    msghdr header{};
    header.msg_name = &to;
    header.msg_namelen = sizeof to;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = size > 0 ? control.size() : CMSG_SPACE(sizeof(in_pktinfo));
    cmsghdr* info = CMSG_FIRSTHDR(&header);
    info->cmsg_level = IPPROTO_IP;
    info->cmsg_type = IP_PKTINFO;
    info->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo sender{};
    sender.ipi_spec_dst = toSystem(from).sin_addr;
    std::memcpy(CMSG_DATA(info), &sender, sizeof sender);
    if (size > 0)
        SendQueue::tellSize(*CMSG_NXTHDR(&header, info), size);
    return SendQueue::sendJoined(m_descriptor, header, size > 0);
}

void SwarmSocket::receive()
{
    for (int turn = 0; turn < kBatchesPerTurn; ++turn) {
        m_batch->reset();
        const int count = ::recvmmsg(m_descriptor, m_batch->headers.data(), kBatch, 0, nullptr);
        for (int i = 0; i < count; ++i) {
            const auto at = static_cast<std::size_t>(i);
            Batch::Slot& slot = m_batch->slots[at];
            mmsghdr& header = m_batch->headers[at];
            const auto to = destinationOf(header.msg_hdr);
            const sockaddr_in swarm = toSystem(m_swarm);
            const bool isFromSwarm =
                slot.from.sin_addr.s_addr == swarm.sin_addr.s_addr && slot.from.sin_port == swarm.sin_port;
            if (!to || !isFromSwarm || (header.msg_hdr.msg_flags & MSG_TRUNC) != 0)
                continue;
            std::array<std::uint8_t, 4> a{};
            std::memcpy(a.data(), &*to, a.size());
            m_receiver(Endpoint::ipv4(a[0], a[1], a[2], a[3], m_port),
                       ByteView(slot.bytes).first(header.msg_len));
        }
        if (count < static_cast<int>(kBatch))
            return;
    }
}

} // namespace starling::node
