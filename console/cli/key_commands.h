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

} // namespace starling::cli
