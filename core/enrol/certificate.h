// SPDX-License-Identifier: Apache-2.0
/// From a request to a certificate that links take.
#pragma once

#include "trust/join.h"
#include "trust/trust_set.h"

namespace starling::enrol {

/// Whether every device could use `certificate`: its fields are within their limits, and with as many
/// signatures as it may need it still fits a handshake. The decoder's codes, or TooLarge.
Status requireUsable(const trust::Certificate& certificate);

/// The unsigned certificate that grants `request` under `root`, until `notAfter` (seconds since 1970) or for
/// good.
Result<trust::Envelope> grant(const trust::JoinRequest& request, const trust::RootDocument& root,
                              std::optional<std::uint64_t> notAfter = {});

/// Whether `certificateEnvelope` admits `node` with `linkKey` as `trust` sees it; why not, otherwise.
Status requireGranted(ByteView certificateEnvelope, const NodeId& node, const LinkKey& linkKey,
                      const trust::TrustSet& trust);

} // namespace starling::enrol
