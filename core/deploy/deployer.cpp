// SPDX-License-Identifier: Apache-2.0
#include "deploy/deployer.h"

#include "base/assert.h"
#include "deploy/process_group.h"
#include "deploy/step_command.h"

#include <QTemporaryDir>
#include <cstring>

namespace starling::deploy {

namespace {

constexpr std::size_t kDetailBytes = 200; // of the last line, in the context of an error; guess
constexpr int kPuppetChanged =
    2; // --detailed-exitcodes: 0 nothing to change, 2 changed; 1, 4 and 6 are failures

/// The end of the last line with something in it: what a person wants to see first.
std::string lastLine(std::string_view output)
{
    const std::size_t end = output.find_last_not_of(" \t\n");
    if (end == std::string_view::npos)
        return {};
    output = output.substr(0, end + 1);
    const std::size_t lineFeed = output.rfind('\n');
    OutputTail line(ByteCount{kDetailBytes});
    line.append(output.substr(lineFeed == std::string_view::npos ? 0 : lineFeed + 1));
    return line.text();
}

Errc failureOf(StepKind kind)
{
    return kind == StepKind::Check ? Errc::HealthFailed : Errc::DeployFailed;
}

Errc timeoutOf(StepKind kind)
{
    return kind == StepKind::Check ? Errc::HealthTimeout : Errc::DeployTimeout;
}

Outcome outcomeOf(const Step& step, const ProcessEnd& end)
{
    Outcome outcome;
    outcome.exitCode = end.value;
    outcome.output = end.output;
    const std::string line = lastLine(end.output);
    const std::string said = line.empty() ? std::string() : "; last line: " + line;
    const std::string name = std::string(stepName(step.kind)) + " " + cleanText(step.script) + ": ";
    switch (end.how) {
    case ProcessEnd::How::Exited:
        if (end.value != 0 && !(isPuppetRun(step) && end.value == kPuppetChanged))
            outcome.error =
                Error{failureOf(step.kind), name + "exit status " + std::to_string(end.value) + said};
        break;
    case ProcessEnd::How::Signalled:
        outcome.exitCode = 128 + end.value;
        outcome.error =
            Error{failureOf(step.kind), name + "killed by signal " + std::to_string(end.value) + said};
        break;
    case ProcessEnd::How::TimedOut: {
        const auto seconds = std::chrono::duration<double>(step.timeout).count();
        outcome.error = Error{timeoutOf(step.kind),
                              name + "killed after " + QString::number(seconds).toStdString() + " s" + said};
        break;
    }
    case ProcessEnd::How::NotStarted: {
        const bool isMissing = end.value == ENOENT || end.value == EACCES || end.value == ENOEXEC;
        outcome.error = Error{isMissing ? Errc::DeployMissing : failureOf(step.kind),
                              name + "cannot be started: " + std::strerror(end.value)};
        break;
    }
    case ProcessEnd::How::Lost:
        outcome.error = Error{failureOf(step.kind), name + "its supervising process was killed" + said};
        break;
    }
    return outcome;
}

} // namespace

std::string_view stepName(StepKind step)
{
    switch (step) {
    case StepKind::Install:
        return "install";
    case StepKind::Check:
        return "check";
    case StepKind::Rollback:
        return "rollback";
    }
    assertionFailed("a step has a name", __FILE__, __LINE__);
}

class Deployer::Impl
{
public:
    Impl(Deployer* owner, Config settings)
        : config(std::move(settings))
        , group(config.killGrace, config.outputLimit, nullptr)
    {
        QObject::connect(&group, &ProcessGroup::finished, owner, [this, owner](const ProcessEnd& end) {
            const Outcome outcome = outcomeOf(*step, end);
            forget();
            Q_EMIT owner->finished(outcome);
        });
    }

    Status run()
    {
        if (isPuppetRun(*step)) {
            // Mode 0700. Made anew for each run: what Puppet remembers between runs is not needed to apply
            // one manifest. A script needs none, so that a rollback also runs on a full disk.
            privateDirectory.emplace();
            if (!privateDirectory->isValid())
                return fail(Errc::DeployFailed,
                            "install: private directory: " + privateDirectory->errorString().toStdString());
        }
        auto command = commandFor(*step, config,
                                  privateDirectory ? privateDirectory->path().toStdString() : std::string());
        if (!command)
            return fail(std::move(command.error()), stepName(step->kind));
        Status started = group.start(*command, step->timeout);
        if (!started)
            return fail(std::move(started.error()), stepName(step->kind));
        return {};
    }

    void forget()
    {
        step.reset();
        privateDirectory.reset();
        ++generation;
    }

    const Config config;
    std::optional<Step> step; ///< the one that runs
    std::uint64_t generation = 0; ///< an answer on its way for an abandoned step is stale
    std::optional<QTemporaryDir> privateDirectory;
    ProcessGroup group;
};

Deployer::Deployer(Config config, QObject* parent)
    : QObject(parent)
    , m_impl(std::make_unique<Impl>(this, std::move(config)))
{
}

Deployer::~Deployer() = default;

bool Deployer::isRunning() const
{
    return m_impl->step.has_value();
}

void Deployer::start(const Step& step)
{
    STARLING_ASSERT(!isRunning());
    m_impl->step = step;
    Status started = m_impl->run();
    if (started)
        return;
    Outcome outcome;
    outcome.exitCode = -1;
    outcome.error = std::move(started.error());
    if (outcome.error->code == Errc::DeployFailed)
        outcome.error->code = failureOf(step.kind);
    QMetaObject::invokeMethod(
        this,
        [this, outcome, generation = m_impl->generation] {
            if (generation != m_impl->generation)
                return;
            m_impl->forget();
            Q_EMIT finished(outcome);
        },
        Qt::QueuedConnection);
}

void Deployer::abandon()
{
    m_impl->group.abandon();
    m_impl->forget();
}

} // namespace starling::deploy
