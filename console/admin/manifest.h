// SPDX-License-Identifier: Apache-2.0
/// What a signature over a release covers, in words.
#pragma once

#include "release/torrent_file.h"

namespace starling::console {

/// Every field of the signed bytes, one a line, read back from those very bytes; at most `files` files, and
/// how many more there are. Text of others is not made harmless here.
Result<std::string> manifestOf(const release::TorrentFile& torrent, std::size_t files = 500);

} // namespace starling::console
