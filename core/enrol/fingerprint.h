// SPDX-License-Identifier: Apache-2.0
/// A device's key in words, for people to compare: what the device shows against what the administrator sees.
#pragma once

#include "base/ids.h"

namespace starling::enrol {

/// One word for each of the first 8 bytes of the key's SHA-256: 64 bits. To find another key with the same
/// words takes some 2^64 key pairs; among a million honest devices two agree with a chance of 3 in 10^8.
constexpr std::size_t kFingerprintWords = 8;

/// "acorn-tiger-…", lower case.
std::string fingerprintOf(const NodeId& node);
/// As people type it, with spaces or capitals, in the form of fingerprintOf().
std::string normalFingerprint(std::string_view text);

} // namespace starling::enrol
