// SPDX-License-Identifier: Apache-2.0
#include "inside.h"

#include "command.h"

namespace starling::bench {

namespace {

/// Options of unshare(1) by which a network namespace is to be had here, or nothing.
std::optional<QStringList> unshareOptions(std::string& why)
{
    for (const QStringList& options :
         {QStringList{QStringLiteral("-n")}, QStringList{QStringLiteral("-rn")}}) {
        const auto tried = support::runCommand(
            QStringLiteral("unshare"),
            options
                + QStringList{installed("ip"), QStringLiteral("link"), QStringLiteral("add"),
                              QStringLiteral("type"), QStringLiteral("veth")});
        if (tried.exitCode == 0)
            return options;
        why = tried.errors.trimmed().toStdString();
    }
    return std::nullopt;
}

} // namespace

Result<Inside> runInside(const Bench& bench, const std::string& key, std::chrono::milliseconds limit)
{
    if (installed("ip").isEmpty() || installed("nsenter").isEmpty() || installed("unshare").isEmpty())
        return Inside{{}, "ip, unshare or nsenter is not installed"};
    std::string why;
    const auto options = unshareOptions(why);
    if (!options)
        return Inside{{}, "no network namespace to be had: " + why};
    QStringList arguments = *options;
    arguments << QStringLiteral("--") << bench.program("starling-bench") << QStringLiteral("--inside")
              << QString::fromStdString(key) << QStringLiteral("--workspace")
              << toQString(bench.newDirectory(key));
    if (bench.isQuick)
        arguments << QStringLiteral("--quick");
    auto said = support::mustRun(QStringLiteral("unshare"), arguments, limit);
    if (!said)
        return tl::unexpected<Error>(said.error());
    return Inside{*said, {}};
}

} // namespace starling::bench
