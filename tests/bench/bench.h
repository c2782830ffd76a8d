// SPDX-License-Identifier: Apache-2.0
/// The benchmarks: each measures us and its peer in the same run, on real processes and from the outside.
#pragma once

#include "base/result.h"
#include "base/size.h"
#include "figure.h"

#include <QString>
#include <QStringList>
#include <chrono>
#include <filesystem>
#include <vector>

namespace starling::bench {

struct Bench
{
    std::filesystem::path programs; ///< where starling and starling-agent are
    std::filesystem::path workspace; ///< each measurement makes a directory of its own in it
    bool isQuick = false; ///< small sizes, one run: shows that the benchmark works, not what it measures

    /// A new, empty directory below the workspace.
    std::filesystem::path newDirectory(const std::string& name) const;
    QString program(const std::string& name) const;
};

/// Each reports its figures, or skips them with a reason. An error: it could not be measured.
Status measureCreate(const Bench& bench, Report& report); ///< create-throughput, create-memory
Status measureTransfer(const Bench& bench, Report& report); ///< transfer-throughput
Status measureTransferMemory(const Bench& bench, Report& report); ///< transfer-memory
Status measureIdle(const Bench& bench, Report& report); ///< idle-agent
Status measureNotice(const Bench& bench, Report& report); ///< notice-size
Status measureOverlay100(const Bench& bench, Report& report); ///< overlay-100
Status measureOverlay400(const Bench& bench, Report& report); ///< overlay-400
Status measureOverlayIdle(const Bench& bench, Report& report); ///< overlay-idle
Status measureOverlayCrash(const Bench& bench, Report& report); ///< overlay-crash
Status measureSimulator(const Bench& bench, Report& report); ///< sim-speed
Status measureSim10k(const Bench& bench, Report& report); ///< sim-10k
Status measureSim100k(const Bench& bench, Report& report); ///< sim-100k
Status measureSim1m(const Bench& bench, Report& report); ///< sim-1m
Status measureSimLoss(const Bench& bench, Report& report); ///< sim-loss
Status measureSimMassCrash(const Bench& bench, Report& report); ///< sim-mass-crash
Status measureSimHostile(const Bench& bench, Report& report); ///< sim-hostile
Status measureUploadLimit(const Bench& bench, Report& report); ///< limit-upload
Status measureDownloadLimit(const Bench& bench, Report& report); ///< limit-download
/// What starling-bench-console reports where it is asked for that figure.
Status measureByConsole(const Bench& bench, Report& report, const char* figure);

// What they share

QString toQString(const std::filesystem::path& path);
/// Incompressible data, written and synced, so that nothing of it is still on its way to the disk.
Status writeNoise(const std::filesystem::path& file, ByteCount size);
/// Reads it once: it lies in the page cache then.
void warm(const std::filesystem::path& file);
/// Processor time of these processes so far, by schedstat: the ticks of /proc/PID/stat are a hundredth of a
/// second, a third of what an idle agent may take.
double cpuSecondsOf(const std::vector<std::int64_t>& pids);
/// Lets the event loop run for so long.
void pass(std::chrono::milliseconds time);
double median(std::vector<double> values);
/// Empty if it is not installed.
QString installed(const char* program);

/// A program run to its end.
struct Run
{
    double seconds = 0;
    double cpuSeconds = 0;
    /// By wait4(2). The kernel counts the forking program's own memory in, so nothing below that is seen.
    std::uint64_t peakResidentBytes = 0;
};
/// Output is thrown away. Fails with Io, quoting the command, unless it ends with status 0.
Result<Run> runMeasured(const QString& program, const QStringList& arguments);

/// One payload on its way from one process to another.
struct Transfer
{
    double seconds = 0;
    std::uint64_t bytes = 0;
    std::uint64_t peakResidentBytes = 0; ///< of the one that fetched
    double waitedSeconds = 0; ///< of aria2, before that
    double megabytesPerSecond() const { return static_cast<double>(bytes) / 1e6 / seconds; }
};
/// Two agents. Time is from the moment the fetching agent knows of the release (it asks who has it, starts
/// its BitTorrent session, connects, both prove membership) until it says "staged": fetched, hashed once more
/// and durable.
Result<Transfer> transferByAgents(const Bench& bench, const std::filesystem::path& payload);
/// Two aria2c with a private BitTorrent v1 torrent. Time is from the first byte in the file until aria2 calls
/// the download complete. The two seconds that it mostly needs to get there are not counted against it.
Result<Transfer> transferByAria(const Bench& bench, const std::filesystem::path& payload);

} // namespace starling::bench
