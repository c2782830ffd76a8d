// SPDX-License-Identifier: Apache-2.0
/// One payload for all devices of a site in the lab: real agents behind one NAT with a narrow uplink, and
/// one on the public network that has the payload. What crosses the uplink is counted by nftables there.
#pragma once

#include "fleet.h"
#include "internet.h"

namespace starling::lab {

struct SitePlan
{
    std::filesystem::path directory{}; ///< must exist; everything goes below it
    std::filesystem::path programs{}; ///< where starling and starling-agent are
    std::size_t devices = 4; ///< behind the NAT
    std::size_t mebibytes = 16; ///< of the payload
    unsigned megabits = 20; ///< a second, of the uplink, each way
    bool losesFirst = false; ///< kills the device that fetches from outside, once it has an eighth
};

struct SiteOutcome
{
    double seconds = 0; ///< from the push until the last device that is left has all of it
    std::uint64_t cameIn = 0; ///< bytes over the uplink meanwhile, with headers and whatever else went there
    std::uint64_t wentOut = 0;
    double times = 0; ///< cameIn by the payload's size
    std::vector<std::uint64_t> fromOrigin; ///< payload that each device had from there
};

class SiteDownload
{
public:
    /// Makes the networks, starts the agents and waits until each device has a link to the origin and to
    /// another device. Needs enterLab().
    static Result<std::unique_ptr<SiteDownload>> create(SitePlan plan);
    /// Pushes a payload at the origin and waits until all devices have it.
    Result<SiteOutcome> play();

private:
    explicit SiteDownload(SitePlan plan)
        : m_plan(std::move(plan))
    {
    }
    Status makeNetworks();
    Status startFleet();
    bool isJoined(std::size_t device) const;
    bool hasIt(std::size_t device) const;
    Result<std::pair<std::uint64_t, std::uint64_t>> crossed() const;
    std::uint64_t fromOrigin(std::size_t device) const;
    void loseFirst(std::uint64_t bytes);
    bool isOver() const;

    SitePlan m_plan;
    std::unique_ptr<Internet> m_internet;
    Internet::Site m_site;
    std::vector<Internet::Host> m_hosts; ///< the first one is public
    std::size_t m_lost = 0; ///< the device that was killed, if any
    std::unique_ptr<support::Fleet> m_fleet; ///< after the networks: its agents end before they do
};

} // namespace starling::lab
