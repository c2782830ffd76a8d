// SPDX-License-Identifier: Apache-2.0
/// How much of BitTorrent went inside links of which kind, since the start: with whom, and in all. Knows no
/// payload, only datagrams that may be lost (link::SendUnreliable), which nothing else is sent as.
#pragma once

#include "link/link.h"

#include <functional>
#include <map>

namespace starling::node {

class PathLedger
{
public:
    /// Bytes of uTP, its headers included.
    struct Amount
    {
        std::uint64_t in = 0, out = 0;
        bool operator==(const Amount&) const = default;
    };
    using ByKind = std::map<link::LinkInfo::Kind, Amount>;
    /// Guess: some 100 bytes each. What is exchanged with others counts in all() alone.
    static constexpr std::size_t kMaxNodes = 1'024;

    using LinksNow = std::function<std::vector<link::LinkInfo>()>;
    /// Whether an address is in this device's own network.
    using IsNear = std::function<bool(const Endpoint&)>;

    explicit PathLedger(IsNear isNear = {})
        : m_isNear(std::move(isNear))
    {
    }
    /// To be called for every output of the links; some make it look what kind these are.
    void take(const link::Output& output, const LinksNow& links);
    /// To be called for every input of theirs.
    void take(const link::Input& input);
    ByKind with(const NodeId& node) const;
    const ByKind& all() const { return m_all; }
    /// What came, by the names of kinds, for receipts; what came from the own network, by a link without a
    /// relay, as "site".
    std::map<std::string, std::uint64_t> received() const;

private:
    struct Way
    {
        NodeId node;
        link::LinkInfo::Kind kind{};
        bool isNear = false;
    };
    void look(link::LinkId link, const LinksNow& links);
    void count(link::LinkId link, const Amount& amount);

    const IsNear m_isNear;
    std::map<link::LinkId, Way> m_ways; ///< as many as there are links
    std::map<NodeId, ByKind> m_byNode;
    ByKind m_all, m_near; ///< near: of all
};

} // namespace starling::node
