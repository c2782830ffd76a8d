// SPDX-License-Identifier: Apache-2.0
/// One simulated node: the shipped Overlay and the shipped Links or ModelLinks over a board, joined as the
/// agent joins them. What
/// survives a crash is what the agent's store keeps: the board, the sequence numbers, finished payloads. The
/// swarm is a model: a payload is there after so long, if whoever was asked has it and serves it. Pure.
#pragma once

#include "link/authenticator.h"
#include "overlay/membership.h"
#include "sim/hostile.h"
#include "sim/model_links.h"
#include "sim/world.h"

namespace starling::sim {

class Node
{
public:
    Node(World& world, NodeIndex index, Behaviour behaviour, std::vector<NodeIndex> neighbors);
    ~Node();

    /// Comes up at `at`, or at once if that is past; for a node that is down.
    void startAt(Instant at);
    /// Goes down without a word; what is not durable is lost.
    void crash();
    /// Something that the queue kept for this node. Ignored if it is for an earlier life, or the node is
    /// down.
    void handle(Event&& event);

    /// Brings what `event`, which comes soon, will look at into the processor's cache, once the node itself
    /// is there; and then what that leads to (prefetch.h).
    void prefetchFor(const Event& event) const
    {
        if (m_modelLinks)
            m_modelLinks->prefetch(event.from);
        if (m_overlay)
            m_overlay->prefetch();
    }
    void prefetchForMessage(ByteView message) const
    {
        if (m_overlay)
            m_overlay->prefetchFor(message);
    }

    /// Puts a new release on the board and tells the neighbours; for a node that is up.
    void publish();
    void shiftClock(Duration by) { m_clockShift += by; }
    /// Of the observer, once it wants sums: the next pulse asks, and so does each until the next question.
    void ask(trust::ReceiptAsk ask);
    /// What it was told in sums; nothing while receipts come by themselves.
    std::optional<overlay::Hints> hints() const { return m_overlay->hints(m_world.now); }

    bool isUp() const { return m_overlay.has_value(); }
    bool isHonest() const { return m_behaviour == Behaviour::Honest; }
    Behaviour behaviour() const { return m_behaviour; }
    Instant upSince() const { return m_upSince; }
    std::uint64_t version() const { return m_version; } ///< of the release on its board, 0 for none
    bool holdsPayload(const InfoHash& payload) const { return m_complete.contains(payload); }
    const NodeId& id() const { return m_id; }
    /// Of a node that is up and has them.
    ModelLinks* modelLinks() { return m_modelLinks ? &*m_modelLinks : nullptr; }
    const Replica& replica() const { return *m_replica; }
    std::uint64_t ownNotices() const { return m_ownNotices; } ///< on its board because it issued them
    std::uint64_t retransmissions() const;
    /// Messages about receipts that came to this node, pulses apart.
    std::uint64_t receiptMessages() const { return m_receiptMessages; }
    const overlay::Neighbors& neighbors() const { return m_overlay->neighbors(); }

private:
    enum class Purpose : std::uint8_t { Start, Receipt, Fetched, Mischief, Pulse, Stage, Look };
    struct Fetch
    {
        InfoHash payload;
        std::vector<NodeIndex> providers = {};
        std::optional<NodeIndex> from = {};
        unsigned tries = 0; ///< to find one with a slot
        bool isLooking = false; ///< again, in a while
    };
    /// How far an installation got, with a cast.
    struct Course
    {
        std::uint64_t version = 0;
        std::vector<Stage> stages;
        std::size_t done = 0; ///< stages that were reached
    };

    void certify();
    void installFirst();
    void start();
    void wake(Purpose purpose, Duration delay, std::uint64_t second = 0);
    void onWake(Purpose purpose, std::uint64_t second);
    void feedLinks(const link::Input& input);
    void actAll();
    void onModelEvent(Event&& event);
    void feedOverlay(const overlay::Input& input);
    void perform(std::vector<overlay::Output> outputs);
    // node_membership.cpp
    void startMembership();
    void tellMembership(const link::Output& output);
    void tellMembership(const overlay::MessageReceived& message);
    void feedMembership(const overlay::MembershipInput& input);
    void act(const overlay::MembershipOutput& output);
    void act(link::Output& output);
    void act(overlay::Output& output);
    void send(const Endpoint& to, Bytes bytes);

    std::vector<bool> addressed() const;
    void onTaken(const overlay::Head& head);
    void noteDelivery();
    void putOwn(ByteView notice);
    void publishKey(const overlay::NoticeKey& key) { feedOverlay(overlay::Publish{key}); }
    void scheduleReceipt(Duration delay);
    // node_receipts.cpp
    bool isObserver() const;
    void subscribe();
    void pulse(std::uint64_t turn);
    void pulseOnce();
    void noteReceiptMessage(ByteView message);
    trust::Receipt nextReceipt();
    Bytes parcelOf(const trust::Receipt& receipt, NodeIndex signer) const;
    void issueReceipt();
    void onReceipt(const overlay::ReceiptArrived& arrived);
    void thrust(const Bytes& parcel);
    void beginFetch(const InfoHash& payload);
    void fetchFromAnyone();
    void lookAgain();
    void giveSlotBack();
    void onFetched(NodeIndex from);
    void provide(const InfoHash& payload);
    // node_course.cpp
    Duration payloadTime() const;
    void beginCourse();
    void onStage(std::uint64_t version);
    trust::ReceiptEntry entry() const;
    void noteServed(const InfoHash& payload, NodeIndex from);
    void keep(const Bytes& parcel, Reported& reported);
    void misbehave();
    void pretend(const Forgery& forgery);
    UtcTime wallClock() const;

    // What every event looks at comes first, and what few nodes ever have comes last.
    World& m_world;
    const NodeIndex m_index;
    std::uint32_t m_life = 0;
    const Behaviour m_behaviour;
    bool m_isActing = false;
    bool m_isMembershipActing = false;
    bool m_wantsSums = false; ///< of the observer
    std::unique_ptr<Replica> m_replica; ///< durable
    std::unique_ptr<link::Authenticator> m_authenticator; ///< for shipped links
    std::optional<ModelLinks> m_modelLinks; ///< of one life; these or
    std::unique_ptr<link::Links> m_links; ///< those
    std::optional<overlay::Overlay> m_overlay; ///< of one life
    std::unique_ptr<overlay::Membership> m_membership; ///< of one life, if the scenario has it
    std::vector<overlay::MembershipOutput> m_membershipOutputs; ///< not carried out yet
    std::uint64_t m_version = 0; ///< durable
    Instant m_upSince;
    NodeId m_id;
    std::vector<NodeIndex> m_neighbors; ///< as configured
    std::unique_ptr<overlay::Mediator> m_bareContacts; ///< where nodes have no certificates
    LyingReplica* m_lies = nullptr; ///< the replica, of a hostile node

    // Durable
    Bytes m_certificate; ///< its envelope, if nodes have certificates
    std::unique_ptr<crypto::LinkKeyPair> m_linkKey; ///< for shipped links
    Duration m_clockShift{};
    std::uint64_t m_sequence = 1; ///< of the next receipt or descriptor
    std::set<InfoHash> m_complete;
    Course m_course;

    // Of one life
    std::optional<Instant> m_receiptDue;
    std::unique_ptr<Fetch> m_fetch;
    std::uint64_t m_ownNotices = 0;
    std::uint64_t m_mischief = 0;
    std::uint64_t m_receiptMessages = 0;
    std::unique_ptr<trust::ReceiptAsk> m_ask;
    std::uint32_t m_batch = 0; ///< of receipts that were thrust on others
};

} // namespace starling::sim
