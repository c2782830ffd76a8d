// SPDX-License-Identifier: Apache-2.0
/// Answers the overlay's questions from the board, and counts what was refused.
#pragma once

#include "board/parcel.h"
#include "overlay/overlay.h"
#include "release/board.h"

namespace starling::board {

class BoardKeeper final : public overlay::Mediator
{
public:
    explicit BoardKeeper(release::Board board);

    const release::Board& board() const { return m_board; }

    Opinion examine(ByteView notice) override;
    std::vector<overlay::Head> heads() const override;
    Bytes notice(const overlay::NoticeKey& key) const override;
    Result<DescriptorInfo> examineDescriptor(ByteView parcel) const override;
    Result<DescriptorInfo> examineContact(ByteView descriptor, ByteView certificate) const override;
    std::uint64_t rootNumber() const override;
    Bytes root(std::uint64_t number) const override;
    /// Deny lists and withdrawals: what stops something.
    overlay::KeyRange urgentRange() const override;
    bool isForRestricted(ByteView notice) const override;
    void excuse(const Error& error) override;
    Result<overlay::PulseInfo> examinePulse(ByteView pulse) const override;
    Result<overlay::ReceiptInfo> examineReceipt(ByteView receipt) const override; ///< a Parcel, too
    bool isObserver(const NodeId& node) const override;
    bool isWantedBy(const NodeId& observer, ByteView receipt) const override;
    Result<NodeId> examineRequest(ByteView request) const override;
    Result<NodeId> examineGrant(ByteView certificate) const override;
    std::optional<std::vector<overlay::TallyKey>> tallyOf(const NodeId& observer,
                                                          ByteView receipt) const override;

    /// As examine(), with all that the board has to say: for notices of our own and those found in the store.
    release::Examined take(ByteView notice);
    /// What was taken since the last call, in order: to be stored and acted on.
    std::vector<release::Examined> collectTaken();

    /// Subscriptions leave the board when they are over: Board::advanceTime.
    bool advanceTime(std::uint64_t now) { return m_board.advanceTime(now); }

    /// Counts a refusal by the short name of its code.
    void countRefusal(const Error& error);
    const std::map<std::string, std::uint64_t>& refusals() const { return m_refusals; }

    /// By which documents of devices are judged now.
    Admission admission() const { return {m_board.trust(), m_board.denials()}; }

    static overlay::NoticeKey keyOf(const release::BoardKey& key);
    static release::BoardKey keyOf(const overlay::NoticeKey& key);

private:
    /// Whether it is a root of our chain that its successor has overtaken on its way.
    bool isOvertaken(ByteView notice, const Error& error) const;
    /// The place where this very notice stands, if it does.
    const release::BoardEntry* held(const Digest& hash, ByteView notice) const;
    /// That the notice of this hash stands at `key`.
    void remember(const Digest& hash, const release::BoardKey& key);

    release::Board m_board;
    std::map<Digest, release::BoardKey> m_held; ///< by the notice's hash; some may have gone since
    std::vector<release::Examined> m_taken;
    std::map<std::string, std::uint64_t> m_refusals;
};

} // namespace starling::board
