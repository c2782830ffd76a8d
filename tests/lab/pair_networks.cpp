// SPDX-License-Identifier: Apache-2.0
#include "pair_networks.h"

namespace starling::lab {

namespace {

struct PlaceWords
{
    Place place{};
    const char* name = "";
    std::optional<Edge> edge{}; ///< what is nearest to the host
    std::optional<Edge> carrier{}; ///< what is behind that
};

constexpr PlaceWords kPlaces[] = {
    {Place::Open, "open"},
    {Place::OpenNat, "opennat", Edge::OpenNat},
    {Place::Prc, "prc", Edge::PortFilteringNat},
    {Place::Acc, "acc", Edge::PortFilteringNat},
    {Place::Hairpin, "hairpin", Edge::HairpinNat},
    {Place::Sym, "sym", Edge::SymmetricNat},
    {Place::SymSeq, "symseq", Edge::CountingNat},
    {Place::Fw, "fw", Edge::Firewall},
    {Place::NoUdp, "noudp", Edge::PortFilteringNat},
    {Place::Narrow, "narrow", Edge::PortFilteringNat},
    {Place::Cgn, "cgn", Edge::PortFilteringNat, Edge::HairpinNat},
    {Place::CgnSym, "cgnsym", Edge::PortFilteringNat, Edge::SymmetricNat},
    {Place::Open6, "open6"},
    {Place::Fw6, "fw6", Edge::Firewall},
    {Place::Same, "same"},
    {Place::SameCarrier, "samecarrier"},
};

const PlaceWords& wordsOf(Place place)
{
    for (const PlaceWords& words : kPlaces)
        if (words.place == place)
            return words;
    return kPlaces[0];
}

bool isRelative(Place place)
{
    return place == Place::Same || place == Place::SameCarrier;
}

bool isOfIpv6(Place place)
{
    return place == Place::Open6 || place == Place::Fw6;
}

bool isPair(const Pair& pair)
{
    if (isRelative(pair.from))
        return false;
    if (pair.to == Place::Same)
        return wordsOf(pair.from).edge.has_value();
    if (pair.to == Place::SameCarrier)
        return wordsOf(pair.from).carrier.has_value();
    return isOfIpv6(pair.from) == isOfIpv6(pair.to);
}

} // namespace

std::string nameOf(Place place)
{
    return wordsOf(place).name;
}

std::optional<Place> placeNamed(const std::string& name)
{
    for (const PlaceWords& words : kPlaces)
        if (name == words.name)
            return words.place;
    return std::nullopt;
}

std::string placeNames()
{
    std::string names;
    for (const PlaceWords& words : kPlaces)
        if (!isRelative(words.place))
            names += (names.empty() ? "" : ", ") + std::string(words.name);
    return names;
}

std::string nameOf(const Pair& pair)
{
    return nameOf(pair.from) + ":" + nameOf(pair.to);
}

std::optional<Pair> pairNamed(const std::string& name)
{
    const auto colon = name.find(':');
    const auto from = placeNamed(name.substr(0, colon));
    const auto to = colon == name.npos ? std::nullopt : placeNamed(name.substr(colon + 1));
    if (!from || !to || !isPair({*from, *to}))
        return std::nullopt;
    return Pair{*from, *to};
}

std::vector<Pair> allPairs()
{
    using enum Place;
    return {{Open, Open},       {Prc, Open},    {Sym, Open},      {Fw, Open},
            {Open, OpenNat},    {Open, Prc},    {Open, Sym},      {Open, Fw},
            {Prc, Prc},         {Fw, Prc},      {Prc, Fw},        {Fw, Fw},
            {Prc, Sym},         {Sym, Prc},     {Fw, Sym},        {Sym, Sym},
            {Prc, SymSeq},      {SymSeq, Prc},  {Fw, SymSeq},     {SymSeq, SymSeq},
            {Prc, Same},        {Sym, Same},    {Hairpin, Same},  {Fw, Same},
            {Open, Cgn},        {Prc, Cgn},     {Cgn, Cgn},       {Cgn, Same},
            {Cgn, SameCarrier}, {CgnSym, Cgn},  {CgnSym, CgnSym}, {CgnSym, SameCarrier},
            {Open, Narrow},     {Narrow, Open}, {Narrow, Narrow}, {Open6, Open6},
            {Open6, Fw6},       {Fw6, Open6},   {Fw6, Fw6},       {NoUdp, Open},
            {NoUdp, Prc},       {NoUdp, NoUdp}};
}

Result<PairNetworks::World*> PairNetworks::worldOf(const Pair& pair)
{
    std::optional<World>& world = isOfIpv6(pair.from) ? m_ipv6 : m_ipv4;
    if (world)
        return &*world;
    auto internet = Internet::create(isOfIpv6(pair.from) ? Family::Ipv6 : Family::Ipv4);
    if (!internet)
        return tl::unexpected<Error>(internet.error());
    auto middle = (*internet)->addPublicHost("middle", 2);
    if (!middle)
        return tl::unexpected<Error>(middle.error());
    world = World{std::move(*internet), std::move(*middle)};
    return &*world;
}

/// The one that is nearest to the host goes last.
Status PairNetworks::addSites(World& world, Place place, const std::string& name,
                              std::vector<Internet::Site>& sites) const
{
    const PlaceWords& words = wordsOf(place);
    if (words.carrier) {
        auto carrier = world.internet->addCarrier("carrier of " + name, *words.carrier);
        if (!carrier)
            return tl::unexpected<Error>(carrier.error());
        sites.push_back(std::move(*carrier));
    }
    auto site = words.carrier ? world.internet->addSiteBehind(sites.back(), "edge of " + name, *words.edge)
                              : world.internet->addSite("edge of " + name, *words.edge);
    if (!site)
        return tl::unexpected<Error>(site.error());
    sites.push_back(std::move(*site));
    if (place == Place::Acc)
        return sites.back().edge->nft("flush chain ip edge input\n");
    if (place == Place::NoUdp)
        return sites.back().edge->nft("insert rule ip edge forward meta l4proto udp drop\n");
    if (place == Place::Narrow)
        return world.internet->narrow(sites.back(), kLeastMtu);
    return {};
}

Result<Internet::Host> PairNetworks::addAt(World& world, Place place, const std::string& name,
                                           std::vector<Internet::Site>& sites) const
{
    if (place == Place::SameCarrier) {
        auto site = world.internet->addSiteBehind(sites.front(), "edge of " + name, Edge::PortFilteringNat);
        if (!site)
            return tl::unexpected<Error>(site.error());
        sites.push_back(std::move(*site));
    } else if (place != Place::Same) {
        if (!wordsOf(place).edge)
            return world.internet->addPublicHost(name, 1);
        if (auto added = addSites(world, place, name, sites); !added)
            return tl::unexpected<Error>(added.error());
    }
    return world.internet->addHost(sites.back(), name);
}

Result<Endpoint> PairNetworks::letIn(const Pair& pair, const PairHosts& hosts, std::uint16_t port)
{
    const PlaceWords& words = wordsOf(pair.from);
    if (words.carrier || isRelative(pair.to))
        return fail(Errc::Usage, nameOf(pair) + ": TCP from outside");
    Endpoint reached = hosts.from.addresses.front();
    reached.port = port;
    if (!words.edge)
        return reached;
    const Internet::Site& site = hosts.sites.front();
    const QByteArray table = reached.isIpv4() ? "ip edge " : "ip6 edge ";
    const QByteArray what = " tcp dport " + QByteArray::number(port);
    if (auto opened = site.edge->nft("insert rule " + table + "forward" + what + " accept\n"); !opened)
        return tl::unexpected<Error>(opened.error());
    if (words.edge == Edge::Firewall)
        return reached;
    if (auto opened = site.edge->nft("insert rule " + table + "before iifname \"out\"" + what + " dnat to "
                                     + addressText(reached) + "\n");
        !opened)
        return tl::unexpected<Error>(opened.error());
    reached.address = site.outside.address;
    return reached;
}

Result<PairHosts> PairNetworks::add(const Pair& pair)
{
    auto world = worldOf(pair);
    if (!world)
        return tl::unexpected<Error>(world.error());
    const std::string number = std::to_string(++m_added);
    PairHosts hosts;
    hosts.middle = &(*world)->middle;
    auto from = addAt(**world, pair.from, "from" + number, hosts.sites);
    if (!from)
        return tl::unexpected<Error>(from.error());
    auto to = addAt(**world, pair.to, "to" + number, hosts.sites);
    if (!to)
        return tl::unexpected<Error>(to.error());
    hosts.from = std::move(*from);
    hosts.to = std::move(*to);
    return hosts;
}

} // namespace starling::lab
