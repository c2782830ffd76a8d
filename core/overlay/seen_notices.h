// SPDX-License-Identifier: Apache-2.0
/// The last few thousand notices that a node has seen, by their tags. Most questions are about the newest of
/// a few: entries lie side by side, and are found by the tag itself, which is a hash. Pure.
#pragma once

#include "overlay/message.h"

#include <cstring>

namespace starling::overlay {

class SeenNotices
{
public:
    /// Guess: more than spread within the time that telling of them takes.
    static constexpr std::size_t kMost = 4'096;

    struct Seen
    {
        NoticeTag tag{};
        Instant at;
        bool isBeside = false; ///< it came so (broadcast.h), and not along the tree since
        bool isAsked = false; ///< for once
        std::uint16_t next = kNone; ///< of those with the same hash
    };

    Seen* find(const NoticeTag& tag)
    {
        if (m_first.empty())
            return nullptr;
        for (std::uint16_t place = m_first[hashOf(tag)]; place != kNone; place = m_seen[place].next)
            if (m_seen[place].tag == tag)
                return &m_seen[place];
        return nullptr;
    }
    bool contains(const NoticeTag& tag) { return find(tag) != nullptr; }
    std::size_t size() const { return m_seen.size(); }

    /// One that is not among them; the oldest makes room for it.
    void add(const NoticeTag& tag, Instant now)
    {
        std::size_t place = m_seen.size();
        if (place == kMost) {
            place = m_oldest;
            m_oldest = (m_oldest + 1) % kMost;
            unlink(place);
            m_seen[place] = {tag, now};
        } else {
            m_seen.push_back({tag, now});
        }
        if (m_first.size() < m_seen.size())
            return grow();
        link(place);
    }

private:
    static constexpr std::uint16_t kNone = 0xffff;
    static constexpr std::size_t kFirstSize = 16;

    /// Where its list begins. Whoever makes tags alike makes long lists: at most of kMost.
    std::size_t hashOf(const NoticeTag& tag) const
    {
        std::uint32_t word = 0;
        std::memcpy(&word, tag.data(), sizeof word);
        return word & (m_first.size() - 1);
    }
    void link(std::size_t place)
    {
        std::uint16_t& first = m_first[hashOf(m_seen[place].tag)];
        m_seen[place].next = std::exchange(first, static_cast<std::uint16_t>(place));
    }
    void unlink(std::size_t place)
    {
        std::uint16_t* link = &m_first[hashOf(m_seen[place].tag)];
        while (*link != place)
            link = &m_seen[*link].next;
        *link = m_seen[place].next;
    }
    void grow()
    {
        m_first.assign(std::max(kFirstSize, 2 * m_first.size()), kNone);
        for (std::size_t place = 0; place < m_seen.size(); ++place)
            link(place);
    }

    std::vector<Seen> m_seen; ///< once it is full, from m_oldest on and round
    std::size_t m_oldest = 0;
    std::vector<std::uint16_t> m_first; ///< by hash: the newest of a list; as many as a power of two
};

} // namespace starling::overlay
