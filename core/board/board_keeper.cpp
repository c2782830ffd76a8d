// SPDX-License-Identifier: Apache-2.0
#include "board/board_keeper.h"

#include "board/parcel.h"
#include "crypto/sha256.h"
#include "link/authenticator.h"
#include "overlay/collection_message.h"
#include "trust/join.h"

#include <algorithm>

namespace starling::board {

namespace {

static_assert(overlay::kMaxPetitionBytes == trust::kMaxJoinBytes
              && overlay::kMaxGrantBytes == link::kMaxCertificateBytes);

overlay::Head headOf(const release::BoardKey& key, const trust::Revision& rank, const NoticeId& id)
{
    return {BoardKeeper::keyOf(key), {rank.epoch, rank.version}, id};
}

overlay::Ask askOf(const trust::ReceiptAsk& ask)
{
    overlay::Ask asked{ask.number, ask.limit};
    if (ask.uri)
        asked.uri = ask.uri->text();
    if (ask.revision)
        asked.revision.emplace(ask.revision->epoch, ask.revision->version);
    if (ask.phase)
        asked.phase = static_cast<std::uint8_t>(*ask.phase);
    asked.site = ask.site;
    asked.device = ask.device;
    return asked;
}

} // namespace

BoardKeeper::BoardKeeper(release::Board board)
    : m_board(std::move(board))
{
}

overlay::NoticeKey BoardKeeper::keyOf(const release::BoardKey& key)
{
    return {static_cast<std::uint8_t>(key.kind), key.name};
}

release::BoardKey BoardKeeper::keyOf(const overlay::NoticeKey& key)
{
    return {static_cast<trust::Kind>(key.kind), key.name};
}

release::Examined BoardKeeper::take(ByteView notice)
{
    return m_board.examine(notice);
}

const release::BoardEntry* BoardKeeper::held(const Digest& hash, ByteView notice) const
{
    const auto place = m_held.find(hash);
    const release::BoardEntry* entry = place == m_held.end() ? nullptr : m_board.find(place->second);
    return entry != nullptr && std::ranges::equal(entry->bytes, notice) ? entry : nullptr;
}

void BoardKeeper::remember(const Digest& hash, const release::BoardKey& key)
{
    if (m_held.size() >= 2 * m_board.entries().size())
        m_held.clear(); // most of them are not on the board any more
    m_held.insert_or_assign(hash, key);
}

overlay::Mediator::Opinion BoardKeeper::examine(ByteView notice)
{
    // What is on the board was verified when it came, and again at every newer root. An overlay brings every
    // notice several times; decoding and verifying each copy is most of what a busy board costs.
    const Digest hash = crypto::sha256(notice);
    if (const release::BoardEntry* entry = held(hash, notice))
        return {Verdict::Known, headOf(entry->key, entry->rank, entry->id), std::nullopt};
    release::Examined examined = m_board.examine(notice);
    switch (examined.verdict) {
    case release::Examined::Verdict::Taken: {
        remember(hash, examined.key);
        Opinion opinion{Verdict::Taken, headOf(examined.key, examined.rank, examined.id), std::nullopt};
        m_taken.push_back(std::move(examined));
        return opinion;
    }
    case release::Examined::Verdict::Duplicate:
        remember(hash, examined.key); // held() compares the bytes: other signatures are examined again
        [[fallthrough]];
    case release::Examined::Verdict::Stale:
        return {Verdict::Known, headOf(examined.key, examined.rank, examined.id), std::nullopt};
    case release::Examined::Verdict::Refused:
        break;
    }
    if (isOvertaken(notice, *examined.error))
        return {Verdict::Known, {}, std::nullopt};
    countRefusal(*examined.error);
    return {Verdict::Refused, {}, examined.error};
}

bool BoardKeeper::isOvertaken(ByteView notice, const Error& error) const
{
    if (error.code != Errc::Rollback || static_cast<trust::Kind>(notice[0]) != trust::Kind::Root)
        return false;
    const std::vector<Bytes>& chain = m_board.trust().chain();
    return std::any_of(chain.begin(), chain.end(),
                       [&](const Bytes& root) { return std::ranges::equal(root, notice.subspan(1)); });
}

std::vector<release::Examined> BoardKeeper::collectTaken()
{
    return std::exchange(m_taken, {});
}

std::vector<overlay::Head> BoardKeeper::heads() const
{
    std::vector<overlay::Head> heads;
    heads.reserve(m_board.entries().size());
    for (const auto& [key, entry] : m_board.entries())
        heads.push_back(headOf(key, entry.rank, entry.id));
    return heads;
}

Bytes BoardKeeper::notice(const overlay::NoticeKey& key) const
{
    const release::BoardEntry* entry = m_board.find(keyOf(key));
    return entry == nullptr ? Bytes() : entry->bytes;
}

Result<overlay::Mediator::DescriptorInfo> BoardKeeper::examineDescriptor(ByteView parcel) const
{
    auto verified = verifyDescriptor(parcel, admission());
    if (!verified)
        return fail(std::move(verified.error()), "provider");
    return DescriptorInfo{verified->node, verified->sequence, std::move(verified->addresses)};
}

Result<overlay::Mediator::DescriptorInfo> BoardKeeper::examineContact(ByteView descriptor,
                                                                      ByteView certificate) const
{
    auto verified = verifyDescriptor(Parcel{toBytes(certificate), toBytes(descriptor)}, admission());
    if (!verified)
        return fail(std::move(verified.error()), "contact");
    return DescriptorInfo{verified->node, verified->sequence, std::move(verified->addresses)};
}

std::uint64_t BoardKeeper::rootNumber() const
{
    return m_board.trust().root().number;
}

Bytes BoardKeeper::root(std::uint64_t number) const
{
    const std::vector<Bytes>& chain = m_board.trust().chain();
    if (number < 1 || number > chain.size())
        return {};
    return release::noticeOf(trust::Kind::Root, chain[number - 1]);
}

overlay::KeyRange BoardKeeper::urgentRange() const
{
    constexpr auto kFirst = static_cast<std::uint8_t>(trust::Kind::Deny);
    constexpr auto kLast = static_cast<std::uint8_t>(trust::Kind::Withdraw);
    static_assert(kLast == kFirst + 1, "one range of kinds");
    return {{kFirst, {}}, overlay::NoticeKey{static_cast<std::uint8_t>(kLast + 1), {}}};
}

bool BoardKeeper::isForRestricted(ByteView notice) const
{
    if (notice.empty())
        return false;
    const auto kind = static_cast<trust::Kind>(notice.front());
    return kind == trust::Kind::Root || kind == trust::Kind::Deny || kind == trust::Kind::Withdraw;
}

void BoardKeeper::excuse(const Error& error)
{
    const auto count = m_refusals.find(std::string(shortName(error.code)));
    if (count != m_refusals.end() && --count->second == 0)
        m_refusals.erase(count);
}

Result<overlay::PulseInfo> BoardKeeper::examinePulse(ByteView pulse) const
{
    const auto envelope = trust::Envelope::parse(pulse, overlay::kMaxPulseBytes);
    if (!envelope)
        return fail(Error(envelope.error()), "pulse");
    // Parsed unverified only to learn whose subscription is needed.
    const auto claimed = trust::Pulse::parse(envelope->payload);
    if (!claimed)
        return tl::unexpected<Error>(claimed.error());
    if (!isObserver(claimed->observer))
        return fail(Errc::NotAdmitted,
                    "pulse of " + claimed->observer.shortHex() + ", who has no subscription");
    const auto verified = m_board.trust().verifyPulse(*envelope, claimed->observer);
    if (!verified)
        return tl::unexpected<Error>(verified.error());
    const trust::Pulse& told = **verified;
    return overlay::PulseInfo{told.observer, told.number, told.wantsSums,
                              told.ask ? std::optional(askOf(*told.ask)) : std::nullopt};
}

Result<overlay::ReceiptInfo> BoardKeeper::examineReceipt(ByteView receipt) const
{
    const auto verified = verifyReceipt(receipt, admission());
    if (!verified)
        return tl::unexpected<Error>(verified.error());
    return overlay::ReceiptInfo{verified->receipt.node, verified->receipt.sequence};
}

bool BoardKeeper::isObserver(const NodeId& node) const
{
    return m_board.subscriptions().contains(node);
}

bool BoardKeeper::isWantedBy(const NodeId& observer, ByteView receipt) const
{
    const auto subscription = m_board.subscriptions().find(observer);
    if (subscription == m_board.subscriptions().end())
        return false;
    const auto verified = verifyReceipt(receipt, admission());
    return verified && isCovered(verified->receipt, subscription->second.scope);
}

std::optional<std::vector<overlay::TallyKey>> BoardKeeper::tallyOf(const NodeId& observer,
                                                                   ByteView receipt) const
{
    const auto subscription = m_board.subscriptions().find(observer);
    if (subscription == m_board.subscriptions().end())
        return std::nullopt;
    const std::optional<ResourceUri>& scope = subscription->second.scope;
    const auto verified = verifyReceipt(receipt, admission());
    if (!verified || !isCovered(verified->receipt, scope))
        return std::nullopt;
    const auto& labels = verified->certificate.labels;
    const auto site = labels.find("site");
    std::vector<overlay::TallyKey> keys;
    for (const trust::ReceiptEntry& entry : verified->receipt.entries)
        if (!scope || entry.uri.isWithin(*scope))
            keys.push_back({std::string(entry.uri.text()), entry.revision.epoch, entry.revision.version,
                            static_cast<std::uint8_t>(entry.phase),
                            site == labels.end() ? std::string() : site->second});
    return keys;
}

Result<NodeId> BoardKeeper::examineRequest(ByteView bytes) const
{
    const auto request = trust::openJoinRequest(bytes, m_board.trust().fleet());
    if (!request)
        return tl::unexpected<Error>(request.error());
    if (m_board.denials().contains(request->node))
        return fail(Errc::Denied, "device " + request->node.shortHex() + " wants to join");
    return request->node;
}

Result<NodeId> BoardKeeper::examineGrant(ByteView bytes) const
{
    const auto envelope = trust::Envelope::parse(bytes, link::kMaxCertificateBytes);
    if (!envelope)
        return tl::unexpected<Error>(envelope.error());
    const auto certificate = m_board.trust().verifyAdmit(*envelope);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    if (m_board.denials().contains((*certificate)->node))
        return fail(Errc::Denied, "certificate of device " + (*certificate)->node.shortHex());
    return (*certificate)->node;
}

void BoardKeeper::countRefusal(const Error& error)
{
    // Bounded by the number of codes.
    ++m_refusals[std::string(shortName(error.code))];
}

} // namespace starling::board
