// SPDX-License-Identifier: Apache-2.0
/// The part of Updater that looks after payloads: those that arrive, those that stand still, those that are
/// no longer what was verified, and those that are withdrawn.
#include "node/log.h"
#include "node/updater.h"

#include <algorithm>

namespace starling::node {

using trust::Phase;
using update::Event;

namespace {

/// How often payloads that lie elsewhere are looked at while they are offered. Guess: stat() of a few files.
constexpr Duration kWatchInterval = std::chrono::seconds(5);

} // namespace

void Updater::payloadArrived(const InfoHash& payload)
{
    Job* job = findPayload(payload);
    if (job == nullptr)
        return;
    job->payloadTrouble.reset();
    const JobKey key = keyOf(job->cycle.record());
    if (phaseOf(*job) == Phase::Downloading)
        return step(key, Event::PayloadComplete);
    if (update::isFinal(phaseOf(*job)) || phaseOf(*job) == Phase::Staged)
        restoreFinal(*job);
}

void Updater::handleTrouble(const InfoHash& payload, const Error& error)
{
    Job* job = findPayload(payload);
    if (job == nullptr)
        return;
    qCWarning(lcUpdate, "%ls: %ls", qUtf16Printable(forLog(job->cycle.record())),
              qUtf16Printable(forLog(error)));
    if (phaseOf(*job) == Phase::Downloading)
        return step(keyOf(job->cycle.record()), Event::DownloadBlocked, error);
    losePayload(*job, error);
}

Error Updater::lossOf(const release::TorrentFile& torrent, const char* when) const
{
    const auto seen = snapshot(m_parts.payloads.dataDirectory(torrent.infoHash), torrent.info);
    if (!seen)
        return seen.error();
    return {Errc::PayloadChanged, std::string("a payload file changed ") + when};
}

void Updater::losePayload(Job& job, const Error& error)
{
    m_parts.swarm.drop(job.torrent.infoHash);
    m_parts.payloads.unmarkVerified(job.torrent.infoHash);
    job.payloadTrouble = error;
    qCWarning(lcUpdate, "%ls is not offered any more: %ls", qUtf16Printable(forLog(job.cycle.record())),
              qUtf16Printable(forLog(error)));
    Q_EMIT payloadLost(job.torrent.infoHash, error);
}

void Updater::watchInPlace()
{
    if (m_watching)
        return;
    const bool isNeeded = std::any_of(m_jobs.begin(), m_jobs.end(), [this](const auto& entry) {
        const release::TorrentFile& torrent = entry.second.torrent;
        return m_parts.swarm.isSeeding(torrent.infoHash)
            && m_parts.payloads.isInPlace(torrent.infoHash, torrent.info.name);
    });
    if (!isNeeded)
        return;
    m_watching = true;
    m_parts.timers.schedule(kWatchInterval, [this] {
        m_watching = false;
        for (auto& [key, job] : m_jobs) {
            const release::TorrentFile& torrent = job.torrent;
            if (m_parts.swarm.isSeeding(torrent.infoHash)
                && m_parts.payloads.isInPlace(torrent.infoHash, torrent.info.name)
                && m_parts.payloads.condition(torrent.info, torrent.infoHash)
                    == PayloadStore::Condition::Touched)
                losePayload(job, lossOf(torrent, "while it was offered"));
        }
        watchInPlace();
    });
}

// --- Withdrawn releases

std::optional<Error> Updater::withdrawalOf(const release::TorrentFile& torrent) const
{
    return m_settings.withdrawal ? m_settings.withdrawal(torrent) : std::nullopt;
}

void Updater::withdraw(const trust::Withdrawal& withdrawal)
{
    const JobKey key{withdrawal.uri, withdrawal.revision};
    Job* job = find(key);
    if (job == nullptr || job->torrent.infoHash != withdrawal.infoHash)
        return;
    auto reason = withdrawalOf(job->torrent);
    if (!reason)
        return; // replaced meanwhile
    qCWarning(lcUpdate, "%ls: %ls", qUtf16Printable(forLog(job->cycle.record())),
              qUtf16Printable(forLog(*reason)));
    m_parts.swarm.drop(withdrawal.infoHash);
    job->payloadTrouble = reason;
    step(key, Event::Supersede, std::move(reason));
}

} // namespace starling::node
