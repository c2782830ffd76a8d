// SPDX-License-Identifier: Apache-2.0
/// What a simulated device does with a release that it has fetched, if there is a cast; and what the observer
/// keeps then.
#include "sim/node.h"

namespace starling::sim {

Duration Node::payloadTime() const
{
    return m_world.cast != nullptr ? m_world.cast->payloadTime(m_index, m_version) : m_world.scenario.payload;
}

void Node::beginCourse()
{
    if (m_world.cast == nullptr)
        return;
    m_course = {m_version, m_world.cast->course(m_index, m_version), 0};
    if (!m_course.stages.empty())
        wake(Purpose::Stage, m_course.stages.front().after, m_course.version);
}

void Node::onStage(std::uint64_t version)
{
    // A newer release has its own course.
    if (version != m_course.version || m_course.done >= m_course.stages.size())
        return;
    ++m_course.done;
    if (m_course.done < m_course.stages.size())
        wake(Purpose::Stage, m_course.stages[m_course.done].after, version);
    if (m_world.scenario.issuesReceipts)
        issueReceipt();
}

/// Of the release on its board.
trust::ReceiptEntry Node::entry() const
{
    const InfoHash& payload = m_world.books.publications[m_version - 1].payload;
    const bool isFetched = m_world.scenario.payload.count() == 0 || holdsPayload(payload);
    trust::ReceiptEntry entry{Authority::uri(),
                              {0, m_version},
                              payload,
                              isFetched ? trust::Phase::Healthy : trust::Phase::Downloading,
                              0,
                              ""};
    if (m_world.cast == nullptr || !isFetched)
        return entry;
    entry.phase = trust::Phase::Verifying;
    if (m_course.version == m_version && m_course.done > 0) {
        const Stage& stage = m_course.stages[m_course.done - 1];
        entry.phase = stage.phase;
        entry.code = stage.code;
        entry.detail = stage.detail;
    }
    return entry;
}

/// A payload came from there. The observer knows of its own exchanges, as an agent does.
void Node::noteServed(const InfoHash& payload, NodeIndex from)
{
    if (m_world.cast == nullptr)
        return;
    if (m_index == kObserver)
        m_world.books.exchanges[{payload, from}].isTaken = true;
    else if (from == kObserver)
        m_world.books.exchanges[{payload, m_index}].isGiven = true;
}

/// As node/receipt_desk.cpp does: the newest of each device, verified against the board as it is now.
void Node::keep(const Bytes& parcel, Reported& reported)
{
    const release::Board& board = m_replica->board();
    auto verified = board::verifyReceipt(parcel, {board.trust(), board.denials()});
    if (!verified || verified->receipt.sequence <= reported.sequence)
        return;
    reported.sequence = verified->receipt.sequence;
    m_world.books.kept.push_back(std::move(*verified));
}

} // namespace starling::sim
