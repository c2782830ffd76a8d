// SPDX-License-Identifier: Apache-2.0
/// Addresses and hashes to libtorrent's types and back. Private to core/swarm.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"

#include <libtorrent/address.hpp>
#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/socket.hpp>

#include <algorithm>

namespace starling::swarm {

inline Endpoint fromLibtorrent(const lt::tcp::endpoint& endpoint)
{
    if (endpoint.address().is_v4()) {
        const auto quad = endpoint.address().to_v4().to_bytes();
        return Endpoint::ipv4(quad[0], quad[1], quad[2], quad[3], endpoint.port());
    }
    const auto bytes = endpoint.address().to_v6().to_bytes();
    Endpoint result;
    std::copy(bytes.begin(), bytes.end(), result.address.begin());
    result.port = endpoint.port();
    return result;
}

inline lt::tcp::endpoint toLibtorrent(const Endpoint& endpoint)
{
    if (endpoint.isIpv4()) {
        const auto& a = endpoint.address;
        return {lt::address_v4({a[12], a[13], a[14], a[15]}), endpoint.port};
    }
    lt::address_v6::bytes_type bytes;
    std::copy(endpoint.address.begin(), endpoint.address.end(), bytes.begin());
    return {lt::address_v6(bytes), endpoint.port};
}

inline lt::sha256_hash toLibtorrent(const InfoHash& hash)
{
    return lt::sha256_hash(reinterpret_cast<const char*>(hash.bytes().data()));
}

} // namespace starling::swarm
