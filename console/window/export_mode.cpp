// SPDX-License-Identifier: Apache-2.0
#include "export_mode.h"

#include "admin/sites_file.h"
#include "fleetview/pick.h"
#include "map_export.h"
#include "model/device_reader.h"
#include "model/intake.h"
#include "resources.h"

#include <QCommandLineParser>
#include <QDateTime>
#include <QRegularExpression>

#include <cstdio>
#include <cstring>

namespace starling::window {

using namespace std::chrono_literals;

namespace {

constexpr int kLeastSide = 100, kMostSide = 8'000; ///< px; guess: a poster, and 256 MB of memory

struct Wanted
{
    QString file, socket;
    std::chrono::milliseconds patience{10'000};
    fleetview::Query query;
    MapWish wish;
};

QCommandLineOption optionOf(const char* name, const char* help, const char* value,
                            const QString& fallback = {})
{
    return {QString::fromLatin1(name), QString::fromLatin1(help), QString::fromLatin1(value), fallback};
}

/// "1600x1000".
std::optional<QSize> sizeOf(const QString& text)
{
    static const QRegularExpression kSize(QStringLiteral("^([0-9]{1,5})x([0-9]{1,5})$"));
    const auto match = kSize.match(text);
    const QSize size(match.captured(1).toInt(), match.captured(2).toInt());
    const bool isGood = match.hasMatch() && std::min(size.width(), size.height()) >= kLeastSide
        && std::max(size.width(), size.height()) <= kMostSide;
    return isGood ? std::optional(size) : std::nullopt;
}

Result<Wanted> wantedOf(const QStringList& arguments)
{
    QCommandLineParser parser;
    parser.addOptions({optionOf("export", "", "FILE"), optionOf("lens", "", "NAME", QStringLiteral("grid")),
                       optionOf("group-by", "", "FIELD"), optionOf("where", "", "QUERY"),
                       optionOf("size", "", "WxH", QStringLiteral("1600x1000")),
                       optionOf("sites", "", "FILE"), optionOf("theme", "", "NAME", QStringLiteral("light")),
                       optionOf("agent", "", "PATH", QStringLiteral("/run/starling/agent.sock")),
                       optionOf("timeout", "", "SECONDS", QStringLiteral("10"))});
    if (!parser.parse(arguments) || !parser.positionalArguments().isEmpty())
        return fail(Errc::Usage,
                    parser.errorText().isEmpty() ? "--export takes no other arguments than options"
                                                 : parser.errorText().toStdString());
    const auto value = [&](const char* name) { return parser.value(QString::fromLatin1(name)); };
    Wanted wanted;
    wanted.file = value("export");
    wanted.socket = value("agent");
    const auto format = formatOf(wanted.file);
    if (!format || *format == MapFormat::Csv)
        return fail(Errc::Usage, "--export names a file that ends with .png or .svg");
    const auto lens = lensNamed(value("lens"));
    if (!lens)
        return fail(Errc::Usage, "--lens is waves, grid, spread or places");
    wanted.wish.lens = *lens;
    const auto size = sizeOf(value("size"));
    if (!size)
        return fail(Errc::Usage, "--size is WIDTHxHEIGHT, each from 100 to 8000, as 1600x1000");
    wanted.wish.size = *size;
    const auto look = lookNamed(value("theme"));
    if (!look)
        return fail(Errc::Usage, "--theme is system, light, dark or contrast");
    wanted.wish.look = *look;
    bool isNumber = false;
    const double seconds = value("timeout").toDouble(&isNumber);
    if (!isNumber || seconds <= 0 || seconds > 1e6)
        return fail(Errc::Usage, "--timeout is a number of seconds");
    wanted.patience = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1'000));
    auto query = fleetview::Query::parse(value("where").toStdString());
    if (!query)
        return fail(Errc::Usage, "--where: " + query.error().context);
    wanted.query = std::move(*query);
    wanted.wish.field = value("group-by").toStdString();
    if (!value("sites").isEmpty()) {
        auto sites = console::readSites(value("sites").toStdString());
        if (!sites)
            return tl::unexpected<Error>(sites.error());
        wanted.wish.sites = std::move(*sites);
    }
    return wanted;
}

Result<Snapshot> ask(const QString& socket, std::chrono::milliseconds patience)
{
    auto agent = control::Client::connect(socket, patience);
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    auto status = agent->ask<control::StatusReply>(control::StatusRequest{}, patience);
    if (!status)
        return tl::unexpected<Error>(status.error());
    console::DeviceBook book;
    if (auto read = book.update(*agent, patience, [](std::uint64_t, std::uint64_t) { return Status(); });
        !read)
        return tl::unexpected<Error>(read.error());
    const auto updates = agent->ask<control::UpdatesReply>(control::UpdatesRequest{}, patience);
    if (!updates)
        return tl::unexpected<Error>(updates.error());
    Snapshot snapshot;
    snapshot.takenAt = QDateTime::currentMSecsSinceEpoch();
    const UtcTime now{std::chrono::seconds(snapshot.takenAt / 1'000)};
    fleetview::Fleet fleet(now);
    fleet.take(console::reportsOf(book.release()), console::releasesOf(updates->updates), now);
    snapshot.picture = fleet.picture(now);
    snapshot.status = std::move(*status);
    return snapshot;
}

Status draw(const QStringList& arguments)
{
    const auto wanted = wantedOf(arguments);
    if (!wanted)
        return tl::unexpected<Error>(wanted.error());
    auto snapshot = ask(wanted->socket, wanted->patience);
    if (!snapshot)
        return tl::unexpected<Error>(snapshot.error());
    snapshot->picture = fleetview::pick(snapshot->picture, wanted->query);
    return exportMap(wanted->file, *formatOf(wanted->file), *snapshot, wanted->wish);
}

} // namespace

bool wantsExport(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i)
        if (std::strcmp(argv[i], "--export") == 0 || std::strncmp(argv[i], "--export=", 9) == 0) {
            qputenv("QT_QPA_PLATFORM", "offscreen");
            return true;
        }
    return false;
}

int runExport(const QStringList& arguments)
{
    loadResources();
    const Status drawn = draw(arguments);
    if (drawn)
        return 0;
    std::fprintf(stderr, "starling-console: %s\n", toString(drawn.error()).c_str());
    switch (drawn.error().code) {
    case Errc::Usage:
    case Errc::ConfigInvalid:
        return 2;
    case Errc::Unreachable:
        return 7;
    default:
        return 1;
    }
}

} // namespace starling::window
