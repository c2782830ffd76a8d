// SPDX-License-Identifier: Apache-2.0
#include "sim/replica.h"

#include "crypto/sha256.h"
#include "sim/content.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace starling::sim {

namespace {

/// Guess: what one board remembers to have been asked; a flood of forgeries makes it start anew.
constexpr std::size_t kMaxRemembered = 4'096;
/// Guess: those that are on their way at one time; some 20 MB.
constexpr std::size_t kMaxReceipts = 200'000;

} // namespace

overlay::Mediator::Opinion Replica::examine(ByteView notice)
{
    Opinion opinion = judge(notice);
    switch (opinion.verdict) {
    case Verdict::Taken:
        ++m_counts.taken;
        break;
    case Verdict::Known:
        ++m_counts.known;
        break;
    case Verdict::Refused:
        ++m_counts.refused;
        break;
    }
    return opinion;
}

OwnReplica::OwnReplica(const trust::TrustSet& trust)
    : m_keeper(release::Board(trust, {}))
{
}

overlay::Mediator::Opinion OwnReplica::judge(ByteView notice)
{
    Opinion opinion = m_keeper.examine(notice);
    m_keeper.collectTaken(); // what was taken is told by the opinion; nothing is stored here
    return opinion;
}

struct SharedBoards::State
{
    struct Answer
    {
        Bytes notice;
        overlay::Mediator::Opinion opinion;
        StatePtr next; ///< empty: the board stayed as it was
    };
    explicit State(board::BoardKeeper itsKeeper)
        : keeper(std::move(itsKeeper))
        , heads(keeper.heads())
    {
    }
    board::BoardKeeper keeper;
    std::vector<overlay::Head> heads;
    std::map<std::uint64_t, Answer> answers; ///< by the notice's quickHash()
    /// Good receipts, by the beginning of their SHA-256.
    struct Known
    {
        Digest hash;
        overlay::ReceiptInfo info;
    };
    std::unordered_map<std::uint64_t, Known> receipts;
};

SharedBoards::SharedBoards(const trust::TrustSet& trust)
    : m_empty(std::make_shared<State>(board::BoardKeeper(release::Board(trust, {}))))
{
}

SharedBoards::~SharedBoards() = default;

SharedBoards::StatePtr SharedBoards::intern(board::BoardKeeper keeper)
{
    crypto::Sha256 hash;
    for (const auto& [key, entry] : keeper.board().entries()) {
        ByteWriter writer;
        writer.sized(entry.bytes);
        hash.update(writer.take());
    }
    std::weak_ptr<State>& known = m_states[hash.finish()];
    if (auto state = known.lock())
        return state;
    auto state = std::make_shared<State>(std::move(keeper));
    known = state;
    return state;
}

overlay::Mediator::Opinion SharedBoards::examine(StatePtr& state, ByteView notice)
{
    const std::uint64_t hash = quickHash(notice);
    auto answer = state->answers.find(hash);
    if (answer == state->answers.end() || !std::ranges::equal(answer->second.notice, notice)) {
        if (state->answers.size() >= kMaxRemembered)
            state->answers.clear();
        board::BoardKeeper keeper = state->keeper;
        State::Answer fresh{toBytes(notice), keeper.examine(notice), nullptr};
        keeper.collectTaken();
        if (fresh.opinion.verdict == overlay::Mediator::Verdict::Taken)
            fresh.next = intern(std::move(keeper));
        answer = state->answers.insert_or_assign(hash, std::move(fresh)).first;
    }
    // Copies: the answer may go with the last user of its board.
    const StatePtr next = answer->second.next;
    overlay::Mediator::Opinion opinion = answer->second.opinion;
    if (next)
        state = next;
    return opinion;
}

Result<overlay::ReceiptInfo> SharedBoards::examineReceipt(State& state, ByteView receipt)
{
    const Digest hash = crypto::sha256(receipt);
    std::uint64_t place = 0;
    std::memcpy(&place, hash.bytes().data(), sizeof place);
    if (const auto known = state.receipts.find(place);
        known != state.receipts.end() && known->second.hash == hash)
        return known->second.info;
    auto info = state.keeper.examineReceipt(receipt);
    if (info) {
        if (state.receipts.size() >= kMaxReceipts)
            state.receipts.clear();
        state.receipts.insert_or_assign(place, State::Known{hash, *info});
    }
    return info;
}

SharedReplica::SharedReplica(SharedBoards& boards)
    : m_boards(boards)
    , m_state(boards.empty())
{
}

overlay::Mediator::Opinion SharedReplica::judge(ByteView notice)
{
    return m_boards.examine(m_state, notice);
}

const board::BoardKeeper& SharedReplica::keeper() const
{
    return m_state->keeper;
}

const release::Board& SharedReplica::board() const
{
    return keeper().board();
}

std::vector<overlay::Head> SharedReplica::heads() const
{
    return m_state->heads;
}

Bytes SharedReplica::notice(const overlay::NoticeKey& key) const
{
    return keeper().notice(key);
}

Result<overlay::Mediator::DescriptorInfo> SharedReplica::examineDescriptor(ByteView descriptor) const
{
    return keeper().examineDescriptor(descriptor);
}

Result<overlay::Mediator::DescriptorInfo> SharedReplica::examineContact(ByteView descriptor,
                                                                        ByteView certificate) const
{
    return keeper().examineContact(descriptor, certificate);
}

Result<overlay::PulseInfo> SharedReplica::examinePulse(ByteView pulse) const
{
    return keeper().examinePulse(pulse);
}

Result<overlay::ReceiptInfo> SharedReplica::examineReceipt(ByteView receipt) const
{
    return SharedBoards::examineReceipt(*m_state, receipt);
}

bool SharedReplica::isObserver(const NodeId& node) const
{
    return keeper().isObserver(node);
}

bool SharedReplica::isWantedBy(const NodeId& observer, ByteView receipt) const
{
    return keeper().isWantedBy(observer, receipt);
}

std::optional<std::vector<overlay::TallyKey>> SharedReplica::tallyOf(const NodeId& observer,
                                                                     ByteView receipt) const
{
    return keeper().tallyOf(observer, receipt);
}

} // namespace starling::sim
