// SPDX-License-Identifier: Apache-2.0
/// libtorrent by itself over TCP, to compare with:
///
///     starling-lab-plain seed TORRENT DIRECTORY ADDRESS:PORT               until it is killed; says "ready"
///     starling-lab-plain get TORRENT DIRECTORY ADDRESS:PORT ADDRESS:PORT   from the second one; prints
///     seconds
#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace {

using lt::settings_pack;
constexpr auto kLimit = std::chrono::minutes(5);

lt::settings_pack settingsFor(const std::string& listen)
{
    settings_pack pack;
    for (const int feature :
         {settings_pack::enable_outgoing_utp, settings_pack::enable_incoming_utp, settings_pack::enable_dht,
          settings_pack::enable_lsd, settings_pack::enable_upnp, settings_pack::enable_natpmp})
        pack.set_bool(feature, false);
    pack.set_str(settings_pack::listen_interfaces, listen);
    pack.set_int(settings_pack::out_enc_policy, settings_pack::pe_disabled);
    pack.set_int(settings_pack::in_enc_policy, settings_pack::pe_disabled);
    // As the agents': what one peer alone needs at full speed.
    pack.set_int(settings_pack::max_out_request_queue, 500);
    pack.set_int(settings_pack::request_queue_time, 1);
    pack.set_int(settings_pack::alert_mask, lt::alert_category::status);
    return pack;
}

int get(lt::session& session, const lt::torrent_handle& torrent, const std::string& peer)
{
    const auto colon = peer.rfind(':');
    const std::string address = peer.starts_with('[') ? peer.substr(1, colon - 2) : peer.substr(0, colon);
    const auto begun = std::chrono::steady_clock::now();
    torrent.connect_peer(lt::tcp::endpoint(lt::make_address(address),
                                           static_cast<std::uint16_t>(std::stoul(peer.substr(colon + 1)))));
    while (std::chrono::steady_clock::now() - begun < kLimit) {
        session.wait_for_alert(std::chrono::seconds(1));
        std::vector<lt::alert*> alerts;
        session.pop_alerts(&alerts);
        for (const lt::alert* alert : alerts)
            if (lt::alert_cast<lt::torrent_finished_alert>(alert) != nullptr) {
                const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
                std::printf("%f\n", took.count());
                return 0;
            }
    }
    std::fprintf(stderr, "not there in time\n");
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    const std::string command = argc > 1 ? argv[1] : "";
    if (!(command == "seed" && argc == 5) && !(command == "get" && argc == 6))
        return 2;
    lt::session session(settingsFor(argv[4]));
    lt::add_torrent_params params;
    params.ti = std::make_shared<lt::torrent_info>(std::string(argv[2]));
    params.save_path = argv[3];
    params.flags = command == "seed" ? lt::torrent_flags::seed_mode : lt::torrent_flags_t{};
    const lt::torrent_handle torrent = session.add_torrent(params);
    if (command == "get")
        return get(session, torrent, argv[5]);
    std::printf("ready\n");
    std::fflush(stdout);
    for (;;)
        ::pause();
}
