// SPDX-License-Identifier: Apache-2.0
#include "sim/hostile.h"

#include <algorithm>

namespace starling::sim {

namespace {

overlay::Head headAt(trust::Kind kind, std::string name, std::uint64_t rank, ByteView notice)
{
    return {{static_cast<std::uint8_t>(kind), std::move(name)},
            {0, rank},
            *NoticeId::fromBytes(crypto::sha256(notice).bytes())};
}

} // namespace

LyingReplica::LyingReplica(std::unique_ptr<Replica> truth)
    : m_truth(std::move(truth))
{
}

overlay::Mediator::Opinion LyingReplica::judge(ByteView notice)
{
    Opinion opinion = m_truth->examine(notice);
    if (opinion.verdict == Verdict::Taken && m_seen.size() < kMaxRemembered)
        m_seen.push_back(toBytes(notice));
    return opinion;
}

void LyingReplica::pretend(const overlay::Head& head, Bytes notice)
{
    m_lie = head;
    m_lieNotice = std::move(notice);
}

Bytes LyingReplica::nextOutdated()
{
    for (std::size_t tries = 0; tries < m_seen.size(); ++tries) {
        const Bytes& notice = m_seen[m_turn++ % m_seen.size()];
        const auto held = m_truth->heads();
        if (std::none_of(held.begin(), held.end(),
                         [&](const overlay::Head& head) { return m_truth->notice(head.key) == notice; }))
            return notice;
    }
    return {};
}

std::vector<overlay::Head> LyingReplica::heads() const
{
    std::vector<overlay::Head> heads = m_truth->heads();
    if (!m_lie)
        return heads;
    const auto place =
        std::lower_bound(heads.begin(), heads.end(), *m_lie,
                         [](const overlay::Head& a, const overlay::Head& b) { return a.key < b.key; });
    if (place != heads.end() && place->key == m_lie->key)
        *place = *m_lie;
    else
        heads.insert(place, *m_lie);
    return heads;
}

Bytes LyingReplica::notice(const overlay::NoticeKey& key) const
{
    return m_lie && m_lie->key == key ? m_lieNotice : m_truth->notice(key);
}

Forgery forge(std::uint64_t number, const Authority& authority, std::uint64_t version, RandomSource& random)
{
    const std::uint64_t forged = version + 1 + random.below(1'000);
    release::TorrentFile torrent = authority.forgedRelease(forged);
    if (number % 2 == 1) {
        torrent = authority.release(forged, UtcTime());
        auto& signature = torrent.signatures.begin()->second;
        signature[random.below(signature.size())] ^= std::byte{1};
    }
    Bytes notice = release::noticeOf(trust::Kind::Release, torrent.notice());
    return {headAt(trust::Kind::Release, std::string(Authority::uri().text()), forged, notice),
            std::move(notice)};
}

} // namespace starling::sim
