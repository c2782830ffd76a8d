// SPDX-License-Identifier: Apache-2.0
/// The life cycle of one release on one device, as a table that can be printed. Pure: it says what is to be written
/// and then done; the record must be durable before the effect is carried out, and every effect can be repeated.
#pragma once

#include "release/torrent_file.h"

#include <span>
#include <string>

namespace starling::update {

using trust::Phase;

enum class Event : std::uint8_t {
    Accept, ///< policy: it is for this device, and now
    Exclude, ///< policy: its requirements exclude this device
    StartDownload,
    DownloadBlocked, ///< disk full, quota: stays downloading, tried again with backoff
    PayloadComplete, ///< all bytes are there
    PayloadVerified, ///< our own re-hash agrees
    PayloadWrong, ///< it does not: what is wrong is fetched again, a limited number of times
    GiveUp, ///< retries are used up
    StartDeploy,
    Deployed,
    DeployFailed,
    CheckPassed,
    CheckFailed,
    RollbackDone,
    RollbackFailed,
    Supersede, ///< a newer release of the URI was accepted; not once deploying has begun
};
std::string_view eventName(Event event);

/// What the owner does after the record is durable. Repeating one is harmless.
enum class Effect : std::uint8_t {
    Decide, ///< ask policy
    Download,
    RetryDownload, ///< after the record's backoff
    Verify,
    Offer, ///< staged: wait for the turn to deploy; a relay stays here
    Deploy,
    Check,
    RollBack,
    Conclude, ///< final: commit or clean up, next release's turn
};
std::string_view effectName(Effect effect);

struct Transition {
    Phase from;
    Event event;
    Phase to;
    Effect effect;
};

/// The whole table: every pair that is not in it is refused.
std::span<const Transition> transitions();
/// The table as text, one line a transition, for documents and `starling-agent --print-life-cycle`.
std::string printTransitions();

bool isFinal(Phase phase);

/// What is durable about one release on this device.
struct Record {
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    Phase phase = Phase::Announced;
    std::uint16_t code = 0; ///< Errc of the latest trouble, 0 for none
    std::string detail;
    std::uint32_t attempts = 0; ///< of the current phase: repeated by restarts or retries
    bool operator==(const Record&) const = default;
};

/// Limits on repetition.
struct Limits {
    std::uint32_t maxDeployAttempts = 3; ///< guess: a deployment that takes the device down twice is not tried for ever
    std::uint32_t maxVerifyAttempts = 3; ///< guess: a disk that corrupts thrice is broken
    Duration retryMin = std::chrono::seconds(5); ///< guess; doubled up to
    Duration retryMax = std::chrono::minutes(10); ///< guess
};

/// A step: write `record`, then do `effect`.
struct Step {
    Phase from;
    Event event;
    Record record;
    Effect effect;
};

/// One release's way through the table.
class LifeCycle {
public:
    /// A release just accepted onto the board.
    static LifeCycle begin(ResourceUri uri, trust::Revision revision, InfoHash infoHash, Limits limits);
    /// As found in the store after a start. The step repeats the effect of the phase it was in, counting an attempt;
    /// a deployment that was interrupted too often becomes a rollback with code DeployFailed.
    static LifeCycle restore(Record record, Limits limits);
    Step resume();

    const Record& record() const { return m_record; }
    /// Fails with Refused if the table has no such transition; nothing changes then.
    Result<Step> handle(Event event, std::optional<Error> trouble = std::nullopt);
    /// How long to wait before RetryDownload.
    Duration retryDelay() const;

private:
    LifeCycle(Record record, Limits limits);
    Record m_record;
    Limits m_limits;
};

} // namespace starling::update
