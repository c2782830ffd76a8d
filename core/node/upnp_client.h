// SPDX-License-Identifier: Apache-2.0
/// Port mappings by UPnP, on a thread of its own: libminiupnpc waits for routers, and cannot be told to stop.
/// Only what the default gateway itself offers is used: otherwise any machine of the network could name
/// addresses for this one to send requests to.
#pragma once

#include "nat/port_mapper.h"

#include <QObject>
#include <functional>
#include <memory>

namespace starling::node {

class UpnpClient : public QObject
{
    Q_OBJECT

public:
    using Answer = std::function<void(const Result<nat::PortMapping>&)>;
    struct Found
    {
        nat::PortMapping mapping; ///< of a deletion: without address
        std::string description; ///< where the gateway describes itself
    };

    explicit UpnpClient(QObject* parent = nullptr);
    /// Does not wait: what is under way then ends by itself, within the library's limits, and tells nobody.
    ~UpnpClient() override;

    /// Answers from the event loop; Busy, while an earlier question is not answered yet. The gateway is asked
    /// where it was found the last time, and looked for if that fails.
    void ask(const nat::AskUpnp& question, Answer answer);

private:
    struct Shared;
    void conclude(const Result<Found>& result);
    std::shared_ptr<Shared> m_shared;
    std::string m_description; ///< empty: not known yet
    Answer m_answer; ///< while one is under way
};

/// Finds the gateway by multicast, and asks it. Blocks, for seconds. NotFound if it knows no UPnP; Refused,
/// Unreachable or Malformed as it answers.
Result<UpnpClient::Found> askByUpnp(const nat::AskUpnp& question);
/// The same where the URL of the gateway's description is known.
Result<nat::PortMapping> askByUpnp(const nat::AskUpnp& question, const std::string& description);

} // namespace starling::node
