// SPDX-License-Identifier: Apache-2.0
/// What is still to happen, in the order of time; of two events at one time the one that was said first comes
/// first. A heap with four children a node: half as deep as a binary one, and the four lie side by side.
/// Events stay where they are while the heap moves 24 bytes for each. Pure.
#pragma once

#include "base/bytes.h"
#include "base/time.h"

namespace starling::sim {

/// A node's number in the simulation.
using NodeIndex = std::uint32_t;

struct Event
{
    enum class What : std::uint8_t {
        Datagram, ///< `bytes` from `from`
        LinkTimer, ///< `first` is the link, `second` the generation
        OverlayTimer, ///< `first` is what, `second` the generation
        Wake, ///< `first` is the node's own purpose, `second` belongs to it
        Action, ///< of the timeline; `first` is its place there
        Evaluation, ///< of an expectation; `first` is its place, `second` belongs to it
    };
    What what{};
    NodeIndex node = 0; ///< whom it happens to
    NodeIndex from = 0;
    /// Timers and wakes: the life of the node that asked for it; a restarted node has another one.
    std::uint32_t life = 0;
    std::uint64_t first = 0, second = 0;
    Bytes bytes;
};

class EventQueue
{
public:
    void push(Instant at, Event&& event);
    bool isEmpty() const { return m_heap.empty(); }
    std::size_t size() const { return m_heap.size(); }
    /// Of the next event; the queue must not be empty.
    Instant nextAt() const { return Instant(Duration(m_heap.front().at)); }
    /// The next event; the queue must not be empty.
    Event pop();

private:
    struct Entry
    {
        Duration::rep at;
        std::uint64_t sequence;
        std::uint32_t slot;
        bool isBefore(const Entry& other) const
        {
            return at != other.at ? at < other.at : sequence < other.sequence;
        }
    };
    void siftDown(Entry entry);

    std::vector<Entry> m_heap;
    std::vector<Event> m_events; ///< by slot
    std::vector<std::uint32_t> m_free; ///< slots without an event
    std::uint64_t m_sequence = 0;
};

} // namespace starling::sim
