// SPDX-License-Identifier: Apache-2.0
#include "model/network_text.h"

#include "base/size.h"
#include "model/why_text.h"
#include "model/words.h"

#include <QStringList>

namespace starling::console {

namespace {

/// Found by its English text, which core/nat has: it knows nothing of translations.
QString translated(std::string_view english)
{
    return english.empty() ? QString() : Words::tr(std::string(english).c_str());
}

qint64 secondsOf(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

QString bindingText(const nat::LifetimeState& state)
{
    switch (state.kind) {
    case nat::LifetimeState::Kind::Unmeasured:
        return Words::tr("not measured: there is nothing that would forget one, or nobody answers");
    case nat::LifetimeState::Kind::Measuring:
        return Words::tr("being measured, which takes up to a quarter of an hour; ask again then");
    case nat::LifetimeState::Kind::Measured:
        return state.found.lost ? Words::tr("kept through %1 s of silence, lost after %2 s")
                                      .arg(secondsOf(state.found.held))
                                      .arg(secondsOf(*state.found.lost))
                                : Words::tr("kept through %1 s of silence, which is as long as was tried")
                                      .arg(secondsOf(state.found.held));
    case nat::LifetimeState::Kind::Failed:
        return Words::tr("could not be measured: %1").arg(text(state.trouble));
    }
    return {};
}

QString seenAs(const nat::NatBehaviour& found)
{
    if (!found.mapped)
        return Words::tr("unknown");
    const QString address = text(toString(*found.mapped));
    if (found.mapping == nat::Mapping::None)
        return address;
    return found.keepsPort ? Words::tr("%1, with its own port").arg(address)
                           : Words::tr("%1, with another port than its own").arg(address);
}

QString routerText(const nat::PortMapState& state)
{
    return state.kind == nat::PortMapState::Kind::Off
        ? Words::tr("port mapping %1; port_mapping = auto in [nat] asks the router for one")
              .arg(portMappingText(state))
        : Words::tr("port mapping %1").arg(portMappingText(state));
}

QString tcpText(const control::TcpState& tcp)
{
    return tcp.isListening
        ? Words::tr("%1 link(s); others may call").arg(tcp.links)
        : Words::tr("%1 link(s); its port is taken, so that nobody can call").arg(tcp.links);
}

} // namespace

bool isUdpBlocked(const control::NetCheckReply& reply)
{
    return nat::prospectOf(reply.behaviour) == nat::Prospect::Blocked && reply.tcp.links > 0;
}

std::vector<Endpoint> globalIpv6(const std::vector<Endpoint>& locals)
{
    std::vector<Endpoint> global;
    for (const Endpoint& local : locals)
        if (!local.isIpv4() && (local.address[0] & 0xe0) == 0x20)
            global.push_back(local);
    return global;
}

NetworkVerdict verdictOn(const control::NetCheckReply& reply)
{
    const nat::Prospect prospect = nat::prospectOf(reply.behaviour);
    return {translated(nat::nameOf(prospect)), translated(nat::meaningOf(prospect)),
            translated(nat::adviceOn(prospect))};
}

std::vector<NetworkFact> factsOf(const control::NetCheckReply& reply)
{
    const nat::NatBehaviour& found = reply.behaviour;
    std::vector<NetworkFact> facts{
        {Words::tr("Seen as"), seenAs(found)},
        {Words::tr("Itself"), endpointsText(reply.locals)},
        {Words::tr("Mapping"),
         found.forecast
             ? Words::tr("%1, counted up by %2").arg(mappingWord(found.mapping)).arg(found.forecast->step)
             : mappingWord(found.mapping)},
        {Words::tr("Filtering"), translated(nat::nameOf(found.filtering))},
        {Words::tr("Binding"), bindingText(reply.lifetime)},
        {Words::tr("IPv6"), endpointsText(globalIpv6(reply.locals))},
        {Words::tr("Router"), routerText(reply.portMapping)},
        {Words::tr("Asked"),
         Words::tr("%1 server(s); answered: %2").arg(reply.asked.size()).arg(endpointsText(found.answered))}};
    if (isUdpBlocked(reply))
        facts.push_back(
            {Words::tr("UDP"), Words::tr("blocked: nobody answers over UDP, and links over TCP are up")});
    facts.push_back({Words::tr("TCP"), tcpText(reply.tcp)});
    if (!reply.tcp.proxy.empty())
        facts.push_back(
            {Words::tr("Proxy"),
             reply.tcp.proxyTrouble.empty()
                 ? text(reply.tcp.proxy)
                 : QStringLiteral("%1: %2").arg(text(reply.tcp.proxy), text(reply.tcp.proxyTrouble))});
    if (!found.outvoted.empty())
        facts.push_back({Words::tr("Outvoted"),
                         Words::tr("%1: saw another address than most; errs, or lies")
                             .arg(endpointsText(found.outvoted))});
    return facts;
}

QString mappingWord(nat::Mapping mapping)
{
    return translated(nat::nameOf(mapping));
}

QString linkWord(const std::string& kind)
{
    return kind == "tcp" ? Words::tr("TCP") : translated(kind);
}

QString payloadText(const std::vector<control::PathLine>& lines)
{
    QStringList parts;
    for (const control::PathLine& line : lines)
        parts += Words::tr("%1 %2 in, %3 out")
                     .arg(linkWord(line.kind), text(toString(ByteCount{line.in})),
                          text(toString(ByteCount{line.out})));
    return parts.join(QStringLiteral("; "));
}

QString endpointsText(const std::vector<Endpoint>& endpoints)
{
    QStringList parts;
    for (const Endpoint& endpoint : endpoints)
        parts += text(toString(endpoint));
    return parts.isEmpty() ? Words::tr("none") : parts.join(QStringLiteral(", "));
}

QString portMappingText(const nat::PortMapState& state)
{
    using Kind = nat::PortMapState::Kind;
    const QString trouble = state.trouble.empty() ? QString() : QStringLiteral(": ") + text(state.trouble);
    switch (state.kind) {
    case Kind::Off:
        return Words::tr("off");
    case Kind::NotNeeded:
        return Words::tr("not needed: no private IPv4 address behind a router");
    case Kind::Asking:
        return Words::tr("asking the router") + trouble;
    case Kind::None:
        return Words::tr("none") + trouble;
    case Kind::Held:
        break;
    }
    const nat::PortMapping& mapping = *state.mapping;
    const QString where =
        mapping.hasTcp ? Words::tr("held, %1 by %2, UDP and TCP") : Words::tr("held, %1 by %2, UDP");
    return where.arg(text(toString(mapping.external)), text(nat::nameOf(mapping.method)))
        + (mapping.lease == Duration(0)
               ? Words::tr(", until it is deleted")
               : Words::tr(", for %1").arg(spanText(std::chrono::seconds(state.restSeconds))))
        + (state.isTold ? QString() : Words::tr("; not told to others")) + trouble;
}

QString noSessionsText(const control::SessionsReply& reply)
{
    if (!reply.isRendezvous)
        return Words::tr("This agent is no rendezvous: set 'rendezvous = true' in [nat].");
    return reply.sessions.empty() ? Words::tr("Nobody is linked to this rendezvous.") : QString();
}

} // namespace starling::console
