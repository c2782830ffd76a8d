// SPDX-License-Identifier: Apache-2.0
/// How long tests wait for what goes on beside them. Qt Test gives up after 5 s: too soon for a disk that
/// writes for other tests, too. Part of what is precompiled for all tests (resources/cmake/rooms.cmake), so
/// that none forgets it. Not reached, a limit costs nothing.
#pragma once

#include <QTest>

namespace starling {

/// Milliseconds. With twice as much again, which Qt Test waits to say how late it came, below ctest's limits.
inline constexpr int kTestPatience = 30'000;

} // namespace starling

#undef QTRY_VERIFY
#define QTRY_VERIFY(expr) QTRY_VERIFY_WITH_TIMEOUT(expr, starling::kTestPatience)
#undef QTRY_VERIFY2
#define QTRY_VERIFY2(expr, message) QTRY_VERIFY2_WITH_TIMEOUT(expr, message, starling::kTestPatience)
#undef QTRY_COMPARE
#define QTRY_COMPARE(expr, expected) QTRY_COMPARE_WITH_TIMEOUT(expr, expected, starling::kTestPatience)
