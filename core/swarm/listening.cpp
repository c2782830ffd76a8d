// SPDX-License-Identifier: Apache-2.0
#include "swarm/listening_lt.h"

#include "swarm/endpoint_lt.h"
#include "swarm/session_settings_lt.h"

#include <libtorrent/alert_types.hpp>

namespace starling::swarm {

namespace {
constexpr auto kListenPatience = std::chrono::seconds(5); ///< binding is instant; this bounds a hung session
} // namespace

Result<Ports> awaitListening(lt::session& session, const Config& config)
{
    const bool isOpen = config.admission == Admission::Open;
    const auto deadline = lt::clock_type::now() + kListenPatience;
    Ports ports;
    while (lt::clock_type::now() < deadline) {
        session.wait_for_alert(std::chrono::milliseconds(100));
        std::vector<lt::alert*> alerts;
        session.pop_alerts(&alerts);
        for (const auto* alert : alerts) {
            if (const auto* good = lt::alert_cast<lt::listen_succeeded_alert>(alert)) {
                const bool isInner = good->address == toLibtorrent(kInnerListen).address();
                if (isInner && good->socket_type == lt::socket_type_t::utp)
                    ports.inner = static_cast<std::uint16_t>(good->port);
                else if (!isInner && good->socket_type == lt::socket_type_t::tcp && ports.open == 0)
                    ports.open = static_cast<std::uint16_t>(good->port);
            } else if (const auto* bad = lt::alert_cast<lt::listen_failed_alert>(alert)) {
                const auto code =
                    bad->error == boost::system::errc::address_in_use ? Errc::PortInUse : Errc::Io;
                return fail(code, std::string(bad->listen_interface()) + ": " + bad->error.message());
            }
        }
        if (ports.inner != 0 && (ports.open != 0 || !isOpen))
            return ports;
    }
    return fail(Errc::Io, toString(isOpen ? config.listen : kInnerListen) + ": libtorrent does not listen");
}

} // namespace starling::swarm
