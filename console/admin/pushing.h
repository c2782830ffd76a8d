// SPDX-License-Identifier: Apache-2.0
/// Handing a signed release to an agent, and how far it has spread by the devices' receipts. Blocks, so a
/// window calls it from a thread of its own.
#pragma once

#include "admin/release_work.h"
#include "control/client.h"

namespace starling::console {

/// Where the payload comes from; one of the two.
struct PushSource
{
    std::string payload; ///< file or directory that is sent to the agent
    std::string inPlace; ///< absolute path that the agent reads where it lies
};

struct Pushed
{
    bool isNew = false; ///< the agent did not hold it, with its payload, before
    std::uint64_t sentBytes = 0;
};

/// Announces `torrent` to the agent and sends the payload if it wants it. `watch` is told of bytes sent, and
/// ends the push between two portions. Fails with what the agent refuses it for (Rollback, BelowThreshold,
/// DiskFull, …), the codes of node::readContents(), Timeout, Unreachable.
Result<Pushed> push(control::Client& agent, const release::TorrentFile& torrent, const PushSource& source,
                    const Watch& watch);

/// Devices by what their receipts, which the agent verified, say of one release.
struct Spread
{
    unsigned healthy = 0, troubled = 0, underWay = 0;
    unsigned verified = 0; ///< of all these: whose whole payload was verified, and is held
    void add(const trust::ReceiptEntry& entry);
};
Spread spreadOf(const std::map<NodeId, control::DeviceLine>& devices, const release::TorrentFile& torrent);

/// So many devices besides the one that was pushed to must hold the payload before it cannot be lost with
/// one machine (console specification): min(3, eligible).
std::size_t enoughHolders(std::size_t eligible);

} // namespace starling::console
