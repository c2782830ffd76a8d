// SPDX-License-Identifier: Apache-2.0
/// What is said about payloads, receipts and devices without a certificate: a node whose fleet has none of
/// them has none of this. Made at the first word about any of it, with the neighbours that there are. Pure.
#pragma once

#include "overlay/collection.h"
#include "overlay/discovery.h"
#include "overlay/petitions.h"
#include "overlay/renewals.h"

namespace starling::overlay {

struct Services
{
    Services(const NodeId& self, const Config& config, const Mediator& mediator, RandomSource& random)
        : discovery(self, config, mediator, random)
        , collection(self, config, mediator, random)
        , petitions(self, mediator, collection)
        , renewals(self, mediator)
    {
    }
    /// Which is a neighbour since `since`. Of one that is restricted nobody but Renewals knows.
    void addNeighbor(NeighborId neighbor, const NodeId& node, bool isRestricted, Instant since,
                     Postbox& postbox)
    {
        renewals.addNeighbor(neighbor, node);
        if (isRestricted)
            return;
        discovery.addNeighbor(neighbor, node, since, postbox);
        collection.addNeighbor(neighbor, node, since, postbox);
        petitions.addNeighbor(neighbor, since);
    }
    void removeNeighbor(NeighborId neighbor, Instant now)
    {
        discovery.removeNeighbor(neighbor);
        collection.removeNeighbor(neighbor, now);
        petitions.removeNeighbor(neighbor);
        renewals.removeNeighbor(neighbor);
    }

    Discovery discovery;
    Collection collection;
    Petitions petitions;
    Renewals renewals;
};

} // namespace starling::overlay
