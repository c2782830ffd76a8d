// SPDX-License-Identifier: Apache-2.0
/// What libtorrent's thread writes and ours reads: bytes exchanged with each peer, refused peers, banned
/// nodes. No libtorrent here.
#pragma once

#include "swarm/swarm.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

namespace starling::swarm {

/// The running totals of one peer; its connections hold it while they last, the ledger for good.
struct PeerAccount
{
    std::atomic<std::uint64_t> bytesFrom = 0;
    std::atomic<std::uint64_t> bytesTo = 0;
};

/// Every member function may be called on any thread.
class PeerLedger
{
public:
    static constexpr std::size_t kMaxAccounts = 4'096; ///< guess: as many devices as a board holds
    static constexpr std::size_t kMaxRefusals = 256; ///< unread ones; more are counted in none
    static constexpr std::size_t kMaxBans = 4'096;

    explicit PeerLedger(std::function<void()> wake);

    /// The account of `node` (zero: of the stranger at `endpoint`'s address) for `payload`. When the ledger
    /// is full, newcomers share one account per payload without node and address: totals stay right.
    std::shared_ptr<PeerAccount> account(const InfoHash& payload, const NodeId& node,
                                         const Endpoint& endpoint);
    std::vector<PeerTraffic> traffic() const;

    /// Remembers a refusal for poll() and wakes it.
    void refuse(const Endpoint& endpoint, Error error);
    std::vector<PeerRefused> takeRefusals();

    /// A node that sent pieces which do not hash is out of this payload's swarm, from whatever port it comes
    /// again.
    void ban(const InfoHash& payload, const NodeId& node);
    bool isBanned(const InfoHash& payload, const NodeId& node) const;

private:
    /// Payload, node, and for strangers the address.
    using Key = std::tuple<InfoHash, NodeId, std::array<std::uint8_t, 16>>;
    struct Line
    {
        Endpoint endpoint; ///< the last one seen
        std::shared_ptr<PeerAccount> account;
    };

    mutable std::mutex m_mutex;
    std::map<Key, Line> m_lines;
    std::set<std::pair<InfoHash, NodeId>> m_banned;
    std::vector<PeerRefused> m_refusals;
    const std::function<void()> m_wake;
};

} // namespace starling::swarm
