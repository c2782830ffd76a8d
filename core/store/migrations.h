// SPDX-License-Identifier: Apache-2.0
/// The database's layouts, one after the other (resources/sql, embedded when the program is built).
#pragma once

#include <span>

namespace starling::store {

/// SQL that leads from layout i to layout i + 1; the last one's number is the layout that this version
/// speaks.
std::span<const char* const> migrations();

} // namespace starling::store
