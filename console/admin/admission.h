// SPDX-License-Identifier: Apache-2.0
/// Letting devices into a fleet that wait at an agent, and taking them out. Blocks, so a window calls it from
/// a thread of its own.
#pragma once

#include "control/client.h"
#include "crypto/signing.h"
#include "trust/join.h"
#include "trust/root.h"

#include <functional>
#include <set>

namespace starling::console {

/// Signs the certificate that `request` asks for with `key`, one of the admit role by the agent's newest
/// root, and hands it to the agent, where the device gets it when it asks next; returns it. It is good until
/// `notAfter` (seconds since 1970), or for good. Fails with WrongScope (nothing was signed then),
/// BelowThreshold (others must sign, too, by files: starling device admit -o), what the agent refuses it for,
/// Timeout or Unreachable.
Result<Bytes> admit(control::Client& agent, const trust::JoinRequest& request,
                    std::optional<std::uint64_t> notAfter, const crypto::SecretKey& key,
                    std::chrono::milliseconds timeout);

struct Denied
{
    Bytes envelope; ///< the signed list; empty if this key has denied all of them already
    bool isNew = false; ///< the agent did not hold it before
};
/// Signs a deny list that names `nodes` with `key`, one of the admit role, and has the agent spread it:
/// wherever it arrives, their links are cut. Fails with WrongScope (nothing was signed), TooLarge (this key's
/// lists are full), what the agent refuses it for, Timeout or Unreachable. `keep` is given the signed list
/// first; what it fails with is what this fails with, and then nobody has the list.
Result<Denied> deny(control::Client& agent, const std::set<NodeId>& nodes, const crypto::SecretKey& key,
                    std::chrono::milliseconds timeout, const std::function<Status(const Bytes&)>& keep = {});

} // namespace starling::console
