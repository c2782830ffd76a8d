// SPDX-License-Identifier: Apache-2.0
/// Tells of whom a payload is asked, from what is known of links, labels and bytes exchanged: source_choice.h
/// for every payload that is being fetched.
#pragma once

#include "link/link_info.h"
#include "node/source_choice.h"
#include "swarm/swarm.h"

#include <functional>
#include <set>

namespace starling::node {

/// The label of certificates that says which devices are behind one uplink.
inline constexpr const char* kSiteLabel = "site";

class SourceDesk
{
public:
    /// Between two looks at the networks that this device is in. As Node looks at its addresses.
    static constexpr Duration kSubnetInterval = std::chrono::seconds(5);
    /// Whoever is near is taken to fetch it, too, until this long after the beginning: a release comes to a
    /// site's devices at the same time, and before they hear of each other that they fetch it. Guess.
    static constexpr Duration kNews = std::chrono::seconds(2);
    /// The same of those that are far, for relayed sources to wait for. Guess: they hear of it when we do.
    static constexpr Duration kFarNews = std::chrono::milliseconds(250);

    struct Surroundings
    {
        std::function<std::vector<link::LinkInfo>()> links;
        std::function<std::string()> site; ///< this device's label; empty if it has none
        std::function<std::vector<Subnet>()> subnets;
    };
    explicit SourceDesk(Surroundings surroundings);

    void begin(const InfoHash& payload, const SourceChoice& choice, Instant now);
    void end(const InfoHash& payload);
    /// What the overlay knows of a source of a payload that is being fetched.
    void offered(const InfoHash& payload, const NodeId& node, const std::string& site, bool isComplete);
    /// The nodes that are to be asked; nothing: everybody. `traffic` is that of the session.
    std::optional<std::set<NodeId>> ask(const InfoHash& payload,
                                        const std::vector<swarm::PeerTraffic>& traffic, Instant now);

private:
    struct Offer
    {
        std::string site;
        bool isComplete = false;
    };
    struct Fetch
    {
        SourceChoice choice;
        Instant begun;
        std::map<NodeId, Offer> offers;
    };
    static constexpr std::size_t kMaxOffers = 256; ///< guess: of one payload; as libtorrent's list of peers
    /// Everybody there is a link to: also who fetches and was not offered.
    std::map<NodeId, Distance> linked(const Fetch& fetch, Instant now);
    static bool isExpected(Distance distance, Duration age);
    const std::vector<Subnet>& subnets(Instant now);

    Surroundings m_surroundings;
    std::map<InfoHash, Fetch> m_fetches;
    std::vector<Subnet> m_subnets;
    std::optional<Instant> m_subnetsAt;
};

} // namespace starling::node
