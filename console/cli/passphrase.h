// SPDX-License-Identifier: Apache-2.0
/// Where passphrases come from: a file descriptor, a file of mode 0600, the desktop's keychain, or the
/// terminal. Never argv or the environment.
#pragma once

#include "command_line.h"
#include "crypto/key_file.h"

#include <filesystem>

namespace starling::cli {

struct PassphraseSource
{
    int fd = -1;
    std::string file;
    bool asksKeychain = false;

    /// Adds --passphrase-fd and --passphrase-file to a command.
    void addTo(CLI::App& command);
    /// As addTo(), and --keychain: to a command that opens keys.
    void addToOpening(CLI::App& command);
};

enum class Ask : std::uint8_t { Once, Twice };
/// `purpose` is shown at the prompt. Fails with KeyUnreadable when there is nowhere to ask, Usage when both
/// entries differ.
Result<crypto::SecretText> readPassphrase(const PassphraseSource& source, const std::string& purpose,
                                          Ask ask);

/// Asks on the terminal; yes is "y" or "yes". Fails with Usage when there is nowhere to ask.
Result<bool> confirm(const std::string& question);

/// Opens a key file, sealed or plain; asks only if it is sealed. A keychain that has no passphrase for it, or
/// does not answer, is told of on standard error, and the terminal asked.
Result<crypto::SecretKey> openKey(const std::filesystem::path& file, const PassphraseSource& source);

} // namespace starling::cli
