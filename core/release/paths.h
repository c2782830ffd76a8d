// SPDX-License-Identifier: Apache-2.0
/// Payload paths: their order, and which of them some file system would take for the same. Internal to this
/// room.
#pragma once

#include "release/release_info.h"

#include <functional>

namespace starling::release {

/// A name as a file system that ignores case compares it: ASCII, Latin, Greek and Cyrillic letters in lower
/// case.
std::string foldedName(std::string_view name);

/// Order of the file tree: bytewise by component, so that `a/b` comes before `a.b`.
bool isBefore(std::string_view path, std::string_view other);

/// Calls `use` with each `/`-separated component.
void forEachComponent(std::string_view path, const std::function<void(std::string_view)>& use);

/// Every component is safe, there are at most kMaxPathComponents, and the whole is not too long.
/// Fails with UnsafeName, TooDeep or TooLarge.
Status requireSafePath(std::string_view path);

/// The first path that cannot lie beside the others: the same, the same but for case, or a file where another
/// path needs a directory.
const std::string* findClash(const std::vector<PayloadFile>& files);

/// Names for error messages: printable ASCII, everything else as `\xNN`, shortened.
std::string quoted(std::string_view name);

/// The rules that a finished `info` keeps wherever it comes from: limits, scripts among the files, ranges in
/// `update`.
Status requireValid(const ReleaseInfo& info);

/// The same 32 bytes as another kind of identity: an info-hash is a digest, and a notice's id is one.
template <class To, class From> To recast(const From& id)
{
    return *To::fromBytes(id.bytes());
}

} // namespace starling::release
