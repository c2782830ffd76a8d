// SPDX-License-Identifier: Apache-2.0
/// Carries releases through their life cycle: writes each record before it does what follows, deploys one
/// release at a time, and goes on after a restart where it was.
#pragma once

#include "deploy/deployer.h"
#include "node/config.h"
#include "node/payload_store.h"
#include "node/swarm_host.h"
#include "node/verify_worker.h"
#include "store/store.h"

#include <deque>

namespace starling::node {

/// Where in a step something may happen: for tests that stop the process there.
enum class StepMoment : std::uint8_t { BeforeWrite, AfterWrite };
using StepObserver = std::function<void(const update::Step&, StepMoment)>;

class Updater : public QObject
{
    Q_OBJECT

public:
    struct Parts
    {
        store::Store& store;
        PayloadStore& payloads;
        SwarmHost& swarm;
        TimerQueue& timers;
    };
    struct Settings
    {
        DeployMode deploy = DeployMode::Deploy;
        std::filesystem::path deviceRoot;
        std::string puppet;
        std::map<std::string, std::string> labels;
        ByteCount quota;
        update::Limits limits;
        StepObserver observer;
        /// Whether a release is withdrawn: an Error with the code Withdrawn that names the signer.
        std::function<std::optional<Error>(const release::TorrentFile&)> withdrawal;
    };

    Updater(Parts parts, Settings settings, QObject* parent = nullptr);

    /// What the store remembers; call once before anything else. A record whose release cannot be read any
    /// more is left alone and reported.
    Status restore();
    /// A release that the board just took. `notice` is what is stored with floor and record in one
    /// transaction.
    Status accept(const release::TorrentFile& torrent, const store::NoticeRow& notice);
    /// The board took a withdrawal. What is not being deployed yet ends; nobody gets the payload from here.
    void withdraw(const trust::Withdrawal& withdrawal);
    /// A payload of an accepted release has been put into the payload store and verified.
    void payloadArrived(const InfoHash& payload);
    /// Kills what runs; the step is repeated after the next start.
    void stop();

    struct View
    {
        update::Record record;
        std::string label;
        std::uint64_t payloadBytes = 0;
        std::optional<Error> payloadTrouble; ///< why it is not seeded, if it should be
    };
    /// All releases that are known, by URI and revision.
    std::vector<View> views() const;
    const release::TorrentFile* torrent(const InfoHash& payload) const;

Q_SIGNALS:
    void recordChanged(const starling::update::Record& record);
    /// A payload that was offered is not what it was.
    void payloadLost(const starling::InfoHash& payload, const starling::Error& error);

private:
    struct Job
    {
        update::LifeCycle cycle;
        release::TorrentFile torrent;
        std::optional<Error> payloadTrouble;
    };
    using JobKey = std::pair<ResourceUri, trust::Revision>;

    Job* find(const JobKey& key);
    Job* findPayload(const InfoHash& payload);
    static JobKey keyOf(const update::Record& record);
    static trust::Phase phaseOf(const Job& job);

    /// Event → record durable → effect. A transition that the table does not have is ignored: it came late.
    void step(const JobKey& key, update::Event event, std::optional<Error> trouble = std::nullopt);
    void carryOut(const JobKey& key, const update::Step& step);
    void perform(const JobKey& key, update::Effect effect);
    void decide(const JobKey& key);
    void prepare(const JobKey& key);
    void download(const JobKey& key);
    void verify(const JobKey& key);
    void offer(const JobKey& key);
    void deploy(const JobKey& key);
    void check(const JobKey& key);
    void rollBack(const JobKey& key);
    void conclude(const JobKey& key);
    void supersedeOlder(const JobKey& newest);
    std::optional<Error> withdrawalOf(const release::TorrentFile& torrent) const;
    void deployNext();
    void runScript(const JobKey& key, const deploy::Step& step);
    void handleOutcome(const deploy::Outcome& outcome);
    deploy::Step scriptStep(const release::TorrentFile& torrent, deploy::StepKind kind,
                            const std::string& script) const;
    void handleTrouble(const InfoHash& payload, const Error& error);
    /// What became of a payload that is not as it was verified.
    Error lossOf(const release::TorrentFile& torrent, const char* when) const;
    void losePayload(Job& job, const Error& error);
    void watchInPlace();
    void restoreFinal(Job& job);
    Status restoreRecord(const update::Record& record);
    /// Ends a release of which nothing but the record is left, if it did not get as far as deploying.
    bool abandonRecord(const update::Record& record);
    void prune(const ResourceUri& uri);

    Parts m_parts;
    Settings m_settings;
    deploy::Deployer m_deployer;
    VerifyWorker m_verifier;
    std::map<JobKey, Job> m_jobs;
    std::deque<JobKey> m_deployQueue;
    std::optional<JobKey> m_deploying;
    deploy::StepKind m_runningStep = deploy::StepKind::Install;
    bool m_watching = false;
};

} // namespace starling::node
