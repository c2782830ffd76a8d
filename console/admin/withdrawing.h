// SPDX-License-Identifier: Apache-2.0
/// Taking a release back. Blocks, so a window calls it from a thread of its own.
#pragma once

#include "control/client.h"
#include "crypto/signing.h"
#include "trust/withdrawal.h"

namespace starling::console {

struct Withdrawn
{
    Bytes envelope; ///< the signed withdrawal
    bool isNew = false; ///< the agent did not hold it before
};

/// Signs `withdrawal` with `key`, one of its scope by the agent's newest root, and has
/// the agent spread it. Fails with WrongScope (nothing was signed then), what the agent refuses it for,
/// Timeout or Unreachable.
Result<Withdrawn> withdraw(control::Client& agent, const trust::Withdrawal& withdrawal,
                           const crypto::SecretKey& key, std::chrono::milliseconds timeout);

} // namespace starling::console
