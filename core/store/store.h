// SPDX-License-Identifier: Apache-2.0
/// What an agent must not forget: notices, floors, update records, sequences, resume data. SQLite (WAL,
/// synchronous=FULL) in the state directory, which one agent at a time may use. The only room that knows SQL.
#pragma once

#include "trust/floors.h"
#include "update/life_cycle.h"

#include <filesystem>
#include <memory>

namespace starling::store {

/// One place of the board as stored.
struct NoticeRow {
    std::uint8_t kind = 0;
    std::string name;
    Bytes bytes;
    bool operator==(const NoticeRow&) const = default;
};

class Store {
public:
    /// Makes the directory (0700) and database if they are missing, takes the directory's lock, migrates. Fails with
    /// StateLocked, StateNewer, StateCorrupt, DiskFull or Io.
    static Result<Store> open(const std::filesystem::path& directory);
    ~Store();
    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;

    /// Root envelopes from the anchor on.
    Result<std::vector<Bytes>> rootChain() const;
    Status appendRoot(std::uint64_t number, ByteView envelope);

    Result<std::vector<NoticeRow>> notices() const;
    Status putNotice(const NoticeRow& notice);

    Result<trust::Floors> floors() const;
    Result<std::vector<update::Record>> records() const;
    /// Notice, floor and first record of a release in one transaction: accepted wholly or not at all.
    Status acceptRelease(const NoticeRow& notice, const trust::Floor& floor, const update::Record& record);
    Status putRecord(const update::Record& record);
    /// Forgets records of `uri` other than the newest `keep`, and returns the info-hashes forgotten.
    Result<std::vector<InfoHash>> pruneRecords(const ResourceUri& uri, std::size_t keep);

    /// Which release is in place for `uri`: set when healthy.
    Result<std::optional<update::Record>> installed(const ResourceUri& uri) const;

    /// Reserves `count` sequence numbers and returns the first; a reboot never repeats one.
    Result<std::uint64_t> reserveSequences(std::string_view counter, std::uint64_t count);

    Status putResumeData(const InfoHash& payload, ByteView data);
    Result<std::optional<Bytes>> resumeData(const InfoHash& payload) const;
    /// A payload seeded from where it lies (push --in-place): its path, kept so that a restart finds it.
    Status putInPlace(const InfoHash& payload, const std::filesystem::path& path);
    Result<std::optional<std::filesystem::path>> inPlace(const InfoHash& payload) const;
    /// Forgets resume data and in-place path.
    Status forgetPayload(const InfoHash& payload);

private:
    class Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::store
