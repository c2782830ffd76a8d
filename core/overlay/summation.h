// SPDX-License-Identifier: Apache-2.0
/// One node's part in adding up the fleet for one observer: its own device and what each child said last go
/// to its parent as one sum, which replaces what it said before. Nothing of it is believed for long: a child
/// that leaves takes its part with it, one that is silent loses it. Pure.
#pragma once

#include "overlay/collection_message.h"
#include "overlay/postbox.h"

namespace starling::overlay {

class Summation
{
public:
    /// This node's device; none: it is not to be counted.
    void setOwn(std::optional<Tally> own, Instant now, const Config& config);
    /// What a child says of itself and all below it, instead of what it said before. Ignored if it tells of
    /// a tree that is too high to be one.
    void setChild(NeighborId child, Tally tally, Instant now, const Config& config);
    void removeNeighbor(NeighborId neighbor, Instant now, const Config& config);
    /// A new pulse: perhaps another parent. The other neighbours' copies of it are waited for.
    void pulsed(Instant now, const Config& config);
    /// Sums are not wanted any more.
    void clear();

    std::optional<Instant> nextWork() const { return m_due; }
    /// Tells `parent`, if there is one and it does not know yet; takes the sum away from a former one.
    void work(const NodeId& observer, std::optional<NeighborId> parent, Instant now, const Config& config,
              Postbox& postbox);
    /// Who was told last.
    std::optional<NeighborId> parent() const { return m_parent; }
    /// Our own device and all below, not bounded.
    Hints total(Instant now) const;

private:
    struct Child
    {
        Tally tally;
        Instant heard;
    };
    void touch(Instant now, const Config& config);
    void forgetSilent(Instant now, const Config& config);

    std::optional<Tally> m_own;
    std::map<NeighborId, Child> m_children;
    std::optional<NeighborId> m_parent;
    Tally m_told; ///< to the parent
    Instant m_repeat; ///< when the parent is to be told again, whatever it knows
    std::optional<Instant> m_full; ///< when all of the burst may be sent again
    std::optional<Instant> m_due;
};

} // namespace starling::overlay
