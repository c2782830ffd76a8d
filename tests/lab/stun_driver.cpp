// SPDX-License-Identifier: Apache-2.0
#include "stun_driver.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

namespace starling::lab {

namespace {

constexpr std::size_t kMaxDatagramBytes = 65'536;
constexpr int kTriesForPorts = 50;
// Nothing is lost in a lab. A machine that is busy with other tests may take its time.
constexpr nat::StunSchedule kExpected{std::chrono::milliseconds(300), 3, 4};
constexpr nat::StunSchedule kDoubtful{std::chrono::milliseconds(300), 2, 3};

/// Of the system; the tests need no better.
class DeviceRandom final : public RandomSource
{
public:
    void fill(std::span<std::byte> out) override
    {
        for (std::byte& b : out)
            b = static_cast<std::byte>(m_device());
    }

private:
    std::random_device m_device;
};

Instant clockNow()
{
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

struct SystemAddress
{
    sockaddr_storage storage{};
    socklen_t size = 0;

    explicit SystemAddress(const Endpoint& endpoint)
    {
        if (endpoint.isIpv4()) {
            auto* address = reinterpret_cast<sockaddr_in*>(&storage);
            address->sin_family = AF_INET;
            address->sin_port = htons(endpoint.port);
            std::memcpy(&address->sin_addr, endpoint.address.data() + 12, 4);
            size = sizeof *address;
        } else {
            auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
            address->sin6_family = AF_INET6;
            address->sin6_port = htons(endpoint.port);
            std::memcpy(&address->sin6_addr, endpoint.address.data(), 16);
            size = sizeof *address;
        }
    }
    SystemAddress() { size = sizeof storage; }
    Endpoint endpoint() const
    {
        if (storage.ss_family == AF_INET) {
            const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
            Endpoint endpoint = Endpoint::ipv4(0, 0, 0, 0, ntohs(address->sin_port));
            std::memcpy(endpoint.address.data() + 12, &address->sin_addr, 4);
            return endpoint;
        }
        const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
        Endpoint endpoint;
        endpoint.port = ntohs(address->sin6_port);
        std::memcpy(endpoint.address.data(), &address->sin6_addr, 16);
        return endpoint;
    }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Runs a machine to its end: performs its outputs, and gives it datagrams and timers.
template <class Machine, class Found> class Runner
{
public:
    Runner(Machine& machine, std::vector<UdpSocket>& sockets)
        : m_machine(machine)
        , m_sockets(sockets)
    {
    }

    Found run()
    {
        perform(m_machine.start());
        while (!m_found) {
            if (!m_timers.empty() && m_timers.begin()->first <= clockNow()) {
                const auto expired = std::move(m_timers.begin()->second);
                m_timers.erase(m_timers.begin());
                expired();
                continue;
            }
            wait();
        }
        return *m_found;
    }

private:
    void wait()
    {
        using namespace std::chrono;
        std::vector<pollfd> polled;
        for (const UdpSocket& socket : m_sockets)
            polled.push_back({socket.descriptor(), POLLIN, 0});
        const auto left = m_timers.empty() ? Duration(seconds(1)) : m_timers.begin()->first - clockNow();
        ::poll(polled.data(), polled.size(),
               static_cast<int>(std::max<std::int64_t>(ceil<milliseconds>(left).count(), 0)));
        for (std::size_t i = 0; i < m_sockets.size() && !m_found; ++i)
            if (const auto received = m_sockets[i].receive())
                perform(m_machine.handle(
                    nat::DatagramReceived{static_cast<nat::Socket>(i), received->first, received->second}));
    }
    template <class Outputs> void perform(const Outputs& outputs)
    {
        for (const auto& output : outputs)
            std::visit([this](const auto& one) { this->take(one); }, output);
    }
    void take(const Found& found) { m_found = found; }
    void take(const nat::SendDatagram& sent)
    {
        m_sockets.at(static_cast<std::size_t>(sent.by)).send(sent.to, sent.bytes);
    }
    template <class Timer> void take(const Timer& scheduled)
    {
        m_timers.emplace(clockNow() + scheduled.delay,
                         [this, timer = scheduled.timer] { perform(m_machine.handle(timer)); });
    }

    Machine& m_machine;
    std::vector<UdpSocket>& m_sockets;
    std::multimap<Instant, std::function<void()>> m_timers;
    std::optional<Found> m_found;
};

Endpoint withPort(Endpoint endpoint, std::uint16_t port)
{
    endpoint.port = port;
    return endpoint;
}

/// Two ports that are free at both addresses; the order is that of StunServer's sockets.
Result<std::vector<UdpSocket>> bindFour(const Endpoint& first, const Endpoint& second)
{
    std::optional<Error> last;
    for (int i = 0; i < kTriesForPorts; ++i) {
        std::vector<UdpSocket> sockets;
        for (int place = 0; place < 4; ++place) {
            const std::uint16_t port =
                place < 2 ? std::uint16_t(0) : sockets[static_cast<std::size_t>(place - 2)].local().port;
            auto socket = UdpSocket::bind(withPort(place < 2 ? first : second, port));
            if (!socket) {
                last = socket.error();
                break;
            }
            sockets.push_back(std::move(*socket));
        }
        if (sockets.size() == 4)
            return sockets;
    }
    return tl::unexpected<Error>(*last);
}

} // namespace

Result<Endpoint> endpointOf(const std::string& text)
{
    const std::size_t colon = text.rfind(':');
    std::string address = text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    SystemAddress parsed;
    auto* ipv4 = reinterpret_cast<sockaddr_in*>(&parsed.storage);
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&parsed.storage);
    if (::inet_pton(AF_INET, address.c_str(), &ipv4->sin_addr) == 1)
        parsed.storage.ss_family = AF_INET;
    else if (::inet_pton(AF_INET6, address.c_str(), &ipv6->sin6_addr) == 1)
        parsed.storage.ss_family = AF_INET6;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    if (colon == text.npos || parsed.storage.ss_family == 0
        || std::from_chars(text.data() + colon + 1, end, port).ptr != end)
        return fail(Errc::Usage, text + " is not an address and a port");
    return withPort(parsed.endpoint(), port);
}

UdpSocket::UdpSocket(int descriptor)
    : m_descriptor(descriptor)
{
}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1))
{
}

