// SPDX-License-Identifier: Apache-2.0
#include "scenario.h"

#include "node/disk.h"

#include <fstream>

namespace starling::scenario {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxTextBytes = 64 * 1024 * 1024;

constexpr const char* kInstall = R"sh(#!/bin/sh
set -e
release="releases/$STARLING_VERSION"
mkdir -p "$STARLING_ROOT/releases"
cd "$STARLING_ROOT"
rm -rf "$release.part"
mkdir "$release.part"
cp "$STARLING_PAYLOAD/VERSION" "$STARLING_PAYLOAD/part-a" "$STARLING_PAYLOAD/part-b" "$release.part"
@END@
[ -d "$release" ] || mv "$release.part" "$release"
ln -sfn "$release" current.next
mv -T current.next current
)sh";
constexpr const char* kCheck = R"sh(#!/bin/sh
[ "$(cat "$STARLING_ROOT/current/VERSION")" = "$STARLING_VERSION" ] || exit 1
@END@
)sh";
constexpr const char* kUndo = R"sh(#!/bin/sh
rm -f "$STARLING_ROOT/current"
)sh";

std::string withEnd(std::string script, const std::string& end)
{
    const std::string mark = "@END@";
    return script.replace(script.find(mark), mark.size(), end);
}

/// Different in every version and part.
std::string partText(std::uint64_t version, char part, std::size_t bytes)
{
    std::string text(bytes, part);
    const std::string stamp = "version " + std::to_string(version) + "\n";
    for (std::size_t at = 0; at + stamp.size() <= text.size(); at += 1'024)
        text.replace(at, stamp.size(), stamp);
    return text;
}

} // namespace

QString q(const fs::path& path)
{
    return QString::fromStdString(path.string());
}

fs::path programs()
{
    return fs::path(STARLING_BINARY_DIR) / "bin";
}

void writeText(const fs::path& file, const std::string& text)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out)
        qFatal("cannot write %s", file.c_str());
}

std::string readText(const fs::path& file)
{
    const auto bytes = node::readFile(file, kMaxTextBytes);
    return bytes ? toText(*bytes) : std::string();
}

std::string tailOf(const fs::path& file, std::size_t bytes)
{
    const std::string text = readText(file);
    return text.substr(text.size() < bytes ? 0 : text.size() - bytes);
}

fs::path makePayload(const fs::path& parent, const PayloadPlan& plan)
{
    const fs::path payload = parent / plan.name;
    fs::create_directories(payload);
    writeText(payload / "VERSION", std::to_string(plan.version) + "\n");
    writeText(payload / "part-a", partText(plan.version, 'a', plan.partBytes));
    writeText(payload / "part-b", partText(plan.version, 'b', plan.partBytes));
    writeText(payload / "install.sh", withEnd(kInstall, plan.installEnds));
    writeText(payload / "check.sh", withEnd(kCheck, plan.checkEnds));
    writeText(payload / "undo.sh", kUndo);
    return payload;
}

Result<std::uint64_t> installedVersion(const fs::path& deviceRoot)
{
    std::error_code error;
    const fs::path link = fs::read_symlink(deviceRoot / "current", error);
    if (error)
        return fs::exists(fs::symlink_status(deviceRoot / "current"))
            ? Result<std::uint64_t>(fail(Errc::PayloadMismatch, "'current' is no link"))
            : Result<std::uint64_t>(0);
    const fs::path release = deviceRoot / link;
    const std::uint64_t version = std::strtoull(release.filename().c_str(), nullptr, 10);
    const std::string partA = readText(release / "part-a");
    if (readText(release / "VERSION") != std::to_string(version) + "\n" || partA.empty()
        || partA != partText(version, 'a', partA.size())
        || readText(release / "part-b") != partText(version, 'b', partA.size()))
        return fail(Errc::PayloadMismatch,
                    release.string() + " is not wholly version " + std::to_string(version));
    return version;
}

QStringList deployOptions(const QStringList& more)
{
    return QStringList{QStringLiteral("--run"), QStringLiteral("install.sh"), QStringLiteral("--check"),
                       QStringLiteral("check.sh")}
    + more;
}

Release makeRelease(const support::Fleet& fleet, const fs::path& parent, const PayloadPlan& plan,
                    const QStringList& options, const std::string& uri)
{
    const fs::path payload = makePayload(parent, plan);
    auto torrent = fleet.makeRelease(payload, uri, plan.version, options);
    if (!torrent)
        qFatal("release %s: %s", plan.name.c_str(), toString(torrent.error()).c_str());
    return {*torrent, payload, plan.version, uri};
}

bool start(support::Fleet& fleet, std::size_t i)
{
    const auto started = fleet.start(i);
    if (!started)
        qWarning("%s", toString(started.error()).c_str());
    return started.has_value();
}

