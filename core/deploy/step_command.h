// SPDX-License-Identifier: Apache-2.0
/// From a step to the command that carries it out. Looks at files, starts nothing.
///
/// A script must be a regular file inside the payload's directory, symbolic links resolved. It is always run
/// by the interpreter of its `#!` line, by /bin/sh without one, whether it has the x bit or not: a release
/// does not carry file modes, so a device that downloaded the payload and the machine that it was made on
/// behave alike. A compiled program is therefore called by a script, which can `install -m 755` it first.
#pragma once

#include "deploy/deployer.h"

#include <string>
#include <vector>

namespace starling::deploy {

/// What a step sees as PATH and where tools are looked up.
inline constexpr std::string_view kSearchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Command
{
    std::vector<std::string> arguments; ///< the first is the absolute path of the program
    std::vector<std::string> environment; ///< "NAME=value", all of it
    std::filesystem::path directory;
};

/// Whether `puppet apply` carries the step out: only an installation; checks and rollbacks are scripts.
bool isPuppetRun(const Step& step);

/// DeployMissing if the script, its interpreter or Puppet is not there, or lies outside the payload.
/// `privateDirectory` is where Puppet keeps what it writes for itself; scripts have no use for it.
Result<Command> commandFor(const Step& step, const Config& config,
                           const std::filesystem::path& privateDirectory);

} // namespace starling::deploy
