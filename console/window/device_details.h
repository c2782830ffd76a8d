// SPDX-License-Identifier: Apache-2.0
/// What there is to know of one device, a tab each, as rich text in which everything of others is escaped.
/// Each says where its knowledge ends.
#pragma once

#include "admin/audit_chain.h"
#include "feed.h"

namespace starling::window {

/// The phases of what its receipt names, newest release first, with the times at which this console saw them.
QString progressOf(const Snapshot& snapshot, const fleetview::Device& device);
/// Its links and payload bytes: of the agent that is asked all of them, of others what that agent has to do
/// with them.
QString peersOf(const Snapshot& snapshot, const fleetview::Device& device);
/// What its health checks said, and what was rolled back.
QString healthOf(const Snapshot& snapshot, const fleetview::Device& device);
QString historyOf(const fleetview::Device& device);
/// What this user did to it, by the audit log, newest first.
QString logOf(const console::AuditTrail& trail, const NodeId& node);
QString identityOf(const fleetview::Device& device);

} // namespace starling::window
