// SPDX-License-Identifier: Apache-2.0
/// Pairs of nodes in the lab: real links over real sockets, through real NATs and firewalls. A third node, on
/// the public network, has a link to both; what becomes of theirs is measured.
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
    Sym, ///< behind a symmetric one
    Fw, ///< behind a firewall
    Same, ///< of the second of a pair: behind what the first one is behind
};
inline constexpr std::array kPlaces{Place::Open, Place::OpenNat, Place::Prc, Place::Acc,
                                    Place::Sym,  Place::Fw,      Place::Same};
std::string nameOf(Place place);
std::optional<Place> placeNamed(const std::string& name);

struct Pair
{
    Place from{}; ///< who wants the link
    Place to{};
};
/// "prc:sym"
std::string nameOf(const Pair& pair);
std::optional<Pair> pairNamed(const std::string& name);
/// Those of the table in README.md.
std::vector<Pair> allPairs();

struct PairOutcome
{
    std::string first; ///< "direct", "punched" or "relayed": the link as it came up
    std::string kind; ///< as it is after its first attempts
    double linkMs = 0; ///< until it was up on both sides
    double settledMs = 0; ///< until it was what it is; of a relayed one, as linkMs
    bool carriesMessages = false; ///< one each way arrived
    std::uint64_t relayedBytes = 0; ///< that the third node carried
};

class LinkPairs
{
public:
    /// Needs enterOwnNetwork().
    static Result<std::unique_ptr<LinkPairs>> create();
    ~LinkPairs();
    /// Fails with Timeout if there is no link within some seconds.
    Result<PairOutcome> play(const Pair& pair);

private:
    class Nodes;
    LinkPairs() = default;
    Result<Internet::Host> hostAt(Place place, const std::string& name, std::optional<Internet::Site>& site);

    std::unique_ptr<Internet> m_internet;
    Internet::Host m_middle;
    unsigned m_played = 0;
};

} // namespace starling::lab
