// SPDX-License-Identifier: Apache-2.0
#include "agent/joining.h"

#include <QCoreApplication>

namespace starling::agent {

using namespace control;

namespace {
constexpr int kAdmitted = 1;
}

JoiningService::JoiningService(const node::Joiner& joiner, QString path, QObject* parent)
    : QObject(parent)
    , m_joiner(joiner)
    , m_server({.path = std::move(path)}, *this)
{
}

std::optional<Reply> JoiningService::handle(ConnectionId, Request request)
{
    if (!std::holds_alternative<StatusRequest>(request))
        return ErrorReply{{Errc::NotAdmitted, "this agent is " + m_joiner.waitingFor()}};
    StatusReply reply;
    reply.version = STARLING_VERSION;
    reply.node = m_joiner.request().node;
    reply.name = m_joiner.request().name;
    reply.fleet = m_joiner.fleet();
    reply.uptimeSeconds = m_joiner.uptimeSeconds();
    reply.mode = "joining";
    reply.swarm = "members";
    reply.listen = m_joiner.listenEndpoint();
    reply.waiting = m_joiner.waitingFor();
    return reply;
}

Result<bool> joinFleet(const node::AgentConfig& config, UnixSignals& signals)
{
    auto joiner = node::Joiner::start(config);
    if (!joiner)
        return tl::unexpected<Error>(joiner.error());
    JoiningService control(**joiner, QString::fromStdString(config.control.string()));
    if (auto listening = control.listen(); !listening)
        return tl::unexpected<Error>(listening.error());
    QObject::connect(&signals, &UnixSignals::terminate, joiner->get(), [] { QCoreApplication::exit(); });
    QObject::connect(joiner->get(), &node::Joiner::admitted, [] { QCoreApplication::exit(kAdmitted); });
    return QCoreApplication::exec() == kAdmitted;
}

} // namespace starling::agent
