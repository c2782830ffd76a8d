// SPDX-License-Identifier: Apache-2.0
/// An agent's configuration: one INI file, then the drop-ins of `conf.d/*.conf` beside it in the order of
/// their names. Unknown keys are refused by name. resources/config/agent.conf documents every key.
#pragma once

#include "base/ini_file.h"
#include "base/size.h"
#include "base/time.h"
#include "base/uri.h"
#include "node/proxy_address.h"
#include "swarm/swarm.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace starling::node {

enum class DeployMode : std::uint8_t {
    Deploy, ///< verifies, deploys, checks
    None, ///< a relay: fetches and seeds, never deploys
};

/// How soon it is known that a neighbour is gone, and what that costs (performance.md, 9 and 10).
enum class NetworkProfile : std::uint8_t {
    Wan, ///< within 30 s
    Lan, ///< within seconds, for more than twice the traffic while idle
};

/// Whether a router is asked to pass the port of the links on to this device.
enum class PortMapMode : std::uint8_t {
    Off,
    Auto, ///< by PCP, NAT-PMP or UPnP, whichever it knows
};

/// An agent that takes join requests, and the link key under which it does.
struct JoinContact
{
    Endpoint endpoint;
    LinkKey linkKey;
};

struct AgentConfig
{
    // [agent]
    std::filesystem::path state = "/var/lib/starling"; ///< FHS: state of a daemon
    std::filesystem::path control = "/run/starling/agent.sock"; ///< FHS: sockets
    Endpoint listen =
        Endpoint::ipv4(0, 0, 0, 0, 7891); ///< UDP and TCP of the links; 7891 is unassigned by IANA
    std::vector<Endpoint> neighbors;
    NetworkProfile network = NetworkProfile::Wan;
    std::map<std::string, std::string> labels;
    // [trust]
    std::filesystem::path root =
        "/etc/starling/root.envelope"; ///< the anchor: the fleet's first root document
    std::filesystem::path key = "/etc/starling/device.key"; ///< plain device key, mode 0600
    std::filesystem::path certificate = "/etc/starling/device.admit"; ///< admits this device
    std::filesystem::path subscription =
        "/etc/starling/observer.subscription"; ///< if it is there: who collects receipts
    // [observer]
    std::optional<std::uint64_t> sumsAbove; ///< none: what the subscription says (trust/subscription.h)
    // [nat]
    std::vector<Endpoint> stunServers; ///< asked besides linked neighbours, which answer STUN, too
    bool rendezvous = false; ///< links to many, and introduces them to each other
    bool relay = true; ///< carries for others, within link::RelayConfig, if it is reachable
    PortMapMode portMapping = PortMapMode::Off; ///< off: it opens a door that an administrator may want shut
    // [network]
    std::optional<ProxyAddress> proxy; ///< TCP to other agents goes through it
    bool isProxyChosen = false; ///< whether the configuration says, and the environment is not asked
    // [enrolment]
    std::filesystem::path tokenFile; ///< a join token, mode 0600; only looked at without a certificate
    std::optional<JoinContact> contact; ///< whom to ask without a token
    std::string deviceName; ///< to ask for; empty: the host's
    std::filesystem::path admitKey; ///< plain, mode 0600: this agent admits who shows a token of its own
    // [swarm]
    swarm::Admission admission = swarm::Admission::Members;
    swarm::Dht dht = swarm::Dht::Off;
    std::uint16_t swarmPort = 0; ///< of an open swarm, for foreign clients; 0: the system chooses
    BytesPerSecond uploadLimit; ///< 0: none
    BytesPerSecond downloadLimit;
    ByteCount quota = gibibytes(8); ///< payload bytes that may be stored; guess
    // [deploy]
    DeployMode deploy = DeployMode::Deploy;
    std::filesystem::path deviceRoot = "/"; ///< what scripts install into
    std::string puppet = "puppet";
};

/// From parsed files. Fails with ConfigInvalid, naming file, line and key.
Result<AgentConfig> interpretConfig(const IniFile& ini);
/// Reads `file` and its drop-ins; where they say nothing of a proxy, the environment does. A missing file is
/// NotFound.
Result<AgentConfig> readConfig(const std::filesystem::path& file);
/// "192.0.2.7:7891#" and the link key in 64 hexadecimal digits. ConfigInvalid otherwise.
Result<JoinContact> parseJoinContact(std::string_view text);
/// "127.0.0.1:7001" or "[::1]:7001". ConfigInvalid otherwise: names are not looked up.
Result<Endpoint> parseEndpoint(std::string_view text);

} // namespace starling::node
