// SPDX-License-Identifier: Apache-2.0
/// Rate limits, counted on the interface: two agents in network namespaces of their own with a pair of
/// virtual Ethernet interfaces between them. The measuring program moves into the first one by running itself
/// again under unshare(1).
#include "limits.h"

#include "fleet.h"
#include "inside.h"
#include "processes.h"

#include <QFile>

namespace starling::bench {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr double kGoalMbits = 1.0;
constexpr const char* kLimit = "1 Mbit/s";
constexpr const char* kHere = "veth-bench-a";
constexpr const char* kThere = "veth-bench-b";
constexpr const char* kAddressHere = "10.213.0.1";
constexpr const char* kAddressThere = "10.213.0.2";

using Words = QStringList;

Status measureLimit(const Bench& bench, Report& report, const std::string& figure, const std::string& key)
{
    const auto inside = runInside(bench, key, 5min);
    if (!inside)
        return tl::unexpected<Error>(inside.error());
    if (!inside->skipped.empty()) {
        report.skip(figure, inside->skipped);
        return {};
    }
    report.add({figure, "", inside->output.trimmed().toDouble(), "Mbit/s", "", std::nullopt,
                Holds::WithinTenPercent, kGoalMbits});
    return {};
}

/// The namespace of the fetching agent: as long as a process lives in it.
class Namespace
{
public:
    Status open()
    {
        m_holder.setStandardInputFile(QProcess::nullDevice());
        m_holder.start(QStringLiteral("unshare"),
                       {QStringLiteral("-n"), QStringLiteral("sleep"), QStringLiteral("600")});
        if (!m_holder.waitForStarted())
            return fail(Errc::Io, "unshare: " + m_holder.errorString().toStdString());
        // Started is not yet moved: that is when its namespace is another one than ours.
        if (!support::waitUntil(
                [&] {
                    return namespaceOf() != namespaceOf(QStringLiteral("self")) && !namespaceOf().empty();
                },
                90s))
            return fail(Errc::Timeout, "unshare makes no namespace");
        return {};
    }
    ~Namespace()
    {
        m_holder.kill();
        m_holder.waitForFinished();
    }
    Words enter() const
    {
        return {QStringLiteral("nsenter"), QStringLiteral("-t"), pid(), QStringLiteral("-n")};
    }
    QString pid() const { return QString::number(m_holder.processId()); }

private:
    std::string namespaceOf(const QString& process) const
    {
        std::error_code error;
        return fs::read_symlink("/proc/" + process.toStdString() + "/ns/net", error).string();
    }
    std::string namespaceOf() const { return namespaceOf(pid()); }
    QProcess m_holder;
};

Status run(const Words& words)
{
    auto done = support::mustRun(words.first(), words.mid(1));
    if (!done)
        return tl::unexpected<Error>(done.error());
    return {};
}

Words split(const std::string& text)
{
    return QString::fromStdString(text).split(QLatin1Char(' '));
}

/// One frame, one header: what the interface counts is what a wire would carry.
Status connectNamespaces(const Namespace& other)
{
    const std::string here = kHere, there = kThere;
    const std::string pid = other.pid().toStdString();
    for (const Words& words :
         {split("ip link add " + here + " type veth peer name " + there + " netns " + pid),
          split("ip addr add " + std::string(kAddressHere) + "/24 dev " + here),
          split("ip link set " + here + " gso_max_segs 1 up"), split("ip link set lo up"),
          other.enter() + split("ip addr add " + std::string(kAddressThere) + "/24 dev " + there),
          other.enter() + split("ip link set " + there + " gso_max_segs 1 up"),
          other.enter() + split("ip link set lo up")})
        if (auto done = run(words); !done)
            return done;
    return {};
}

/// Bytes that left by our end of the pair.
std::uint64_t sentBytes()
{
    QFile file(QStringLiteral("/proc/self/net/dev"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray& line : file.readAll().split('\n')) {
        const QByteArray text = line.simplified();
        if (text.startsWith(kHere))
            return text.split(' ').value(9).toULongLong();
    }
    return 0;
}

/// Starts agent 2 in the other namespace.
Status writeLauncher(const fs::path& file, const Namespace& other, const fs::path& agent)
{
    QFile script(toQString(file));
    if (!script.open(QIODevice::WriteOnly | QIODevice::NewOnly))
        return fail(Errc::Io, script.errorString().toStdString());
    script.write("#!/bin/sh\ncase \"$*\" in\n*/device-2/*) exec "
                 + other.enter().join(QLatin1Char(' ')).toUtf8() + " '"
                 + QByteArray::fromStdString(agent.string()) + "' \"$@\" ;;\nesac\nexec '"
                 + QByteArray::fromStdString(agent.string()) + "' \"$@\"\n");
    script.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return {};
}

Result<std::unique_ptr<support::Fleet>> startAgents(const Bench& bench, const Namespace& other,
                                                    const std::string& key)
{
    support::FleetPlan plan;
    plan.directory = bench.newDirectory("agents");
    plan.programs = bench.programs;
    plan.agents = 2;
    plan.agentProgram = (plan.directory / "launcher").string();
    if (auto written = writeLauncher(plan.agentProgram, other, bench.programs / "starling-agent"); !written)
        return tl::unexpected<Error>(written.error());
    auto fleet = support::Fleet::create(plan);
    if (!fleet)
        return fleet;
    const std::string first = std::string(kAddressHere) + ":7891",
                      second = std::string(kAddressThere) + ":7891";
    support::Overrides one{{"agent.listen", first}},
        two{{"agent.listen", second}, {"agent.neighbours", first}};
    (key == "upload_limit" ? one : two)["swarm." + key] = kLimit;
    if (auto written = (*fleet)->configure(0, one); !written)
        return tl::unexpected<Error>(written.error());
    if (auto written = (*fleet)->configure(1, two); !written)
        return tl::unexpected<Error>(written.error());
    if (auto started = (*fleet)->startAll(); !started)
        return tl::unexpected<Error>(started.error());
    return fleet;
}

} // namespace

Result<double> megabitsPerSecondWithLimit(const Bench& bench, const std::string& key)
{
    Namespace other;
    if (auto opened = other.open(); !opened)
        return tl::unexpected<Error>(opened.error());
    if (auto connected = connectNamespaces(other); !connected)
        return tl::unexpected<Error>(connected.error());
    auto started = startAgents(bench, other, key);
    if (!started)
        return tl::unexpected<Error>(started.error());
    support::Fleet& fleet = **started;
    // More than passes in the time that is measured.
    const fs::path payload = bench.workspace / "payload.img";
    if (auto written = writeNoise(payload, mebibytes(16)); !written)
        return tl::unexpected<Error>(written.error());
    auto torrent =
        fleet.makeRelease(payload, "fw/limit", 1, {QStringLiteral("--deploy"), QStringLiteral("none")});
    if (!torrent)
        return tl::unexpected<Error>(torrent.error());
    auto pushed =
        support::mustRun(fleet.program("starling"),
                         {QStringLiteral("--agent"), toQString(fleet.socket(0)), QStringLiteral("push"),
                          toQString(*torrent), QStringLiteral("--in-place"), toQString(payload)});
    if (!pushed)
        return tl::unexpected<Error>(pushed.error());
    const auto doneBytes = [&] {
        const auto status = fleet.ask<control::StatusReply>(1, control::StatusRequest{});
        return status && !status->updates.empty() ? status->updates[0].doneBytes : 0;
    };
    // What a limiter lets through at once when it is new is over by then.
    if (!support::waitUntil([&] { return doneBytes() > 256 * 1024; }, 60s))
        return fail(Errc::Timeout, "no payload passes");
    const std::uint64_t before = sentBytes();
    const auto begin = std::chrono::steady_clock::now();
    support::waitUntil([] { return false; }, bench.isQuick ? 8s : 30s);
    const std::uint64_t bytes = sentBytes() - before;
    const std::chrono::duration<double> window = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(bytes) * 8 / 1e6 / window.count();
}

Status measureUploadLimit(const Bench& bench, Report& report)
{
    return measureLimit(bench, report, "limit-upload", "upload_limit");
}

Status measureDownloadLimit(const Bench& bench, Report& report)
{
    return measureLimit(bench, report, "limit-download", "download_limit");
}

} // namespace starling::bench
