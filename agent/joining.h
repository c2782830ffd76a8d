// SPDX-License-Identifier: Apache-2.0
/// An agent before it has a certificate: a control socket that says so, and nothing else.
#pragma once

#include "agent/unix_signals.h"
#include "control/server.h"
#include "node/joiner.h"

namespace starling::agent {

class JoiningService : public QObject, private control::Server::Handler
{
    Q_OBJECT

public:
    JoiningService(const node::Joiner& joiner, QString path, QObject* parent = nullptr);
    Status listen() { return m_server.listen(); }

private:
    std::optional<control::Reply> handle(control::ConnectionId from, control::Request request) override;
    void closed(control::ConnectionId) override { }

    const node::Joiner& m_joiner;
    control::Server m_server;
};

/// Runs the event loop until this device is admitted: true; or told to end: false. Fails as Joiner::start()
/// and Server::listen() do.
Result<bool> joinFleet(const node::AgentConfig& config, UnixSignals& signals);

} // namespace starling::agent
