// SPDX-License-Identifier: Apache-2.0
#include "node/source_choice.h"

#include "crypto/sha256.h"

#include <algorithm>

namespace starling::node {

namespace {

/// Guess: above what a site's own network takes, Wi-Fi included, and below most ways out of a town.
constexpr Duration kNearRoundTrip = std::chrono::milliseconds(10);

/// RFC 1918 and RFC 4193. Not RFC 6598: carriers' customers share that, and no site.
bool isOfSites(const Endpoint& endpoint)
{
    const auto& a = endpoint.address;
    if (!endpoint.isIpv4())
        return (a[0] & 0xfe) == 0xfc;
    return a[12] == 10 || (a[12] == 172 && (a[13] & 0xf0) == 16) || (a[12] == 192 && a[13] == 168);
}

std::size_t indexOf(Distance level)
{
    return static_cast<std::size_t>(level);
}

bool isAt(Distance level, const Source& source)
{
    return source.distance == level;
}

bool hasAny(const std::vector<Source>& sources, Distance level)
{
    return std::any_of(sources.begin(), sources.end(), [&](const Source& s) { return isAt(level, s); });
}

} // namespace

bool Subnet::contains(const Endpoint& endpoint) const
{
    for (unsigned bit = 0; bit < std::min(prefixBits, 128U); bit += 8) {
        const unsigned bits = std::min(8U, prefixBits - bit);
        const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits));
        if (((address.address[bit / 8] ^ endpoint.address[bit / 8]) & mask) != 0)
            return false;
    }
    return true;
}

Distance distanceOf(const Whereabouts& source, const std::string& ownSite, const std::vector<Subnet>& own)
{
    if (source.isRelayed)
        return Distance::Relayed;
    if (!source.site.empty() && !ownSite.empty())
        return source.site == ownSite ? Distance::Near : Distance::Far;
    const bool isBeside = std::any_of(own.begin(), own.end(),
                                      [&](const Subnet& subnet) { return subnet.contains(source.endpoint); });
    const bool isQuick = source.roundTrip && *source.roundTrip <= kNearRoundTrip;
    return isBeside || (isOfSites(source.endpoint) && isQuick) ? Distance::Near : Distance::Far;
}

SourceChoice::SourceChoice(const NodeId& self, const InfoHash& payload, std::uint64_t pieceBytes)
    : m_self(self)
    , m_payload(payload)
    , m_patience(
          std::clamp<Duration>(std::chrono::seconds(pieceBytes / kSlowestUplink), kPatience, kPatienceMax))
{
}

Distance SourceChoice::farthest(const std::vector<Source>& sources, Instant now)
{
    note(sources, now);
    if (hasAny(sources, Distance::Near) && isHeld(Distance::Near, sources, now)) {
        // Their time begins when they are asked.
        if (Level& far = m_levels[indexOf(Distance::Far)]; far.since)
            far.since = now;
        return Distance::Near;
    }
    return hasAny(sources, Distance::Far) && isHeld(Distance::Far, sources, now) ? Distance::Far
                                                                                 : Distance::Relayed;
}

void SourceChoice::note(const std::vector<Source>& sources, Instant now)
{
    for (const Distance distance : {Distance::Near, Distance::Far}) {
        Level& level = m_levels[indexOf(distance)];
        const bool isComplete = std::any_of(sources.begin(), sources.end(), [&](const Source& source) {
            return isAt(distance, source) && source.isComplete;
        });
        if (!hasAny(sources, distance))
            level.since.reset();
        else if (!level.since || (isComplete && !level.isComplete))
            level.since = now;
        level.isComplete = isComplete;
    }
    std::map<NodeId, std::uint64_t> bytes;
    for (const Source& source : sources) {
        bytes[source.node] = source.bytesFrom;
        const auto before = m_bytes.find(source.node);
        const bool isMore = before != m_bytes.end() && source.bytesFrom > before->second;
        if (isMore && source.distance != Distance::Relayed)
            m_levels[indexOf(source.distance)].progress = now;
    }
    m_bytes = std::move(bytes);
}

/// Whether what is beyond this level must wait: as long as this one has what is needed and lets it come.
bool SourceChoice::isHeld(Distance distance, const std::vector<Source>& sources, Instant now) const
{
    const Level& level = m_levels[indexOf(distance)];
    const Duration wait = waitFor(distance, sources);
    if (wait == Duration() && !level.isComplete)
        return false;
    Instant until = *level.since + wait + (level.isComplete ? m_patience : Duration());
    if (level.progress)
        until = std::max(until, *level.progress + m_patience + wait);
    return now < until;
}

Duration SourceChoice::waitFor(Distance level, const std::vector<Source>& sources) const
{
    // Those that are far get it by their own ways, whoever is the first.
    if (level != Distance::Near)
        return m_levels[indexOf(level)].isComplete ? Duration() : m_patience;
    const auto isRival = [](const Source& source) {
        return isAt(Distance::Near, source) && !source.isComplete;
    };
    // Others have a better way, or had one if anybody did.
    const bool hasWay = std::any_of(sources.begin(), sources.end(), [](const Source& source) {
        return isAt(Distance::Far, source) && !source.isExpected;
    });
    if (!hasWay)
        return std::any_of(sources.begin(), sources.end(), isRival) ? m_patience : Duration();
    const Digest own = rankOf(m_self);
    const auto before = std::count_if(sources.begin(), sources.end(), [&](const Source& source) {
        return isRival(source) && rankOf(source.node) < own;
    });
    return kTurn * static_cast<int>(std::min(static_cast<std::size_t>(before), kMaxTurns));
}

/// Another order for each payload, so that the burden goes round.
Digest SourceChoice::rankOf(const NodeId& node) const
{
    crypto::Sha256 hash;
    hash.update(m_payload.bytes());
    hash.update(node.bytes());
    return hash.finish();
}

} // namespace starling::node
