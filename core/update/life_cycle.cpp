// SPDX-License-Identifier: Apache-2.0
#include "update/life_cycle.h"

#include "base/assert.h"

#include <algorithm>
#include <limits>

namespace starling::update {

namespace {

const Transition* findTransition(Phase from, Event event)
{
    const auto table = transitions();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Transition& t) { return t.from == from && t.event == event; });
    return found == table.end() ? nullptr : &*found;
}

const Transition& transitionOf(Phase from, Event event)
{
    const Transition* transition = findTransition(from, event);
    STARLING_ASSERT(transition);
    return *transition;
}

/// What leads out of `phase`: done when it is entered and again after every restart.
Effect effectOf(Phase phase)
{
    switch (phase) {
    case Phase::Announced:
        return Effect::Decide;
    case Phase::Accepted:
        return Effect::Prepare;
    case Phase::Downloading:
        return Effect::Download;
    case Phase::Verifying:
        return Effect::Verify;
    case Phase::Staged:
        return Effect::Offer;
    case Phase::Deploying:
        return Effect::Deploy;
    case Phase::Checking:
        return Effect::Check;
    case Phase::RollingBack:
        return Effect::RollBack;
    case Phase::Healthy:
    case Phase::Failed:
    case Phase::RolledBack:
        return Effect::Conclude;
    }
    assertionFailed("every Phase has an effect", __FILE__, __LINE__);
}

/// The code of an event that is trouble, when nobody said anything more precise.
std::optional<Errc> codeOf(Event event)
{
    switch (event) {
    case Event::Exclude:
        return Errc::Incompatible;
    case Event::DownloadBlocked:
        return Errc::DiskFull;
    case Event::PayloadWrong:
        return Errc::PayloadMismatch;
    case Event::GiveUp:
        return Errc::Timeout;
    case Event::DeployFailed:
        return Errc::DeployFailed;
    case Event::CheckFailed:
        return Errc::HealthFailed;
    case Event::RollbackFailed:
        return Errc::RollbackFailed;
    case Event::Supersede:
        return Errc::Superseded;
    case Event::Accept:
    case Event::StartDownload:
    case Event::PayloadComplete:
    case Event::PayloadVerified:
    case Event::StartDeploy:
    case Event::Deployed:
    case Event::CheckPassed:
    case Event::RollbackDone:
    case Event::Resume:
        return std::nullopt;
    }
    assertionFailed("every Event is trouble or not", __FILE__, __LINE__);
}

/// Trouble quotes what scripts and peers said; a receipt carries plain text of limited length.
std::string detailFrom(std::string_view context)
{
    std::string detail(context.substr(0, kMaxDetailBytes));
    for (char& c : detail) {
        if (c == '\n' || c == '\r' || c == '\t')
            c = ' ';
        else if (c < ' ' || c > '~')
            c = '?';
    }
    return detail;
}

std::uint32_t oneMore(std::uint32_t count)
{
    return count == std::numeric_limits<std::uint32_t>::max() ? count : count + 1;
}

} // namespace

LifeCycle::LifeCycle(Record record, Limits limits, bool restored)
    : m_record(std::move(record))
    , m_limits(limits)
    , m_restored(restored)
{
}

LifeCycle LifeCycle::begin(ResourceUri uri, trust::Revision revision, InfoHash infoHash, Limits limits)
{
    Record record{.uri = std::move(uri), .revision = revision, .infoHash = infoHash};
    return LifeCycle(std::move(record), limits, false);
}

LifeCycle LifeCycle::restore(Record record, Limits limits)
{
    return LifeCycle(std::move(record), limits, true);
}

Step LifeCycle::resume()
{
    const Phase phase = m_record.phase;
    if (m_restored && !isFinal(phase)) {
        const std::uint32_t interrupted = oneMore(m_record.attempts);
        const bool tooOften = interrupted >= m_limits.maxDeployAttempts;
        const std::string times = "interrupted " + std::to_string(interrupted) + " times";
        if (phase == Phase::Deploying && tooOften)
            return take(transitionOf(phase, Event::DeployFailed), Error{Errc::DeployFailed, times});
        if (phase == Phase::Checking && tooOften)
            return take(transitionOf(phase, Event::CheckFailed), Error{Errc::HealthFailed, times});
        m_record.attempts = interrupted;
    }
    return Step{phase, Event::Resume, m_record, effectOf(phase)};
}

Result<Step> LifeCycle::handle(Event event, std::optional<Error> trouble)
{
    const Transition* transition = findTransition(m_record.phase, event);
    if (!transition)
        return fail(Errc::Refused,
                    m_record.uri.text() + ' ' + trust::toString(m_record.revision) + ": no "
                        + std::string(eventName(event)) + " while "
                        + std::string(trust::phaseName(m_record.phase)));
    if (event == Event::PayloadWrong) {
        m_record.wrongPayloads = oneMore(m_record.wrongPayloads);
        if (m_record.wrongPayloads >= m_limits.maxVerifyAttempts) {
            if (!trouble)
                trouble = Error{Errc::PayloadMismatch,
                                "wrong " + std::to_string(m_record.wrongPayloads) + " times"};
            return take(transitionOf(m_record.phase, Event::GiveUp), trouble);
        }
    }
    return take(*transition, trouble);
}

Step LifeCycle::take(const Transition& transition, const std::optional<Error>& trouble)
{
    m_record.attempts = transition.from == transition.to ? oneMore(m_record.attempts) : 0;
    m_record.phase = transition.to;
    note(transition.event, trouble);
    return Step{transition.from, transition.event, m_record, transition.effect};
}

void LifeCycle::note(Event event, const std::optional<Error>& trouble)
{
    if (trouble) {
        m_record.code = static_cast<std::uint16_t>(trouble->code);
        m_record.detail = detailFrom(trouble->context);
        return;
    }
    // Giving up without a reason of its own is because of the trouble before it.
    if (event == Event::RollbackDone || (event == Event::GiveUp && m_record.code != 0))
        return;
    const auto code = codeOf(event);
    m_record.code = code ? static_cast<std::uint16_t>(*code) : std::uint16_t{0};
    m_record.detail.clear();
}

Duration LifeCycle::retryDelay() const
{
    Duration delay = m_limits.retryMin;
    for (std::uint32_t attempt = 1; attempt < m_record.attempts && delay < m_limits.retryMax; ++attempt)
        delay *= 2;
    return std::min(delay, m_limits.retryMax);
}

} // namespace starling::update
