// SPDX-License-Identifier: Apache-2.0
/// What is still to happen, in the order of time; of two events at one time the one that was said first comes
/// first. Time is cut into buckets of some milliseconds: those to come hold their events in the order in
/// which they were said, the current one is sorted when its turn comes. So what comes next lies together in
/// memory, and is known some events ahead: what it needs can be fetched into the processor's cache. Pure.
#pragma once

#include "base/time.h"
#include "sim/content.h"

#include <array>
#include <map>
#include <memory>

namespace starling::sim {

/// A node's number in the simulation.
using NodeIndex = std::uint32_t;

struct Event
{
    enum class What : std::uint8_t {
        Datagram, ///< `content` from `from`
        Message, ///< the same by ModelLinks; `first` is the session, `second` the sequence
        /// Of ModelLinks; `first` is the session, `from` the other side. On the way to a link:
        Greet,
        Finish,
        Confirm,
        Goodbye, ///< the end of one
        Resend, ///< what was not taken is due again
        Suspect, ///< no keepalive came
        Idle, ///< for too long
        LinkTimer, ///< `first` is the link, `second` the generation
        OverlayTimer, ///< `first` is what, `second` the generation
        Wake, ///< `first` is the node's own purpose, `second` belongs to it
        Action, ///< of the timeline; `first` is its place there
        Evaluation, ///< of an expectation; `first` is its place, `second` belongs to it
        MembershipTimer, ///< `first` is the generation
    };
    What what{};
    NodeIndex node = 0; ///< whom it happens to
    NodeIndex from = 0;
    /// Timers and wakes: the life of the node that asked for it; a restarted node has another one.
    std::uint32_t life = 0;
    std::uint64_t first = 0, second = 0;
    Content content;
};

class EventQueue
{
public:
    void push(Instant at, Event&& event);
    bool isEmpty() const { return size() == 0; }
    std::size_t size() const { return m_size; }
    /// Of the next event; the queue must not be empty.
    Instant nextAt()
    {
        if (isSpent())
            refill();
        return Instant(Duration(isLateNext() ? m_late.front().at : m_sorted[m_next].at));
    }
    /// The next event; the queue must not be empty.
    Event pop();
    /// The event that follows so many others, if it is known yet; something may still come before it.
    const Event* ahead(std::size_t others) const
    {
        const std::size_t place = m_next + others;
        return place < m_sorted.size() ? &item(m_sorted[place].item).event : nullptr;
    }

private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    struct Item
    {
        Duration::rep at = 0;
        Event event;
    };
    /// Buckets are lists of these, for they hold few events or many thousands.
    static constexpr std::uint32_t kItems = 5;
    struct alignas(64) Chunk // four cache lines
    {
        std::array<Item, kItems> items;
        std::uint32_t count = 0;
        std::uint32_t next = kNone;
    };
    struct Bucket
    {
        std::uint32_t first = kNone, last = kNone; ///< chunks
    };
    /// Of the current bucket.
    struct Entry
    {
        Duration::rep at;
        std::uint32_t order; ///< among those of its bucket
        std::uint32_t item; ///< chunk × kItems + place
    };
    /// What was said too late to be sorted with its bucket.
    struct Late
    {
        Duration::rep at;
        std::uint64_t order;
        Event event;
    };
    /// Buckets of about 4 ms, and 34 s of them: longer than the protocols' timers.
    static constexpr int kBucketBits = 22;
    static constexpr std::size_t kBuckets = 8'192;
    static constexpr std::uint32_t kBlockBits = 7;
    using Block = std::array<Chunk, std::size_t{1} << kBlockBits>;

    Chunk& chunk(std::uint32_t number) const
    {
        return (*m_blocks[number >> kBlockBits])[number & ((1u << kBlockBits) - 1)];
    }
    Item& item(std::uint32_t number) const { return chunk(number / kItems).items[number % kItems]; }
    Bucket& bucket(Duration::rep number) { return m_buckets[static_cast<std::size_t>(number) % kBuckets]; }
    bool isSpent() const { return m_next == m_sorted.size() && m_late.empty(); }
    bool isLateNext() const
    {
        // What is sorted was said before.
        return !m_late.empty() && (m_next == m_sorted.size() || m_late.front().at < m_sorted[m_next].at);
    }
    static bool isAfter(const Late& a, const Late& b)
    {
        return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
    void put(Bucket& bucket, Duration::rep at, Event&& event);
    std::uint32_t freshChunk();
    void refill();
    void release(std::uint32_t chunks);

    std::size_t m_size = 0;
    std::vector<Entry> m_sorted; ///< of bucket m_current and before
    std::size_t m_next = 0; ///< in it
    std::uint32_t m_currentChunks = kNone; ///< where those of m_sorted are
    std::vector<Late> m_late; ///< a heap
    std::uint64_t m_lateOrder = 0;
    std::vector<Bucket> m_buckets = std::vector<Bucket>(kBuckets); ///< by number modulo kBuckets
    std::size_t m_inBuckets = 0;
    std::map<Duration::rep, Bucket> m_far; ///< beyond them, by number
    Duration::rep m_current = 0;
    std::vector<std::unique_ptr<Block>> m_blocks; ///< of chunks, which stay where they are
    std::uint32_t m_chunks = 0; ///< that were ever used
    std::uint32_t m_freeChunk = kNone; ///< the first of those that are not used
};

} // namespace starling::sim
