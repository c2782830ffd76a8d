// SPDX-License-Identifier: Apache-2.0
/// Broken invariants stop the program, in release builds too: going on would sign or install something wrong.
/// Never for data from outside, which is a Result.
#pragma once

namespace starling {

[[noreturn]] void assertionFailed(const char* expression, const char* file, int line);

} // namespace starling

#define STARLING_ASSERT(expression)                                                                          \
    ((expression) ? static_cast<void>(0) : ::starling::assertionFailed(#expression, __FILE__, __LINE__))
