// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

namespace starling::bench {

namespace {

constexpr double kGoalRatio = 0.8;
constexpr double kGoalMiB = 64;

QStringList createArguments(const std::filesystem::path& payload, const std::filesystem::path& output)
{
    return {QStringLiteral("--quiet"),   QStringLiteral("release"), QStringLiteral("create"),
            toQString(payload),          QStringLiteral("--uri"),   QStringLiteral("fw/bench"),
            QStringLiteral("--version"), QStringLiteral("1"),       QStringLiteral("--deploy"),
            QStringLiteral("none"),      QStringLiteral("-o"),      toQString(output)};
}

} // namespace

Status measureCreate(const Bench& bench, Report& report)
{
    const auto directory = bench.newDirectory("create");
    const auto payload = directory / "payload.img";
    const ByteCount size = bench.isQuick ? mebibytes(64) : gibibytes(1);
    const int runs = bench.isQuick ? 1 : 5;
    if (auto written = writeNoise(payload, size); !written)
        return written;
    const QString openssl = installed("openssl");
    warm(payload);
    std::vector<double> ours, theirs, ourMemory, theirMemory;
    for (int i = 0; i < runs; ++i) {
        auto created =
            runMeasured(bench.program("starling"), createArguments(payload, directory / "release.torrent"));
        if (!created)
            return fail(std::move(created.error()), "create");
        ours.push_back(static_cast<double>(size.value) / 1e6 / created->seconds);
        ourMemory.push_back(static_cast<double>(created->peakResidentBytes) / 1048576);
        if (openssl.isEmpty())
            continue;
        auto digested =
            runMeasured(openssl, {QStringLiteral("dgst"), QStringLiteral("-sha256"), toQString(payload)});
        if (!digested)
            return fail(std::move(digested.error()), "openssl");
        theirs.push_back(static_cast<double>(size.value) / 1e6 / digested->seconds);
        theirMemory.push_back(static_cast<double>(digested->peakResidentBytes) / 1048576);
    }
    std::filesystem::remove_all(directory);
    if (openssl.isEmpty())
        report.skip("create-throughput", "openssl is not installed");
    else
        report.add({"create-throughput", "", median(ours), "MB/s", "openssl dgst", median(theirs),
                    Holds::RatioAtLeast, kGoalRatio});
    report.add({"create-memory", "", median(ourMemory), "MiB", openssl.isEmpty() ? "" : "openssl dgst",
                openssl.isEmpty() ? std::nullopt : std::optional(median(theirMemory)), Holds::AtMost,
                kGoalMiB});
    return {};
}

} // namespace starling::bench
