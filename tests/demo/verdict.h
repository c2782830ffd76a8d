// SPDX-License-Identifier: Apache-2.0
/// How the demo ends: a table for people, a line of JSON for scripts.
#pragma once

#include "demo.h"

#include <string>

namespace starling::demo {

std::string table(const Outcome& outcome);
std::string jsonLine(const Outcome& outcome);

} // namespace starling::demo
