// SPDX-License-Identifier: Apache-2.0
/// What other commands need of keys.
#pragma once

#include "command_line.h"
#include "crypto/key_file.h"
#include "trust/trust_set.h"

#include <filesystem>

namespace starling::cli {

/// Mode 0600; AlreadyExists rather than overwriting a key.
Status writeSealedKey(const std::filesystem::path& file, const crypto::SecretKey& key,
                      const crypto::SecretText& passphrase, crypto::KdfCost cost);

/// The trust that begins at a root.envelope.
Result<trust::TrustSet> readRoot(const std::string& file);

/// --cost interactive|moderate|sensitive.
void addCostOption(CLI::App& command, crypto::KdfCost& cost);

} // namespace starling::cli