UdpSocket::~UdpSocket()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

Result<UdpSocket> UdpSocket::bind(const Endpoint& local)
{
    SystemAddress address(local);
    UdpSocket socket(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.m_descriptor < 0 || ::bind(socket.m_descriptor, address.get(), address.size) != 0)
        return fail(Errc::PortInUse, toString(local) + ": " + std::strerror(errno));
    return socket;
}

Endpoint UdpSocket::local() const
{
    SystemAddress address;
    ::getsockname(m_descriptor, address.get(), &address.size);
    return address.endpoint();
}

void UdpSocket::send(const Endpoint& to, ByteView bytes) const
{
    SystemAddress address(to);
    [[maybe_unused]] const auto sent =
        ::sendto(m_descriptor, bytes.data(), bytes.size(), 0, address.get(), address.size);
}

std::optional<std::pair<Endpoint, Bytes>> UdpSocket::receive() const
{
    Bytes bytes(kMaxDatagramBytes);
    SystemAddress from;
    const ssize_t size = ::recvfrom(m_descriptor, bytes.data(), bytes.size(), 0, from.get(), &from.size);
    if (size < 0)
        return std::nullopt; // also what ICMP said: silence is timed
    bytes.resize(static_cast<std::size_t>(size));
    return std::pair(from.endpoint(), std::move(bytes));
}

Status serveStun(const Endpoint& address, std::optional<Endpoint> second, int stop,
                 const std::function<void(const nat::StunServer::Config&)>& onReady)
{
    std::vector<UdpSocket> sockets;
    nat::StunServer::Config config;
    if (second) {
        auto four = bindFour(address, *second);
        if (!four)
            return tl::unexpected<Error>(four.error());
        sockets = std::move(*four);
        config.alternate = sockets[3].local();
    } else {
        auto one = UdpSocket::bind(address);
        if (!one)
            return tl::unexpected<Error>(one.error());
        sockets.push_back(std::move(*one));
    }
    config.primary = sockets[0].local();
    nat::StunServer server(config);
    onReady(config);
    std::vector<pollfd> polled{{stop, POLLIN, 0}};
    for (const UdpSocket& socket : sockets)
        polled.push_back({socket.descriptor(), POLLIN, 0});
    for (;;) {
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR)
            return fail(Errc::Io, std::string("poll: ") + std::strerror(errno));
        if (polled[0].revents != 0)
            return {};
        for (std::size_t i = 0; i < sockets.size(); ++i)
            while (const auto received = sockets[i].receive()) {
                const auto answer = server.handle(
                    {static_cast<nat::Socket>(i), received->first, received->second}, clockNow());
                if (answer)
                    sockets[static_cast<std::size_t>(answer->by)].send(answer->to, answer->bytes);
            }
    }
}

Result<nat::NatBehaviour> discover(const Endpoint& local, std::vector<Endpoint> servers)
{
    auto socket = UdpSocket::bind(local);
    if (!socket)
        return tl::unexpected<Error>(socket.error());
    DeviceRandom random;
    nat::Discovery::Config config;
    config.servers = std::move(servers);
    config.locals = {socket->local()};
    config.expected = kExpected;
    config.doubtful = kDoubtful;
    std::vector<UdpSocket> sockets;
    sockets.push_back(std::move(*socket));
    nat::Discovery discovery(config, random);
    return Runner<nat::Discovery, nat::BehaviourFound>(discovery, sockets).run().behaviour;
}

Result<nat::BindingLifetime> measureLifetime(const Endpoint& local, nat::LifetimeProbe::Config config)
{
    config.expected = kExpected;
    config.doubtful = kDoubtful;
    std::vector<UdpSocket> sockets;
    for (int i = 0; i < 2; ++i) {
        auto socket = UdpSocket::bind(withPort(local, 0));
        if (!socket)
            return tl::unexpected<Error>(socket.error());
        sockets.push_back(std::move(*socket));
    }
    DeviceRandom random;
    nat::LifetimeProbe probe(std::move(config), random);
    return Runner<nat::LifetimeProbe, nat::LifetimeFound>(probe, sockets).run().lifetime;
}

} // namespace starling::lab
