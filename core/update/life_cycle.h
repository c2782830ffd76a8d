// SPDX-License-Identifier: Apache-2.0
/// The life cycle of one release on one device, as a table that can be printed. Pure: it says what is to be
/// written and then done; the record must be durable before the effect is carried out, and every effect can
/// be repeated.
#pragma once

#include "base/time.h"
#include "release/torrent_file.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

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
    /// A newer release of the URI was accepted, or this one was withdrawn (the trouble is Withdrawn then); not
    /// once deploying has begun.
    Supersede,
    Resume, ///< of the steps that resume() makes; in no transition, and refused by handle()
};
/// "accept", …, "start-download", "rollback-done".
std::string_view eventName(Event event);

/// What the owner does after the record is durable. Repeating one is harmless.
enum class Effect : std::uint8_t {
    Decide, ///< ask policy
    Prepare, ///< make room, then StartDownload at once
    Download,
    RetryDownload, ///< after the record's backoff
    Verify,
    Offer, ///< staged: wait for the turn to deploy; a relay stays here
    Deploy,
    Check,
    RollBack,
    Conclude, ///< final: commit or clean up, next release's turn
};
/// "decide", …, "retry-download", "roll-back".
std::string_view effectName(Effect effect);

struct Transition
{
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

/// As much as a receipt's entry takes (trust/documents.h).
constexpr std::size_t kMaxDetailBytes = 200;

/// What is durable about one release on this device.
struct Record
{
    ResourceUri uri;
    trust::Revision revision;
    InfoHash infoHash;
    Phase phase = Phase::Announced;
    std::uint16_t code = 0; ///< Errc of the latest trouble, 0 for none
    std::string detail{}; ///< for people: at most kMaxDetailBytes of printable ASCII
    std::uint32_t attempts = 0; ///< of the current phase: repeated by restarts or retries
    std::uint32_t wrongPayloads = 0; ///< how often our own re-hash disagreed
    bool operator==(const Record&) const = default;
};

/// Limits on repetition.
struct Limits
{
    std::uint32_t maxDeployAttempts = 3; ///< guess: what takes the device down thrice will again
    std::uint32_t maxVerifyAttempts = 3; ///< guess: a disk that corrupts thrice is broken
    Duration retryMin = std::chrono::seconds(5); ///< guess; doubled up to
    Duration retryMax = std::chrono::minutes(10); ///< guess
};

/// A step: write `record`, then do `effect`.
struct Step
{
    Phase from;
    Event event;
    Record record;
    Effect effect;
};

/// One release's way through the table.
class LifeCycle
{
public:
    /// A release just accepted onto the board: write its record, then do what resume() says (Decide).
    static LifeCycle begin(ResourceUri uri, trust::Revision revision, InfoHash infoHash, Limits limits);
    /// As found in the store after a start.
    static LifeCycle restore(Record record, Limits limits);
    /// After begin() the first step, after restore() the effect of the phase it was in once more, counting an
    /// attempt. A deployment or health check that was interrupted maxDeployAttempts times becomes a rollback
    /// with code DeployFailed or HealthFailed. A rollback is repeated for ever: the alternative is to end
    /// with neither version.
    Step resume();

    const Record& record() const { return m_record; }
    /// Fails with Refused if the table has no such transition; nothing changes then. `trouble` becomes the
    /// record's code and detail; without it, an event that is trouble sets its own code, RollbackDone keeps
    /// what led to it, and any other clears them. The maxVerifyAttempts-th PayloadWrong is taken as GiveUp:
    /// see the step's event.
    Result<Step> handle(Event event, std::optional<Error> trouble = std::nullopt);
    /// How long to wait before RetryDownload: retryMin, doubled with each attempt up to retryMax.
    Duration retryDelay() const;

private:
    LifeCycle(Record record, Limits limits, bool restored);
    Step take(const Transition& transition, const std::optional<Error>& trouble);
    void note(Event event, const std::optional<Error>& trouble);
    Record m_record;
    Limits m_limits;
    bool m_restored = false; ///< from a store, so that resume() repeats
};

} // namespace starling::update
