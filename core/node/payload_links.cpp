// SPDX-License-Identifier: Apache-2.0
#include "node/payload_links.h"

#include <algorithm>

namespace starling::node {

namespace {

constexpr unsigned kHellos = 2; ///< of one try; as overlay::MembershipConfig::tries
constexpr Duration kTryInterval = std::chrono::seconds(2); ///< guess; doubled up to
constexpr Duration kTryIntervalMax = std::chrono::seconds(60); ///< guess
constexpr unsigned kDoublings = 5; ///< 2 s · 2⁵ is over the most

} // namespace

PayloadLinks::PayloadLinks(TimerQueue& timers, Wires wires)
    : m_timers(timers)
    , m_wires(std::move(wires))
{
}

void PayloadLinks::take(const link::Output& output)
{
    if (const auto* unreliable = std::get_if<link::UnreliableReceived>(&output)) {
        if (const auto from = m_nodes.find(unreliable->link); from != m_nodes.end())
            m_wires.received(from->second, unreliable->bytes);
    } else if (const auto* up = std::get_if<link::LinkUp>(&output)) {
        if (up->isRestricted)
            return; // no payload goes either way
        auto& links = m_links[up->node];
        links.push_back(up->link);
        m_nodes.insert_or_assign(up->link, up->node);
        if (links.size() == 1)
            m_wires.linked(up->node);
    } else if (const auto* silence = std::get_if<link::LinkSilence>(&output)) {
        if (silence->isSilent)
            m_silent.insert(silence->link);
        else
            m_silent.erase(silence->link);
    } else if (const auto* down = std::get_if<link::LinkDown>(&output)) {
        dropLink(down->link);
    }
}

void PayloadLinks::dropLink(link::LinkId link)
{
    m_silent.erase(link);
    const auto known = m_nodes.extract(link);
    if (known.empty())
        return;
    const NodeId node = known.mapped();
    const auto links = m_links.find(node);
    std::erase(links->second, link);
    if (!links->second.empty())
        return;
    m_links.erase(links);
    if (const auto wanted = m_wanted.find(node); wanted != m_wanted.end()) {
        // One that did not last waits as long as one that did not come up.
        wanted->second.nextTry = std::max(wanted->second.nextTry, m_timers.now() + kTryInterval);
        schedule();
    }
    m_wires.unlinked(node);
}

bool PayloadLinks::want(const NodeId& node, const std::vector<Endpoint>& addresses)
{
    if (!m_wanted.contains(node) && m_wanted.size() >= kMaxWanted && !giveOneUp())
        return false;
    Wanted& wanted = m_wanted[node];
    const bool isNews = wanted.addresses != addresses;
    wanted.addresses = addresses;
    if (isNews && !isLinked(node)) {
        wanted.tries = 0;
        connect(node, wanted);
    }
    return true;
}

/// Whoever was tried in vain most often is wanted no longer.
bool PayloadLinks::giveOneUp()
{
    auto worst = m_wanted.end();
    for (auto wanted = m_wanted.begin(); wanted != m_wanted.end(); ++wanted)
        if (!isLinked(wanted->first) && wanted->second.tries > 1
            && (worst == m_wanted.end() || wanted->second.tries > worst->second.tries))
            worst = wanted;
    if (worst == m_wanted.end())
        return false;
    m_wanted.erase(worst);
    return true;
}

void PayloadLinks::wantOnly(const std::set<NodeId>& nodes)
{
    std::erase_if(m_wanted, [&](const auto& wanted) { return !nodes.contains(wanted.first); });
}

void PayloadLinks::connect(const NodeId& node, Wanted& wanted)
{
    wanted.nextTry =
        m_timers.now() + std::min(kTryIntervalMax, kTryInterval * (1 << std::min(wanted.tries, kDoublings)));
    ++wanted.tries;
    schedule();
    // A copy: what comes of it may change what is wanted.
    std::vector<Endpoint> addresses = wanted.addresses;
    addresses.resize(std::min(addresses.size(), kMaxAddresses));
    for (const Endpoint& address : addresses)
        m_wires.links(link::Connect{address, kHellos, node});
}

void PayloadLinks::tryAgain()
{
    m_isScheduled = false;
    std::vector<NodeId> due;
    for (const auto& [node, wanted] : m_wanted)
        if (!isLinked(node) && wanted.nextTry <= m_timers.now())
            due.push_back(node);
    for (const NodeId& node : due)
        if (const auto wanted = m_wanted.find(node); wanted != m_wanted.end())
            connect(node, wanted->second);
    schedule();
}

void PayloadLinks::schedule()
{
    const bool isNeeded = std::any_of(m_wanted.begin(), m_wanted.end(),
                                      [this](const auto& wanted) { return !isLinked(wanted.first); });
    if (!isNeeded || std::exchange(m_isScheduled, true))
        return;
    m_timers.schedule(kTryInterval / 2, [this] { tryAgain(); });
}

bool PayloadLinks::isInUse(link::LinkId link) const
{
    const auto node = m_nodes.find(link);
    if (node == m_nodes.end() || m_silent.contains(link) || m_links.at(node->second).back() != link)
        return false;
    return m_wanted.contains(node->second) || m_wires.isInUse(node->second);
}

bool PayloadLinks::send(const NodeId& node, ByteView datagram)
{
    const auto links = m_links.find(node);
    if (links == m_links.end())
        return false;
    m_wires.links(link::SendUnreliable{links->second.back(), datagram});
    return true;
}

} // namespace starling::node
