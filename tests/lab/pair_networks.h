// SPDX-License-Identifier: Apache-2.0
/// Where the two of a pair are, and the networks that are made for them: each pair in sites of its own, and a
/// third host on the public network.
#pragma once

#include "internet.h"

#include <optional>
#include <string>
#include <vector>

namespace starling::lab {

/// Where a node of a pair is.
enum class Place : std::uint8_t {
    Open, ///< on the public network
    OpenNat,
    Prc, ///< behind a NAT that keeps ports, and filters by address and port
    Acc, ///< the same, but what comes from outside may come to the NAT's own host, and spoil holes (ADR 21)
    Hairpin, ///< as Prc, by a NAT that lets those inside reach each other at their addresses outside
    Sym, ///< behind a symmetric one
    SymSeq, ///< behind one that counts its ports up
    Fw, ///< behind a firewall
    NoUdp, ///< as Prc, by a NAT that lets no UDP through
    Narrow, ///< as Prc, by a line that carries no packets over 1,280 bytes
    Cgn, ///< behind two NATs: as Prc, and a carrier's like Hairpin, which RFC 6888 wants of it
    CgnSym, ///< the same, with a carrier's that is symmetric
    Open6, ///< on a public network that has IPv6 and nothing else
    Fw6, ///< behind a firewall there
    Same, ///< of the second of a pair: behind what the first one is behind
    SameCarrier, ///< of the second of a pair: behind a NAT of its own at the first one's carrier
};
std::string nameOf(Place place);
std::optional<Place> placeNamed(const std::string& name);
/// All of them, as usages have it.
std::string placeNames();

struct Pair
{
    Place from{}; ///< who wants the link
    Place to{};
};
/// "prc:sym"
std::string nameOf(const Pair& pair);
/// Nothing if there is no such pair.
std::optional<Pair> pairNamed(const std::string& name);
/// Those of the table in README.md.
std::vector<Pair> allPairs();

/// The hosts of one play. They share nothing with those of another one but the public network.
struct PairHosts
{
    const Internet::Host* middle = nullptr; ///< on the public network, with two addresses; of PairNetworks
    std::vector<Internet::Site> sites;
    Internet::Host from, to;
};

class PairNetworks
{
public:
    /// Needs enterLab(). Busy once there are too many.
    Result<PairHosts> add(const Pair& pair);
    /// Lets TCP in to this port of the first one: where it is reached. Usage where two NATs would have to, or
    /// the other one is inside as well.
    static Result<Endpoint> letIn(const Pair& pair, const PairHosts& hosts, std::uint16_t port);

private:
    struct World
    {
        std::unique_ptr<Internet> internet;
        Internet::Host middle;
    };
    Result<World*> worldOf(const Pair& pair);
    Result<Internet::Host> addAt(World& world, Place place, const std::string& name,
                                 std::vector<Internet::Site>& sites) const;
    Status addSites(World& world, Place place, const std::string& name,
                    std::vector<Internet::Site>& sites) const;

    std::optional<World> m_ipv4, m_ipv6;
    unsigned m_added = 0;
};

} // namespace starling::lab
