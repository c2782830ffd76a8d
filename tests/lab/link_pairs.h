// SPDX-License-Identifier: Apache-2.0
/// Pairs of nodes in the lab: real links over real sockets, through real NATs and firewalls. A third node, on
/// the public network, has a link to both, and so has a fourth; what becomes of theirs is measured.
#pragma once

#include "pair_networks.h"

namespace starling::lab {

struct PairOutcome
{
    std::string first; ///< "direct", "punched" or "relayed": the link as it came up
    std::string kind; ///< as it is after its first attempts
    double linkMs = 0; ///< until it was up on both sides
    double settledMs = 0; ///< until it was what it is; of a relayed one, as linkMs
    bool isInside = false; ///< the link goes to the other one's own address
    bool carriesMessages = false; ///< one each way arrived
    std::uint64_t relayedBytes = 0; ///< that the third and the fourth node carried
};

class LinkPairs
{
public:
    /// Needs enterLab(). Fails with Timeout if there is no link within some seconds.
    Result<PairOutcome> play(const Pair& pair);

private:
    PairNetworks m_networks;
};

} // namespace starling::lab
