// SPDX-License-Identifier: Apache-2.0
/// TCP connections for the links of one host of the lab (link/streams.h), beside its UDP socket.
#pragma once

#include "internet.h"
#include "link/framing.h"
#include "link/link.h"

#include <functional>
#include <map>
#include <poll.h>

namespace starling::lab {

class PairStreams
{
public:
    /// Listens where the host's UDP socket is. `network` must outlive it.
    static Result<std::unique_ptr<PairStreams>> listen(const Network& network, const Endpoint& local);
    ~PairStreams();
    PairStreams(const PairStreams&) = delete;
    PairStreams& operator=(const PairStreams&) = delete;

    /// To be called for every output of the links.
    void take(const link::Output& output);
    /// What is to be waited for.
    void poll(std::vector<pollfd>& polled) const;
    /// Does what can be done now.
    void work(const std::function<void(const link::Input&)>& give);

private:
    struct Connection
    {
        int descriptor = -1;
        bool isConnecting = false;
        Bytes waiting; ///< to be sent
        link::StreamReader reader;
    };
    PairStreams(const Network& network, int listener)
        : m_network(network)
        , m_listener(listener)
    {
    }
    void open(const link::OpenStream& what);
    void accept(const std::function<void(const link::Input&)>& give);
    /// Whether it goes on.
    static bool send(Connection& connection);
    bool receive(link::StreamId stream, const std::function<void(const link::Input&)>& give);
    void drop(link::StreamId stream);

    const Network& m_network;
    int m_listener;
    std::map<link::StreamId, Connection> m_connections;
    std::vector<link::StreamId> m_broken; ///< could not be opened; to be said
    std::uint64_t m_accepted = 0;
};

} // namespace starling::lab
