// SPDX-License-Identifier: Apache-2.0
/// The keys that a fleet's root document names, what each may do, and which of them are sealed in files here;
/// and what is done with such a file: its public half written out, and a copy of it.
#pragma once

#include "admin/keys.h"

#include <QString>

namespace starling::console {

/// What a key may do, with how many others.
struct KeyDuty
{
    std::string role; ///< "root", "release", "admit", "observe", "beacon"
    std::string scope; ///< of "release": the prefix of the URIs that it may sign for; else empty
    std::uint32_t threshold = 1; ///< so many of `keys` must sign
    std::size_t keys = 1;
    bool operator==(const KeyDuty&) const = default;
};

struct FleetKey
{
    KeyId id;
    std::string words; ///< its fingerprint, as of a device's key
    std::vector<KeyDuty> duties;
    std::optional<KeyFile> file; ///< where it is in a file here; nothing: it is elsewhere
    std::set<std::uint64_t> roots{}; ///< numbers of the roots that name it, as far as they are known
};

struct FleetKeys
{
    FleetId fleet;
    std::uint64_t rootNumber = 0;
    std::optional<std::uint64_t> rootCreated, rootExpires; ///< seconds since 1970
    bool isFromAgent = false; ///< or from root.envelope in the fleet's directory, which may be older
    std::string
        trouble; ///< why the agent's root is not the one that is shown; empty: it is, or none was asked
    std::vector<FleetKey> keys; ///< by role, then by id; a key with several duties once
    std::vector<KeyFile> strangers; ///< files here whose keys the root does not name
    std::vector<std::pair<std::filesystem::path, Error>> unreadable;
};

/// The keys that `root` names, with those of `directory` (a fleet's, or one of key files; may be empty).
FleetKeys keysOf(const trust::RootDocument& root, const FleetId& fleet,
                 const std::filesystem::path& directory);

/// From the root that the agent at `socket` holds, if it answers and its root follows from what is here, else
/// from the fleet's directory. NotFound if neither has one. Blocks: an agent may take 3 s to answer.
Result<FleetKeys> readFleetKeys(const QString& socket, const std::filesystem::path& directory);

/// Id, words and duties as text, for others to put into a root: nothing of it is secret.
std::string publicText(const FleetKey& key, const FleetId& fleet);
/// Writes publicText(). AlreadyExists, Io.
Status exportPublic(const FleetKey& key, const FleetId& fleet, const std::filesystem::path& to);
/// Copies a sealed key file byte for byte, mode 0600, and reads it back. AlreadyExists rather than
/// overwriting; Refused for a key that is not sealed; KeyUnreadable, Io.
Status backUpKey(const std::filesystem::path& file, const std::filesystem::path& to);

} // namespace starling::console
