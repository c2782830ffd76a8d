// SPDX-License-Identifier: Apache-2.0
/// Where libtorrent's blocks go: its portable disk I/O (posix_disk_io), with what happens to every block
/// replaced by something faster. Files stay open, buffers lie on the border of a page, and a block's hash is
/// taken from memory while it is written instead of being read back. Everything else (checking, deleting,
/// renaming) is libtorrent's. All of it on libtorrent's one thread.
#pragma once

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/io_context.hpp>

#include <memory>

namespace starling::swarm {

/// For lt::session_params::disk_io_constructor.
std::unique_ptr<lt::disk_interface>
makeDiskIo(lt::io_context& context, const lt::settings_interface& settings, lt::counters& counters);

} // namespace starling::swarm
