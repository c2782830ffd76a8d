// SPDX-License-Identifier: Apache-2.0
/// The board: the newest valid notice per (kind, key), and the only judge of what enters it. Pure: persisting
/// what it took is node's, which hears of it through Examined.
#pragma once

#include "release/denials.h"
#include "release/torrent_file.h"
#include "release/withdrawals.h"
#include "trust/floors.h"
#include "trust/trust_set.h"

#include <variant>

namespace starling::release {

/// Names one place on the board: a URI for a release, a NodeId in hex for a subscription, "root" for roots,
/// Denials::placeName for deny lists, Withdrawals::placeName for withdrawals.
struct BoardKey
{
    trust::Kind kind = trust::Kind::Release;
    std::string name;
    auto operator<=>(const BoardKey&) const = default;
};

/// One occupied place. `rank` orders notices of the same key: (epoch, version) or (0, sequence).
struct BoardEntry
{
    BoardKey key;
    trust::Revision rank;
    NoticeId id; ///< SHA-256 of the payload
    Bytes bytes; ///< the notice as received
};

/// What the board thinks of a notice.
struct Examined
{
    enum class Verdict : std::uint8_t {
        Taken, ///< valid, newer than what was held, and now held
        Duplicate, ///< the very notice that is held
        Stale, ///< valid, and what is held is newer or says more: harmless, not passed on
        Refused, ///< see `error`
    };
    Verdict verdict = Verdict::Refused;
    BoardKey key; ///< meaningful unless Refused
    trust::Revision rank;
    NoticeId id;
    std::optional<Error> error; ///< if Refused
    std::optional<VerifiedRelease> release; ///< if a release was Taken
    std::vector<BoardKey> covered; ///< places that the one that was Taken made superfluous
    std::optional<trust::Withdrawal> withdrawal; ///< if one was Taken
};

/// A notice on the wire is one byte of trust::Kind and then the envelope, or for a release the torrent-file++
/// without piece layers.
Bytes noticeOf(trust::Kind kind, ByteView document);

class Board
{
public:
    static constexpr std::size_t kMaxReleases = 1'024; ///< guess: URIs of one fleet
    static constexpr std::size_t kMaxSubscriptions = 8; ///< overlay::Config::maxObservers

    /// Starts with the newest root of `trust` on it. Floors given here are met again by the releases that the
    /// caller has examine() put back on the board.
    Board(trust::TrustSet trust, trust::Floors floors);

    /// Decodes, verifies against trust and floors, and on success puts the notice on the board and raises the
    /// floor in memory. A full board refuses with TooLarge, a kind that no board holds with
    /// UnsupportedFormat. A refused notice changes nothing. When a newer root is taken, everything held is
    /// verified again: what no longer verifies leaves the board, floors stay.
    Examined examine(ByteView notice);

    const trust::TrustSet& trust() const { return m_trust; }
    const trust::Floors& floors() const { return m_floors; }
    /// In the order of the keys: what verifies others comes first.
    const std::map<BoardKey, BoardEntry>& entries() const { return m_entries; }
    const BoardEntry* find(const BoardKey& key) const;
    const Denials& denials() const { return m_denials; }
    /// What a device says of a release that a withdrawal on this board names: Withdrawn, and by whom.
    std::optional<Error> withdrawalOf(const TorrentFile& torrent) const;
    /// Of observers whose subscription is not over.
    const std::map<NodeId, trust::Subscription>& subscriptions() const { return m_subscriptions; }

    /// What time it is, in seconds since 1970; never goes back. Subscriptions that are over leave the board,
    /// and others like them are Stale. Returns whether one left.
    bool advanceTime(std::uint64_t now);

private:
    Examined examineRelease(ByteView bytes);
    Examined examineDeny(const trust::Envelope& envelope);
    Examined examineRoot(const trust::Envelope& envelope);
    Examined examineWithdrawal(const trust::Envelope& envelope);
    Examined examineSubscription(const trust::Envelope& envelope);
    Examined place(BoardKey key, trust::Revision rank, NoticeId id, Bytes notice);
    void put(const BoardKey& key, trust::Revision rank, const NoticeId& id, Bytes notice);
    bool isFull(trust::Kind kind) const;
    void dropWhatNoLongerVerifies();
    void drop(const BoardEntry& entry);
    bool stillVerifies(const BoardEntry& entry) const;
    /// Withdrawals of what `newest` replaces leave the board; returns their places.
    std::vector<BoardKey> dropOutdated(const ResourceUri& uri, const trust::Revision& newest);
    static BoardKey rootKey();

    trust::TrustSet m_trust;
    trust::Floors m_floors;
    std::map<BoardKey, BoardEntry> m_entries;
    Denials m_denials;
    Withdrawals m_withdrawals;
    std::map<NodeId, trust::Subscription> m_subscriptions;
    std::uint64_t m_now = 0;
};

} // namespace starling::release
