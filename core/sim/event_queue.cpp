// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.h"

#include "base/assert.h"
#include "base/prefetch.h"

#include <algorithm>

namespace starling::sim {

void EventQueue::push(Instant at, Event&& event)
{
    ++m_size;
    const Duration::rep time = at.time_since_epoch().count();
    const Duration::rep number = time >> kBucketBits;
    if (number <= m_current) {
        m_late.push_back({time, m_lateOrder++, std::move(event)});
        std::push_heap(m_late.begin(), m_late.end(), isAfter);
    } else if (number - m_current < static_cast<Duration::rep>(kBuckets)) {
        put(bucket(number), time, std::move(event));
        ++m_inBuckets;
    } else {
        put(m_far[number], time, std::move(event));
    }
}

std::uint32_t EventQueue::freshChunk()
{
    // The one that was free for the shortest time is still in the cache.
    if (m_freeChunk != kNone) {
        const std::uint32_t fresh = std::exchange(m_freeChunk, std::exchange(chunk(m_freeChunk).next, kNone));
        if (m_freeChunk != kNone)
            prefetch(&chunk(m_freeChunk), sizeof(Chunk));
        return fresh;
    }
    if (m_chunks >> kBlockBits == m_blocks.size())
        m_blocks.push_back(std::make_unique<Block>());
    return m_chunks++;
}

void EventQueue::put(Bucket& bucket, Duration::rep at, Event&& event)
{
    if (bucket.last == kNone || chunk(bucket.last).count == kItems) {
        const std::uint32_t fresh = freshChunk();
        (bucket.last == kNone ? bucket.first : chunk(bucket.last).next) = fresh;
        bucket.last = fresh;
    }
    Chunk& last = chunk(bucket.last);
    last.items[last.count++] = {at, std::move(event)};
}

/// Of a list of chunks whose events are gone.
void EventQueue::release(std::uint32_t chunks)
{
    while (chunks != kNone) {
        Chunk& each = chunk(chunks);
        each.count = 0;
        m_freeChunk = std::exchange(chunks, std::exchange(each.next, m_freeChunk));
    }
}

/// Makes the next bucket that is not empty the current one; there must be one.
void EventQueue::refill()
{
    release(std::exchange(m_currentChunks, kNone));
    m_sorted.clear();
    m_next = 0;
    // Nothing near: on to the far ones without looking at thousands of empty buckets.
    if (m_inBuckets == 0)
        m_current = m_far.begin()->first - 1;
    do {
        ++m_current;
        // What is far was said before anything that is put into its bucket from now on.
        const Duration::rep last = m_current + static_cast<Duration::rep>(kBuckets) - 1;
        while (!m_far.empty() && m_far.begin()->first <= last) {
            Bucket& place = bucket(m_far.begin()->first);
            STARLING_ASSERT(place.first == kNone);
            place = m_far.begin()->second;
            for (std::uint32_t number = place.first; number != kNone; number = chunk(number).next)
                m_inBuckets += chunk(number).count;
            m_far.erase(m_far.begin());
        }
    } while (bucket(m_current).first == kNone);
    m_currentChunks = std::exchange(bucket(m_current), {}).first;
    std::uint32_t order = 0;
    for (std::uint32_t number = m_currentChunks; number != kNone; number = chunk(number).next) {
        const Chunk& each = chunk(number);
        if (each.next != kNone)
            prefetch(&chunk(each.next), sizeof(Chunk));
        for (std::uint32_t i = 0; i < each.count; ++i)
            m_sorted.push_back({each.items[i].at, order++, number * kItems + i});
    }
    m_inBuckets -= m_sorted.size();
    std::sort(m_sorted.begin(), m_sorted.end(),
              [](const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.order < b.order; });
}

Event EventQueue::pop()
{
    STARLING_ASSERT(!isEmpty());
    if (isSpent())
        refill();
    --m_size;
    if (!isLateNext())
        return std::move(item(m_sorted[m_next++].item).event);
    std::pop_heap(m_late.begin(), m_late.end(), isAfter);
    Event event = std::move(m_late.back().event);
    m_late.pop_back();
    return event;
}

} // namespace starling::sim
