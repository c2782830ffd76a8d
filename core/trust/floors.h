// SPDX-License-Identifier: Apache-2.0
/// Floors: the revision per URI at or below which a device accepts nothing.
#pragma once

#include "trust/documents.h"

namespace starling::trust {

/// The newest revision accepted for a URI and which content it was.
struct Floor
{
    Revision revision;
    InfoHash infoHash;
    bool operator==(const Floor&) const = default;
};

/// What a correctly signed release is, seen from the floor.
enum class Standing : std::uint8_t {
    Newer, ///< above the floor: to be accepted
    Held, ///< the very content of the floor: a duplicate, not an offence
    Older, ///< below the floor: a rollback
    Conflicting, ///< another content for the floor's revision: equivocation
};

class Floors
{
public:
    Standing standing(const ResourceUri& uri, const Revision& revision, const InfoHash& infoHash) const;
    /// Ok if Newer or Held; Rollback or Equivocation otherwise, with both revisions in the context.
    Status admit(const ResourceUri& uri, const Revision& revision, const InfoHash& infoHash) const;
    /// Only ever upwards: a broken invariant otherwise.
    void raise(const ResourceUri& uri, const Floor& floor);
    const Floor* find(const ResourceUri& uri) const;
    const std::map<ResourceUri, Floor>& all() const { return m_floors; }

private:
    std::map<ResourceUri, Floor> m_floors;
};

} // namespace starling::trust
