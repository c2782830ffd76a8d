// SPDX-License-Identifier: Apache-2.0
/// The daemon: a node, its control socket and the signals of the operating system.
#pragma once

#include "node/updater.h"

namespace starling::agent {

/// Runs until SIGTERM or SIGINT. Command line: --config FILE, --check, --print-life-cycle, --version, --help.
/// `observer` and `limits` are for tests. Returns the exit status: 0 ok, 1 failure, 2 usage or configuration.
int runAgent(int argc, char** argv, node::StepObserver observer = {}, update::Limits limits = {});

} // namespace starling::agent
