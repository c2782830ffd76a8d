// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "fleet.h"
#include "node/disk.h"
#include "release/torrent_file.h"

namespace starling::bench {

namespace {

constexpr double kGoalBytes = 600;
constexpr std::size_t kMaxTorrentBytes = 4 * 1024 * 1024;

} // namespace

/// A release as a device maker would write it: one file, a version for people, and a script to deploy it,
/// with one signature.
Status measureNotice(const Bench& bench, Report& report)
{
    support::FleetPlan plan;
    plan.directory = bench.newDirectory("notice");
    plan.programs = bench.programs;
    plan.agents = 1;
    auto fleet = support::Fleet::create(plan);
    if (!fleet)
        return tl::unexpected<Error>(fleet.error());
    const auto payload = plan.directory / "gateway-2.4.1.run";
    if (auto written = writeNoise(payload, bench.isQuick ? mebibytes(1) : mebibytes(64)); !written)
        return written;
    auto made = (*fleet)->makeRelease(payload, "fw/gateway/rootfs", 241,
                                      {QStringLiteral("--run"), QStringLiteral("gateway-2.4.1.run"),
                                       QStringLiteral("--label"), QStringLiteral("2.4.1")});
    if (!made)
        return tl::unexpected<Error>(made.error());
    const auto bytes = node::readFile(*made, kMaxTorrentBytes);
    const auto torrent = bytes ? release::TorrentFile::parse(*bytes)
                               : Result<release::TorrentFile>(tl::unexpected<Error>(bytes.error()));
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    const auto notice = torrent->notice();
    report.add({"notice-size", "", static_cast<double>(notice.size()), "bytes", "", std::nullopt,
                Holds::AtMost, kGoalBytes});
    return {};
}

} // namespace starling::bench
