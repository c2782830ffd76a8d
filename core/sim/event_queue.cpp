// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::sim {

namespace {

constexpr std::size_t kChildren = 4;

} // namespace

void EventQueue::push(Instant at, Event&& event)
{
    std::uint32_t slot = 0;
    if (m_free.empty()) {
        slot = static_cast<std::uint32_t>(m_events.size());
        m_events.push_back(std::move(event));
    } else {
        slot = m_free.back();
        m_free.pop_back();
        m_events[slot] = std::move(event);
    }
    const Entry entry{at.time_since_epoch().count(), m_sequence++, slot};
    std::size_t place = m_heap.size();
    m_heap.push_back(entry);
    while (place > 0) {
        const std::size_t parent = (place - 1) / kChildren;
        if (!entry.isBefore(m_heap[parent]))
            break;
        m_heap[place] = m_heap[parent];
        place = parent;
    }
    m_heap[place] = entry;
}

Event EventQueue::pop()
{
    STARLING_ASSERT(!m_heap.empty());
    const std::uint32_t slot = m_heap.front().slot;
    const Entry last = m_heap.back();
    m_heap.pop_back();
    if (!m_heap.empty())
        siftDown(last);
    m_free.push_back(slot);
    return std::move(m_events[slot]);
}

/// Puts `entry` in the place of the first one.
void EventQueue::siftDown(Entry entry)
{
    std::size_t place = 0;
    while (true) {
        const std::size_t firstChild = place * kChildren + 1;
        if (firstChild >= m_heap.size())
            break;
        const std::size_t end = std::min(firstChild + kChildren, m_heap.size());
        std::size_t least = firstChild;
        for (std::size_t child = firstChild + 1; child < end; ++child)
            if (m_heap[child].isBefore(m_heap[least]))
                least = child;
        if (!m_heap[least].isBefore(entry))
            break;
        m_heap[place] = m_heap[least];
        place = least;
    }
    m_heap[place] = entry;
}

} // namespace starling::sim
