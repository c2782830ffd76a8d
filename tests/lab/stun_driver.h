// SPDX-License-Identifier: Apache-2.0
/// Gives the machines of core/nat what they do not have: sockets, a clock, and randomness. Each function
/// blocks until its machine is done, on sockets of the calling thread's network.
#pragma once

#include "nat/discovery.h"
#include "nat/lifetime_probe.h"
#include "nat/stun_server.h"

#include <functional>

namespace starling::lab {

/// "192.0.2.1:3478", "[2001:db8::1]:3478"; Usage if it is neither.
Result<Endpoint> endpointOf(const std::string& text);

/// A UDP socket, closed with the object.
class UdpSocket
{
public:
    /// Port 0 is one that the system chooses.
    static Result<UdpSocket> bind(const Endpoint& local);
    UdpSocket(UdpSocket&& other) noexcept;
    UdpSocket& operator=(UdpSocket&&) = delete;
    ~UdpSocket();

    int descriptor() const { return m_descriptor; }
    Endpoint local() const;
    /// What cannot be sent is lost, as on the way.
    void send(const Endpoint& to, ByteView bytes) const;
    /// Nothing if nothing waits.
    std::optional<std::pair<Endpoint, Bytes>> receive() const;

private:
    explicit UdpSocket(int descriptor);
    int m_descriptor;
};

/// Serves at `address` and, if there is a second address, at four sockets, with ports that the system
/// chooses. `onReady` is told where; serves until `stop`, a descriptor, can be read or is closed.
Status serveStun(const Endpoint& address, std::optional<Endpoint> second, int stop,
                 const std::function<void(const nat::StunServer::Config&)>& onReady);

/// From a socket at `local`, whose address others may be told. Asks as if nothing were lost on the way.
Result<nat::NatBehaviour> discover(const Endpoint& local, std::vector<Endpoint> servers);

/// From two sockets at `local`, whose port is not looked at. Likewise.
Result<nat::BindingLifetime> measureLifetime(const Endpoint& local, nat::LifetimeProbe::Config config);

} // namespace starling::lab
