// SPDX-License-Identifier: Apache-2.0
/// Sealed keys and trust roots in files, for the command line and the window.
#pragma once

#include "control/messages.h"
#include "crypto/key_file.h"
#include "trust/trust_set.h"

#include <filesystem>

namespace starling::console {

/// Mode 0600; AlreadyExists rather than overwriting a key.
Status writeSealedKey(const std::filesystem::path& file, const crypto::SecretKey& key,
                      const crypto::SecretText& passphrase, crypto::KdfCost cost);

/// A key file, not opened.
struct KeyFile
{
    std::filesystem::path file;
    crypto::KeyFileHeader header;
};
/// KeyUnreadable if it is missing, damaged or readable by others.
Result<KeyFile> inspectKeyFile(const std::filesystem::path& file);
/// The *.key files of a directory by name, each with what is wrong with it; NotFound.
Result<std::vector<std::pair<std::filesystem::path, Result<KeyFile>>>>
listKeyFiles(const std::filesystem::path& directory);

/// Opens a sealed key. WrongPassphrase, KeyUnreadable.
Result<crypto::SecretKey> openSealedKey(const std::filesystem::path& file,
                                        const crypto::SecretText& passphrase);

/// The trust that begins at a root.envelope, and the roots after it as far as they stand beside it:
/// root-2.envelope, root-3.envelope, …; one that lacks signatures still is no root yet, and those after it
/// are not looked at.
Result<trust::TrustSet> readRoot(const std::filesystem::path& file);

/// The trust that an agent holds now: from its root alone if that is the fleet's first, else from `anchor`
/// and the roots beside it. WrongFleet if they are of different fleets, RootGap if roots in between are
/// missing here.
Result<trust::TrustSet> trustOf(const control::TrustReply& agent, const std::filesystem::path& anchor);

} // namespace starling::console
