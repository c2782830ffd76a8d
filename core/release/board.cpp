// SPDX-License-Identifier: Apache-2.0
#include "release/board.h"

#include "crypto/sha256.h"
#include "release/paths.h"

#include <algorithm>

namespace starling::release {

namespace {

constexpr std::string_view kRootName = "root";
constexpr std::size_t kKindBytes = 1;

ByteView documentOf(const BoardEntry& entry)
{
    return ByteView(entry.bytes).subspan(kKindBytes);
}

Examined refused(Error error)
{
    Examined examined;
    examined.error = std::move(error);
    return examined;
}

Examined refused(Errc code, std::string context)
{
    return refused(Error{code, std::move(context)});
}

Examined judged(Examined::Verdict verdict, BoardKey key, trust::Revision rank, const NoticeId& id)
{
    Examined examined;
    examined.verdict = verdict;
    examined.key = std::move(key);
    examined.rank = rank;
    examined.id = id;
    return examined;
}

/// Whether a board holds notices of this kind that are an envelope each.
bool isEnveloped(trust::Kind kind)
{
    return kind == trust::Kind::Root || kind == trust::Kind::Deny || kind == trust::Kind::Withdraw
        || kind == trust::Kind::Subscription;
}

} // namespace

Bytes noticeOf(trust::Kind kind, ByteView document)
{
    Bytes notice;
    notice.reserve(kKindBytes + document.size());
    notice.push_back(static_cast<std::byte>(kind));
    append(notice, document);
    return notice;
}

Board::Board(trust::TrustSet trust, trust::Floors floors)
    : m_trust(std::move(trust))
    , m_floors(std::move(floors))
{
    // The root that is trusted already stands on the board, so that neighbours who lag behind see it there.
    const Bytes& root = m_trust.chain().back();
    if (const auto envelope = trust::Envelope::parse(root, trust::kMaxRootBytes))
        put(rootKey(), {0, m_trust.root().number}, recast<NoticeId>(envelope->payloadHash()),
            noticeOf(trust::Kind::Root, root));
}

BoardKey Board::rootKey()
{
    return {trust::Kind::Root, std::string(kRootName)};
}

Examined Board::examine(ByteView notice)
{
    if (notice.empty())
        return refused(Errc::Truncated, "an empty notice");
    const auto kind = static_cast<trust::Kind>(notice.front());
    const ByteView document = notice.subspan(kKindBytes);
    if (kind == trust::Kind::Release)
        return examineRelease(document);
    if (!isEnveloped(kind))
        return refused(Errc::UnsupportedFormat,
                       "notice of kind " + std::to_string(std::to_integer<unsigned>(notice.front()))
                           + ", which no board holds");
    auto envelope = trust::Envelope::parse(document, trust::kMaxRootBytes);
    if (!envelope)
        return refused(std::move(envelope.error()));
    if (envelope->kind != kind)
        return refused(Errc::Malformed,
                       "notice of kind " + std::string(trust::kindName(kind)) + " holds a "
                           + std::string(trust::kindName(envelope->kind)));
    if (kind == trust::Kind::Root)
        return examineRoot(*envelope);
    if (kind == trust::Kind::Withdraw)
        return examineWithdrawal(*envelope);
    return kind == trust::Kind::Deny ? examineDeny(*envelope) : examineSubscription(*envelope);
}

Examined Board::examineRelease(ByteView bytes)
{
    if (bytes.size() > TorrentFile::kMaxNoticeBytes)
        return refused(Errc::TooLarge, "release notice of " + std::to_string(bytes.size()) + " bytes");
    auto torrent = TorrentFile::parse(bytes);
    if (!torrent)
        return refused(std::move(torrent.error()));
    if (torrent->notice().size() != bytes.size())
        return refused(Errc::Malformed, "a notice carries no piece layers");
    auto release = verifyRelease(std::move(*torrent), m_trust);
    if (!release)
        return refused(std::move(release.error()));

    const UpdateInfo& update = release->update();
    const BoardKey key{trust::Kind::Release, update.uri.text()};
    const auto id = recast<NoticeId>(release->infoHash());
    if (const BoardEntry* held = find(key); held && held->id == id)
        return judged(Examined::Verdict::Duplicate, key, update.revision, id);
    if (auto status = m_floors.admit(update.uri, update.revision, release->infoHash()); !status)
        return refused(std::move(status.error()));
    Examined examined = place(key, update.revision, id, noticeOf(trust::Kind::Release, bytes));
    if (examined.verdict != Examined::Verdict::Taken)
        return examined;
    m_floors.raise(update.uri, {update.revision, release->infoHash()});
    examined.covered = dropOutdated(update.uri, update.revision);
    examined.release = std::move(*release);
    return examined;
}

Examined Board::examineDeny(const trust::Envelope& envelope)
{
    auto verified = m_trust.verifyDeny(envelope);
    if (!verified)
        return refused(std::move(verified.error()));
    const trust::DenyList& list = **verified;
    const KeyId signer = envelope.signatures.begin()->first;
    const BoardKey key{trust::Kind::Deny, Denials::placeName(signer, envelope.payloadHash())};
    const trust::Revision rank{list.admitEpoch, list.nodes.size()};
    const auto id = recast<NoticeId>(envelope.payloadHash());
    if (find(key))
        return judged(Examined::Verdict::Duplicate, key, rank, id);
    if (m_denials.covers(signer, list))
        return judged(Examined::Verdict::Stale, key, rank, id);
    const std::vector<std::string> covered = m_denials.coveredBy(signer, list);
    if (m_denials.listsOf(signer) - covered.size() >= Denials::kMaxListsOfSigner)
        return refused(Errc::TooLarge,
                       "key " + signer.shortHex()
                           + " has signed its 8 deny lists: deny with another key, or raise the admit epoch");
    Examined examined = judged(Examined::Verdict::Taken, key, rank, id);
    for (const std::string& place : covered) {
        m_denials.erase(place);
        m_entries.erase({trust::Kind::Deny, place});
        examined.covered.push_back({trust::Kind::Deny, place});
    }
    put(key, rank, id, noticeOf(trust::Kind::Deny, envelope.serialize()));
    m_denials.put(key.name, {signer, list});
    return examined;
}

Examined Board::examineWithdrawal(const trust::Envelope& envelope)
{
    auto verified = m_trust.verifyWithdrawal(envelope);
    if (!verified)
        return refused(std::move(verified.error()));
    const trust::Withdrawal& withdrawal = **verified;
    const KeyId signer = envelope.signatures.begin()->first;
    const BoardKey key{trust::Kind::Withdraw, Withdrawals::placeName(signer, envelope.payloadHash())};
    const auto id = recast<NoticeId>(envelope.payloadHash());
    if (find(key))
        return judged(Examined::Verdict::Duplicate, key, withdrawal.revision, id);
    const trust::Floor* floor = m_floors.find(withdrawal.uri);
    if (floor && withdrawal.revision < floor->revision)
        return judged(Examined::Verdict::Stale, key, withdrawal.revision, id);
    if (m_withdrawals.countOf(signer) >= Withdrawals::kMaxOfSigner)
        return refused(
            Errc::TooLarge,
            "key " + signer.shortHex() + " has withdrawn " + std::to_string(Withdrawals::kMaxOfSigner)
                + " releases that nothing has replaced: use another key of the scope, or push later "
                  "versions");
    put(key, withdrawal.revision, id, noticeOf(trust::Kind::Withdraw, envelope.serialize()));
    m_withdrawals.put(key.name, {signer, withdrawal});
    Examined examined = judged(Examined::Verdict::Taken, key, withdrawal.revision, id);
    examined.withdrawal = withdrawal;
    return examined;
}

std::optional<Error> Board::withdrawalOf(const TorrentFile& torrent) const
{
    const UpdateInfo& update = torrent.info.update;
    const KeyId* signer = m_withdrawals.signerOf(update.uri, update.revision, torrent.infoHash);
    if (signer == nullptr)
        return std::nullopt;
    return Error{Errc::Withdrawn, "by key " + signer->shortHex()};
}

std::vector<BoardKey> Board::dropOutdated(const ResourceUri& uri, const trust::Revision& newest)
{
    std::vector<BoardKey> dropped;
    for (const std::string& place : m_withdrawals.outdatedBy(uri, newest)) {
        m_withdrawals.erase(place);
        dropped.push_back({trust::Kind::Withdraw, place});
        m_entries.erase(dropped.back());
    }
    return dropped;
}

Examined Board::examineRoot(const trust::Envelope& envelope)
{
    const std::uint64_t before = m_trust.root().number;
    const Bytes bytes = envelope.serialize();
    if (auto status = m_trust.advance(bytes); !status)
        return refused(std::move(status.error()));
    const trust::Revision rank{0, m_trust.root().number};
    const auto id = recast<NoticeId>(envelope.payloadHash());
    if (rank.version == before)
        return judged(Examined::Verdict::Duplicate, rootKey(), rank, id);
    put(rootKey(), rank, id, noticeOf(trust::Kind::Root, bytes));
    dropWhatNoLongerVerifies();
    return judged(Examined::Verdict::Taken, rootKey(), rank, id);
}

Examined Board::examineSubscription(const trust::Envelope& envelope)
{
    auto subscription = m_trust.verifySubscription(envelope);
    if (!subscription)
        return refused(std::move(subscription.error()));
    const trust::Subscription& document = **subscription;
    const BoardKey key{trust::Kind::Subscription, document.observer.hex()};
    const trust::Revision rank{0, document.sequence};
    const auto id = recast<NoticeId>(envelope.payloadHash());
    // Other clocks are behind ours for a while: old is no offence.
    if (document.expires <= m_now)
        return judged(Examined::Verdict::Stale, key, rank, id);
    if (const BoardEntry* held = find(key)) {
        if (held->id == id)
            return judged(Examined::Verdict::Duplicate, key, rank, id);
        // Equal ranks are decided by the id, so that all boards come to hold the same one.
        if (std::tie(rank, id) < std::tie(held->rank, held->id))
            return judged(Examined::Verdict::Stale, key, rank, id);
    }
    Examined examined = place(key, rank, id, noticeOf(trust::Kind::Subscription, envelope.serialize()));
    if (examined.verdict == Examined::Verdict::Taken)
        m_subscriptions.insert_or_assign(document.observer, document);
    return examined;
}

bool Board::advanceTime(std::uint64_t now)
{
    m_now = std::max(m_now, now);
    const auto isOver = [this](const auto& item) { return item.second.expires <= m_now; };
    for (const auto& item : m_subscriptions)
        if (isOver(item))
            m_entries.erase({trust::Kind::Subscription, item.first.hex()});
    return std::erase_if(m_subscriptions, isOver) > 0;
}

Examined Board::place(BoardKey key, trust::Revision rank, NoticeId id, Bytes notice)
{
    if (!find(key) && isFull(key.kind))
        return refused(Errc::TooLarge,
                       "the board is full: no place for " + std::string(trust::kindName(key.kind)) + " "
                           + key.name);
    put(key, rank, id, std::move(notice));
    return judged(Examined::Verdict::Taken, std::move(key), rank, id);
}

void Board::put(const BoardKey& key, trust::Revision rank, const NoticeId& id, Bytes notice)
{
    m_entries.insert_or_assign(key,
                               BoardEntry{.key = key, .rank = rank, .id = id, .bytes = std::move(notice)});
}

bool Board::isFull(trust::Kind kind) const
{
    const auto held = std::count_if(m_entries.begin(), m_entries.end(),
                                    [kind](const auto& entry) { return entry.first.kind == kind; });
    return static_cast<std::size_t>(held)
        >= (kind == trust::Kind::Release ? kMaxReleases : kMaxSubscriptions);
}

void Board::dropWhatNoLongerVerifies()
{
    std::erase_if(m_entries, [this](const auto& item) {
        const BoardEntry& entry = item.second;
        if (entry.key.kind == trust::Kind::Root || stillVerifies(entry))
            return false;
        drop(entry);
        return true;
    });
}

/// Forgets what is derived from `entry`, which is about to leave the board.
void Board::drop(const BoardEntry& entry)
{
    if (entry.key.kind == trust::Kind::Deny)
        return m_denials.erase(entry.key.name);
    if (entry.key.kind == trust::Kind::Withdraw)
        return m_withdrawals.erase(entry.key.name);
    const auto node = NodeId::fromHex(entry.key.name);
    if (node && entry.key.kind == trust::Kind::Subscription)
        m_subscriptions.erase(*node);
}

bool Board::stillVerifies(const BoardEntry& entry) const
{
    if (entry.key.kind == trust::Kind::Release) {
        auto torrent = TorrentFile::parse(documentOf(entry));
        return torrent && verifyRelease(std::move(*torrent), m_trust);
    }
    const auto envelope = trust::Envelope::parse(documentOf(entry), trust::kMaxRootBytes);
    if (!envelope)
        return false;
    if (entry.key.kind == trust::Kind::Withdraw)
        return m_trust.verifyWithdrawal(*envelope).has_value();
    return entry.key.kind == trust::Kind::Deny ? m_trust.verifyDeny(*envelope).has_value()
                                               : m_trust.verifySubscription(*envelope).has_value();
}

const BoardEntry* Board::find(const BoardKey& key) const
{
    const auto entry = m_entries.find(key);
    return entry == m_entries.end() ? nullptr : &entry->second;
}

} // namespace starling::release
