// SPDX-License-Identifier: Apache-2.0
#include "node/net_address.h"

#include <QNetworkInterface>

#include <algorithm>

namespace starling::node {

namespace {
constexpr std::size_t kMaxAddresses = 8;
constexpr std::size_t kMaxSubnets = 16; // guess
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

} // namespace starling::node
