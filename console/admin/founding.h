// SPDX-License-Identifier: Apache-2.0
/// A new fleet in a directory of its own, for the command line and the window.
///
///     root.envelope              the trust anchor, for every device
///     keys/<role>-<n>.key        sealed
///     devices/<name>/device.key  the device's own key, 0600
///     devices/<name>/device.admit, devices/<name>/root.envelope
///     devices/<first>/observer.subscription   the first device collects the receipts of all
#pragma once

#include "admin/keys.h"

#include <functional>

namespace starling::console {

constexpr unsigned kObserveDays = 365; ///< guess: nobody has to think of it for a year

struct FleetPlan
{
    std::filesystem::path directory{}; ///< must not exist
    unsigned devices = 0;
    std::string prefix = "device-"; ///< devices are called prefix1, prefix2, …
    std::vector<ResourceUri> scopes{}; ///< what the release keys may sign for
    std::map<std::string, std::string> labels{}; ///< in every certificate
    /// One key for each role; else trust.md's production defaults: root 2 of 3, release 2 of 3, admit 1 of 2.
    bool isLab = false;
    std::optional<crypto::KdfCost> cost{}; ///< nothing: root sensitive (moderate in a lab), others moderate
};

struct NewFleet
{
    FleetId fleet;
    std::vector<std::pair<std::string, NodeId>> devices;
};

/// What the keys of `role` ("root", "release", "admit", "observe") are sealed with; good until the next call.
using PassphraseFor = std::function<Result<const crypto::SecretText*>(const std::string& role)>;
/// Told before each key is sealed, which takes up to 12 s; an error stops the work.
using SealWatch = std::function<Status(const std::string& key, unsigned done, unsigned total)>;

/// Whether such a fleet can be made, before anybody types a passphrase: Usage, AlreadyExists.
Status requireSensible(const FleetPlan& plan);
/// Makes it beside its final place, which then holds all of it or does not exist. As requireSensible(), Io,
/// DiskFull, and what the two functions say.
Result<NewFleet> foundFleet(const FleetPlan& plan, const PassphraseFor& passphraseFor,
                            const SealWatch& watch);

/// Receipts of so many devices, and the observer is told in sums; guess: 6 MiB of usual ones.
constexpr std::uint64_t kSumsAbove = 10'000;
/// From today on; whoever signs last means it, also where that ends earlier.
trust::Subscription subscriptionFor(const NodeId& observer, std::optional<ResourceUri> scope, unsigned days,
                                    std::uint64_t sumsAbove = kSumsAbove);

} // namespace starling::console
