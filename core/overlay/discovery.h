// SPDX-License-Identifier: Apache-2.0
/// Who has which payload: tells neighbours what we have, asks them for what we want, and passes on what it
/// heard to whoever asked. Questions are never forwarded. Pure.
#pragma once

#include "overlay/postbox.h"
#include "overlay/providers.h"

namespace starling::overlay {

class Discovery
{
public:
    Discovery(const NodeId& self, const Config& config, const Mediator& mediator, RandomSource& random);

    void addNeighbor(NeighborId neighbor, const NodeId& node, Instant now, Postbox& postbox);
    void removeNeighbor(NeighborId neighbor);

    void provide(const Provide& input, Postbox& postbox);
    void stopProviding(const InfoHash& payload, Postbox& postbox);
    void find(const InfoHash& payload, Instant now, Postbox& postbox);
    void stopFinding(const InfoHash& payload);

    /// The error, if any, is the neighbour's fault.
    Status onHave(NeighborId from, const HaveMessage& message, Instant now, Postbox& postbox);
    void onStopHave(NeighborId from, const StopHaveMessage& message);
    void onWhoHas(NeighborId from, const WhoHasMessage& message, Instant now, Postbox& postbox);
    Status onProviders(NeighborId from, const ProvidersMessage& message, Instant now, Postbox& postbox);

    /// When askAgain() is due, if anything is wanted.
    std::optional<Instant> nextQuestion() const;
    void askAgain(Instant now, Postbox& postbox);
    /// Whether refresh() is due every half of Config::providerLifetime.
    bool needsRefresh() const { return !m_own.empty() || !m_table.isEmpty(); }
    /// Drops what is too old and repeats what we have.
    void refresh(Instant now, Postbox& postbox);

private:
    struct Own
    {
        Bytes descriptor;
        bool isComplete = false;
        bool operator==(const Own&) const = default;
    };
    struct Wanted
    {
        Instant next;
        Duration interval{};
        std::map<NodeId, std::pair<std::uint64_t, bool>>
            reported; ///< sequence and completeness last reported
    };
    struct Question
    {
        Instant asked;
        std::size_t told = 0; ///< providers passed on since
    };
    struct Peer
    {
        NodeId node;
        std::map<InfoHash, Question> questions;
        Allowance allowance;
    };
    using Descriptor = Mediator::DescriptorInfo;

    void sendToAll(const Message& message, Postbox& postbox) const;
    Result<Descriptor> identify(const InfoHash& payload, ByteView descriptor) const;
    void hear(NeighborId from, const InfoHash& payload, const NodeId& node, ProviderRecord record,
              ProviderTable::Source source, Instant now, Postbox& postbox);
    void report(const InfoHash& payload, const NodeId& node, Postbox& postbox);
    void passOn(NeighborId from, const InfoHash& payload, const NodeId& node, Instant now, Postbox& postbox);
    bool isAskedFor(const InfoHash& payload, NeighborId exceptBy, Instant now) const;
    void remember(Peer& peer, const InfoHash& payload, Instant now) const;
    Instant after(Instant now, Duration interval);

    NodeId m_self;
    const Config& m_config;
    const Mediator& m_mediator;
    RandomSource& m_random;
    ProviderTable m_table;
    PerNeighbor<Peer> m_peers;
    std::map<InfoHash, Own> m_own;
    std::map<InfoHash, Wanted> m_wanted;
};

} // namespace starling::overlay
