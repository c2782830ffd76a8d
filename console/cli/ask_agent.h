// SPDX-License-Identifier: Apache-2.0
/// One question to the agent that the command line names.
#pragma once

#include "command_line.h"
#include "control/client.h"
#include "report.h"

namespace starling::cli {

/// Its answer to `request`, which must be a T; at most --timeout, or 5 s to reach it and 10 s for the answer.
template <class T> Result<T> askAgent(const CommandLine& line, const control::Request& request)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(std::chrono::seconds(5)));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    return agent->ask<T>(request, line.timeout(std::chrono::seconds(10)));
}

} // namespace starling::cli
