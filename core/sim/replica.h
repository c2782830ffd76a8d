// SPDX-License-Identifier: Apache-2.0
/// A simulated node's board, asked as the agent's is: by overlay::Mediator. Either each node has a
/// board::BoardKeeper of its own and verifies everything itself, or nodes whose boards are equal share one:
/// the first of them that is given a notice examines it, and the others go to the board that came of it. Both
/// say the same; sharing is for thousands of boards that go through the same few states. Pure.
#pragma once

#include "board/board_keeper.h"

#include <memory>

namespace starling::sim {

class Replica : public overlay::Mediator
{
public:
    struct Counts
    {
        std::uint64_t taken = 0, known = 0, refused = 0;
    };
    /// Judges as judge(), and counts.
    Opinion examine(ByteView notice) final;
    const Counts& counts() const { return m_counts; }
    /// What is on it in truth, whatever its owner pretends.
    virtual const release::Board& board() const = 0;

private:
    virtual Opinion judge(ByteView notice) = 0;
    Counts m_counts;
};

/// A board of one's own.
class OwnReplica final : public Replica
{
public:
    explicit OwnReplica(const trust::TrustSet& trust);
    const release::Board& board() const override { return m_keeper.board(); }
    std::vector<overlay::Head> heads() const override { return m_keeper.heads(); }
    Bytes notice(const overlay::NoticeKey& key) const override { return m_keeper.notice(key); }
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        return m_keeper.examineDescriptor(descriptor);
    }
    Result<DescriptorInfo> examineContact(ByteView descriptor, ByteView certificate) const override
    {
        return m_keeper.examineContact(descriptor, certificate);
    }
    Result<overlay::PulseInfo> examinePulse(ByteView pulse) const override
    {
        return m_keeper.examinePulse(pulse);
    }
    Result<overlay::ReceiptInfo> examineReceipt(ByteView receipt) const override
    {
        return m_keeper.examineReceipt(receipt);
    }
    bool isObserver(const NodeId& node) const override { return m_keeper.isObserver(node); }
    bool isWantedBy(const NodeId& observer, ByteView receipt) const override
    {
        return m_keeper.isWantedBy(observer, receipt);
    }
    std::optional<std::vector<overlay::TallyKey>> tallyOf(const NodeId& observer,
                                                          ByteView receipt) const override
    {
        return m_keeper.tallyOf(observer, receipt);
    }

private:
    Opinion judge(ByteView notice) override;
    board::BoardKeeper m_keeper;
};

/// All boards that came of one empty one by the notices that they were given, each of them once.
class SharedBoards
{
public:
    struct State;
    using StatePtr = std::shared_ptr<State>;
    explicit SharedBoards(const trust::TrustSet& trust);
    ~SharedBoards();

    const StatePtr& empty() const { return m_empty; }
    /// What the board `state` says to `notice`; `state` is the one that came of it afterwards.
    overlay::Mediator::Opinion examine(StatePtr& state, ByteView notice);
    /// What it says to `receipt`, which goes through many hands.
    static Result<overlay::ReceiptInfo> examineReceipt(State& state, ByteView receipt);

private:
    StatePtr intern(board::BoardKeeper keeper);
    std::map<Digest, std::weak_ptr<State>> m_states; ///< by what is on them
    StatePtr m_empty;
};

/// A board that others have, too, as long as they are equal.
class SharedReplica final : public Replica
{
public:
    explicit SharedReplica(SharedBoards& boards);
    const release::Board& board() const override;
    std::vector<overlay::Head> heads() const override;
    Bytes notice(const overlay::NoticeKey& key) const override;
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override;
    Result<DescriptorInfo> examineContact(ByteView descriptor, ByteView certificate) const override;
    Result<overlay::PulseInfo> examinePulse(ByteView pulse) const override;
    Result<overlay::ReceiptInfo> examineReceipt(ByteView receipt) const override;
    bool isObserver(const NodeId& node) const override;
    bool isWantedBy(const NodeId& observer, ByteView receipt) const override;
    std::optional<std::vector<overlay::TallyKey>> tallyOf(const NodeId& observer,
                                                          ByteView receipt) const override;

private:
    Opinion judge(ByteView notice) override;
    const board::BoardKeeper& keeper() const;
    SharedBoards& m_boards;
    SharedBoards::StatePtr m_state;
};

} // namespace starling::sim
