// SPDX-License-Identifier: Apache-2.0
#include "admin/pushing.h"

namespace starling::console {

using namespace std::chrono_literals;

namespace {

/// An agent that verifies a large payload in place answers after that. Guess: 1 TiB at 1 GiB/s.
constexpr Duration kPublishLimit = 20min;
constexpr Duration kAnswerLimit = 30s; ///< of an announcement; guess: an agent on a busy disk
constexpr Duration kChunkLimit = 60s; ///< guess: 256 KiB onto a slow disk
constexpr std::size_t kEnough = 3; ///< console specification

Result<control::PushReply> send(control::Client& agent, const release::TorrentFile& torrent,
                                const std::string& payload, const Watch& watch, std::uint64_t& sent)
{
    const auto directory = node::locatePayload(payload, torrent.info);
    if (!directory)
        return tl::unexpected<Error>(directory.error());
    const auto read = node::readContents(*directory, torrent.info.name, torrent.info.isSingleFile,
                                         torrent.info.files, [&](ByteView portion) -> Status {
                                             auto taken = agent.ask<control::PushReply>(
                                                 control::PushChunk{toBytes(portion)}, kChunkLimit);
                                             if (!taken)
                                                 return tl::unexpected<Error>(taken.error());
                                             sent += portion.size();
                                             return watch(sent);
                                         });
    if (!read)
        return tl::unexpected<Error>(read.error());
    return agent.ask<control::PushReply>(control::PushEnd{}, kPublishLimit);
}

} // namespace

Result<Pushed> push(control::Client& agent, const release::TorrentFile& torrent, const PushSource& source,
                    const Watch& watch)
{
    Pushed pushed;
    auto reply = agent.ask<control::PushReply>(control::PushRequest{torrent.serialize(), source.inPlace},
                                               source.inPlace.empty() ? kAnswerLimit : kPublishLimit);
    if (reply && reply->answer == control::PushReply::Answer::SendPayload)
        reply = send(agent, torrent, source.payload, watch, pushed.sentBytes);
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    pushed.isNew = reply->answer != control::PushReply::Answer::NothingToDo;
    return pushed;
}

void Spread::add(const trust::ReceiptEntry& entry)
{
    using trust::Phase;
    if (entry.phase == Phase::Healthy)
        ++healthy;
    else if (entry.phase == Phase::Failed || entry.phase == Phase::RolledBack)
        ++troubled;
    else
        ++underWay;
    // A device that failed says so of its deployment or of its download alike: it is not counted.
    if (entry.phase >= Phase::Staged && entry.phase <= Phase::Healthy)
        ++verified;
}

Spread spreadOf(const std::map<NodeId, control::DeviceLine>& devices, const release::TorrentFile& torrent)
{
    Spread spread;
    for (const auto& [node, device] : devices)
        for (const trust::ReceiptEntry& entry : device.receipt.entries)
            if (entry.uri == torrent.info.update.uri && entry.infoHash == torrent.infoHash)
                spread.add(entry);
    return spread;
}

std::size_t enoughHolders(std::size_t eligible)
{
    return std::min(kEnough, eligible);
}

} // namespace starling::console
