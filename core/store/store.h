// SPDX-License-Identifier: Apache-2.0
/// What an agent must not forget: notices, floors, update records, sequences, resume data. SQLite (WAL,
/// synchronous=FULL) in the state directory, which one agent at a time may use. The only room that knows SQL.
#pragma once

#include "trust/floors.h"
#include "update/life_cycle.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace starling::store {

/// One place of the board as stored.
struct NoticeRow
{
    std::uint8_t kind = 0;
    std::string name;
    Bytes bytes;
    bool operator==(const NoticeRow&) const = default;
};

/// What an observer keeps of one device.
struct ReceiptRow
{
    NodeId device;
    std::uint64_t sequence = 0;
    Bytes bytes; ///< board::Parcel
    bool operator==(const ReceiptRow&) const = default;
};

/// The same, and where it stands among all: what came later has a higher number.
struct StoredReceipt
{
    std::uint64_t change = 0;
    ReceiptRow row;
    bool operator==(const StoredReceipt&) const = default;
};

class Store
{
public:
    static constexpr std::size_t kMaxNoticeBytes = 1024 * 1024; ///< a message on a link, architecture.md
    static constexpr std::size_t kMaxNameBytes = 256; ///< of notices and counters; a URI has 200
    static constexpr std::size_t kMaxResumeBytes =
        64 * 1024 * 1024; ///< guess: 32 bytes a block make 32 GiB of payload
    static constexpr std::size_t kMaxReceiptBytes = 64 * 1024; ///< board::kMaxParcelBytes
    static constexpr std::uint64_t kMaxReceipts = 1'000'000; ///< the largest fleet that is designed for
    static constexpr std::uint64_t kMaxNumber =
        trust::Revision::kMaxVersion; ///< of epochs, versions and sequences

    /// Makes the directory (0700) and database (0600) if they are missing, takes the directory's lock,
    /// migrates. Fails with StateLocked, naming the process; StateNewer, and nothing was touched;
    /// StateCorrupt, DiskFull or Io.
    static Result<Store> open(const std::filesystem::path& directory);
    ~Store();
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;

    /// Root envelopes from the anchor on.
    Result<std::vector<Bytes>> rootChain() const;
    /// The first may have any number, then held + 1: RootGap. A held one again is a success that changes
    /// nothing, and Equivocation with other bytes.
    Status appendRoot(std::uint64_t number, ByteView envelope);

    /// By kind and name.
    Result<std::vector<NoticeRow>> notices() const;
    /// Replaces the notice of that kind and name. TooLarge.
    Status putNotice(const NoticeRow& notice);
    /// Nothing happens if there is none.
    Status removeNotice(std::uint8_t kind, std::string_view name);

    Result<trust::Floors> floors() const;
    /// By URI and revision.
    Result<std::vector<update::Record>> records() const;
    /// Notice, floor and first record of a release in one transaction: accepted wholly or not at all.
    /// Rollback or Equivocation against the floor in the store. The release of the floor again leaves its
    /// record as it is.
    Status acceptRelease(const NoticeRow& notice, const trust::Floor& floor, const update::Record& record);
    /// Equivocation if the store has another content for the revision.
    Status putRecord(const update::Record& record);
    /// Forgets records of `uri` other than the newest `keep`, the installed one and those that are not final,
    /// and returns the info-hashes forgotten.
    Result<std::vector<InfoHash>> pruneRecords(const ResourceUri& uri, std::size_t keep);

    /// Which release is in place for `uri`: the newest whose record was put with phase Healthy.
    Result<std::optional<update::Record>> installed(const ResourceUri& uri) const;

    /// Reserves `count` sequence numbers, from 1 on, and returns the first; a reboot never repeats one. Usage
    /// if `count` is 0, TooLarge when they are used up.
    Result<std::uint64_t> reserveSequences(std::string_view counter, std::uint64_t count);
    /// The number that would be reserved next: above all that were used, and free to be used again.
    Result<std::uint64_t> peekSequence(std::string_view counter) const;

    /// The newest of each device, all of them in one transaction: an older one, or the same again, changes
    /// nothing. TooLarge if one has over kMaxReceiptBytes, or if it were the receipts of more than
    /// kMaxReceipts devices.
    Status putReceipts(const std::vector<ReceiptRow>& receipts);
    /// Those that came after number `change` (0: all), in the order in which they came: at most `limit`, and
    /// at most `bytes` of them, but one if there is one. Costs what it returns, however many there are.
    Result<std::vector<StoredReceipt>> receiptsAfter(std::uint64_t change, std::size_t limit,
                                                     std::size_t bytes) const;
    /// The number of the one that came last; 0 if there is none.
    Result<std::uint64_t> newestReceipt() const;
    /// Of how many devices there are receipts. Counted once after open().
    Result<std::uint64_t> receiptCount() const;

    /// TooLarge over kMaxResumeBytes.
    Status putResumeData(const InfoHash& payload, ByteView data);
    Result<std::optional<Bytes>> resumeData(const InfoHash& payload) const;
    /// Forgets its resume data.
    Status forgetPayload(const InfoHash& payload);

private:
    class Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::store
