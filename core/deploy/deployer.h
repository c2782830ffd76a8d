// SPDX-License-Identifier: Apache-2.0
/// Carries out one step of a deployment as a process group with a time limit: install, health check, rollback.
///
/// A script runs with the payload's directory as working directory, this environment and no other variables but PATH,
/// LANG and HOME: STARLING_ROOT (the device root it installs into), STARLING_PAYLOAD, STARLING_URI, STARLING_VERSION,
/// STARLING_EPOCH, STARLING_STEP (install, check, rollback). Exit status 0 is success. Steps may be repeated after a
/// power loss, so scripts must be idempotent.
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

struct Step {
    StepKind kind = StepKind::Install;
    release::Method method = release::Method::Script;
    std::string script; ///< relative to the payload directory; a manifest if `method` is Puppet and `kind` is Install
    std::filesystem::path payload; ///< the directory that holds the payload (for a single file: the one that holds it)
    std::filesystem::path deviceRoot;
    ResourceUri uri;
    trust::Revision revision;
    Duration timeout = std::chrono::seconds(300);
};

struct Config {
    Duration killGrace = std::chrono::seconds(3); ///< SIGTERM, then SIGKILL to the group (security-cases 25: timeout + 5 s in all)
    ByteCount outputLimit = kibibytes(16); ///< the tail of stdout and stderr that is kept for the detail; guess
    std::string puppet = "puppet"; ///< program, looked up in PATH
};

/// What became of a step.
struct Outcome {
    std::optional<Error> error; ///< DeployFailed, DeployTimeout, DeployMissing, HealthFailed, HealthTimeout; none: success
    int exitCode = 0;
    std::string output; ///< the last of what it printed, control characters replaced
};

/// Runs one step at a time.
class Deployer : public QObject {
    Q_OBJECT

public:
    explicit Deployer(Config config, QObject* parent = nullptr);
    ~Deployer() override; ///< kills the group of a step that runs

    bool isRunning() const;
    /// Broken invariant if one runs. Always answers by finished(), never before this returns.
    void start(const Step& step);
    /// Kills the group of the running step without an answer: the agent stops.
    void abandon();

Q_SIGNALS:
    void finished(const starling::deploy::Outcome& outcome);

private:
    class Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace starling::deploy
