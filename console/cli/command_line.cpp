// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include <QJsonDocument>

#include <cstdio>
#include <unistd.h>

namespace starling::cli {

Exit exitFor(Errc code)
{
    switch (code) {
    case Errc::Unsigned:
    case Errc::BadSignature:
    case Errc::UnknownKey:
    case Errc::WrongScope:
    case Errc::BelowThreshold:
        return Exit::BadSignature;
    case Errc::Rollback:
    case Errc::Equivocation:
    case Errc::WrongEpoch:
    case Errc::RootGap:
    case Errc::NotAdmitted:
    case Errc::Denied:
    case Errc::WrongFleet:
    case Errc::QuotaExceeded:
    case Errc::Incompatible:
    case Errc::Refused:
    case Errc::Withdrawn:
        return Exit::Refused;
    case Errc::Unreachable:
        return Exit::Unreachable;
    case Errc::Timeout:
        return Exit::Timeout;
    case Errc::Usage:
    case Errc::ConfigInvalid:
    case Errc::InvalidUri:
        return Exit::Usage;
    case Errc::NotBencode:
    case Errc::NotCanonical:
    case Errc::TooLarge:
    case Errc::TooDeep:
    case Errc::Truncated:
    case Errc::Malformed:
    case Errc::UnsupportedFormat:
    case Errc::LegacyTorrent:
    case Errc::UnsafeName:
    case Errc::InvalidRoot:
    case Errc::PayloadMismatch:
    case Errc::PayloadMissing:
    case Errc::PayloadChanged:
    case Errc::DiskFull:
    case Errc::DeployFailed:
    case Errc::DeployTimeout:
    case Errc::DeployMissing:
    case Errc::HealthFailed:
    case Errc::HealthTimeout:
    case Errc::RollbackFailed:
    case Errc::Superseded:
    case Errc::Io:
    case Errc::StateLocked:
    case Errc::StateNewer:
    case Errc::StateCorrupt:
    case Errc::PortInUse:
    case Errc::KeyUnreadable:
    case Errc::WrongPassphrase:
    case Errc::NotFound:
    case Errc::AlreadyExists:
    case Errc::Busy:
    case Errc::Cancelled:
    case Errc::ClockWrong:
        return Exit::Failure;
    }
    return Exit::Failure;
}

std::chrono::milliseconds CommandLine::timeout(std::chrono::milliseconds fallback) const
{
    if (timeoutSeconds <= 0)
        return fallback;
    return std::chrono::milliseconds(static_cast<std::int64_t>(timeoutSeconds * 1000));
}

bool CommandLine::showsProgress() const
{
    return !quiet && ::isatty(STDERR_FILENO) == 1;
}

CLI::App* addCommand(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& help,
                     const std::string& examples, std::function<Result<Exit>()> run)
{
    CLI::App* command = parent.add_subcommand(name, help);
    command->footer("Examples:\n" + examples);
    command->fallthrough(); // global options may stand behind the command, too
    command->callback([&line, run = std::move(run)] { line.run = run; });
    return command;
}

Result<std::map<std::string, std::string>> parseLabels(const std::vector<std::string>& items)
{
    std::map<std::string, std::string> labels;
    for (const std::string& label : items) {
        const auto equals = label.find('=');
        if (equals == 0 || equals == std::string::npos)
            return fail(Errc::Usage, "--label is name=value, not '" + label + "'");
        if (!labels.emplace(label.substr(0, equals), label.substr(equals + 1)).second)
            return fail(Errc::Usage, "--label " + label.substr(0, equals) + " is given twice");
    }
    return labels;
}

void printJson(QJsonObject object)
{
    object.insert(QStringLiteral("schema"), QStringLiteral("starling/1"));
    const QByteArray text = QJsonDocument(object).toJson(QJsonDocument::Compact);
    std::printf("%s\n", text.constData());
    std::fflush(stdout);
}

} // namespace starling::cli
