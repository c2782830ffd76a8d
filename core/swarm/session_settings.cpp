// SPDX-License-Identifier: Apache-2.0
#include "swarm/session_settings_lt.h"

#include "swarm/fleet_dht_lt.h"

#include <libtorrent/alert.hpp>
#include <libtorrent/session_handle.hpp>

#include <limits>

namespace starling::swarm {

namespace {

using lt::settings_pack;

/// Peers come from the overlay and from nowhere else, and nothing tells the network what we are.
void turnOff(settings_pack& pack)
{
    for (const int feature :
         {settings_pack::enable_dht, settings_pack::enable_lsd, settings_pack::enable_upnp,
          settings_pack::enable_natpmp, settings_pack::enable_ip_notifier,
          settings_pack::announce_to_all_trackers, settings_pack::announce_to_all_tiers,
          settings_pack::use_dht_as_fallback, settings_pack::announce_crypto_support,
          settings_pack::allow_idna, settings_pack::support_share_mode})
        pack.set_bool(feature, false);
    // uTP only: its packets travel inside links. Foreign clients may come by TCP.
    pack.set_bool(settings_pack::enable_outgoing_tcp, false);
    pack.set_int(settings_pack::mixed_mode_algorithm, settings_pack::prefer_tcp);
    pack.set_str(settings_pack::dht_bootstrap_nodes, "");
    pack.set_str(settings_pack::user_agent, "");
    pack.set_str(settings_pack::handshake_client_version, "");
    pack.set_str(settings_pack::peer_fingerprint, "");
    pack.set_int(settings_pack::max_web_seed_connections, 0);
    pack.set_int(settings_pack::stop_tracker_timeout, 0);
}

void boundMemory(settings_pack& pack, const Config& config)
{
    pack.set_int(settings_pack::connections_limit, static_cast<int>(config.maxConnections));
    pack.set_int(settings_pack::connections_slack, 4); // guess: enough to tell peers of one moment apart
    pack.set_int(settings_pack::max_peerlist_size, 256); // guess: the overlay names at most 32 at a time
    pack.set_int(settings_pack::max_paused_peerlist_size, 64);
    pack.set_int(settings_pack::alert_queue_size, 1'000);
    pack.set_int(settings_pack::aio_threads, 1);
    pack.set_int(settings_pack::hashing_threads, 1);
    pack.set_int(settings_pack::file_pool_size, 8);
    pack.set_int(settings_pack::checking_mem_usage, 64); // blocks of 16 KiB
    pack.set_int(settings_pack::max_queued_disk_bytes, 1024 * 1024);
    pack.set_int(settings_pack::max_peer_recv_buffer_size, 1024 * 1024);
    if (config.admission == Admission::Members) {
        // nat.md: with the system's default buffers uTP was measured at 47 to 59 Mbit/s, with these at 470.
        // The kernel may give less (net.core.rmem_max). There is one socket, whatever the number of peers.
        pack.set_int(settings_pack::recv_socket_buffer_size, 4 * 1024 * 1024);
        pack.set_int(settings_pack::send_socket_buffer_size, 1024 * 1024);
    } else {
        // libtorrent reads all that a TCP socket holds at once, into memory that it keeps: what the kernel
        // may hold for a busy peer (by its own tuning up to 6 MiB, and several times that where an
        // administrator raised it) is what a peer costs us. 256 KiB carry 20 Mbit/s over 100 ms, from each.
        pack.set_int(settings_pack::recv_socket_buffer_size, 256 * 1024);
    }
    pack.set_int(settings_pack::send_buffer_low_watermark, 64 * 1024);
    pack.set_int(settings_pack::send_buffer_watermark, 512 * 1024);
    pack.set_int(settings_pack::send_buffer_watermark_factor, 50);
}

void keepPipelinesFull(settings_pack& pack)
{
    pack.set_int(settings_pack::max_out_request_queue, 500);
    pack.set_int(settings_pack::max_allowed_in_request_queue, 1'000);
    pack.set_int(settings_pack::request_queue_time, 1);
    pack.set_int(settings_pack::suggest_mode, settings_pack::no_piece_suggestions);
    // What the overlay names is tried at once, and again soon: devices come and go with their releases.
    pack.set_int(settings_pack::min_reconnect_time, 2);
    pack.set_int(settings_pack::peer_connect_timeout, 7);
    pack.set_int(settings_pack::handshake_timeout, 20);
    pack.set_int(settings_pack::connection_speed, 50);
    // libtorrent waits 3 s for the answer to the first packet, and 500 ms at least for that to others.
    pack.set_int(settings_pack::utp_syn_resends, 5);
    pack.set_int(settings_pack::utp_connect_timeout, 1'000);
    pack.set_int(settings_pack::utp_min_timeout, 250);
    // By itself 100 ms, and a beginning connection doubles its window until it has seen that delay, which is
    // a round trip later: a line whose queue holds 100 ms drops half a mebibyte by then, and what uTP repeats
    // of it takes a second or two. draft-irtf-iccrg-ledbat-plus-plus section 4.2: out of slow start at three
    // quarters of a target of 60 ms. libtorrent has one number for both.
    pack.set_int(settings_pack::utp_target_delay, 45);
    // By itself libtorrent gives a connection up after 3 losses of a packet. That the other side is gone the
    // tunnel says (tunnel/connections.h), so that patience costs nothing: at 20 % loss 8 go wrong once in
    // 400,000 packets.
    pack.set_int(settings_pack::utp_num_resends, 8);
    // RFC 9438 section 4.6: by 0.7 where others halve.
    pack.set_int(settings_pack::utp_loss_multiplier, 70);
    // It takes who lacks one piece that is on its way for somebody who wants nothing. We close those
    // connections that are done with (member_extension.cpp).
    pack.set_bool(settings_pack::close_redundant_connections, false);
    // Foreign clients of one site share an address.
    pack.set_bool(settings_pack::allow_multiple_connections_per_ip, true);
}

} // namespace

settings_pack sessionSettings(const Config& config)
{
    settings_pack pack;
    turnOff(pack);
    boundMemory(pack, config);
    keepPipelinesFull(pack);
    setRateLimits(pack, config.uploadLimit, config.downloadLimit);
    // Who has everything waits to be asked (resources/docs/adr/0007-one-initiator.md): where both connect, at
    // the same tick of libtorrent's, each closes the other's connection, and so on every two seconds. Foreign
    // clients may be where only we can connect.
    pack.set_bool(settings_pack::seeding_outgoing_connections, config.admission == Admission::Open);
    // Limits are meant for the line, so headers count.
    pack.set_bool(settings_pack::rate_limit_ip_overhead, true);
    const bool isOpen = config.admission == Admission::Open;
    const std::string inner = toString(kInnerListen);
    // No node of the DHT is there: 'l' says that it is the machine's own network.
    pack.set_str(settings_pack::listen_interfaces,
                 isOpen ? toString(config.listen) + "," + inner + (hasDht(config) ? "l" : "") : inner);
    if (hasDht(config))
        enableDht(pack);
    // The configured port or none: a device's firewall knows just that one.
    pack.set_int(settings_pack::max_retry_port_bind, 0);
    pack.set_bool(settings_pack::listen_system_port_fallback, false);
    // BitTorrent's obfuscation authenticates nobody. Foreign clients may insist on it, members never do.
    pack.set_int(settings_pack::in_enc_policy,
                 isOpen ? settings_pack::pe_enabled : settings_pack::pe_disabled);
    pack.set_int(settings_pack::out_enc_policy, settings_pack::pe_disabled);
    pack.set_int(settings_pack::alert_mask,
                 static_cast<int>(static_cast<std::uint32_t>(
                     lt::alert_category::error | lt::alert_category::status | lt::alert_category::storage)));
    return pack;
}

void setRateLimits(settings_pack& settings, BytesPerSecond upload, BytesPerSecond download)
{
    const auto clamp = [](BytesPerSecond rate) {
        const bool fits = rate.value <= static_cast<std::uint64_t>(std::numeric_limits<int>::max());
        return fits ? static_cast<int>(rate.value) : 0;
    };
    settings.set_int(settings_pack::upload_rate_limit, clamp(upload));
    settings.set_int(settings_pack::download_rate_limit, clamp(download));
}

lt::ip_filter everyoneInGlobalClass()
{
    const auto global = std::uint32_t(1)
        << static_cast<std::uint32_t>(lt::session_handle::global_peer_class_id);
    lt::ip_filter filter;
    filter.add_rule(lt::address_v4::any(), lt::address_v4::broadcast(), global);
    lt::address_v6::bytes_type last;
    last.fill(0xff);
    filter.add_rule(lt::address_v6::any(), lt::address_v6(last), global);
    return filter;
}

} // namespace starling::swarm
