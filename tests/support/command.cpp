// SPDX-License-Identifier: Apache-2.0
#include "command.h"

#include <QProcess>

namespace starling::support {

CommandResult runCommand(const QString& program, const QStringList& arguments,
                         std::chrono::milliseconds limit, const QString& workingDirectory,
                         const std::function<void(QProcess&)>& prepare)
{
    QProcess process;
    if (!workingDirectory.isEmpty())
        process.setWorkingDirectory(workingDirectory);
    process.setStandardInputFile(QProcess::nullDevice());
    if (prepare)
        prepare(process);
    process.start(program, arguments);
    CommandResult result;
    if (!process.waitForFinished(static_cast<int>(limit.count()))) {
        result.errors = program.toUtf8() + ": " + process.errorString().toUtf8();
        process.kill();
        process.waitForFinished();
        return result;
    }
    result.exitCode = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    result.output = process.readAllStandardOutput();
    result.errors = process.readAllStandardError();
    return result;
}

Result<QByteArray> mustRun(const QString& program, const QStringList& arguments,
                           std::chrono::milliseconds limit, const QString& workingDirectory,
                           const std::function<void(QProcess&)>& prepare)
{
    const CommandResult result = runCommand(program, arguments, limit, workingDirectory, prepare);
    if (result.exitCode == 0)
        return result.output;
    return fail(Errc::Io,
                program.toStdString() + " " + arguments.join(QLatin1Char(' ')).toStdString() + " ended with "
                    + std::to_string(result.exitCode) + ": " + result.errors.trimmed().toStdString());
}

} // namespace starling::support
