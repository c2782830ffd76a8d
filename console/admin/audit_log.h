// SPDX-License-Identifier: Apache-2.0
/// What was signed, pushed, admitted, denied and made by this user, in a file that the window and the command
/// line share (audit_chain.h says what it looks like). Lines are only ever added.
#pragma once

#include "admin/audit_chain.h"

#include <QJsonObject>

#include <filesystem>

namespace starling::console {

enum class Act : std::uint8_t {
    FleetCreated,
    KeyMade,
    ReleaseSigned,
    ReleasePushed,
    DeviceAdmitted,
    DevicesDenied,
    ObserverNamed,
    RootSigned,
    RootPushed,
    TokenIssued,
    ReleaseWithdrawn,
};
std::string_view actName(Act act); ///< "fleet-created", …

class AuditLog
{
public:
    /// Of this user: starling/audit.log where programs keep their data (XDG base directories).
    AuditLog();
    explicit AuditLog(std::filesystem::path file);

    /// Adds a line and has it on the disk. `failure` says what became of it instead of "ok". A last line that
    /// was cut off stays as it is, and is named by whoever verifies. StateNewer, StateCorrupt (nothing is
    /// added to what is no audit log), TooLarge, Io, DiskFull.
    Status record(Act act, std::string scope, std::string detail, std::optional<Errc> failure = {}) const;
    /// All of it, verified; empty if there is no file yet. StateNewer, StateCorrupt, TooLarge, Io.
    Result<AuditTrail> read() const;
    /// ClockWrong if its last line is of a time that is more than kClockTolerance after `now`: then this
    /// clock is wrong, or was. What cannot be read tells nothing.
    Status checkClock(UtcTime now) const;
    const std::filesystem::path& file() const { return m_file; }

    /// Guess: clocks that are kept by hand, and are still good for ages in minutes.
    static constexpr std::chrono::minutes kClockTolerance{10};
    static constexpr std::size_t kMaxBytes = 64 * 1024 * 1024; ///< guess: 300,000 lines

private:
    std::filesystem::path m_file;
};

/// As `starling audit list --json` and the window's export write it; times as ISO 8601 in UTC.
QJsonObject jsonOf(const AuditLine& line);
/// "12 entries, each follows the one before", or the first bad line.
std::string verdictOf(const AuditTrail& trail);

} // namespace starling::console
