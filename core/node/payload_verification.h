// SPDX-License-Identifier: Apache-2.0
/// Whether a payload on disk is what was signed.
#pragma once

#include "node/payload_files.h"

#include <atomic>

namespace starling::node {

/// What verification found: the piece layers if all is as signed.
using Verification = Result<release::PieceLayers>;

/// Hashes the files and compares them with what was signed, on the calling thread and, for a large payload,
/// on as many more as there are processors, up to 4 in all. PayloadMismatch, PayloadMissing, PayloadChanged,
/// Io, each naming the file; `stop` makes it Cancelled at the next portion.
Verification verifyPayload(const release::ReleaseInfo& info, const std::filesystem::path& directory,
                           const std::atomic<bool>& stop);

} // namespace starling::node
