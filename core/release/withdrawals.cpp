// SPDX-License-Identifier: Apache-2.0
#include "release/withdrawals.h"

#include <algorithm>

namespace starling::release {

std::string Withdrawals::placeName(const KeyId& signer, const Digest& payload)
{
    return signer.hex() + "/" + payload.hex();
}

const KeyId* Withdrawals::signerOf(const ResourceUri& uri, const trust::Revision& revision,
                                   const InfoHash& infoHash) const
{
    const trust::Withdrawal wanted{uri, revision, infoHash};
    for (const auto& [place, held] : m_held)
        if (held.withdrawal == wanted)
            return &held.signer;
    return nullptr;
}

std::size_t Withdrawals::countOf(const KeyId& signer) const
{
    return static_cast<std::size_t>(std::count_if(
        m_held.begin(), m_held.end(), [&](const auto& item) { return item.second.signer == signer; }));
}

std::vector<std::string> Withdrawals::outdatedBy(const ResourceUri& uri, const trust::Revision& newest) const
{
    std::vector<std::string> places;
    for (const auto& [place, held] : m_held)
        if (held.withdrawal.uri == uri && held.withdrawal.revision < newest)
            places.push_back(place);
    return places;
}

void Withdrawals::put(const std::string& place, Held held)
{
    m_held.insert_or_assign(place, std::move(held));
}

void Withdrawals::erase(const std::string& place)
{
    m_held.erase(place);
}

} // namespace starling::release