bool startAll(support::Fleet& fleet)
{
    for (std::size_t i = 0; i < fleet.size(); ++i)
        if (!start(fleet, i))
            return false;
    return true;
}

support::CommandResult push(const support::Fleet& fleet, std::size_t agent, const Release& release,
                            const QStringList& more)
{
    return fleet.starling(QStringList{QStringLiteral("--quiet"), QStringLiteral("--agent"),
                                      q(fleet.socket(agent)), QStringLiteral("push"), q(release.torrent),
                                      QStringLiteral("--payload"), q(release.payload)}
                          + more);
}

std::optional<control::UpdateLine> updateOf(const support::Fleet& fleet, std::size_t i, std::uint64_t version,
                                            const std::string& uri)
{
    auto reply = fleet.ask<control::UpdatesReply>(i, control::UpdatesRequest{});
    if (!reply)
        return std::nullopt;
    for (control::UpdateLine& line : reply->updates)
        if (line.uri.text() == uri && line.revision.version == version)
            return std::move(line);
    return std::nullopt;
}

bool waitForPhase(const support::Fleet& fleet, std::size_t i, std::uint64_t version, trust::Phase phase,
                  const std::string& uri)
{
    return support::waitUntil(
        [&] {
            const auto line = updateOf(fleet, i, version, uri);
            return line && line->phase == phase;
        },
        90s);
}

std::string describe(const support::Fleet& fleet, std::size_t i)
{
    const auto reply = fleet.ask<control::UpdatesReply>(i, control::UpdatesRequest{});
    if (!reply)
        return toString(reply.error());
    std::string text = "agent " + std::to_string(i + 1) + ":";
    for (const control::UpdateLine& line : reply->updates) {
        const auto code = errcOf(line.code);
        text += " [" + line.uri.text() + " " + trust::toString(line.revision) + " "
            + std::string(trust::phaseName(line.phase)) + (code ? " " + std::string(shortName(*code)) : "")
            + " " + line.detail + "]";
    }
    return text;
}

std::unique_ptr<support::Fleet> makeFleet(const QTemporaryDir& directory, support::FleetPlan plan)
{
    plan.directory = directory.path().toStdString();
    plan.programs = programs();
    auto fleet = support::Fleet::create(std::move(plan));
    if (!fleet)
        qFatal("fleet: %s", toString(fleet.error()).c_str());
    return std::move(*fleet);
}

QStringList standingOf(const support::Fleet& fleet, std::size_t i)
{
    QStringList standing;
    const auto status = fleet.ask<control::StatusReply>(i, control::StatusRequest{});
    if (!status)
        return {QString::fromStdString(toString(status.error()))};
    for (const control::FloorLine& floor : status->floors)
        standing << QString::fromStdString("floor " + floor.uri.text() + " " + trust::toString(floor.revision)
                                           + " " + floor.infoHash.hex());
    for (const control::UpdateLine& line : status->updates)
        standing << QString::fromStdString("release " + line.uri.text() + " " + trust::toString(line.revision)
                                           + " " + line.infoHash.hex() + " "
                                           + std::string(trust::phaseName(line.phase)));
    for (const char* part : {"payloads", "incoming"})
        for (const auto& entry : fs::recursive_directory_iterator(fleet.state(i) / part))
            standing << QString::fromStdString(entry.path().lexically_relative(fleet.state(i)).string());
    standing.sort();
    return standing;
}

QByteArray unlike(const support::CommandResult& result, int exitCode, Errc code)
{
    if (result.exitCode == exitCode && result.errors.contains(QByteArray::fromStdString(codeName(code))))
        return {};
    return "exit status " + QByteArray::number(result.exitCode) + " instead of "
        + QByteArray::number(exitCode) + ", and not " + QByteArray::fromStdString(codeName(code))
        + " but: " + result.errors + result.output;
}

Result<Kept> readState(const fs::path& state)
{
    auto store = store::Store::open(state);
    if (!store)
        return tl::unexpected<Error>(store.error());
    const auto uri = ResourceUri::parse(kUri);
    Kept kept;
    auto records = store->records();
    if (!records)
        return tl::unexpected<Error>(records.error());
    for (update::Record& record : *records)
        if (record.uri == *uri)
            kept.records.emplace(record.revision.version, std::move(record));
    const auto floors = store->floors();
    if (!floors)
        return tl::unexpected<Error>(floors.error());
    if (const trust::Floor* floor = floors->find(*uri))
        kept.floor = floor->revision.version;
    const auto installed = store->installed(*uri);
    if (!installed)
        return tl::unexpected<Error>(installed.error());
    if (*installed)
        kept.installed = (*installed)->revision.version;
    return kept;
}

} // namespace starling::scenario
