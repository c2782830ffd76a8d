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
    const Duration::rep number = bucketOf(entry);
    if (number <= m_current)
        return pushHeap(entry);
    if (number - m_current < static_cast<Duration::rep>(kBuckets)) {
        bucket(number).push_back(entry);
        ++m_inBuckets;
    } else {
        m_far[number].push_back(entry);
    }
    if (m_heap.empty())
        refill();
}

void EventQueue::pushHeap(const Entry& entry)
{
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

/// Takes the next bucket that is not empty into the empty heap, if there is one.
void EventQueue::refill()
{
    if (m_inBuckets == 0 && m_far.empty())
        return;
    // Nothing near: on to the far ones without looking at thousands of empty buckets.
    if (m_inBuckets == 0)
        m_current = m_far.begin()->first - 1;
    do {
        ++m_current;
        const Duration::rep last = m_current + static_cast<Duration::rep>(kBuckets) - 1;
        while (!m_far.empty() && m_far.begin()->first <= last) {
            Entries& place = bucket(m_far.begin()->first);
            const Entries& entries = m_far.begin()->second;
            place.insert(place.end(), entries.begin(), entries.end());
            m_inBuckets += entries.size();
            m_far.erase(m_far.begin());
        }
    } while (bucket(m_current).empty());
    std::swap(m_heap, bucket(m_current));
    m_inBuckets -= m_heap.size();
    // What is sorted is a heap.
    std::sort(m_heap.begin(), m_heap.end(), [](const Entry& a, const Entry& b) { return a.isBefore(b); });
}

Event EventQueue::pop()
{
    STARLING_ASSERT(!m_heap.empty());
    const std::uint32_t slot = m_heap.front().slot;
    const Entry last = m_heap.back();
    m_heap.pop_back();
    if (!m_heap.empty())
        siftDown(last);
    else
        refill();
    // The events after it, while this one is dealt with: each lies in a cache line of its own.
    for (std::size_t i = 0; i < std::min(kChildren, m_heap.size()); ++i)
        __builtin_prefetch(&m_events[m_heap[i].slot]);
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
