// SPDX-License-Identifier: Apache-2.0
#include "link/streams.h"

#include <algorithm>

namespace starling::link {

namespace {

/// Of whom there may be only so many.
bool isSameSource(const Endpoint& a, const Endpoint& b)
{
    constexpr std::ptrdiff_t kNetworkBytes = 8; // RFC 4291 section 2.5.4: hosts choose the rest
    const auto end = a.isIpv4() ? a.address.end() : a.address.begin() + kNetworkBytes;
    return a.isIpv4() == b.isIpv4() && std::equal(a.address.begin(), end, b.address.begin());
}

/// RFC 3927, RFC 4291 section 2.5.6: nobody tells such an address to other networks, and clouds answer there.
bool isLinkLocal(const Endpoint& endpoint)
{
    const auto& a = endpoint.address;
    return endpoint.isIpv4() ? a[12] == 169 && a[13] == 254 : a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

} // namespace

Streams::Streams(Shared& shared, LinkTable& table)
    : m_shared(shared)
    , m_table(table)
{
}

bool Streams::hasLink(StreamId stream) const
{
    const auto slot = m_table.find(addressOf(stream));
    return slot != m_table.slots().end() && slot->second.link;
}

Endpoint Streams::remoteOf(const Endpoint& endpoint) const
{
    if (!isStream(endpoint))
        return endpoint;
    const auto found = m_streams.find(streamAt(endpoint));
    return found == m_streams.end() ? Endpoint() : found->second.remote;
}

bool Streams::isOurs(const Endpoint& endpoint) const
{
    const auto found = isStream(endpoint) ? m_streams.find(streamAt(endpoint)) : m_streams.end();
    return found != m_streams.end() && found->second.isOurs;
}

void Streams::tellRemote(Session& link) const
{
    if (isOurs(link.peer().endpoint))
        link.setCalled(remoteOf(link.peer().endpoint));
}

// --- Those of others

void Streams::accept(StreamId stream, const Endpoint& remote, Instant now)
{
    const bool isOwn = (static_cast<std::uint64_t>(stream) & kOwnStreams) != 0;
    if (isOwn || m_streams.contains(stream) || !admit(remote)) {
        ++m_shared.stats.refusedLinks;
        m_shared.outputs.push_back(CloseStream{stream});
        return;
    }
    m_streams.emplace(stream, Stream{remote, now});
    arm();
}

/// Whether one more may come from there; the oldest without a link may give way.
bool Streams::admit(const Endpoint& remote)
{
    std::size_t strangers = 0, ofOne = 0;
    auto oldest = m_streams.end();
    for (auto it = m_streams.begin(); it != m_streams.end(); ++it) {
        if (it->second.isOurs || hasLink(it->first))
            continue;
        ++strangers;
        ofOne += isSameSource(it->second.remote, remote) ? 1 : 0;
        if (oldest == m_streams.end() || it->second.idleSince < oldest->second.idleSince)
            oldest = it;
    }
    if (ofOne >= kMaxStrangersOfOne)
        return false;
    if (strangers >= kMaxStrangers || m_streams.size() >= kMaxStreams) {
        if (oldest == m_streams.end())
            return false;
        ++m_shared.stats.refusedLinks;
        drop(oldest->first);
    }
    return true;
}

void Streams::onStrange(StreamId stream)
{
    const auto slot = m_table.find(addressOf(stream));
    const bool isKnown = slot != m_table.slots().end() && (slot->second.link || slot->second.answer);
    if (m_streams.contains(stream) && !isKnown)
        drop(stream);
}

void Streams::onClosed(StreamId stream, Instant now)
{
    const auto found = m_streams.find(stream);
    if (found == m_streams.end())
        return;
    if (!hasLink(stream))
        return drop(stream);
    // The link is not over with it. Who opened it opens another one, and the other side follows.
    found->second.isClosed = true;
    if (found->second.isOurs)
        tryWay(m_table.find(addressOf(stream)), found->second.remote, now);
}

/// A stream without a link ends, with what is under way on it.
void Streams::drop(StreamId stream)
{
    const auto slot = m_table.find(addressOf(stream));
    if (slot != m_table.slots().end() && slot->second.attempt)
        return m_table.giveUp(slot); // review() closes it
    if (slot != m_table.slots().end()) {
        slot->second.answer.reset();
        m_table.dropIfEmpty(slot);
    }
    if (m_streams.at(stream).isForUdp)
        m_shared.outputs.push_back(LinkFailed{addressOf(stream)}); // as above
    else
        close(stream);
}

void Streams::close(StreamId stream)
{
    m_shared.outputs.push_back(CloseStream{stream});
    m_streams.erase(stream);
}

// --- Our own

bool Streams::mayOpen(const Endpoint& to) const
{
    if (!m_shared.config.streams || m_streams.size() >= kMaxStreams)
        return false;
    // Addresses come from others: what listens on loopback or answers nearby does not expect us.
    const std::vector<Endpoint>& own = m_shared.candidates;
    if (isLinkLocal(to) || (!own.empty() && !isCheckable(to, own)))
        return false;
    std::size_t trials = 0;
    for (const auto& [stream, entry] : m_streams) {
        if (!entry.isOurs || entry.isClosed || hasLink(stream))
            continue;
        if (++trials >= kMaxTrials || entry.remote == to)
            return false;
    }
    return true;
}

Streams::Entries::iterator Streams::open(const Endpoint& to, Instant now)
{
    const StreamId stream{++m_lastOwn};
    m_shared.outputs.push_back(OpenStream{stream, to});
    arm();
    return m_streams.emplace(stream, Stream{to, now, true}).first;
}

bool Streams::hasLinkTo(const Endpoint& to) const
{
    return std::any_of(m_streams.begin(), m_streams.end(), [&](const auto& one) {
        return one.second.isOurs && !one.second.isClosed && one.second.remote == to && hasLink(one.first);
    });
}

/// The attempt on a stream beside one over UDP to `to`.
Streams::Entries::iterator Streams::trialOf(const Endpoint& to)
{
    return std::find_if(m_streams.begin(), m_streams.end(),
                        [&](const auto& one) { return one.second.isForUdp && one.second.remote == to; });
}

void Streams::tryBeside(const Endpoint& to, Instant now)
{
    if (!mayOpen(to) || hasLinkTo(to))
        return;
    const auto opened = open(to, now);
    opened->second.isForUdp = true;
    const auto slot = m_table.obtain(addressOf(opened->first));
    slot->second.isTarget = true;
    slot->second.tries = kHellos;
    m_table.startAttempt(slot, now, now);
}

/// The link of `slot` tries a stream to `to`; it follows if there is an answer.
void Streams::tryWay(LinkTable::Iterator slot, const Endpoint& to, Instant now)
{
    if (slot == m_table.slots().end() || !mayOpen(to))
        return;
    const auto opened = open(to, now);
    slot->second.link->check(addressOf(opened->first), now);
    slot->second.link->arm(now);
}

void Streams::work(Instant now)
{
    for (const StreamWish& wish : std::exchange(m_shared.wishes, {}))
        tryWay(m_table.findUp(wish.link), wish.to, now);
}

// --- What became of attempts

void Streams::endTrial(StreamId stream)
{
    const auto slot = m_table.find(addressOf(stream));
    if (slot != m_table.slots().end() && slot->second.attempt) {
        // A handshake that the other side has answered may be up there already, and is ended.
        if (slot->second.attempt->state() != Attempt::State::Greeting)
            return;
        m_table.dropAttempt(slot->second);
        slot->second.isTarget = false;
        m_table.dropIfEmpty(slot);
    }
    close(stream);
}

void Streams::onUp(LinkUp& up)
{
    m_isPruneDue = true;
    if (!isStream(up.endpoint)) {
        if (const auto trial = trialOf(up.endpoint); trial != m_streams.end())
            endTrial(trial->first);
        return;
    }
    const auto found = m_streams.find(streamAt(up.endpoint));
    if (found == m_streams.end())
        return;
    up.endpoint = found->second.remote;
    if (const auto slot = m_table.findUp(up.link); slot != m_table.slots().end())
        tellRemote(*slot->second.link);
    if (!std::exchange(found->second.isForUdp, false))
        return;
    if (const auto slot = m_table.find(found->second.remote); slot != m_table.slots().end())
        m_table.satisfy(slot, up.link);
}

/// Whether it is to be kept from whoever tried, for now or for good.
bool Streams::onFailed(const Endpoint& endpoint, std::vector<Output>& kept)
{
    if (!isStream(endpoint)) {
        const auto trial = trialOf(endpoint);
        if (trial == m_streams.end())
            return false;
        trial->second.hasUdpFailed = true;
        return true;
    }
    const auto found = m_streams.find(streamAt(endpoint));
    if (found == m_streams.end() || !found->second.isForUdp)
        return false;
    const auto slot = m_table.find(endpoint);
    if (slot != m_table.slots().end() && slot->second.attempt)
        return false; // somebody's descriptor names our stream as an address
    const Stream failed = found->second;
    m_streams.erase(found);
    kept.emplace_back(CloseStream{streamAt(endpoint)});
    if (failed.hasUdpFailed)
        kept.emplace_back(LinkFailed{failed.remote});
    return true;
}

void Streams::review(std::vector<Output>& outputs)
{
    const bool isAboutLinks = std::any_of(outputs.begin(), outputs.end(), [](const Output& output) {
        return std::holds_alternative<LinkUp>(output) || std::holds_alternative<LinkFailed>(output)
            || std::holds_alternative<LinkRefused>(output) || std::holds_alternative<LinkMoved>(output);
    });
    if (m_streams.empty() || !isAboutLinks)
        return; // most of the time
    std::vector<Output> kept;
    for (Output& output : std::exchange(outputs, {})) {
        if (auto* up = std::get_if<LinkUp>(&output))
            onUp(*up);
        else if (auto* refused = std::get_if<LinkRefused>(&output))
            refused->endpoint = remoteOf(refused->endpoint);
        else if (auto* moved = std::get_if<LinkMoved>(&output))
            moved->endpoint = remoteOf(moved->endpoint);
        else if (const auto* failed = std::get_if<LinkFailed>(&output);
                 failed && onFailed(failed->endpoint, kept))
            continue;
        kept.push_back(std::move(output));
    }
    // What was said meanwhile comes after it.
    kept.insert(kept.end(), std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end()));
    outputs = std::move(kept);
}

void Streams::prune()
{
    if (!std::exchange(m_isPruneDue, false))
        return;
    std::vector<StreamId> unwanted;
    for (const auto& [stream, entry] : m_streams) {
        const auto slot = m_table.find(entry.remote);
        const bool isWanted = entry.hasUdpFailed || (slot != m_table.slots().end() && slot->second.isTarget);
        if (entry.isForUdp && !isWanted)
            unwanted.push_back(stream);
    }
    for (const StreamId stream : unwanted)
        endTrial(stream);
}

// --- Time

void Streams::arm()
{
    if (m_streams.empty() || std::exchange(m_isArmed, true))
        return;
    if (m_timer.link == LinkId{})
        m_timer.link = m_table.newId();
    m_timer.generation = ++m_shared.timerGeneration;
    m_shared.outputs.push_back(ScheduleTimer{kPatience / 2, m_timer});
}

bool Streams::onTimer(const Timer& timer, Instant now)
{
    if (m_timer.link == LinkId{} || timer.link != m_timer.link)
        return false;
    if (m_isArmed && timer.generation == m_timer.generation) {
        m_isArmed = false;
        sweep(now);
        arm();
    }
    return true;
}

void Streams::sweep(Instant now)
{
    std::vector<StreamId> idle, broken;
    for (auto& [stream, entry] : m_streams) {
        if (!hasLink(stream)) {
            if (now - entry.idleSince >= kPatience)
                idle.push_back(stream);
            continue;
        }
        entry.idleSince = now;
        if (entry.isClosed && entry.isOurs)
            broken.push_back(stream);
    }
    for (const StreamId stream : idle)
        drop(stream);
    for (const StreamId stream : broken)
        tryWay(m_table.find(addressOf(stream)), m_streams.at(stream).remote, now);
}

} // namespace starling::link
