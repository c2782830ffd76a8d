// SPDX-License-Identifier: Apache-2.0
/// What tests of links that move have in common.
#pragma once

#include "link/packet.h"
#include "link/paths.h"
#include "link_network.h"

namespace starling::link {

inline Bytes pattern(std::size_t size, std::uint64_t seed)
{
    Bytes bytes(size);
    SeededRandom(seed).fill(bytes);
    return bytes;
}

/// Where a device is after it moved, and where strangers are.
inline Endpoint elsewhere(std::uint16_t number)
{
    return Endpoint::ipv4(10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                          4'000);
}

inline Endpoint samePlace(Endpoint endpoint)
{
    endpoint.port += 100;
    return endpoint;
}

/// Two hosts, one link, and what was sent to whom.
struct Pair
{
    explicit Pair(std::uint64_t seed = 1, Faults faults = {}, Config config = {})
        : network(seed, faults)
        , a(network.add(config))
        , b(network.add(config))
    {
        network.connect(a, b);
        isUp = network.runUntil([this] { return a.up.size() == 1 && b.up.size() == 1; },
                                std::chrono::minutes(5));
        network.run(std::chrono::milliseconds(100)); // nothing is under way
        network.onSend = [this](const Host&, const SendDatagram& datagram) {
            sentTo[datagram.to] += datagram.bytes.size();
            if (onSend)
                onSend(datagram);
        };
    }
    bool deliver(Host& from, Host& to, const Bytes& message, Duration limit = std::chrono::minutes(1))
    {
        const std::size_t before = to.messages.size();
        network.send(from, message);
        return network.runUntil([&] { return to.messages.size() > before; }, limit)
            && to.messages.back() == message;
    }
    bool bothWays(std::uint64_t seed = 1)
    {
        return deliver(a, b, pattern(5'000, seed)) && deliver(b, a, pattern(5'000, seed + 1));
    }
    /// One link on both sides, and it was always the same.
    bool isUndisturbed() const
    {
        return a.downs.empty() && b.downs.empty() && a.ups.size() == 1 && b.ups.size() == 1;
    }
    Host& other(const Host& host) { return &host == &a ? b : a; }

    Network network;
    Host& a;
    Host& b;
    bool isUp = false;
    std::map<Endpoint, std::size_t> sentTo; ///< bytes
    std::function<void(const SendDatagram&)> onSend;
};

/// Sees all datagrams of a pair, and delivers them from its own address before they arrive.
struct Attacker
{
    explicit Attacker(Pair& itsPair)
        : pair(itsPair)
    {
        pair.onSend = [this](const SendDatagram& datagram) {
            if (datagram.to == address)
                ++received;
            const bool isForA = datagram.to == pair.a.endpoint;
            if (isForA || datagram.to == pair.b.endpoint)
                pair.network.injectLater(std::chrono::microseconds(100), isForA ? pair.a : pair.b, address,
                                         datagram.bytes);
            else if (datagram.to == address && relays)
                relay(datagram);
        };
    }
    /// Nobody knows which of the two it is for; the other one counts it as malformed.
    void relay(const SendDatagram& datagram)
    {
        for (Host* host : {&pair.a, &pair.b})
            pair.network.injectLater(std::chrono::microseconds(100), *host, address, datagram.bytes);
    }
    Pair& pair;
    Endpoint address = elsewhere(666);
    bool relays = false;
    std::size_t received = 0;
};

} // namespace starling::link
