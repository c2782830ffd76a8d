// SPDX-License-Identifier: Apache-2.0
/// How devices come into a fleet that `fleet init` did not make identities for.
#include "fleet.h"
#include "node/disk.h"
#include "processes.h"

namespace starling::support {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kJoinLimit = 90s; // most of it for busy machines

QString q(const fs::path& path)
{
    return QString::fromStdString(path.string());
}

} // namespace

Status Fleet::rememberNode(std::size_t i)
{
    auto bytes = node::readFile(home(i) / "device.admit", 64 * 1024);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    auto envelope = trust::Envelope::parse(*bytes);
    auto certificate = envelope ? trust::Certificate::parse(envelope->payload)
                                : Result<trust::Certificate>(tl::unexpected<Error>(envelope.error()));
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    m_agents[i].node = certificate->node;
    return {};
}

Status Fleet::forgetIdentity(std::size_t i)
{
    std::error_code error;
    for (const char* file : {"device.key", "device.admit", "observer.subscription"})
        fs::remove(home(i) / file, error);
    if (error)
        return fail(Errc::Io, home(i).string() + ": " + error.message());
    return {};
}

Status Fleet::observe(std::size_t i)
{
    auto observed = mustRun(program("starling"),
                            {QStringLiteral("--quiet"), QStringLiteral("--agent"), q(socket(i)),
                             QStringLiteral("fleet"), QStringLiteral("observe"), QStringLiteral("--key"),
                             q(key("observe")), QStringLiteral("--passphrase-file"), q(passphrase())});
    return observed ? Status() : Status(tl::unexpected<Error>(observed.error()));
}

Status Fleet::enrolByFile(std::size_t i)
{
    if (auto forgotten = forgetIdentity(i); !forgotten)
        return forgotten;
    const fs::path request = home(i) / "device.join";
    auto asked = mustRun(program("starling"),
                         {QStringLiteral("--quiet"), QStringLiteral("device"), QStringLiteral("request"),
                          q(request), QStringLiteral("--root"), q(root()), QStringLiteral("--key"),
                          q(home(i) / "device.key"), QStringLiteral("--name"), q(home(i).filename())});
    if (!asked)
        return tl::unexpected<Error>(asked.error());
    auto admitted =
        mustRun(program("starling"),
                {QStringLiteral("--quiet"), QStringLiteral("device"), QStringLiteral("admit"), q(request),
                 QStringLiteral("--root"), q(root()), QStringLiteral("--key"), q(key("admit")),
                 QStringLiteral("--passphrase-file"), q(passphrase()), QStringLiteral("--yes")});
    if (!admitted)
        return tl::unexpected<Error>(admitted.error());
    return rememberNode(i);
}

Status Fleet::joinByToken(std::size_t i, std::size_t issuer)
{
    if (auto forgotten = forgetIdentity(i); !forgotten)
        return forgotten;
    std::error_code error;
    fs::remove(home(i) / "root.envelope", error);
    auto token = ask<control::TokenReply>(issuer, control::TokenRequest{{}, 3'600});
    if (!token)
        return tl::unexpected<Error>(token.error());
    const fs::path file = home(i) / "join.token";
    if (auto written = node::writeFile(file, viewOf(token->token + "\n"), node::FileMode::Private); !written)
        return written;
    if (auto set = configure(
            i, {{"enrolment.token_file", file.string()}, {"enrolment.name", home(i).filename().string()}});
        !set)
        return set;
    if (auto started = start(i); !started)
        return started;
    const auto status = ask<control::StatusReply>(i, control::StatusRequest{});
    if (!status)
        return tl::unexpected<Error>(status.error());
    const auto waits = [&] {
        const auto pending = ask<control::PendingReply>(issuer, control::PendingRequest{});
        return pending && !pending->devices.empty();
    };
    if (!waitUntil(waits, kJoinLimit))
        return fail(Errc::Timeout, "agent " + std::to_string(i + 1) + " did not ask to be admitted");
    auto admitted = mustRun(program("starling"),
                            {QStringLiteral("--quiet"), QStringLiteral("--agent"), q(socket(issuer)),
                             QStringLiteral("device"), QStringLiteral("admit"),
                             QString::fromStdString(status->node.hex()), QStringLiteral("--root"), q(root()),
                             QStringLiteral("--key"), q(key("admit")), QStringLiteral("--passphrase-file"),
                             q(passphrase()), QStringLiteral("--yes")});
    if (!admitted)
        return tl::unexpected<Error>(admitted.error());
    const auto runs = [&] {
        const auto now = ask<control::StatusReply>(i, control::StatusRequest{});
        return now && now->mode != "joining";
    };
    if (!waitUntil(runs, kJoinLimit))
        return fail(Errc::Timeout, "agent " + std::to_string(i + 1) + " did not get its certificate");
    return rememberNode(i);
}

} // namespace starling::support
