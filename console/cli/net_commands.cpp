// SPDX-License-Identifier: Apache-2.0
/// `starling net check`: how others see the agent, and what that means.
#include "control/client.h"
#include "report.h"

#include <QJsonArray>

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

/// Discovery's three steps take 20 s where nobody answers (nat/discovery.h).
constexpr auto kCheckLimit = 40s;

QJsonArray jsonOf(const std::vector<Endpoint>& endpoints)
{
    QJsonArray array;
    for (const Endpoint& endpoint : endpoints)
        array.append(toQString(toString(endpoint)));
    return array;
}

QJsonObject jsonOf(const control::NetCheckReply& reply)
{
    const nat::NatBehaviour& found = reply.behaviour;
    const nat::Prospect prospect = nat::prospectOf(found);
    return {{QStringLiteral("prospect"), toQString(nat::nameOf(prospect))},
            {QStringLiteral("meaning"), toQString(nat::meaningOf(prospect))},
            {QStringLiteral("advice"), toQString(nat::adviceOn(prospect))},
            {QStringLiteral("mapping"), toQString(nat::nameOf(found.mapping))},
            {QStringLiteral("filtering"), toQString(nat::nameOf(found.filtering))},
            {QStringLiteral("mapped"),
             found.mapped ? QJsonValue(toQString(toString(*found.mapped))) : QJsonValue()},
            {QStringLiteral("keeps_port"), found.keepsPort},
            {QStringLiteral("local"), jsonOf(reply.locals)},
            {QStringLiteral("asked"), jsonOf(reply.asked)},
            {QStringLiteral("answered"), jsonOf(found.answered)},
            {QStringLiteral("outvoted"), jsonOf(found.outvoted)}};
}

std::string listText(const std::vector<Endpoint>& endpoints)
{
    std::string text;
    for (const Endpoint& endpoint : endpoints)
        text += (text.empty() ? "" : ", ") + toString(endpoint);
    return text.empty() ? "none" : text;
}

void sayCheck(const CommandLine& line, const control::NetCheckReply& reply)
{
    const nat::NatBehaviour& found = reply.behaviour;
    const nat::Prospect prospect = nat::prospectOf(found);
    say(line,
        "Network     " + std::string(nat::nameOf(prospect)) + ": " + std::string(nat::meaningOf(prospect)));
    if (const std::string_view advice = nat::adviceOn(prospect); !advice.empty())
        say(line, "To do       " + std::string(advice));
    say(line,
        "Seen as     " + (found.mapped ? toString(*found.mapped) : std::string("unknown"))
            + (found.mapped && found.mapping != nat::Mapping::None
                   ? (found.keepsPort ? ", with its own port" : ", with another port than its own")
                   : ""));
    say(line, "Itself      " + listText(reply.locals));
    say(line, "Mapping     " + std::string(nat::nameOf(found.mapping)));
    say(line, "Filtering   " + std::string(nat::nameOf(found.filtering)));
    say(line,
        "Asked       " + std::to_string(reply.asked.size())
            + " server(s); answered: " + listText(found.answered));
    if (!found.outvoted.empty())
        say(line,
            "Outvoted    " + listText(found.outvoted) + ": saw another address than most; errs, or lies");
}

Result<Exit> check(const CommandLine& line)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(5s));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    if (!line.json)
        remark(line, "Asking how others see this agent; that takes up to 20 s where nobody answers.");
    const auto reply =
        agent->ask<control::NetCheckReply>(control::NetCheckRequest{}, line.timeout(kCheckLimit));
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (line.json)
        printJson(jsonOf(*reply));
    sayCheck(line, *reply);
    return nat::prospectOf(reply->behaviour) == nat::Prospect::Blocked ? Exit::Unreachable : Exit::Ok;
}

} // namespace

void addNetCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group =
        app.add_subcommand("net", "The network around an agent")->require_subcommand(1)->fallthrough();
    addCommand(*group, line, "check", "Find out how others see the agent, and what that means for it",
               "  starling net check\n  starling --json net check", [&line] { return check(line); });
}

} // namespace starling::cli
