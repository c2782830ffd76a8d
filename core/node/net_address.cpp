// SPDX-License-Identifier: Apache-2.0
#include "node/net_address.h"

#include <QNetworkInterface>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

namespace starling::node {

namespace {
constexpr std::size_t kMaxAddresses = 8;
constexpr std::size_t kMaxSubnets = 16; // guess
constexpr const char* kRoutes = "/proc/net/route";
constexpr std::size_t kMaxRouteBytes = 64 * 1024; // guess: 500 routes
constexpr unsigned kIsUp = 1, kHasGateway = 2; // RTF_UP, RTF_GATEWAY of linux/route.h

/// `text` as a number of `base`, if it is one to its end.
std::optional<std::uint32_t> numberIn(const std::string& text, int base)
{
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}
} // namespace

QHostAddress toQt(const Endpoint& endpoint)
{
    if (endpoint.isIpv4()) {
        const auto& a = endpoint.address;
        return QHostAddress(static_cast<quint32>(a[12]) << 24 | static_cast<quint32>(a[13]) << 16
                            | static_cast<quint32>(a[14]) << 8 | a[15]);
    }
    return QHostAddress(endpoint.address.data());
}

Endpoint fromQt(const QHostAddress& address, quint16 port)
{
    // Not left to Qt's conversions, which take 0.0.0.0 and :: for the same.
    bool isIpv4 = false;
    const quint32 ipv4 = address.toIPv4Address(&isIpv4);
    if (isIpv4 && address != QHostAddress(QHostAddress::AnyIPv6))
        return Endpoint::ipv4(static_cast<std::uint8_t>(ipv4 >> 24), static_cast<std::uint8_t>(ipv4 >> 16),
                              static_cast<std::uint8_t>(ipv4 >> 8), static_cast<std::uint8_t>(ipv4), port);
    Endpoint endpoint;
    const Q_IPV6ADDR bytes = address.toIPv6Address();
    std::copy_n(bytes.c, endpoint.address.size(), endpoint.address.begin());
    endpoint.port = port;
    return endpoint;
}

std::vector<Endpoint> reachableAddresses(const Endpoint& listen)
{
    const QHostAddress own = toQt(listen);
    if (own != QHostAddress(QHostAddress::AnyIPv4) && own != QHostAddress(QHostAddress::AnyIPv6))
        return {listen};
    std::vector<Endpoint> found;
    const auto addresses = QNetworkInterface::allAddresses();
    for (const QHostAddress& address : addresses) {
        if (address.isLoopback() || address.isLinkLocal() || found.size() == kMaxAddresses)
            continue;
        if (listen.isIpv4() && address.protocol() != QAbstractSocket::IPv4Protocol)
            continue;
        found.push_back(fromQt(address, listen.port));
    }
    return found;
}

std::optional<Endpoint> gatewayIn(std::string_view routes)
{
    std::optional<Endpoint> found;
    std::uint32_t best = 0;
    std::istringstream lines{std::string(routes)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string interface, destination, gateway, flags, references, use, metric, mask;
        words >> interface >> destination >> gateway >> flags >> references >> use >> metric >> mask;
        const auto at = numberIn(gateway, 16), how = numberIn(flags, 16), cost = numberIn(metric, 10);
        const bool isDefault = numberIn(destination, 16) == 0U && numberIn(mask, 16) == 0U;
        if (!isDefault || !at || !how || !cost || (*how & (kIsUp | kHasGateway)) != (kIsUp | kHasGateway)
            || (found && *cost >= best))
            continue;
        // The address's bytes as they are in memory, read as a number of this machine.
        std::array<std::uint8_t, 4> a{};
        std::memcpy(a.data(), &*at, a.size());
        found = Endpoint::ipv4(a[0], a[1], a[2], a[3], 0);
        best = *cost;
    }
    return found;
}

std::optional<Endpoint> defaultGateway()
{
    // The kernel's file has no size.
    std::string routes(kMaxRouteBytes, '\0');
    std::ifstream file(kRoutes);
    file.read(routes.data(), static_cast<std::streamsize>(routes.size()));
    routes.resize(static_cast<std::size_t>(file.gcount()));
    return gatewayIn(routes);
}

std::optional<Endpoint> addressTowards(const Endpoint& gateway, const Endpoint& listen)
{
    const std::vector<Subnet> subnets = ownSubnets();
    for (Endpoint own : reachableAddresses(listen))
        for (const Subnet& subnet : subnets)
            if (own.isIpv4() && subnet.address.address == own.address && subnet.contains(gateway))
                return own;
    return std::nullopt;
}

std::vector<Subnet> ownSubnets()
{
    std::vector<Subnet> found;
    const auto interfaces = QNetworkInterface::allInterfaces();
    for (const QNetworkInterface& interface : interfaces) {
        if ((interface.flags() & (QNetworkInterface::IsLoopBack | QNetworkInterface::IsPointToPoint)) != 0)
            continue;
        const auto entries = interface.addressEntries();
        for (const QNetworkAddressEntry& entry : entries) {
            const Endpoint address = fromQt(entry.ip(), 0);
            if (entry.prefixLength() > 0 && found.size() < kMaxSubnets)
                found.push_back(
                    {address, static_cast<unsigned>(entry.prefixLength()) + (address.isIpv4() ? 96U : 0U)});
        }
    }
    return found;
}

bool isInOwnNetwork(const Endpoint& endpoint)
{
    const std::vector<Subnet> subnets = ownSubnets();
    return std::any_of(subnets.begin(), subnets.end(),
                       [&](const Subnet& subnet) { return subnet.contains(endpoint); });
}

} // namespace starling::node
