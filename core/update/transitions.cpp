// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "update/life_cycle.h"

#include <array>

namespace starling::update {

namespace {

// In the order of a release's way. A Failed or RolledBack release leaves the version before it in place,
// except after RollbackFailed.
constexpr std::array kTransitions{
    Transition{Phase::Announced, Event::Accept, Phase::Accepted, Effect::Prepare},
    Transition{Phase::Announced, Event::Exclude, Phase::Failed, Effect::Conclude},
    Transition{Phase::Announced, Event::Supersede, Phase::Failed, Effect::Conclude},
    Transition{Phase::Accepted, Event::StartDownload, Phase::Downloading, Effect::Download},
    Transition{Phase::Accepted, Event::Supersede, Phase::Failed, Effect::Conclude},
    Transition{Phase::Downloading, Event::DownloadBlocked, Phase::Downloading, Effect::RetryDownload},
    Transition{Phase::Downloading, Event::PayloadComplete, Phase::Verifying, Effect::Verify},
    Transition{Phase::Downloading, Event::GiveUp, Phase::Failed, Effect::Conclude},
    Transition{Phase::Downloading, Event::Supersede, Phase::Failed, Effect::Conclude},
    Transition{Phase::Verifying, Event::PayloadVerified, Phase::Staged, Effect::Offer},
    Transition{Phase::Verifying, Event::PayloadWrong, Phase::Downloading, Effect::Download},
    Transition{Phase::Verifying, Event::GiveUp, Phase::Failed, Effect::Conclude},
    Transition{Phase::Verifying, Event::Supersede, Phase::Failed, Effect::Conclude},
    Transition{Phase::Staged, Event::StartDeploy, Phase::Deploying, Effect::Deploy},
    Transition{Phase::Staged, Event::Supersede, Phase::Failed, Effect::Conclude},
    Transition{Phase::Deploying, Event::Deployed, Phase::Checking, Effect::Check},
    Transition{Phase::Deploying, Event::DeployFailed, Phase::RollingBack, Effect::RollBack},
    Transition{Phase::Checking, Event::CheckPassed, Phase::Healthy, Effect::Conclude},
    Transition{Phase::Checking, Event::CheckFailed, Phase::RollingBack, Effect::RollBack},
    Transition{Phase::RollingBack, Event::RollbackDone, Phase::RolledBack, Effect::Conclude},
    Transition{Phase::RollingBack, Event::RollbackFailed, Phase::Failed, Effect::Conclude},
};

std::string padded(std::string_view text, std::size_t width)
{
    std::string cell(text);
    cell.append(width > cell.size() ? width - cell.size() : 0, ' ');
    return cell;
}

} // namespace

std::string_view eventName(Event event)
{
    switch (event) {
    case Event::Accept:
        return "accept";
    case Event::Exclude:
        return "exclude";
    case Event::StartDownload:
        return "start-download";
    case Event::DownloadBlocked:
        return "download-blocked";
    case Event::PayloadComplete:
        return "payload-complete";
    case Event::PayloadVerified:
        return "payload-verified";
    case Event::PayloadWrong:
        return "payload-wrong";
    case Event::GiveUp:
        return "give-up";
    case Event::StartDeploy:
        return "start-deploy";
    case Event::Deployed:
        return "deployed";
    case Event::DeployFailed:
        return "deploy-failed";
    case Event::CheckPassed:
        return "check-passed";
    case Event::CheckFailed:
        return "check-failed";
    case Event::RollbackDone:
        return "rollback-done";
    case Event::RollbackFailed:
        return "rollback-failed";
    case Event::Supersede:
        return "supersede";
    case Event::Resume:
        return "resume";
    }
    assertionFailed("every Event has a name", __FILE__, __LINE__);
}

std::string_view effectName(Effect effect)
{
    switch (effect) {
    case Effect::Decide:
        return "decide";
    case Effect::Prepare:
        return "prepare";
    case Effect::Download:
        return "download";
    case Effect::RetryDownload:
        return "retry-download";
    case Effect::Verify:
        return "verify";
    case Effect::Offer:
        return "offer";
    case Effect::Deploy:
        return "deploy";
    case Effect::Check:
        return "check";
    case Effect::RollBack:
        return "roll-back";
    case Effect::Conclude:
        return "conclude";
    }
    assertionFailed("every Effect has a name", __FILE__, __LINE__);
}

std::span<const Transition> transitions()
{
    return kTransitions;
}

std::string printTransitions()
{
    std::string text;
    for (const Transition& t : kTransitions)
        text += padded(trust::phaseName(t.from), 13) + padded(eventName(t.event), 18) + "-> "
            + padded(trust::phaseName(t.to), 13) + std::string(effectName(t.effect)) + "\n";
    return text;
}

bool isFinal(Phase phase)
{
    return phase == Phase::Healthy || phase == Phase::Failed || phase == Phase::RolledBack;
}

} // namespace starling::update
