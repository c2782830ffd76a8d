// SPDX-License-Identifier: Apache-2.0
/// Receipts on their way to observers. An observer repeats a signed pulse, which every node passes on once:
/// the neighbour that brought the newest one first is its parent on the reverse tree, and those that are
/// nearer to the observer than itself are there to take its place. Pure.
///
///     observer   ──►  Pulse      to everybody, over every link
///     device     ──►  Receipts   to the parent, and on to its parent: in batches, the newest of each device
///     parent     ──►  Accepted   there is room for another batch
///     observer   ──►  Delivered  back along the way, to the device, which keeps its receipt until then
///     device     ──►  Sums       to the parent, which adds up: instead of Receipts, if the pulse wants sums
///
/// Of a pulse that wants sums the receipts stay on the devices, but for those that it asks for: as many as it
/// says pass each node (collection_sums.cpp).
///
/// Whoever passes a receipt on verifies it first, and keeps it only until its parent has accepted it: what is
/// lost then, the device sends again. No node but the observer holds more than Config::maxReceipts.
#pragma once

#include "overlay/forward_pace.h"
#include "overlay/postbox.h"
#include "overlay/summation.h"

#include <set>

namespace starling::overlay {

class Collection
{
public:
    Collection(const NodeId& self, const Config& config, const Mediator& mediator, RandomSource& random);

    void addNeighbor(NeighborId neighbor, const NodeId& node, Instant now, Postbox& postbox);
    void removeNeighbor(NeighborId neighbor, Instant now);

    /// We are an observer. Ignored unless the mediator takes the pulse for ours, and newer than the last.
    void observe(ByteView pulse, Instant now, Postbox& postbox);
    /// Our own newest receipt.
    void report(const Report& own, Instant now);
    /// The owner of an observer has it.
    void kept(const ReceiptKept& kept, Instant now);
    /// The board took a notice: perhaps the subscription that a pulse was waiting for.
    void noticeTaken(Instant now, Postbox& postbox);

    /// The error, if any, is the neighbour's fault.
    Status onPulse(NeighborId from, const PulseMessage& message, Instant now, Postbox& postbox);
    Status onReceipts(NeighborId from, const ReceiptsMessage& message, Instant now, Postbox& postbox);
    void onAccepted(NeighborId from, const AcceptedMessage& message, Instant now);
    void onDelivered(NeighborId from, const DeliveredMessage& message, Postbox& postbox);
    void onSums(NeighborId from, const SumsMessage& message, Instant now);

    /// When work() has something to do.
    std::optional<Instant> nextWork() const;
    void work(Instant now, Postbox& postbox);

    std::optional<NeighborId> parent(const NodeId& observer) const;
    /// Those whose pulses came, and this node if it pulses.
    std::vector<NodeId> observers() const;
    bool knows(const NodeId& observer) const { return m_ways.contains(observer); }
    /// Receipts held on their way, our own among them, for all observers together.
    std::size_t held() const;
    /// Of an observer that wants sums, and is this node.
    std::optional<Hints> hints(Instant now) const;

private:
    struct Peer
    {
        NodeId node;
        Allowance pulses; ///< that it may make us verify
        Allowance receipts; ///< bytes that it may make us pass on
        Allowance sums; ///< messages that it may make us add up
        std::optional<PulseMessage> early; ///< its subscription is not here yet
    };
    struct Heard
    {
        std::uint64_t number = 0; ///< of the pulse that this neighbour brought
        unsigned hops = 0;
        bool isSlow = false; ///< did not accept in time
    };
    struct Item
    {
        std::uint64_t sequence = 0;
        Bytes receipt;
    };
    using Items = std::map<NodeId, Item>; ///< by device
    struct Flight
    {
        NeighborId to{};
        std::uint32_t batch = 0;
        Items items;
        Instant deadline;
    };
    /// Where a receipt came from, for the observer's word to go back.
    struct Route
    {
        std::uint64_t sequence = 0;
        NeighborId child{};
        std::optional<NeighborId> sentTo;
        std::uint64_t turn = 0;
    };
    /// Of our own receipt, for one observer.
    struct Own
    {
        bool isDelivered = true;
        bool isHeld = false; ///< until it is asked for
        std::optional<NeighborId> sentTo;
        Instant repeat;
        Duration interval{};
    };
    struct Way
    {
        std::uint64_t number = 0; ///< of the newest pulse
        Bytes pulse;
        Instant pulsed; ///< when the newest pulse came
        unsigned hops = 0; ///< 0: the observer is this node
        std::map<NeighborId, Heard> heard;
        std::optional<NeighborId> parent;
        Items waiting;
        NodeId lastSent; ///< devices take turns
        std::optional<Flight> flight;
        std::uint32_t batches = 0;
        std::optional<Instant> flush;
        std::map<NodeId, Route> routes;
        std::map<std::uint64_t, NodeId> turns; ///< the routes, the oldest first
        std::uint64_t nextTurn = 0;
        std::map<NeighborId, std::uint32_t> owed; ///< batches taken over and not accepted yet
        std::map<NeighborId, std::vector<DeliveredMessage::Item>> delivered; ///< to be told
        Own own;
        bool wantsSums = false;
        std::optional<Ask> ask;
        std::set<NodeId> answered; ///< devices whose receipts passed here since; at most its limit
        Summation sums;
    };
    using Ways = std::map<NodeId, Way>; ///< by observer

    void learn(NeighborId from, const PulseMessage& message, const PulseInfo& info, Instant now,
               Postbox& postbox);
    void passOn(const Way& way, std::optional<NeighborId> except, Postbox& postbox) const;
    void chooseParent(Way& way, Instant now) const;
    Status take(Ways::value_type& way, NeighborId from, const Bytes& receipt, Instant now, Postbox& postbox);
    void keepRoute(Way& way, const NodeId& device, std::uint64_t sequence, NeighborId child) const;
    static void dropRoute(Way& way, std::map<NodeId, Route>::iterator route);
    void enqueue(Way& way, const NodeId& device, Item item) const;
    void enqueueOwn(Ways::value_type& way, Instant now);
    // collection_sums.cpp
    void heed(Ways::value_type& way, const PulseInfo& info, Instant now);
    void countOwn(Ways::value_type& way, Instant now);
    bool isAskedFor(const Ways::value_type& way, const NodeId& device, const Bytes& receipt) const;
    bool letsThrough(Ways::value_type& way, const NodeId& device, const Bytes& receipt) const;
    void tellSums(Ways::value_type& way, Instant now, Postbox& postbox) const;
    void landFlight(Way& way, Instant now) const;
    void flush(Ways::value_type& way, Instant now, Postbox& postbox);
    void send(Ways::value_type& way, Instant now, Postbox& postbox);
    void accept(Ways::value_type& way, Instant now, Postbox& postbox);
    void tellDelivered(Ways::value_type& way, Postbox& postbox) const;
    void wakeAt(Way& way, Instant when) const;
    Duration jittered(Duration interval);

    NodeId m_self;
    const Config& m_config;
    const Mediator& m_mediator;
    RandomSource& m_random;
    PerNeighbor<Peer> m_peers;
    Ways m_ways;
    std::optional<Report> m_own;
    /// Of devices that are our neighbours. Guess: 4,096 devices that do nothing but report cost an observer
    /// 820 receipts a second.
    ForwardPace m_pace{std::chrono::seconds(5)};
};

} // namespace starling::overlay
