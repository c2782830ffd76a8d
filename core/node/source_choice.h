// SPDX-License-Identifier: Apache-2.0
/// Of whom a payload is asked for: devices of this one's own site first, so that it crosses the site's uplink
/// once; relayed sources last (resources/docs/adr/0032-one-download-per-site.md). Pure: no clock, no socket.
#pragma once

#include "base/endpoint.h"
#include "base/ids.h"
#include "base/time.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace starling::node {

/// How dear what comes from there is, the cheapest first.
enum class Distance : std::uint8_t {
    Near, ///< of this device's site: its uplink has no part in it
    Far, ///< over the uplink, by a link of the two alone
    Relayed, ///< through a third node, which spends its quota on it
};

/// The addresses of one network that this device is in.
struct Subnet
{
    Endpoint address; ///< any of them
    unsigned prefixBits = 128; ///< of all 128; an IPv4 address has 96 before it
    bool contains(const Endpoint& endpoint) const;
    bool operator==(const Subnet&) const = default;
};

/// What tells how far away a source is.
struct Whereabouts
{
    std::string site; ///< the label of its certificate; empty if it has none
    Endpoint endpoint; ///< of the link to it, if that is not relayed
    bool isRelayed = false;
    std::optional<Duration> roundTrip;
};
/// Who labels devices by site knows best, so labels count first. Otherwise near is whoever is in a network of
/// this device, or has a private address and answers quickly.
Distance distanceOf(const Whereabouts& source, const std::string& ownSite, const std::vector<Subnet>& own);

/// Somebody linked who holds pieces of the payload, or fetches it.
struct Source
{
    NodeId node;
    Distance distance{};
    bool isComplete = false;
    std::uint64_t bytesFrom = 0; ///< of the payload, so far
    bool isExpected = false; ///< to fetch it, too: it has not said so
};

/// For one payload that is being fetched. Devices of a site that all lack it take turns by an order that each
/// of them computes alike: the first asks far sources at once, each of the others only when what is near
/// makes no progress for a while and those before it had their turn.
class SourceChoice
{
public:
    /// Without progress for this long, dearer sources are asked as well. Guess: above the silences of a busy
    /// Wi-Fi; doubled and more for payloads whose pieces take longer.
    static constexpr Duration kPatience = std::chrono::seconds(5);
    static constexpr Duration kPatienceMax = std::chrono::seconds(30); ///< guess
    /// A piece must be whole before a device passes it on: in this pace at least. Guess: a mebibit a second.
    static constexpr std::uint64_t kSlowestUplink = 128 * 1024;
    /// Between the turns of two devices. Guess: what the first one needs to have a piece to pass on. When
    /// that is too short, two of them fetch for a moment, and mostly different pieces.
    static constexpr Duration kTurn = std::chrono::milliseconds(500);
    static constexpr std::size_t kMaxTurns = 10; ///< guess: nobody waits longer than these

    SourceChoice(const NodeId& self, const InfoHash& payload, std::uint64_t pieceBytes);

    /// Sources at this distance and below are to be asked, others not. `sources` are all that are linked now,
    /// each once. To be asked again whenever they change, and from time to time.
    Distance farthest(const std::vector<Source>& sources, Instant now);

private:
    /// What is known of all sources at one distance.
    struct Level
    {
        std::optional<Instant> since; ///< there are any; begins again when one is complete for the first time
        std::optional<Instant> progress; ///< something last came from one of them
        bool isComplete = false; ///< one of them is
    };
    void note(const std::vector<Source>& sources, Instant now);
    bool isHeld(Distance level, const std::vector<Source>& sources, Instant now) const;
    /// How long the devices before this one have the field to themselves.
    Duration waitFor(Distance level, const std::vector<Source>& sources) const;
    Digest rankOf(const NodeId& node) const;

    NodeId m_self;
    InfoHash m_payload;
    Duration m_patience;
    std::array<Level, 2> m_levels; ///< Near and Far
    std::map<NodeId, std::uint64_t> m_bytes; ///< of the sources of the last call
};

} // namespace starling::node
