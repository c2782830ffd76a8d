// SPDX-License-Identifier: Apache-2.0
/// `starling map export`: the map as a file, device by device, or as a picture, which starling-console draws.
#include "admin/sites_file.h"
#include "fetch_command.h"
#include "fleet_picture.h"
#include "fleetview/pick.h"
#include "model/map_csv.h"
#include "node/disk.h"
#include "report.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>

#include <chrono>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

struct ExportOptions
{
    std::string file, lens = "grid", query, size = "1600x1000", theme = "light", sites;
    std::optional<std::string> field;
};

enum class Kind : std::uint8_t { Picture, Csv };

std::optional<Kind> kindOf(const std::string& file)
{
    const QString ending = QFileInfo(toQString(file)).suffix().toLower();
    if (ending == QLatin1String("csv"))
        return Kind::Csv;
    return ending == QLatin1String("png") || ending == QLatin1String("svg") ? std::optional(Kind::Picture)
                                                                            : std::nullopt;
}

/// As the window groups them: by site, if any has one.
std::string fieldOf(const ExportOptions& options, const fleetview::Picture& picture)
{
    if (options.field)
        return *options.field;
    static const std::string kSite("site");
    return std::any_of(picture.devices.begin(), picture.devices.end(),
                       [](const auto& device) { return !device->label(kSite).empty(); })
        ? kSite
        : std::string();
}

/// The program that draws. NotFound, with what to install.
Result<QString> findConsole()
{
    const QString name(QStringLiteral("starling-console"));
    QString found = QStandardPaths::findExecutable(name, {QCoreApplication::applicationDirPath()});
    if (found.isEmpty())
        found = QStandardPaths::findExecutable(name);
    if (found.isEmpty())
        return fail(
            Errc::NotFound,
            "pictures are drawn by starling-console, which is neither beside this program nor in PATH: "
            "install the package starling-console, or name a file that ends with .csv");
    return found;
}

/// It asks the agent itself, and draws what that says.
Status drawByConsole(const CommandLine& line, const ExportOptions& options, const std::string& field)
{
    const auto console = findConsole();
    if (!console)
        return tl::unexpected<Error>(console.error());
    QStringList arguments;
    const auto add = [&](const char* name, const std::string& value) {
        arguments << QString::fromLatin1(name) + QLatin1Char('=') + toQString(value);
    };
    add("--export", options.file);
    add("--lens", options.lens);
    add("--group-by", field);
    add("--where", options.query);
    add("--size", options.size);
    add("--theme", options.theme);
    add("--agent", line.agent);
    if (!options.sites.empty())
        add("--sites", options.sites);
    const auto patience = line.timeout(10s);
    add("--timeout", std::to_string(static_cast<double>(patience.count()) / 1e3));
    QProcess process;
    process.setStandardInputFile(QProcess::nullDevice());
    process.start(*console, arguments);
    constexpr auto kDrawing = 120s; ///< guess: 8,000 by 8,000 px on a slow machine; questions come besides
    const bool hasEnded =
        process.waitForFinished(static_cast<int>(std::chrono::milliseconds(3 * patience + kDrawing).count()));
    if (!hasEnded && process.error() == QProcess::Timedout) {
        process.kill();
        process.waitForFinished();
        return fail(Errc::Timeout, "starling-console has not drawn the picture in time");
    }
    if (hasEnded && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0)
        return {};
    // Qt may have remarks of its own before it.
    const QByteArray all = process.readAllStandardError().trimmed();
    const std::string said =
        all.mid(std::max<qsizetype>(0, all.lastIndexOf("starling-console: "))).left(600).toStdString();
    const int status = hasEnded && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    if (status == static_cast<int>(Exit::Usage))
        return fail(Errc::Usage, said);
    if (status == static_cast<int>(Exit::Unreachable)) // gone since it was asked here
        return fail(Errc::Unreachable, said);
    return fail(Errc::Io, said.empty() ? process.errorString().toStdString() : said);
}

Status writeCsv(const ExportOptions& options, const fleetview::Picture& picture, const std::string& field)
{
    fleetview::Sites sites;
    if (!options.sites.empty()) {
        auto read = console::readSites(options.sites);
        if (!read)
            return tl::unexpected<Error>(read.error());
        sites = std::move(*read);
    }
    const QByteArray csv = console::mapCsv(picture, field, sites);
    return node::writeFile(options.file, viewOf({csv.constData(), static_cast<std::size_t>(csv.size())}),
                           node::FileMode::Public);
}

Result<Exit> exportMap(const CommandLine& line, const ExportOptions& options)
{
    const auto kind = kindOf(options.file);
    if (!kind)
        return fail(Errc::Usage, "map export: FILE ends with .png, .svg or .csv");
    const auto query = fleetview::Query::parse(options.query);
    if (!query)
        return fail(Error(query.error()), "--where");
    if (*kind == Kind::Picture)
        if (const auto console = findConsole(); !console)
            return fail(Error(console.error()), "map export");
    const auto seen = pictureOfFleet(line);
    if (!seen)
        return tl::unexpected<Error>(seen.error());
    if (!seen->isObserver)
        remark(line, "Note: " + std::string(kNoObserver) + ".");
    const fleetview::PicturePtr picture = fleetview::pick(seen->picture, *query);
    const std::string field = fieldOf(options, *seen->picture);
    const Status written =
        *kind == Kind::Csv ? writeCsv(options, *picture, field) : drawByConsole(line, options, field);
    if (!written)
        return fail(Error(written.error()), "map export");
    if (line.json)
        printJson({{QStringLiteral("file"), toQString(options.file)},
                   {QStringLiteral("lens"), toQString(options.lens)},
                   {QStringLiteral("group_by"), toQString(field)},
                   {QStringLiteral("devices"), jsonNumber(picture->devices.size())},
                   {QStringLiteral("of"), jsonNumber(seen->picture->devices.size())},
                   {QStringLiteral("observer"), seen->isObserver}});
    say(line,
        plain("Written     " + options.file + "  (" + std::to_string(picture->devices.size()) + " of "
              + std::to_string(seen->picture->devices.size()) + " devices)"));
    return picture->devices.empty() ? Exit::NothingToDo : Exit::Ok;
}

} // namespace

void addMapCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group =
        app.add_subcommand("map", "The fleet as a picture")->require_subcommand(1)->fallthrough();
    auto options = std::make_shared<ExportOptions>();
    CLI::App* command = addCommand(
        *group, line, "export", "Write the map as a picture, or its devices as CSV",
        "  starling map export fleet.png\n"
        "  starling map export trouble.svg --lens places --where 'state=failed' --sites sites.conf\n"
        "  starling map export fleet.csv --group-by model",
        [&line, options] { return exportMap(line, *options); });
    command->add_option("FILE", options->file, "What to write: .png, .svg or .csv")->required();
    command->add_option("--lens", options->lens, "waves, grid, spread or places")
        ->check(CLI::IsMember({"waves", "grid", "spread", "places"}))
        ->capture_default_str();
    command->add_option("--group-by", options->field,
                        "state, version or a label (default: site, if devices have one)");
    command->add_option("--where", options->query, "Only devices that match, as in device list --where");
    command->add_option("--size", options->size, "Of the picture, in px: WIDTHxHEIGHT")
        ->capture_default_str();
    command->add_option("--theme", options->theme, "Of the picture: light, dark or contrast")
        ->check(CLI::IsMember({"light", "dark", "contrast"}))
        ->capture_default_str();
    command->add_option("--sites", options->sites,
                        "A file that says where sites are, for devices whose certificates do not");
}

} // namespace starling::cli
