// SPDX-License-Identifier: Apache-2.0
/// The valid deny lists that a board holds, and who is denied by their union. Every list has a place of its
/// own, named by its signer and content, so that lists signed at two desks, or by a thief beside the owner,
/// stand side by side; one that a later list of the same signer contains makes room for it. Pure.
#pragma once

#include "trust/deny_list.h"

namespace starling::release {

class Denials
{
public:
    /// Lists of one signer that stand side by side. 15,200 devices for each admit key; one stolen key fills
    /// no more than 512 KiB of a board with them, and takes no place from another key's lists.
    static constexpr std::size_t kMaxListsOfSigner = 8;

    struct Held
    {
        KeyId signer;
        trust::DenyList list;
    };

    static std::string placeName(const KeyId& signer, const Digest& payload);

    bool contains(const NodeId& node) const { return m_nodes.contains(node); }
    const std::set<NodeId>& nodes() const { return m_nodes; }
    /// Rises whenever nodes() may be others than before.
    std::uint64_t changes() const { return m_changes; }
    std::size_t listsOf(const KeyId& signer) const;
    /// Whether one list that `signer` signed names all that `list` names.
    bool covers(const KeyId& signer, const trust::DenyList& list) const;
    /// The places of those lists of `signer` of which all are named by `list`.
    std::vector<std::string> coveredBy(const KeyId& signer, const trust::DenyList& list) const;

    void put(const std::string& place, Held held);
    void erase(const std::string& place);

private:
    std::map<std::string, Held> m_lists; ///< by place
    std::set<NodeId> m_nodes; ///< their union
    std::uint64_t m_changes = 0;
};

} // namespace starling::release
