// SPDX-License-Identifier: Apache-2.0
/// `starling rollout list|report`: releases on their way, as the window's page Rollouts shows them.
#include "fetch_command.h"
#include "fleet_picture.h"
#include "model/hints_text.h"
#include "model/rollout_text.h"
#include "model/why_text.h"
#include "report.h"

#include <QJsonArray>

#include <cstdio>

namespace starling::cli {

namespace {

constexpr std::size_t kMaxShown = 20; ///< stragglers for people; --json and --csv have all

struct ReportOptions
{
    std::string uri, version;
    bool csv = false;
};

std::string words(const QString& text)
{
    return plain(text.toStdString());
}

std::string lineOf(const fleetview::Rollout& rollout)
{
    std::string text = rollout.uri.text() + " " + trust::toString(rollout.revision) + "  "
        + console::courseWord(rollout.course).toStdString() + "  healthy " + std::to_string(rollout.healthy)
        + "/" + std::to_string(rollout.eligible);
    const std::array<std::pair<const char*, std::size_t>, 4> counts{{{" | under way ", rollout.underWay},
                                                                     {" | failed ", rollout.trouble},
                                                                     {" | held ", rollout.held},
                                                                     {" | not heard of ", rollout.silent}}};
    for (const auto& [name, count] : counts)
        if (count > 0)
            text += name + std::to_string(count);
    return plain(text);
}

void warn(const CommandLine& line, const SeenFleet& seen)
{
    if (!seen.isObserver)
        remark(line, "Note: " + std::string(kNoObserver) + ".");
}

Result<Exit> list(const CommandLine& line)
{
    const auto seen = pictureOfFleet(line);
    if (!seen)
        return tl::unexpected<Error>(seen.error());
    warn(line, *seen);
    const auto rollouts = fleetview::rolloutsOf(*seen->picture);
    if (line.json) {
        QJsonArray array;
        for (const fleetview::Rollout& rollout : rollouts)
            array.append(console::jsonOf(rollout));
        printJson({{QStringLiteral("rollouts"), array}, {QStringLiteral("observer"), seen->isObserver}});
    }
    for (const fleetview::Rollout& rollout : rollouts)
        say(line, lineOf(rollout));
    if (rollouts.empty())
        say(line, "No release yet: push one to any agent of the fleet.");
    return rollouts.empty() ? Exit::NothingToDo : Exit::Ok;
}

void sayReport(const CommandLine& line, const fleetview::RolloutReport& report)
{
    say(line, lineOf(report.rollout));
    for (const fleetview::RolloutReason& reason : report.reasons)
        say(line,
            words(console::stateWord(reason.standing)) + "  " + std::to_string(reason.devices) + "  "
                + words(console::reasonText(reason)));
    std::size_t shown = 0;
    for (const fleetview::Straggler& straggler : report.stragglers) {
        if (++shown > kMaxShown)
            break;
        say(line,
            "  " + plain(straggler.device->name) + "  " + straggler.device->node.shortHex() + "  "
                + words(console::stateWord(straggler.standing)));
    }
    if (report.stragglers.size() > kMaxShown)
        say(line, "  and " + std::to_string(report.stragglers.size() - kMaxShown) + " more (--csv, --json)");
    if (report.stragglers.empty() && report.rollout.eligible > 0)
        say(line, "No straggler.");
    if (const QString paths = console::pathsText(report); !paths.isEmpty())
        say(line, words(paths));
}

/// Receipts do not come by themselves: what follows is of those that were fetched.
void sayHints(const CommandLine& line, const fleetview::Hints& hints, const fleetview::Rollout& rollout)
{
    say(line,
        words(console::hintHeadline(hints) + QStringLiteral(", of which ")
              + console::hintedPhasesText(fleetview::hintedPhases(hints, rollout.uri, rollout.revision))));
}

Result<Exit> report(const CommandLine& line, const ReportOptions& options)
{
    const auto seen = pictureOfFleet(line);
    if (!seen)
        return tl::unexpected<Error>(seen.error());
    const auto rollout = fleetview::rolloutNamed(*seen->picture, options.uri, options.version);
    if (!rollout)
        return fail(Error(rollout.error()), "rollout report");
    warn(line, *seen);
    const auto report = fleetview::reportOf(*seen->picture, *rollout);
    const auto hints = seen->isObserver ? hintsFor(line) : std::nullopt;
    if (hints && !options.csv)
        sayHints(line, *hints, report.rollout);
    if (line.json) {
        QJsonObject object = console::jsonOf(report, seen->picture->at);
        if (hints)
            object.insert(QStringLiteral("hints"), console::jsonOf(*hints));
        printJson(std::move(object));
    } else if (options.csv)
        std::printf("%s", console::csvOf(report).constData());
    else
        sayReport(line, report);
    if (report.rollout.eligible == 0)
        return Exit::NothingToDo;
    return report.stragglers.empty() ? Exit::Ok : Exit::Partial;
}

} // namespace

void addRolloutCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("rollout", "Releases on their way through the fleet")
                          ->require_subcommand(1)
                          ->fallthrough();
    addCommand(*group, line, "list", "List them: state, healthy of eligible devices, those that failed",
               "  starling rollout list --json", [&line] { return list(line); });
    auto options = std::make_shared<ReportOptions>();
    CLI::App* command =
        addCommand(*group, line, "report", "Say why devices are not healthy in a release, and which",
                   "  starling rollout report fw/gateway\n"
                   "  starling rollout report fw/gateway --of 241 --csv > stragglers.csv",
                   [&line, options] { return report(line, *options); });
    command->add_option("URI", options->uri, "The resource")->required();
    command->add_option("--of", options->version, "Its version, as 241 or 1:2 (default: the newest)");
    command->add_flag("--csv", options->csv, "Stragglers as comma-separated values, a line for each");
}

} // namespace starling::cli
