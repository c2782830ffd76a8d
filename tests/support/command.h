// SPDX-License-Identifier: Apache-2.0
/// Runs one program to its end.
#pragma once

#include "base/result.h"

#include <QByteArray>
#include <QStringList>
#include <chrono>
#include <functional>

class QProcess;

namespace starling::support {

struct CommandResult
{
    int exitCode = -1; ///< -1: killed, or never started
    QByteArray output; ///< standard output
    QByteArray errors; ///< standard error
};

/// Waits at most `limit`, then kills it. `prepare` is called before it starts.
CommandResult runCommand(const QString& program, const QStringList& arguments,
                         std::chrono::milliseconds limit = std::chrono::minutes(2),
                         const QString& workingDirectory = {},
                         const std::function<void(QProcess&)>& prepare = {});

/// As runCommand(), where anything but exit status 0 is an error that quotes what the program said.
Result<QByteArray> mustRun(const QString& program, const QStringList& arguments,
                           std::chrono::milliseconds limit = std::chrono::minutes(2),
                           const QString& workingDirectory = {},
                           const std::function<void(QProcess&)>& prepare = {});

} // namespace starling::support
