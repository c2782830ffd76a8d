// SPDX-License-Identifier: Apache-2.0
/// Nodes that were admitted to the fleet and mean it harm. They speak through the shipped links and overlay;
/// what makes them hostile is what they say of their boards. Pure.
#pragma once

#include "sim/authority.h"
#include "sim/replica.h"

namespace starling::sim {

enum class Behaviour : std::uint8_t {
    Honest,
    Forger, ///< floods forged releases and others' receipts
    Liar, ///< advertises payloads and never serves them
    Replayer, ///< floods notices that were valid once
    Swallower, ///< takes notices, promises them to its neighbours, and never sends one
    Flooder, ///< floods receipts of its own, each validly signed and newer than the last
};

/// A board with whatever its owner pretends put on top of it.
class LyingReplica final : public Replica
{
public:
    explicit LyingReplica(std::unique_ptr<Replica> truth);

    /// From now on `notice` stands at `key`, in summaries too.
    void pretend(const overlay::Head& head, Bytes notice);
    /// A notice that was on the board and is not any more, or empty: they take turns.
    Bytes nextOutdated();

    const release::Board& board() const override { return m_truth->board(); }
    std::vector<overlay::Head> heads() const override;
    Bytes notice(const overlay::NoticeKey& key) const override;
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        return m_truth->examineDescriptor(descriptor);
    }
    Result<DescriptorInfo> examineContact(ByteView descriptor, ByteView certificate) const override
    {
        return m_truth->examineContact(descriptor, certificate);
    }
    Result<overlay::PulseInfo> examinePulse(ByteView pulse) const override
    {
        return m_truth->examinePulse(pulse);
    }
    Result<overlay::ReceiptInfo> examineReceipt(ByteView receipt) const override
    {
        return m_truth->examineReceipt(receipt);
    }
    bool isObserver(const NodeId& node) const override { return m_truth->isObserver(node); }
    bool isWantedBy(const NodeId& observer, ByteView receipt) const override
    {
        return m_truth->isWantedBy(observer, receipt);
    }
    std::optional<std::vector<overlay::TallyKey>> tallyOf(const NodeId& observer,
                                                          ByteView receipt) const override
    {
        return m_truth->tallyOf(observer, receipt);
    }

private:
    static constexpr std::size_t kMaxRemembered = 256; ///< notices to replay
    Opinion judge(ByteView notice) override;

    std::unique_ptr<Replica> m_truth;
    std::optional<overlay::Head> m_lie;
    Bytes m_lieNotice;
    std::vector<Bytes> m_seen;
    std::size_t m_turn = 0;
};

/// A notice that no honest node may take, and the place that it claims.
struct Forgery
{
    overlay::Head head;
    Bytes notice;
};
/// Forgery number `number`: in turns a release by a stranger's key and a genuine release with a bit changed.
/// They claim to be newer than `version`.
Forgery forge(std::uint64_t number, const Authority& authority, std::uint64_t version, RandomSource& random);

} // namespace starling::sim
