// SPDX-License-Identifier: Apache-2.0
/// What other commands need of keys.
#pragma once

#include "admin/keys.h"
#include "command_line.h"

namespace starling::cli {

using console::readRoot;
using console::writeSealedKey;

/// --cost interactive|moderate|sensitive.
void addCostOption(CLI::App& command, crypto::KdfCost& cost);
/// `key rotate`, `key retire` and `key revoke`, into the group of key commands.
void addKeyChangeCommands(CLI::App& group, CommandLine& line);
/// `key remember` and `key forget`, into the group of key commands.
void addKeychainCommands(CLI::App& group, CommandLine& line);

} // namespace starling::cli
