// SPDX-License-Identifier: Apache-2.0
#include "overlay/root_exchange.h"

#include <algorithm>
#include <array>

namespace starling::overlay {

namespace {

/// Of one Roots message; guess: 400 roots of 600 bytes, or 4 of the largest.
constexpr std::size_t kRootsBytes = 256 * 1024;
/// Version, kind and count, and a length before each notice (message.h).
constexpr std::size_t kOverhead = 4;
constexpr std::size_t kLengthBytes = 4;
/// Guess: a chain of 1,024 roots of 16 KiB at once, and 1 MiB/s for whoever asks again and again.
constexpr std::uint32_t kAllowanceBurst = 16 * 1024 * 1024;
constexpr std::uint32_t kAllowancePerSecond = 1024 * 1024;
/// Guess: some times what a slow link needs for one Roots message.
constexpr Duration kPatience = std::chrono::seconds(20);
/// Of one neighbour: as much as one message may have. What is over it comes again by comparing boards.
constexpr std::size_t kMaxWaitingBytes = 1024 * 1024;
constexpr std::size_t kMaxWaiting = 64; ///< notices; guess
/// Guess: after so many promises that came to nothing a neighbour is not believed while its link is up.
constexpr unsigned kMaxBroken = 3;

/// Whether a newer root may make a notice welcome that was refused with this code.
bool mayWantARoot(Errc code)
{
    static constexpr std::array kCodes = {
        Errc::UnknownKey, Errc::WrongScope,  Errc::BelowThreshold,
        Errc::WrongEpoch, Errc::NotAdmitted, Errc::RootGap,
    };
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

} // namespace

RootExchange::RootExchange(const Config& config, Mediator& mediator)
    : m_config(config)
    , m_mediator(mediator)
{
}

void RootExchange::addNeighbor(NeighborId neighbor, Instant now)
{
    m_peers.emplace(neighbor, Peer(Allowance(kAllowanceBurst, kAllowancePerSecond, now)));
}

void RootExchange::removeNeighbor(NeighborId neighbor)
{
    m_peers.erase(neighbor);
}

void RootExchange::ask(NeighborId neighbor, Peer& peer, Instant now, Postbox& postbox)
{
    if (peer.asked)
        return;
    peer.asked = now;
    postbox.send(neighbor, AskRootsMessage{m_mediator.rootNumber() + 1});
}

void RootExchange::giveUp(Peer& peer)
{
    peer.asked.reset();
    peer.number = 0;
    ++peer.broken;
}

void RootExchange::onNumber(NeighborId from, std::uint64_t number, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || found->second.broken >= kMaxBroken)
        return;
    Peer& peer = found->second;
    peer.number = std::max(peer.number, number);
    if (peer.number > m_mediator.rootNumber())
        ask(from, peer, now, postbox);
}

void RootExchange::onAskRoots(NeighborId from, const AskRootsMessage& message, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || !found->second.allowance.isOpen(now))
        return;
    const std::size_t limit = std::min(kRootsBytes, m_config.maxMessageBytes);
    const std::uint64_t newest = m_mediator.rootNumber();
    std::vector<Bytes> notices;
    std::size_t size = kOverhead;
    for (std::uint64_t number = message.from; number <= newest && notices.size() < kMaxRoots; ++number) {
        Bytes notice = m_mediator.root(number);
        size += kLengthBytes + notice.size();
        if (notice.empty() || (!notices.empty() && size > limit))
            break;
        notices.push_back(std::move(notice));
    }
    found->second.allowance.spend(
        postbox.send(from, RootsMessage{std::vector<ByteView>(notices.begin(), notices.end())}));
}

bool RootExchange::isAwaited(NeighborId from) const
{
    const auto found = m_peers.find(from);
    return found != m_peers.end() && found->second.asked;
}

void RootExchange::settle(NeighborId from, bool hasHelped, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end())
        return;
    Peer& peer = found->second;
    peer.asked.reset();
    if (peer.number <= m_mediator.rootNumber())
        return;
    if (hasHelped)
        ask(from, peer, now, postbox);
    else
        giveUp(peer);
}

bool RootExchange::keep(NeighborId from, ByteView notice, const Error& error, Instant now, Postbox& postbox)
{
    const auto found = m_peers.find(from);
    if (found == m_peers.end() || !mayWantARoot(error.code))
        return false;
    Peer& peer = found->second;
    // A root that is two ahead at least: its neighbour holds those between, for it has verified it.
    if (error.code == Errc::RootGap)
        onNumber(from, m_mediator.rootNumber() + 2, now, postbox);
    if (peer.number <= m_mediator.rootNumber())
        return false;
    ask(from, peer, now, postbox);
    if (error.code != Errc::RootGap && peer.waiting.size() < kMaxWaiting
        && peer.waitingBytes + notice.size() <= kMaxWaitingBytes) {
        peer.waitingBytes += notice.size();
        peer.waiting.push_back(toBytes(notice));
    }
    return true;
}

std::vector<RootExchange::Waiting> RootExchange::takeReady()
{
    std::vector<Waiting> ready;
    for (auto& [neighbor, peer] : m_peers) {
        if (peer.number > m_mediator.rootNumber())
            continue;
        for (Bytes& notice : peer.waiting)
            ready.push_back({neighbor, std::move(notice)});
        peer.waiting.clear();
        peer.waitingBytes = 0;
    }
    return ready;
}

void RootExchange::round(Instant now)
{
    for (auto& [neighbor, peer] : m_peers)
        if (peer.asked && now - *peer.asked >= kPatience)
            giveUp(peer);
}

} // namespace starling::overlay
