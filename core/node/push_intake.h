// SPDX-License-Identifier: Apache-2.0
/// Takes a pushed payload portion by portion, under the quota, verified while it arrives, and deleted if it
/// fails (the paper's Figure 2b). One push at a time for each connection; what is published is whole and
/// verified.
#pragma once

#include "node/disk.h"
#include "node/payload_store.h"

#include <optional>

namespace starling::node {

class PushIntake
{
public:
    /// Room is looked for at once: QuotaExceeded or DiskFull before a byte is sent.
    static Result<PushIntake> begin(PayloadStore& payloads, release::TorrentFile torrent, ByteCount quota);
    ~PushIntake(); ///< deletes what arrived unless it was finished
    PushIntake(PushIntake&&) noexcept;
    PushIntake& operator=(PushIntake&&) noexcept;

    /// PayloadMismatch as soon as a file is not what was signed, DiskFull, Io: the push is over then.
    Status feed(ByteView bytes);
    /// PayloadMismatch if contents are missing, QuotaExceeded if another push took the room meanwhile. On
    /// success the payload is in the store, marked verified.
    Status finish();
    const release::TorrentFile& torrent() const { return m_torrent; }
    std::uint64_t receivedBytes() const { return m_received; }

private:
    PushIntake(PayloadStore& payloads, release::TorrentFile torrent, ByteCount quota);
    Status requireRoom() const;
    Status makeDirectory();
    Status openNext();
    PayloadStore* m_payloads;
    release::TorrentFile m_torrent;
    ByteCount m_quota;
    release::PayloadVerifier m_verifier;
    Descriptor m_file;
    std::size_t m_index = 0; ///< of the file that is open, or comes next
    std::uint64_t m_left = 0; ///< bytes that the open file wants
    std::uint64_t m_received = 0;
    bool m_owns = false; ///< the incoming directory is ours to delete
};

} // namespace starling::node
