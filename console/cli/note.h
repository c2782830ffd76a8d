// SPDX-License-Identifier: Apache-2.0
/// What a command did, for the audit log.
#pragma once

#include "admin/audit_log.h"
#include "command_line.h"

namespace starling::cli {

/// Adds a line to this user's audit log. If that fails it says so on standard error, and no more: what was
/// done is done.
void note(const CommandLine& line, console::Act act, const std::string& scope, const std::string& detail,
          std::optional<Errc> failure = {});

} // namespace starling::cli
