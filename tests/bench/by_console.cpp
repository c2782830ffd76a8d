// SPDX-License-Identifier: Apache-2.0
/// Figures of the console, which starling-bench-console measures.
#include "bench.h"

#include <QProcess>

namespace starling::bench {

Status measureByConsole(const Bench& bench, Report& report, const char* figure)
{
    constexpr int kPatience = 600'000; ///< ms; guess: many times what a busy machine takes
    QStringList arguments{QString::fromLatin1(figure)};
    if (bench.isQuick)
        arguments.prepend(QStringLiteral("--quick"));
    QProcess console;
    console.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    console.start(bench.program("starling-bench-console"), arguments);
    if (!console.waitForFinished(kPatience) || console.exitStatus() != QProcess::NormalExit)
        return fail(Errc::Io, "starling-bench-console: " + console.errorString().toStdString());
    bool isReported = false;
    for (const QByteArray& line : console.readAllStandardOutput().split('\n'))
        if (!line.isEmpty()) {
            report.relay(line.toStdString());
            isReported = true;
        }
    if (!isReported)
        return fail(Errc::Io, std::string("starling-bench-console reported no ") + figure);
    return {};
}

} // namespace starling::bench
