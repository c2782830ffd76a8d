// SPDX-License-Identifier: Apache-2.0
/// The audit log as text: lines that each carry a hash over themselves and the line before. What was changed,
/// taken out or put in between is found; who can write the file can make all of it anew, so whoever keeps a
/// head elsewhere finds that, too. Pure: no file, no clock.
///
///     starling-audit 1
///     NUMBER  SECONDS  WHO  PROGRAM  ACT  OUTCOME  SCOPE  DETAIL  HASH
///
/// Fields are parted by one tab; in them '%' and control characters are %XX. HASH is the SHA-256 of the hash
/// before (of the first line: of the file's first line) and of the line up to the tab before HASH.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"

#include <vector>

namespace starling::console {

struct AuditEntry
{
    std::uint64_t number = 1; ///< from 1, without a gap
    UtcTime at;
    std::string who; ///< user@host
    std::string program; ///< "starling", "starling-console"
    std::string act; ///< "release-signed", …; newer versions may know others
    std::string outcome; ///< "ok", or the code of what failed
    std::string scope; ///< of what: a release, a device, a fleet
    std::string detail; ///< with what: a key, an info-hash
    bool operator==(const AuditEntry&) const = default;
};

struct AuditLine
{
    AuditEntry entry;
    Digest hash;
};

constexpr std::size_t kMaxAuditField = 512; ///< bytes of one field; what is longer is cut when it is written
constexpr std::size_t kMaxAuditLine = 16'384; ///< six fields that are escaped throughout, and numbers

/// The first line of a file, with its end.
std::string_view auditHeader();
/// What the first entry's hash follows.
Digest auditStart();
/// With its end. Fields are cut to kMaxAuditField.
std::string auditLineOf(AuditEntry entry, const Digest& previous);
/// A line without its end, its form alone: Malformed, TooLarge, NotCanonical.
Result<AuditLine> parseAuditLine(std::string_view line);
/// What the hash of such a line has to be.
Digest auditHash(std::string_view line, const Digest& previous);

struct BadAuditLine
{
    std::size_t line = 0; ///< of the file, from 1
    Error error; ///< Truncated: cut off while it was written; Malformed; StateCorrupt: it does not follow the
                 ///< one before
};
constexpr std::size_t kMaxBadLines = 100; ///< guess: more say no more

struct AuditTrail
{
    std::vector<AuditLine> lines; ///< that can be read, also those that do not follow the one before
    std::vector<BadAuditLine> bad; ///< in order, at most kMaxBadLines
    std::size_t badLines = 0;
    Digest head; ///< the last line's hash
    bool isGood() const { return badLines == 0; }
};
/// Everything in `text`. StateNewer if a newer version wrote it, StateCorrupt if it is no audit log.
Result<AuditTrail> readAuditTrail(std::string_view text);

} // namespace starling::console
