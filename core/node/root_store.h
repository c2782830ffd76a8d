// SPDX-License-Identifier: Apache-2.0
/// The roots that a device has walked, on its disk.
#pragma once

#include "store/store.h"
#include "trust/trust_set.h"

namespace starling::node {

/// From the anchor that the device was given to the newest root that is stored; the anchor is stored if there
/// is none. WrongFleet if another fleet's are; StateCorrupt, and the codes of TrustSet::fromAnchor and Store.
Result<trust::TrustSet> loadRoots(store::Store& store, ByteView anchorEnvelope);
/// All roots that are held and not stored yet.
Status keepRoots(store::Store& store, const trust::TrustSet& trust);

} // namespace starling::node
