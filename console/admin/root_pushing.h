// SPDX-License-Identifier: Apache-2.0
/// A root that is signed by enough: kept beside the others, and handed to an agent. Blocks, so a window calls
/// it from a thread of its own.
#pragma once

#include "control/client.h"
#include "trust/trust_set.h"

#include <filesystem>

namespace starling::console {

/// Writes it into the fleet's directory as root-N.envelope, replacing what is there if that is the same root
/// with other signatures: AlreadyExists. The codes of RootDocument::parse(), Io.
Status keepRoot(const trust::Envelope& root, const std::filesystem::path& directory);

/// Has the agent spread it, and notes it in the audit log if that is news: whether it is. Fails with what the
/// agent refuses it for (BelowThreshold, RootGap, …), Timeout or Unreachable.
Result<bool> pushRoot(control::Client& agent, const trust::Envelope& root, std::chrono::milliseconds timeout);

} // namespace starling::console
