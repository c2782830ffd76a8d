// SPDX-License-Identifier: Apache-2.0
#include "trust/floors.h"

#include "base/assert.h"

namespace starling::trust {

Standing Floors::standing(const ResourceUri& uri, const Revision& revision, const InfoHash& infoHash) const
{
    const Floor* floor = find(uri);
    if (!floor || revision > floor->revision)
        return Standing::Newer;
    if (revision < floor->revision)
        return Standing::Older;
    return infoHash == floor->infoHash ? Standing::Held : Standing::Conflicting;
}

Status Floors::admit(const ResourceUri& uri, const Revision& revision, const InfoHash& infoHash) const
{
    switch (standing(uri, revision, infoHash)) {
    case Standing::Newer:
    case Standing::Held:
        return {};
    case Standing::Older:
        return fail(Errc::Rollback,
                    uri.text() + " version " + toString(revision) + " is not above "
                        + toString(find(uri)->revision));
    case Standing::Conflicting:
        return fail(Errc::Equivocation,
                    uri.text() + " version " + toString(revision) + " is " + infoHash.shortHex()
                        + " here, but version " + toString(find(uri)->revision) + " was accepted as "
                        + find(uri)->infoHash.shortHex());
    }
    assertionFailed("every Standing is judged", __FILE__, __LINE__);
}

void Floors::raise(const ResourceUri& uri, const Floor& floor)
{
    const Standing now = standing(uri, floor.revision, floor.infoHash);
    STARLING_ASSERT(now == Standing::Newer || now == Standing::Held);
    m_floors.insert_or_assign(uri, floor);
}

const Floor* Floors::find(const ResourceUri& uri) const
{
    const auto found = m_floors.find(uri);
    return found == m_floors.end() ? nullptr : &found->second;
}

} // namespace starling::trust
