// SPDX-License-Identifier: Apache-2.0
/// What goes into and comes out of the machines of this room. Sockets are numbers that their owner gives
/// them: a machine says which of its sockets it means, and never opens one.
#pragma once

#include "nat/stun_message.h"

#include "base/time.h"

namespace starling::nat {

/// Which of a machine's sockets; each machine says how many it has, and which is which.
enum class Socket : std::uint8_t {};
constexpr Socket kMainSocket{0};

/// Whether anybody can be there: a port, and neither 0.0.0.0/8, ::, multicast nor broadcast. Forged datagrams
/// come from such, and hostile answers name them.
bool isUnicast(const Endpoint& endpoint);

// Inputs
struct DatagramReceived
{
    Socket at = kMainSocket;
    Endpoint from;
    ByteView bytes;
};

// Outputs
struct SendDatagram
{
    Socket by = kMainSocket;
    Endpoint to;
    Bytes bytes;
};

} // namespace starling::nat
