// SPDX-License-Identifier: Apache-2.0
/// Who holds which payload, as far as it was told: a table with limits in both directions and an expiry.
/// Pure.
#pragma once

#include "overlay/overlay.h"

#include <set>

namespace starling::overlay {

/// What is known of one provider of one payload. Its descriptor was verified.
struct ProviderRecord
{
    Bytes descriptor;
    std::uint64_t sequence = 0; ///< of the descriptor: the newest wins
    bool isComplete = false;
    Instant said; ///< when the provider itself said so, as far as known; counts for expiry
};

class ProviderTable
{
public:
    enum class Source : std::uint8_t {
        Itself, ///< the provider's own word: final about completeness
        Hearsay, ///< another's: can add, never take away
    };

    explicit ProviderTable(const Config& config);

    /// True if this is news worth telling: another provider, a newer descriptor, or a changed completeness.
    /// False also if the table is full and nothing in it may make room.
    [[nodiscard]] bool put(const InfoHash& payload, const NodeId& node, ProviderRecord record, Source source);
    void remove(const InfoHash& payload, const NodeId& node);
    /// Drops what was last said a lifetime before `now`.
    void expire(Instant now);
    /// A pinned payload is never dropped to make room for another.
    void pin(const InfoHash& payload) { m_pinned.insert(payload); }
    void unpin(const InfoHash& payload) { m_pinned.erase(payload); }

    using Records = std::map<NodeId, ProviderRecord>;
    /// Those of `payload`, in the order of their ids; may hold expired ones until expire().
    const Records& of(const InfoHash& payload) const;
    bool isEmpty() const { return m_payloads.empty(); }
    std::size_t payloads() const { return m_payloads.size(); }

private:
    bool makeRoomForPayload();
    bool makeRoomForProvider(Records& records, Instant newcomer) const;

    std::size_t m_maxPayloads;
    std::size_t m_maxProviders;
    Duration m_lifetime;
    std::map<InfoHash, Records> m_payloads; ///< no payload without a record
    std::set<InfoHash> m_pinned;
};

} // namespace starling::overlay
