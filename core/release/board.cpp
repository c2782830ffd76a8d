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

/// A certificate has no sequence: of two of one admit epoch the one that lasts longer counts.
trust::Revision rankOf(const trust::Certificate& certificate)
{
    return {certificate.admitEpoch, certificate.notAfter.value_or(trust::Revision::kMaxVersion)};
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
    if (kind != trust::Kind::Root && kind != trust::Kind::Admit && kind != trust::Kind::Receipt
        && kind != trust::Kind::Deny && kind != trust::Kind::Subscription)
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
    if (kind == trust::Kind::Deny)
        return examineDeny(*envelope);
    if (kind == trust::Kind::Subscription)
        return examineSubscription(*envelope);
    return kind == trust::Kind::Admit ? examineAdmit(*envelope) : examineReceipt(*envelope);
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
    examined.release = std::move(*release);
    return examined;
}

Examined Board::examineAdmit(const trust::Envelope& envelope)
{
    auto certificate = m_trust.verifyAdmit(envelope);
    if (!certificate)
        return refused(std::move(certificate.error()));
    const trust::Certificate& document = **certificate;
    if (m_denials.contains(document.node))
        return refused(Errc::Denied, "certificate of " + document.node.shortHex());
    const BoardKey key{trust::Kind::Admit, document.node.hex()};
    const trust::Revision rank = rankOf(document);
    const auto id = recast<NoticeId>(envelope.payloadHash());
    if (const BoardEntry* held = find(key)) {
        if (held->id == id)
            return judged(Examined::Verdict::Duplicate, key, rank, id);
        // Equal ranks are decided by the id, so that all boards come to hold the same one.
        if (std::tie(rank, id) < std::tie(held->rank, held->id))
            return judged(Examined::Verdict::Stale, key, rank, id);
    }
    Examined examined = place(key, rank, id, noticeOf(trust::Kind::Admit, envelope.serialize()));
    if (examined.verdict == Examined::Verdict::Taken)
        m_certificates.insert_or_assign(document.node, document);
    return examined;
}

Examined Board::examineReceipt(const trust::Envelope& envelope)
{
    // Parsed unverified only to learn whose certificate is needed.
    auto claimed = trust::Receipt::parse(envelope.payload);
    if (!claimed)
        return refused(std::move(claimed.error()));
    if (m_denials.contains(claimed->node))
        return refused(Errc::Denied, "receipt of " + claimed->node.shortHex());
    const trust::Certificate* device = certificate(claimed->node);
    if (!device)
        return refused(Errc::NotAdmitted,
                       "receipt of " + claimed->node.shortHex() + ", which has no certificate");
    auto receipt = m_trust.verifyReceipt(envelope, *device);
    if (!receipt)
        return refused(std::move(receipt.error()));
    const trust::Receipt& document = **receipt;
    const BoardKey key{trust::Kind::Receipt, document.node.hex()};
    const trust::Revision rank{0, document.sequence};
    const auto id = recast<NoticeId>(envelope.payloadHash());
    if (const BoardEntry* held = find(key)) {
        if (held->id == id)
            return judged(Examined::Verdict::Duplicate, key, rank, id);
        if (rank < held->rank)
            return judged(Examined::Verdict::Stale, key, rank, id);
        if (rank == held->rank)
            return refused(Errc::Equivocation,
                           "two receipts of " + document.node.shortHex() + " with sequence "
                               + std::to_string(document.sequence));
    }
    Examined examined = place(key, rank, id, noticeOf(trust::Kind::Receipt, envelope.serialize()));
    if (examined.verdict != Examined::Verdict::Taken)
        return examined;
    m_receipts.insert_or_assign(document.node, document);
    examined.receipt = document;
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
    dropDenied();
    return examined;
}

void Board::dropDenied()
{
    std::erase_if(m_entries, [this](const auto& item) {
        const trust::Kind kind = item.first.kind;
        if (kind != trust::Kind::Admit && kind != trust::Kind::Receipt)
            return false;
        const auto node = NodeId::fromHex(item.first.name);
        if (!node || !m_denials.contains(*node))
            return false;
        drop(item.second);
        return true;
    });
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
    const std::size_t most = kind == trust::Kind::Release ? kMaxReleases
        : kind == trust::Kind::Subscription               ? kMaxSubscriptions
                                                          : kMaxDevices;
    return static_cast<std::size_t>(held) >= most;
}

void Board::dropWhatNoLongerVerifies()
{
    // In the order of the keys certificates come before the receipts that need them.
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
    const auto node = NodeId::fromHex(entry.key.name);
    if (node && entry.key.kind == trust::Kind::Admit)
        m_certificates.erase(*node);
    else if (node && entry.key.kind == trust::Kind::Receipt)
        m_receipts.erase(*node);
    else if (node && entry.key.kind == trust::Kind::Subscription)
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
    if (entry.key.kind == trust::Kind::Admit)
        return m_trust.verifyAdmit(*envelope).has_value();
    if (entry.key.kind == trust::Kind::Deny)
        return m_trust.verifyDeny(*envelope).has_value();
    if (entry.key.kind == trust::Kind::Subscription)
        return m_trust.verifySubscription(*envelope).has_value();
    const auto node = NodeId::fromHex(entry.key.name);
    const trust::Certificate* device = node ? certificate(*node) : nullptr;
    return device && m_trust.verifyReceipt(*envelope, *device).has_value();
}

const BoardEntry* Board::find(const BoardKey& key) const
{
    const auto entry = m_entries.find(key);
    return entry == m_entries.end() ? nullptr : &entry->second;
}

const trust::Certificate* Board::certificate(const NodeId& node) const
{
    const auto certificate = m_certificates.find(node);
    return certificate == m_certificates.end() ? nullptr : &certificate->second;
}

} // namespace starling::release
