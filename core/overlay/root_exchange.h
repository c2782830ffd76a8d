// SPDX-License-Identifier: Apache-2.0
/// Roots first: when a link comes up, and whenever a newer root is taken, neighbours tell each other which
/// root they hold; whoever lags behind fetches the chain from there, in order. Pure.
///
///     one side                         the other
///     Standing           ──────────►   holds an older root
///                        ◄──────────   AskRoots
///     Roots              ──────────►   takes them one by one, and asks for more
///
/// A notice that is refused for want of a root, while its neighbour has said that it holds a newer one, is no
/// offence yet: it waits, and is examined once more when the roots are here, or when the neighbour has not
/// sent them.
#pragma once

#include "overlay/postbox.h"

namespace starling::overlay {

class RootExchange
{
public:
    RootExchange(const Config& config, Mediator& mediator);

    void addNeighbor(NeighborId neighbor, Instant now);
    void removeNeighbor(NeighborId neighbor);

    /// That `from` holds root `number`.
    void onNumber(NeighborId from, std::uint64_t number, Instant now, Postbox& postbox);
    void onAskRoots(NeighborId from, const AskRootsMessage& message, Instant now, Postbox& postbox);
    /// Whether roots were asked of `from`: others are not looked at.
    bool isAwaited(NeighborId from) const;
    /// After Roots of `from` were examined; `hasHelped` if a root among them was taken. Asks for what
    /// follows.
    void settle(NeighborId from, bool hasHelped, Instant now, Postbox& postbox);
    /// Whether `notice` of `from`, refused with `error`, waits for a root. It is kept if there is room;
    /// otherwise comparing boards brings it again.
    bool keep(NeighborId from, ByteView notice, const Error& error, Instant now, Postbox& postbox);

    struct Waiting
    {
        NeighborId from{};
        Bytes notice;
    };
    /// Notices whose roots are here, or will not come: to be examined once more.
    std::vector<Waiting> takeReady();
    /// Gives up what was asked for long ago; call every Config::antiEntropy.
    void round(Instant now);

private:
    struct Peer
    {
        explicit Peer(const Allowance& itsAllowance)
            : allowance(itsAllowance)
        {
        }
        std::uint64_t number = 0; ///< of the newest root that it says it holds, and that we believe
        std::optional<Instant> asked; ///< and not answered yet
        unsigned broken = 0; ///< times that it did not send what it had told of
        std::vector<Bytes> waiting;
        std::size_t waitingBytes = 0;
        Allowance allowance;
    };
    void ask(NeighborId neighbor, Peer& peer, Instant now, Postbox& postbox);
    void giveUp(Peer& peer);

    const Config& m_config;
    Mediator& m_mediator;
    PerNeighbor<Peer> m_peers;
};

} // namespace starling::overlay
