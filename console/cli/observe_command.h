// SPDX-License-Identifier: Apache-2.0
/// What other commands need of observers.
#pragma once

#include <string_view>

namespace starling::cli {

/// What to do where only an observer knows the answer.
constexpr std::string_view kNoObserver = "this agent collects no receipts, and knows of itself alone; "
                                         "entitle it with starling fleet observe --key "
                                         "(a key of the observe role), or ask an agent that does";

} // namespace starling::cli
