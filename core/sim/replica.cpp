// SPDX-License-Identifier: Apache-2.0
#include "sim/replica.h"

#include "crypto/sha256.h"
#include "sim/content.h"

#include <algorithm>

namespace starling::sim {

namespace {

/// Guess: what one board remembers to have been asked; a flood of forgeries makes it start anew.
constexpr std::size_t kMaxRemembered = 4'096;

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

SharedReplica::SharedReplica(SharedBoards& boards)
    : m_boards(boards)
    , m_state(boards.empty())
{
}

overlay::Mediator::Opinion SharedReplica::judge(ByteView notice)
{
    return m_boards.examine(m_state, notice);
}

std::vector<overlay::Head> SharedReplica::heads() const
{
    return m_state->heads;
}

Bytes SharedReplica::notice(const overlay::NoticeKey& key) const
{
    return m_state->keeper.notice(key);
}

Result<overlay::Mediator::DescriptorInfo> SharedReplica::examineDescriptor(ByteView descriptor) const
{
    return m_state->keeper.examineDescriptor(descriptor);
}

} // namespace starling::sim
