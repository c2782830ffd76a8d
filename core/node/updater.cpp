// SPDX-License-Identifier: Apache-2.0
#include "node/updater.h"

#include "base/assert.h"
#include "node/log.h"
#include "update/policy.h"

#include <algorithm>

namespace starling::node {

using trust::Phase;
using update::Effect;
using update::Event;

namespace {

/// The release in place and the one before it: what a rollback needs.
constexpr std::size_t kRevisionsKept = 2;

bool isDeployment(Phase phase)
{
    return phase == Phase::Deploying || phase == Phase::Checking || phase == Phase::RollingBack;
}

} // namespace

Updater::Updater(Parts parts, Settings settings, QObject* parent)
    : QObject(parent)
    , m_parts(parts)
    , m_settings(std::move(settings))
    , m_deployer(deploy::Config{.puppet = m_settings.puppet})
{
    connect(&m_deployer, &deploy::Deployer::finished, this, &Updater::handleOutcome);
    connect(&m_parts.swarm, &SwarmHost::completed, this, [this](const InfoHash& payload) {
        if (Job* job = findPayload(payload))
            step(keyOf(job->cycle.record()), Event::PayloadComplete);
    });
    connect(&m_parts.swarm, &SwarmHost::trouble, this, &Updater::handleTrouble);
}

Updater::JobKey Updater::keyOf(const update::Record& record)
{
    return {record.uri, record.revision};
}

Updater::Job* Updater::find(const JobKey& key)
{
    const auto found = m_jobs.find(key);
    return found == m_jobs.end() ? nullptr : &found->second;
}

Updater::Job* Updater::findPayload(const InfoHash& payload)
{
    for (auto& [key, job] : m_jobs)
        if (job.torrent.infoHash == payload)
            return &job;
    return nullptr;
}

const release::TorrentFile* Updater::torrent(const InfoHash& payload) const
{
    for (const auto& [key, job] : m_jobs)
        if (job.torrent.infoHash == payload)
            return &job.torrent;
    return nullptr;
}

trust::Phase Updater::phaseOf(const Job& job)
{
    return job.cycle.record().phase;
}

// --- Start and stop

Status Updater::restore()
{
    auto records = m_parts.store.records();
    if (!records)
        return fail(std::move(records.error()), "update records");
    for (const update::Record& record : *records)
        if (auto restored = restoreRecord(record); !restored && !update::isFinal(record.phase)
            && !(restored.error().code == Errc::Superseded && abandonRecord(record)))
            qCWarning(lcUpdate, "%ls cannot go on: %ls", qUtf16Printable(forLog(record)),
                      qUtf16Printable(forLog(restored.error())));
    // Payloads of which no record is left: an interrupted clean-up. One whose record cannot go on keeps its
    // payload.
    for (const InfoHash& payload : m_parts.payloads.held())
        if (std::none_of(records->begin(), records->end(),
                         [&](const update::Record& record) { return record.infoHash == payload; }))
            m_parts.payloads.remove(payload);
    // The one that was being deployed first, before another takes the turn; then the newest first, because it
    // supersedes what is older.
    std::vector<JobKey> keys;
    for (const auto& [key, job] : m_jobs)
        keys.push_back(key);
    std::reverse(keys.begin(), keys.end());
    std::stable_partition(keys.begin(), keys.end(),
                          [this](const JobKey& key) { return isDeployment(phaseOf(*find(key))); });
    for (const JobKey& key : keys) {
        Job* job = find(key);
        if (job == nullptr)
            continue; // forgotten when a newer one made room
        if (update::isFinal(phaseOf(*job)))
            restoreFinal(*job);
        else if (auto withdrawn = withdrawalOf(job->torrent); withdrawn && phaseOf(*job) <= Phase::Staged)
            step(key, Event::Supersede, std::move(withdrawn));
        else
            carryOut(key, job->cycle.resume());
    }
    return {};
}

Status Updater::restoreRecord(const update::Record& record)
{
    auto torrent = m_parts.payloads.torrent(record.infoHash);
    if (!torrent) {
        // Not fetched yet: the notice on the board says the same.
        auto notices = m_parts.store.notices();
        if (!notices)
            return fail(std::move(notices.error()), "notices");
        for (const store::NoticeRow& row : *notices) {
            if (row.kind != static_cast<std::uint8_t>(trust::Kind::Release) || row.name != record.uri.text())
                continue;
            torrent = release::TorrentFile::parse(ByteView(row.bytes).subspan(1));
        }
    }
    if (!torrent)
        return fail(std::move(torrent.error()), "release");
    if (torrent->infoHash != record.infoHash)
        return fail(Errc::Superseded, "a newer notice took its place before it was fetched");
    m_jobs.emplace(
        keyOf(record),
        Job{update::LifeCycle::restore(record, m_settings.limits), std::move(*torrent), std::nullopt});
    return {};
}

bool Updater::abandonRecord(const update::Record& record)
{
    auto cycle = update::LifeCycle::restore(record, m_settings.limits);
    const auto taken = cycle.handle(
        Event::Supersede, Error{Errc::Superseded, "a newer notice took its place before it was fetched"});
    return taken && m_parts.store.putRecord(taken->record);
}

void Updater::restoreFinal(Job& job)
{
    const InfoHash payload = job.torrent.infoHash;
    job.payloadTrouble = withdrawalOf(job.torrent);
    if (job.payloadTrouble)
        return;
    switch (m_parts.payloads.condition(job.torrent.info, payload)) {
    case PayloadStore::Condition::Absent:
        return;
    case PayloadStore::Condition::Touched:
        losePayload(job, lossOf(job.torrent, "while the agent was not running"));
        return;
    case PayloadStore::Condition::Verified:
        break;
    }
    // The kept one has the layers without which nobody can be served.
    const auto kept = m_parts.payloads.torrent(payload);
    if (auto seeding =
            m_parts.swarm.seed(kept ? *kept : job.torrent, m_parts.payloads.dataDirectory(payload));
        !seeding)
        job.payloadTrouble = seeding.error();
    watchInPlace();
}

void Updater::stop()
{
    m_deployer.abandon();
}

// --- Steps

Status Updater::accept(const release::TorrentFile& torrent, const store::NoticeRow& notice)
{
    const release::UpdateInfo& update = torrent.info.update;
    const JobKey key{update.uri, update.revision};
    if (m_jobs.contains(key))
        return {};
    auto cycle = update::LifeCycle::begin(update.uri, update.revision, torrent.infoHash, m_settings.limits);
    const update::Step first = cycle.resume();
    if (m_settings.observer)
        m_settings.observer(first, StepMoment::BeforeWrite);
    if (auto stored = m_parts.store.acceptRelease(notice, {update.revision, torrent.infoHash}, first.record);
        !stored)
        return fail(std::move(stored.error()), "accepting " + update.uri.text());
    if (m_settings.observer)
        m_settings.observer(first, StepMoment::AfterWrite);
    m_jobs.emplace(key, Job{std::move(cycle), torrent, std::nullopt});
    qCInfo(lcUpdate, "%ls: announced", qUtf16Printable(forLog(first.record)));
    Q_EMIT recordChanged(first.record);
    perform(key, first.effect);
    return {};
}

void Updater::supersedeOlder(const JobKey& newest)
{
    std::vector<JobKey> older;
    for (const auto& [key, job] : m_jobs)
        if (key.first == newest.first && key.second < newest.second && phaseOf(job) <= Phase::Staged)
            older.push_back(key);
    for (const JobKey& key : older) {
        m_parts.swarm.drop(find(key)->torrent.infoHash);
        step(key, Event::Supersede, Error{Errc::Superseded, "by version " + trust::toString(newest.second)});
    }
}

void Updater::step(const JobKey& key, Event event, std::optional<Error> trouble)
{
    Job* job = find(key);
    if (job == nullptr)
        return;
    auto taken = job->cycle.handle(event, std::move(trouble));
    if (taken)
        carryOut(key, *taken);
}

void Updater::carryOut(const JobKey& key, const update::Step& step)
{
    if (m_settings.observer)
        m_settings.observer(step, StepMoment::BeforeWrite);
    if (auto written = m_parts.store.putRecord(step.record); !written) {
        // Not durable, so not done: tried again, because a full disk may get room.
        qCCritical(lcUpdate, "%ls: record not written: %ls", qUtf16Printable(forLog(step.record)),
                   qUtf16Printable(forLog(written.error())));
        m_parts.timers.schedule(m_settings.limits.retryMin, [this, key, step] {
            // A later step, of a release that was superseded meanwhile, is not to be undone.
            if (const Job* job = find(key); job != nullptr && job->cycle.record() == step.record)
                carryOut(key, step);
        });
        return;
    }
    if (m_settings.observer)
        m_settings.observer(step, StepMoment::AfterWrite);
    qCInfo(lcUpdate, "%ls: %s -> %s%ls", qUtf16Printable(forLog(step.record)),
           trust::phaseName(step.from).data(), trust::phaseName(step.record.phase).data(),
           qUtf16Printable(step.record.code == 0 ? QString()
                                                 : QStringLiteral(" (%1)").arg(forLog(step.record.detail))));
    Q_EMIT recordChanged(step.record);
    perform(key, step.effect);
}

void Updater::perform(const JobKey& key, Effect effect)
{
    switch (effect) {
    case Effect::Decide:
        return decide(key);
    case Effect::Prepare:
        return prepare(key);
    case Effect::Download:
        return download(key);
    case Effect::RetryDownload:
        return m_parts.timers.schedule(find(key)->cycle.retryDelay(), [this, key] {
            if (const Job* job = find(key); job != nullptr && phaseOf(*job) == Phase::Downloading)
                download(key);
        });
    case Effect::Verify:
        return verify(key);
    case Effect::Offer:
        return offer(key);
    case Effect::Deploy:
        return deploy(key);
    case Effect::Check:
        return check(key);
    case Effect::RollBack:
        return rollBack(key);
    case Effect::Conclude:
        return conclude(key);
    }
}

void Updater::decide(const JobKey& key)
{
    if (auto withdrawn = withdrawalOf(find(key)->torrent))
        return step(key, Event::Supersede, std::move(withdrawn)); // it came before the release
    // A relay serves devices unlike itself.
    const auto compatible = m_settings.deploy == DeployMode::None
        ? Status()
        : update::requireCompatible(find(key)->torrent.info.update, m_settings.labels);
    if (compatible)
        step(key, Event::Accept);
    else
        step(key, Event::Exclude, compatible.error());
}

void Updater::prepare(const JobKey& key)
{
    // Not before it is accepted: a release for other devices stops nothing here.
    supersedeOlder(key);
    prune(key.first);
    if (auto prepared = m_parts.payloads.prepare(find(key)->torrent); !prepared)
        qCWarning(lcUpdate, "%ls", qUtf16Printable(forLog(prepared.error())));
    step(key, Event::StartDownload);
}

void Updater::download(const JobKey& key)
{
    const release::TorrentFile& torrent = find(key)->torrent;
    if (m_parts.payloads.condition(torrent.info, torrent.infoHash) == PayloadStore::Condition::Verified)
        return step(key, Event::PayloadComplete);
    const std::uint64_t needed = torrent.info.payloadBytes();
    if (needed > m_settings.quota.value)
        return step(
            key, Event::GiveUp,
            Error{Errc::QuotaExceeded,
                  toString(ByteCount{needed}) + " are more than the quota of " + toString(m_settings.quota)});
    if (m_parts.payloads.usedBytes(torrent.infoHash) + needed > m_settings.quota.value)
        return step(
            key, Event::DownloadBlocked,
            Error{Errc::QuotaExceeded,
                  toString(ByteCount{needed}) + " do not fit the quota of " + toString(m_settings.quota)});
    if (auto prepared = m_parts.payloads.prepare(torrent); !prepared)
        return step(key, Event::DownloadBlocked, prepared.error());
    if (auto fetching = m_parts.swarm.fetch(torrent, m_parts.payloads.dataDirectory(torrent.infoHash));
        !fetching)
        step(key, Event::DownloadBlocked, fetching.error());
}

void Updater::verify(const JobKey& key)
{
    const release::TorrentFile& torrent = find(key)->torrent;
    if (m_parts.payloads.condition(torrent.info, torrent.infoHash) == PayloadStore::Condition::Verified)
        return step(key, Event::PayloadVerified);
    m_verifier.verify(torrent.info, m_parts.payloads.dataDirectory(torrent.infoHash),
                      [this, key](Verification result) {
                          Job* job = find(key);
                          if (job == nullptr || phaseOf(*job) != Phase::Verifying)
                              return;
                          if (result) {
                              job->torrent.layers = std::move(*result);
                              if (auto marked = m_parts.payloads.markVerified(job->torrent); !marked)
                                  qCWarning(lcUpdate, "%ls", qUtf16Printable(forLog(marked.error())));
                              // The file has them now; memory is dearer on a device than reading it again.
                              job->torrent.layers.clear();
                              return step(key, Event::PayloadVerified);
                          }
                          // What was noted as fetched is not what is on disk.
                          if (auto forgotten = m_parts.store.forgetPayload(job->torrent.infoHash); !forgotten)
                              qCWarning(lcUpdate, "%ls", qUtf16Printable(forLog(forgotten.error())));
                          m_parts.swarm.recheck(job->torrent.infoHash);
                          step(key, Event::PayloadWrong, result.error());
                      });
}

void Updater::offer(const JobKey& key)
{
    Job& job = *find(key);
    const InfoHash payload = job.torrent.infoHash;
    const auto kept = m_parts.payloads.torrent(payload);
    if (auto seeding =
            m_parts.swarm.seed(kept ? *kept : job.torrent, m_parts.payloads.dataDirectory(payload));
        !seeding) {
        qCWarning(lcUpdate, "not seeding: %ls", qUtf16Printable(forLog(seeding.error())));
        job.payloadTrouble = seeding.error();
    }
    watchInPlace();
    if (m_settings.deploy == DeployMode::None) {
        prune(key.first);
        return;
    }
    m_deployQueue.push_back(key);
    deployNext();
}

// --- Deployment, one at a time

void Updater::deployNext()
{
    if (m_deploying || m_deployQueue.empty())
        return;
    const JobKey key = m_deployQueue.front();
    m_deployQueue.pop_front();
    const Job* job = find(key);
    if (job == nullptr || phaseOf(*job) != Phase::Staged)
        return deployNext();
    m_deploying = key;
    step(key, Event::StartDeploy);
}

deploy::Step Updater::scriptStep(const release::TorrentFile& torrent, deploy::StepKind kind,
                                 const std::string& script) const
{
    const release::UpdateInfo& update = torrent.info.update;
    return {.kind = kind,
            .method = update.deploy.method,
            .script = script,
            .payload = m_parts.payloads.scriptDirectory(torrent.info, torrent.infoHash),
            .deviceRoot = m_settings.deviceRoot,
            .uri = update.uri,
            .revision = update.revision,
            .timeout = std::chrono::seconds(update.deploy.timeoutSeconds)};
}

void Updater::runScript(const JobKey& key, const deploy::Step& step)
{
    // After a restart two releases can ask at once; the second waits for its turn.
    if (m_deployer.isRunning()) {
        m_parts.timers.schedule(m_settings.limits.retryMin, [this, key, step] { runScript(key, step); });
        return;
    }
    m_deploying = key;
    m_runningStep = step.kind;
    m_deployer.start(step);
}

void Updater::deploy(const JobKey& key)
{
    const release::TorrentFile& torrent = find(key)->torrent;
    const release::DeployPlan& plan = torrent.info.update.deploy;
    m_deploying = key;
    if (plan.method == release::Method::None)
        return step(key, Event::Deployed);
    // What is deployed is what was verified: a file touched since is not run.
    if (m_parts.payloads.condition(torrent.info, torrent.infoHash) != PayloadStore::Condition::Verified)
        return step(key, Event::DeployFailed,
                    Error{Errc::PayloadChanged, "a payload file changed after it was verified"});
    runScript(key, scriptStep(torrent, deploy::StepKind::Install, plan.run));
}

void Updater::check(const JobKey& key)
{
    const release::TorrentFile& torrent = find(key)->torrent;
    m_deploying = key;
    if (torrent.info.update.deploy.check.empty())
        return step(key, Event::CheckPassed);
    runScript(key, scriptStep(torrent, deploy::StepKind::Check, torrent.info.update.deploy.check));
}

void Updater::rollBack(const JobKey& key)
{
    const Job& job = *find(key);
    m_deploying = key;
    const release::DeployPlan& plan = job.torrent.info.update.deploy;
    if (!plan.rollback.empty())
        return runScript(key, scriptStep(job.torrent, deploy::StepKind::Rollback, plan.rollback));
    // Without a script of its own, the release that was in place is deployed again.
    const auto installed = m_parts.store.installed(key.first);
    auto previous = installed && *installed
        ? m_parts.payloads.torrent((*installed)->infoHash)
        : Result<release::TorrentFile>(fail(Errc::NotFound, "no earlier release is in place"));
    if (previous && previous->info.update.deploy.method != release::Method::None
        && m_parts.payloads.condition(previous->info, previous->infoHash)
            != PayloadStore::Condition::Verified)
        previous = fail(Errc::PayloadChanged, "the payload of the earlier release is not what was verified");
    if (!previous) {
        const update::Record& record = job.cycle.record();
        return step(key, Event::RollbackFailed,
                    Error{errcOf(record.code).value_or(Errc::RollbackFailed),
                          record.detail + "; not rolled back: " + previous.error().context});
    }
    if (previous->info.update.deploy.method == release::Method::None)
        return step(key, Event::RollbackDone);
    deploy::Step again = scriptStep(*previous, deploy::StepKind::Install, previous->info.update.deploy.run);
    m_runningStep = deploy::StepKind::Rollback;
    if (m_deployer.isRunning())
        return runScript(key, again);
    m_deployer.start(again);
}

void Updater::handleOutcome(const deploy::Outcome& outcome)
{
    STARLING_ASSERT(m_deploying.has_value());
    const JobKey key = *m_deploying;
    const Job* job = find(key);
    if (job == nullptr)
        return;
    switch (phaseOf(*job)) {
    case Phase::Deploying:
        return step(key, outcome.error ? Event::DeployFailed : Event::Deployed, outcome.error);
    case Phase::Checking:
        return step(key, outcome.error ? Event::CheckFailed : Event::CheckPassed, outcome.error);
    case Phase::RollingBack:
        if (outcome.error)
            return step(key, Event::RollbackFailed, Error{Errc::RollbackFailed, outcome.error->context});
        return step(key, Event::RollbackDone);
    case Phase::Announced:
    case Phase::Accepted:
    case Phase::Downloading:
    case Phase::Verifying:
    case Phase::Staged:
    case Phase::Healthy:
    case Phase::Failed:
    case Phase::RolledBack:
        assertionFailed("a script runs in a phase that has one", __FILE__, __LINE__);
    }
}

void Updater::conclude(const JobKey& key)
{
    if (m_deploying == key)
        m_deploying.reset();
    Job& job = *find(key);
    if (phaseOf(job) == Phase::Failed
        && m_parts.payloads.condition(job.torrent.info, job.torrent.infoHash)
            != PayloadStore::Condition::Verified) {
        // Half a payload that nobody will finish.
        m_parts.swarm.drop(job.torrent.infoHash);
        m_parts.payloads.discardData(job.torrent.infoHash);
    } else if (job.cycle.record().code == static_cast<std::uint16_t>(Errc::Incompatible)) {
        // Pushed to a device that it is not for: others get it from here.
        restoreFinal(job);
    }
    prune(key.first);
    deployNext();
}

void Updater::prune(const ResourceUri& uri)
{
    const auto forgotten = m_parts.store.pruneRecords(uri, kRevisionsKept);
    if (!forgotten) {
        qCWarning(lcUpdate, "clean-up: %ls", qUtf16Printable(forLog(forgotten.error())));
        return;
    }
    for (const InfoHash& payload : *forgotten) {
        m_parts.swarm.drop(payload);
        m_parts.payloads.remove(payload);
        if (auto gone = m_parts.store.forgetPayload(payload); !gone)
            qCWarning(lcUpdate, "clean-up: %ls", qUtf16Printable(forLog(gone.error())));
        std::erase_if(m_jobs, [&](const auto& entry) { return entry.second.torrent.infoHash == payload; });
    }
}

std::vector<Updater::View> Updater::views() const
{
    std::vector<View> all;
    for (const auto& [key, job] : m_jobs)
        all.push_back({job.cycle.record(), job.torrent.info.update.label, job.torrent.info.payloadBytes(),
                       job.payloadTrouble});
    return all;
}

} // namespace starling::node
