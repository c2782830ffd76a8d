// SPDX-License-Identifier: Apache-2.0
/// Entitling an agent to collect the devices' receipts. What asks an agent blocks, so a window calls it from
/// a thread of its own.
#pragma once

#include "control/client.h"
#include "crypto/signing.h"
#include "trust/subscription.h"

namespace starling::console {

constexpr unsigned kObserverDays = 90; ///< guess: a quarter
constexpr unsigned kMaxObserverDays = 3'650; ///< as certificates of device admit

struct ObserverPlan
{
    std::optional<NodeId> observer = {}; ///< nothing: the agent that is asked
    std::optional<ResourceUri> scope = {}; ///< only receipts that tell of a URI below it
    unsigned days = kObserverDays; ///< 1 to kMaxObserverDays
    std::uint64_t sumsAbove = 0; ///< trust::Subscription::aggregateAbove
};

struct NamedObserver
{
    trust::Subscription subscription;
    KeyId signer;
    Bytes envelope; ///< signed
};

/// Signs with `key` that `observer` collects receipts of `fleet`, as `plan` says; nobody is asked.
NamedObserver signObserver(const FleetId& fleet, const NodeId& observer, const ObserverPlan& plan,
                           const crypto::SecretKey& key);
/// The same of the agent's fleet, with a key of the observe role by its newest root, and has it spread that.
/// Fails with WrongScope or BelowThreshold (nothing was signed then), what the agent refuses it for, Timeout
/// or Unreachable.
Result<NamedObserver> nameObserver(control::Client& agent, const ObserverPlan& plan,
                                   const crypto::SecretKey& key, std::chrono::milliseconds timeout);

} // namespace starling::console
