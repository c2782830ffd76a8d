// SPDX-License-Identifier: Apache-2.0
#include "release/denials.h"

#include <algorithm>

namespace starling::release {

namespace {

bool includes(const trust::DenyList& whole, const trust::DenyList& part)
{
    return std::includes(whole.nodes.begin(), whole.nodes.end(), part.nodes.begin(), part.nodes.end());
}

} // namespace

std::string Denials::placeName(const KeyId& signer, const Digest& payload)
{
    return signer.hex() + "/" + payload.hex();
}

std::size_t Denials::listsOf(const KeyId& signer) const
{
    return static_cast<std::size_t>(std::count_if(
        m_lists.begin(), m_lists.end(), [&](const auto& item) { return item.second.signer == signer; }));
}

bool Denials::covers(const KeyId& signer, const trust::DenyList& list) const
{
    return std::any_of(m_lists.begin(), m_lists.end(), [&](const auto& item) {
        return item.second.signer == signer && includes(item.second.list, list);
    });
}

std::vector<std::string> Denials::coveredBy(const KeyId& signer, const trust::DenyList& list) const
{
    std::vector<std::string> places;
    for (const auto& [place, held] : m_lists)
        if (held.signer == signer && includes(list, held.list))
            places.push_back(place);
    return places;
}

void Denials::put(const std::string& place, Held held)
{
    m_nodes.insert(held.list.nodes.begin(), held.list.nodes.end());
    m_lists.insert_or_assign(place, std::move(held));
    ++m_changes;
}

void Denials::erase(const std::string& place)
{
    m_lists.erase(place);
    ++m_changes;
    m_nodes.clear();
    for (const auto& [name, held] : m_lists)
        m_nodes.insert(held.list.nodes.begin(), held.list.nodes.end());
}

} // namespace starling::release
