// SPDX-License-Identifier: Apache-2.0
/// Carries out one step of a deployment as a process group with a time limit: install, health check,
/// rollback.
///
/// A script runs with the payload's directory as working directory, this environment and no other variables
/// but PATH, LANG and HOME: STARLING_ROOT (the device root it installs into), STARLING_PAYLOAD, STARLING_URI,
/// STARLING_VERSION, STARLING_EPOCH, STARLING_STEP (install, check, rollback). HOME is the device root. Exit
/// status 0 is success. Steps may be repeated after a power loss, so scripts must be idempotent.
///
/// What a step leaves running in its process group is killed when its script ends; a service belongs to the
/// service manager, or at least in a session of its own, which a time limit ends too (warden.h). A script is
/// run by the interpreter of its `#!` line, /bin/sh without one, with or without the x bit (step_command.h).
///
/// Method Puppet installs by `puppet apply --detailed-exitcodes` (0 and 2 are success) with the payload's
/// `modules` as module path and none of the device's own configuration of Puppet; the variables above are
/// facts as well: $facts['starling_root'] and so on.
#pragma once

#include "base/size.h"
#include "base/time.h"
#include "release/release_info.h"

#include <QObject>
#include <filesystem>
#include <memory>

namespace starling::deploy {

enum class StepKind : std::uint8_t { Install, Check, Rollback };
std::string_view stepName(StepKind step);

struct Step
{
    StepKind kind = StepKind::Install;
    release::Method method = release::Method::Script;
    /// Relative to the payload directory; a manifest if `method` is Puppet and `kind` is Install.
    std::string script;
    /// The directory that holds the payload (for a single file: the one that holds it).
    std::filesystem::path payload;
    std::filesystem::path deviceRoot;
    ResourceUri uri;
    trust::Revision revision;
    Duration timeout = std::chrono::seconds(300);
};

struct Config
{
    /// Between SIGTERM and SIGKILL to the group; all is over within timeout + 5 s (security-cases 25).
    Duration killGrace = std::chrono::seconds(3);
    /// Of the tail of stdout and stderr that is kept; guess.
    ByteCount outputLimit = kibibytes(16);
    std::string puppet = "puppet"; ///< program, looked up in PATH
};

/// What became of a step.
struct Outcome
{
    /// DeployFailed, DeployTimeout, DeployMissing, HealthFailed, HealthTimeout; none: success.
    std::optional<Error> error;
    /// Exit status, 128 + signal if killed, -1 if it was not started.
    int exitCode = 0;
    /// The last of what it printed: valid UTF-8, control and direction characters replaced.
    std::string output;
};

/// Runs one step at a time.
class Deployer : public QObject
{
    Q_OBJECT

public:
    explicit Deployer(Config config, QObject* parent = nullptr);
    ~Deployer() override; ///< kills the group of a step that runs

    bool isRunning() const;
    /// Broken invariant if one runs. Always answers by finished(), never before this returns.
    void start(const Step& step);
    /// Kills the running step, group and all, without an answer: the agent stops. Waits until it is gone,
    /// which takes milliseconds and is limited to two seconds.
    void abandon();

Q_SIGNALS:
    void finished(const starling::deploy::Outcome& outcome);

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::deploy
