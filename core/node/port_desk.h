// SPDX-License-Identifier: Apache-2.0
/// Has the router pass the port of the links on to this device, if that is wanted: the sockets, the thread
/// and the timers of nat::PortMapper. Begins anew in every network that the device comes to.
#pragma once

#include "nat/port_mapper.h"
#include "node/timer_queue.h"
#include "node/upnp_client.h"

#include <QUdpSocket>

namespace starling::node {

class PortDesk : public QObject
{
    Q_OBJECT

public:
    struct Services
    {
        TimerQueue& timers;
        RandomSource& random;
        std::function<Endpoint()> listen; ///< where the links are
        std::function<void()> changed; ///< mapping() is another one
    };
    explicit PortDesk(Services services);

    void begin();
    /// To be called from time to time: whether this is another network.
    void look();
    /// Deletes the mapping. `done` follows from the event loop, within two seconds; at once if there is none.
    void stop(std::function<void()> done);

    /// As it is now, or nothing.
    std::optional<nat::PortMapping> mapping() const;
    nat::PortMapState state() const;

private:
    void leave();
    void open();
    void receive(QUdpSocket& socket, bool isNews);
    void act(const nat::PortMapper::Outputs& outputs);

    Services m_services;
    bool m_isWanted = false;
    std::unique_ptr<nat::PortMapper> m_mapper; ///< in a network that has a router
    std::uint64_t m_generation = 0; ///< of m_mapper: timers of earlier ones are stale
    std::unique_ptr<QUdpSocket> m_socket, m_news;
    UpnpClient m_upnp;
    std::function<void()> m_done; ///< while stopping
};

} // namespace starling::node
