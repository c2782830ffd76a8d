// SPDX-License-Identifier: Apache-2.0
/// What the system tests share: payloads that install themselves in one atomic step, what of them is in place
/// on a device, and questions to agents.
#pragma once

#include "fleet.h"
#include "store/store.h"

#include <QTemporaryDir>

namespace starling::scenario {

inline const std::string kUri = "fw/app";

/// A payload of VERSION, two parts, and scripts: install.sh copies the files to `releases/<version>` below
/// the device root and then points `current` at it by one rename; check.sh looks whether that is so; undo.sh
/// removes `current`.
struct PayloadPlan
{
    std::uint64_t version = 1;
    std::string name{}; ///< of the payload's directory
    std::string installEnds{}; ///< shell lines that install.sh has before its rename
    std::string checkEnds{}; ///< and that check.sh ends with
    std::size_t partBytes = 3'000;
};
/// Makes it below `parent`.
std::filesystem::path makePayload(const std::filesystem::path& parent, const PayloadPlan& plan);

/// What of those payloads is in place: 0 for nothing, the version if it is there wholly. PayloadMismatch
/// otherwise.
Result<std::uint64_t> installedVersion(const std::filesystem::path& deviceRoot);

/// `--run install.sh --check check.sh` and `more`.
QStringList deployOptions(const QStringList& more = {});

struct Release
{
    std::filesystem::path torrent, payload;
    std::uint64_t version = 1;
    std::string uri = kUri;
};
/// Payload and signed torrent-file++. Ends the program if it cannot be made: nothing could be tested then.
Release makeRelease(const support::Fleet& fleet, const std::filesystem::path& parent, const PayloadPlan& plan,
                    const QStringList& options, const std::string& uri = kUri);

/// Starts an agent; says why if it does not start.
bool start(support::Fleet& fleet, std::size_t i);
bool startAll(support::Fleet& fleet);

/// `starling push`.
support::CommandResult push(const support::Fleet& fleet, std::size_t agent, const Release& release,
                            const QStringList& more = {});

/// One release as agent `i` sees it.
std::optional<control::UpdateLine> updateOf(const support::Fleet& fleet, std::size_t i, std::uint64_t version,
                                            const std::string& uri = kUri);
/// Waits until the release is in that phase; false after 90 s.
bool waitForPhase(const support::Fleet& fleet, std::size_t i, std::uint64_t version, trust::Phase phase,
                  const std::string& uri = kUri);
/// "fw/app 0/2 failed (quota-exceeded …)", or why it cannot be said: for messages of tests.
std::string describe(const support::Fleet& fleet, std::size_t i);

/// What an agent that does not run has written: floors and records.
struct Kept
{
    std::map<std::uint64_t, update::Record> records; ///< of kUri, by version
    std::uint64_t floor = 0; ///< of kUri, 0: none
    std::uint64_t installed = 0; ///< which release of kUri is noted as in place, 0: none
};
Result<Kept> readState(const std::filesystem::path& state);

/// A fleet below `directory` that is linked in a line unless `plan` says otherwise. Ends the program if it
/// cannot be made.
std::unique_ptr<support::Fleet> makeFleet(const QTemporaryDir& directory, support::FleetPlan plan);

/// All that bad input must leave as it is on an agent: floors, releases with their phases, and the payload
/// directory with what is arriving in it; one line each.
QStringList standingOf(const support::Fleet& fleet, std::size_t i);
/// Empty if `result` ended with `exitCode` and named `code`; otherwise what it did instead.
QByteArray unlike(const support::CommandResult& result, int exitCode, Errc code);

/// The end of a file, for messages of tests.
std::string tailOf(const std::filesystem::path& file, std::size_t bytes = 3'000);
std::string readText(const std::filesystem::path& file);
void writeText(const std::filesystem::path& file, const std::string& text);
QString q(const std::filesystem::path& path);

/// Where the programs under test are.
std::filesystem::path programs();

} // namespace starling::scenario
