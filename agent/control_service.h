// SPDX-License-Identifier: Apache-2.0
/// What the agent answers on its control socket.
#pragma once

#include "control/server.h"
#include "node/node.h"

namespace starling::agent {

class ControlService : public QObject, private control::Server::Handler
{
    Q_OBJECT

public:
    ControlService(node::Node& node, QString path, QObject* parent = nullptr);
    Status listen();

private:
    std::optional<control::Reply> handle(control::ConnectionId from, control::Request request) override;
    void closed(control::ConnectionId connection) override;

    control::Reply status() const;
    control::Reply updates() const;
    control::Reply devices(const control::DevicesRequest& request);
    control::Reply publish(const control::PublishRequest& request);
    control::Reply trustFor(const KeyId& signer) const;
    std::optional<control::Reply> push(control::ConnectionId from, const control::PushRequest& request);
    control::Reply chunk(control::ConnectionId from, const control::PushChunk& request);
    control::Reply finish(control::ConnectionId from);
    void checkNetwork(control::ConnectionId from);
    control::Reply pending();
    control::Reply createToken(const control::TokenRequest& request);
    std::vector<control::UpdateLine> updateLines() const;

    node::Node& m_node;
    control::Server m_server;
    std::map<control::ConnectionId, node::PushIntake> m_pushes;
};

} // namespace starling::agent
