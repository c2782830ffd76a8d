// SPDX-License-Identifier: Apache-2.0
/// What inputs do to links and handshakes (link_table.h). Nothing that is not authenticated ends a link.
///
/// When both sides greet each other at once, the handshake with the higher ephemeral key goes on: its
/// initiator does not answer the other's HELLO, and who greets with the higher key forgets the answer that it
/// gave to a lower one. So never do both handshakes end.
#include "link/link.h"

#include "base/assert.h"
#include "link/detours.h"
#include "link/doorkeeper.h"
#include "link/link_table.h"
#include "link/streams.h"

#include <algorithm>
#include <utility>

namespace starling::link {

namespace {

constexpr std::size_t kMinDatagramBytes = 128; // headers, and room for some payload
constexpr std::size_t kMaxDatagramBytes = 65'000; // below the 65,507 of a UDP datagram over IPv4
constexpr Duration kMinInterval = std::chrono::milliseconds(1); // no timer may spin
/// Guess: a HELLO answers another one at most this often.
constexpr Duration kHelloPause = std::chrono::milliseconds(250);

Config clamped(Config config)
{
    config.datagramBytes = std::clamp(config.datagramBytes, kMinDatagramBytes, kMaxDatagramBytes);
    config.windowFragments = std::clamp<std::size_t>(config.windowFragments, 1, kReceiveWindow);
    config.minRetransmit = std::max(config.minRetransmit, kMinInterval);
    config.maxRetransmit = std::max(config.maxRetransmit, config.minRetransmit);
    config.keepalive = std::max(config.keepalive, kMinInterval);
    config.reconnectMin = std::max(config.reconnectMin, kMinInterval);
    config.reconnectMax = std::max(config.reconnectMax, config.reconnectMin);
    config.rekeyTime = std::max(config.rekeyTime, kMinInterval);
    config.rekeyDatagrams = std::max<std::uint64_t>(config.rekeyDatagrams, 1);
    return config;
}

} // namespace

class Links::Impl
{
public:
    Impl(NodeId self, Config config, Authenticator& authenticator, RandomSource& random)
        : m_shared{self, clamped(config), authenticator, random, {}, {}, 0, {}, {}}
        , m_codec(authenticator.fleet())
        , m_table(m_shared, m_codec)
        , m_detours(m_shared, m_table)
        , m_streams(m_shared, m_table)
        , m_doorkeeper(random)
    {
        STARLING_ASSERT(authenticator.certificate().size() <= kMaxCertificateBytes);
    }

    void on(const DatagramReceived& input, Instant now);
    void on(const TimerExpired& input, Instant now);
    void on(const Connect& input, Instant now);
    void on(const Close& input, Instant now);
    void on(const Probe& input, Instant now);
    void on(const SendMessage& input, Instant now);
    void on(const SendUnreliable& input, Instant now);
    void on(const AddressChanged& input, Instant now);
    void on(const SetCandidates& input, Instant now);
    void on(const SetKeepalive& input, Instant now);
    void on(const CloseAll& input, Instant now);
    void on(const StreamAccepted& input, Instant now) { m_streams.accept(input.stream, input.remote, now); }
    void on(const StreamReceived& input, Instant now);
    void on(const StreamClosed& input, Instant now) { m_streams.onClosed(input.stream, now); }

    /// What links left to do, and what comes of it.
    void settle(Instant now);
    std::vector<Output> takeOutputs() { return std::exchange(m_shared.outputs, {}); }
    const Stats& stats() const { return m_shared.stats; }
    std::vector<LinkInfo> links() const;
    std::uint64_t carriedBytes() const { return m_detours.carriedBytes(); }
    std::size_t halfOpen() const { return m_table.halfOpen(); }
    std::size_t maxUnreliableBytes() const { return Session::maxUnreliableBytes(m_shared.config); }
    bool isClosed() const { return m_isClosed; }

private:
    using Slot = LinkTable::Slot;
    using Iterator = LinkTable::Iterator;

    void onDatagram(const Endpoint& from, ByteView bytes, Instant now);
    void on(const Endpoint& from, const Hello& hello, Instant now);
    void on(const Endpoint& from, const Welcome& welcome, Instant now);
    void on(const Endpoint& from, const Finish& finish, Instant now);
    void on(const Endpoint& from, const CookieReply& reply, Instant now);
    void on(const Endpoint& from, const Sealed& sealed, Instant now);
    void onSealedElsewhere(const Endpoint& from, const Sealed& sealed, Instant now);
    void greet(Slot& slot, Instant now);
    bool isOursToAnswer(Iterator slot, const LinkKey& ephemeral, Instant now);
    void answer(const Endpoint& from, const Hello& hello, Instant now);
    void onAttemptDue(Iterator slot, Instant now);
    void onLinkDue(Iterator slot, Instant now);
    void follow(Iterator slot, const Paths::Proven& path, Instant now);
    void afterLink(Iterator slot, std::optional<Errc> end, Instant now);

    Shared m_shared;
    PacketCodec m_codec;
    LinkTable m_table;
    Detours m_detours;
    Streams m_streams;
    Doorkeeper m_doorkeeper;
    bool m_isClosed = false;
};

// --- Inputs

void Links::Impl::on(const Connect& input, Instant now)
{
    if (wayOf(input.to) != Way::Udp) { // nobody can have it as an address
        m_shared.outputs.push_back(LinkFailed{input.to});
        return;
    }
    if (input.node && input.tries != 0)
        m_detours.seek(*input.node, input.to, input.tries, now);
    if (input.tries != 0 && m_streams.hasLinkTo(input.to))
        return;
    const auto slot = m_table.obtain(input.to);
    Slot& s = slot->second;
    if ((s.link || s.away) && input.tries != 0)
        return; // there is one, and its end is its end
    s.tries = s.isTarget && (s.tries == 0 || input.tries == 0) ? 0 : input.tries;
    if (std::exchange(s.isTarget, true) || s.link)
        return;
    // A handshake of the other side's is under way: it gets the time to end.
    m_table.startAttempt(slot, s.answer ? now + m_shared.config.reconnectMin : now, now);
}

void Links::Impl::on(const Close& input, Instant now)
{
    const auto slot = m_table.findUp(input.link);
    if (slot == m_table.slots().end())
        return;
    m_table.forgetTarget(slot);
    slot->second.link->sendBye(now);
    m_table.endLink(slot, Errc::Cancelled, now);
}

void Links::Impl::on(const Probe& input, Instant now)
{
    const auto slot = m_table.findUp(input.link);
    if (slot == m_table.slots().end())
        return;
    slot->second.link->probe(now);
    slot->second.link->arm(now);
}

void Links::Impl::on(const DatagramReceived& input, Instant now)
{
    ++m_shared.stats.datagramsIn;
    m_shared.stats.bytesIn += input.bytes.size();
    if (wayOf(input.from) != Way::Udp) { // a forged sender: what comes by a detour comes inside a link
        ++m_shared.stats.malformed;
        return;
    }
    onDatagram(input.from, input.bytes, now);
}

void Links::Impl::on(const StreamReceived& input, Instant now)
{
    if (!m_streams.isOpen(input.stream))
        return;
    const auto strange = [this] {
        return m_shared.stats.malformed + m_shared.stats.replayed + m_shared.stats.refusedLinks;
    };
    const std::uint64_t before = strange();
    ++m_shared.stats.datagramsIn;
    m_shared.stats.bytesIn += input.bytes.size();
    onDatagram(addressOf(input.stream), input.bytes, now);
    if (strange() != before)
        m_streams.onStrange(input.stream);
}

void Links::Impl::onDatagram(const Endpoint& from, ByteView bytes, Instant now)
{
    const auto packet = m_codec.parse(bytes);
    if (!packet) {
        ++m_shared.stats.malformed;
        return;
    }
    std::visit([&](const auto& what) { on(from, what, now); }, *packet);
}

void Links::Impl::settle(Instant now)
{
    // No datagram of a detour makes another one arrive here: this ends.
    for (auto arrived = m_detours.work(now); !arrived.empty(); arrived = m_detours.work(now))
        for (const Detours::Arrived& one : arrived)
            onDatagram(one.from, one.datagram, now);
    m_streams.work(now);
    m_streams.review(m_shared.outputs);
    m_detours.review(m_shared.outputs, now);
    static_cast<void>(m_detours.work(now)); // what review() sent
    m_streams.prune();
}

std::vector<LinkInfo> Links::Impl::links() const
{
    std::vector<LinkInfo> links = m_table.links();
    for (LinkInfo& link : links) {
        link.relay = m_detours.relayOf(link.endpoint);
        link.isCalled = m_streams.isOurs(link.endpoint);
        link.endpoint = m_streams.remoteOf(link.endpoint);
    }
    return links;
}

void Links::Impl::greet(Slot& slot, Instant now)
{
    if (slot.answer && slot.answer->initiator() < slot.attempt->ephemeral())
        slot.answer.reset();
    slot.attempt->sendHello(now, m_table.backoff(slot.attempts++));
}

/// Whether a HELLO from where we greet ourselves is answered, or given way to ours.
bool Links::Impl::isOursToAnswer(Iterator slot, const LinkKey& ephemeral, Instant now)
{
    Slot& s = slot->second;
    if (!s.attempt || s.attempt->ephemeral() < ephemeral)
        return true;
    if (s.attempt->ephemeral() == ephemeral) {
        ++m_shared.stats.refusedLinks; // we greet ourselves
    } else if (s.attempt->state() == Attempt::State::Greeting && now - s.attempt->lastSent() >= kHelloPause) {
        greet(s, now); // its own may not have arrived yet
        s.attempt->arm(now);
    }
    return false;
}

void Links::Impl::on(const Endpoint& from, const Hello& hello, Instant now)
{
    const auto slot = m_table.find(from);
    if (slot != m_table.slots().end()) {
        const LinkKey ephemeral = ephemeralOf(hello);
        if (!isOursToAnswer(slot, ephemeral, now))
            return;
        if (slot->second.answer && slot->second.answer->initiator() == ephemeral)
            return slot->second.answer->sendWelcome(); // our first one was lost
    }
    m_table.forgetOldAnswers(now);
    switch (m_doorkeeper.judge(from, hello.cookie, halfOpen(), now)) {
    case Doorkeeper::Verdict::Answer:
        return answer(from, hello, now);
    case Doorkeeper::Verdict::AskForCookie:
        ++m_shared.stats.cookiesAsked;
        return m_shared.send(
            from, m_codec.serialize(CookieReply{tokenOf(hello), m_doorkeeper.cookieFor(from, now)}));
    case Doorkeeper::Verdict::Ignore:
        ++m_shared.stats.refusedLinks;
        return;
    }
}

void Links::Impl::answer(const Endpoint& from, const Hello& hello, Instant now)
{
    auto answer = Answer::to(hello, from, m_shared, now);
    if (!answer) {
        ++m_shared.stats.malformed;
        return;
    }
    const auto slot = m_table.admit(from);
    if (!slot)
        return;
    (*slot)->second.answer = std::move(*answer);
    (*slot)->second.answer->sendWelcome();
}

void Links::Impl::on(const Endpoint& from, const Welcome& welcome, Instant now)
{
    const auto slot = m_table.find(from);
    Attempt* attempt = slot == m_table.slots().end() ? nullptr : slot->second.attempt.get();
    if (attempt == nullptr || attempt->own() != welcome.to) {
        ++m_shared.stats.malformed;
        return;
    }
    if (attempt->state() != Attempt::State::Greeting)
        return; // it came twice
    const auto taken = attempt->onWelcome(welcome, now);
    if (!taken) {
        ++m_shared.stats.malformed;
        return;
    }
    if (*taken)
        return attempt->arm(now);
    m_table.refuse(slot, taken->error());
    if (slot->second.tries != 0)
        return m_table.giveUp(slot);
    m_table.startAttempt(slot, now + m_table.backoff(slot->second.attempts), now);
}

void Links::Impl::on(const Endpoint& from, const CookieReply& reply, Instant now)
{
    const auto slot = m_table.find(from);
    Attempt* attempt = slot == m_table.slots().end() ? nullptr : slot->second.attempt.get();
    if (attempt == nullptr || attempt->own() != reply.to) {
        ++m_shared.stats.malformed;
        return;
    }
    attempt->onCookie(reply.cookie, now);
    attempt->arm(now);
}

void Links::Impl::on(const Endpoint& from, const Finish& finish, Instant now)
{
    const auto slot = m_table.find(from);
    if (slot != m_table.slots().end() && slot->second.link && slot->second.link->own() == finish.to) {
        slot->second.link->sendConfirmation(now); // our first word was lost
        return slot->second.link->arm(now);
    }
    Answer* answer = slot == m_table.slots().end() ? nullptr : slot->second.answer.get();
    if (answer == nullptr || answer->own() != finish.to) {
        ++m_shared.stats.malformed;
        return;
    }
    auto session = answer->onFinish(finish, m_table.newId(), now);
    if (!session) {
        ++m_shared.stats.malformed;
        return;
    }
    if (!*session) {
        m_table.refuse(slot, session->error());
        slot->second.answer.reset();
        return m_table.dropIfEmpty(slot);
    }
    if (!m_detours.isNeeded(from, (**session)->node())) {
        slot->second.answer.reset();
        return m_table.dropIfEmpty(slot);
    }
    if (!slot->second.isTarget && !isDetour(from))
        m_detours.onReached(now);
    m_table.bringUp(slot, std::move(**session), now - answer->since(), now);
    slot->second.link->sendPing(now); // tells the other side that it is up
    slot->second.link->arm(now);
}

void Links::Impl::on(const Endpoint& from, const Sealed& sealed, Instant now)
{
    const auto slot = m_table.find(from);
    if (slot != m_table.slots().end() && slot->second.link && slot->second.link->own() == sealed.to)
        return afterLink(slot, slot->second.link->onSealed(sealed, from, now), now);
    Attempt* attempt = slot == m_table.slots().end() ? nullptr : slot->second.attempt.get();
    if (attempt == nullptr || attempt->own() != sealed.to)
        return onSealedElsewhere(from, sealed, now);
    const auto first = attempt->open(sealed, now);
    if (!first) {
        ++m_shared.stats.malformed;
        return;
    }
    auto session = attempt->intoSession(now);
    if (!mayLeadTo(from, session->node()))
        return m_table.giveUp(slot);
    const auto roundTrip = session->info().roundTrip;
    m_table.bringUp(slot, std::move(session), roundTrip, now);
    afterLink(slot, slot->second.link->onFrame(*first, from, now), now);
}

/// It is for no link or attempt of the address that it came from, but perhaps for a link whose other side has
/// moved.
void Links::Impl::onSealedElsewhere(const Endpoint& from, const Sealed& sealed, Instant now)
{
    const auto slot = m_table.findUp(sealed.to);
    const auto there = m_table.find(from);
    // One endpoint has one link: none goes where another one is, and the newer of two to one node stays.
    if (slot == m_table.slots().end() || (there != m_table.slots().end() && there->second.link)) {
        ++m_shared.stats.malformed;
        return;
    }
    afterLink(slot, slot->second.link->onSealed(sealed, from, now), now);
}

/// After the link heard or did something; `end` says why it ends, if it does.
void Links::Impl::afterLink(Iterator slot, std::optional<Errc> end, Instant now)
{
    Slot& s = slot->second;
    if (!end) {
        if (s.attempt && s.attempt->state() == Attempt::State::Greeting && !s.link->isSuspect())
            m_table.dropAttempt(s); // the other side has not restarted after all
        return s.link->arm(now);
    }
    if (*end != Errc::Cancelled)
        s.link->sendBye(now);
    m_table.endLink(slot, *end, now);
}

void Links::Impl::on(const TimerExpired& input, Instant now)
{
    if (m_detours.onTimer(input.timer, now) || m_streams.onTimer(input.timer, now))
        return;
    const auto slot = m_table.find(input.timer.link);
    if (slot == m_table.slots().end())
        return;
    Slot& s = slot->second;
    if (s.attempt && s.attempt->id() == input.timer.link) {
        if (s.attempt->takeTimer(input.timer))
            onAttemptDue(slot, now);
    } else if (s.link && s.link->takeTimer(input.timer)) {
        onLinkDue(slot, now);
    }
}

void Links::Impl::onAttemptDue(Iterator slot, Instant now)
{
    Slot& s = slot->second;
    const bool isUnanswered = s.attempts > 0 && s.attempt->state() == Attempt::State::Greeting;
    if (now >= s.attempt->due() && isUnanswered && wayOf(slot->first) == Way::Udp)
        m_streams.tryBeside(slot->first, now);
    if (now >= s.attempt->due() && s.isTriedOut() && s.attempt->state() == Attempt::State::Greeting)
        return m_table.giveUp(slot);
    if (now >= s.attempt->due()) {
        if (s.attempt->state() == Attempt::State::Greeting) {
            greet(s, now);
        } else if (s.tries != 0 && s.attempt->finishes() > s.tries) {
            return m_table.giveUp(slot); // it has other things to do, or did not take us
        } else if (!s.attempt->sendFinish(now)) {
            return m_table.startAttempt(slot, now + m_table.backoff(s.attempts++), now);
        }
    }
    s.attempt->arm(now);
}

void Links::Impl::onLinkDue(Iterator slot, Instant now)
{
    Slot& s = slot->second;
    if (now >= s.link->deadline())
        if (const auto end = s.link->onDeadline(now)) {
            s.link->sendBye(now);
            return m_table.endLink(slot, *end, now);
        }
    if (const auto path = s.link->moved(now))
        return follow(slot, *path, now);
    if (s.isTarget && !s.attempt && s.link->isSuspect())
        m_table.startAttempt(slot, now, now);
    s.link->arm(now);
}

void Links::Impl::follow(Iterator slot, const Paths::Proven& path, Instant now)
{
    const auto there = m_table.find(path.endpoint);
    if (there != m_table.slots().end() && there->second.link) { // it came up meanwhile
        slot->second.link->stayAwayFrom(path.endpoint);
        return slot->second.link->arm(now);
    }
    Session& link = *m_table.move(slot, path.endpoint)->second.link;
    link.follow(path, now);
    m_streams.tellRemote(link);
    link.arm(now);
}

void Links::Impl::on(const AddressChanged&, Instant now)
{
    for (auto slot = m_table.slots().begin(); slot != m_table.slots().end(); ++slot) {
        Slot& s = slot->second;
        if (s.link) {
            s.link->onAddressChange(now);
            s.link->arm(now);
        } else if (s.attempt && s.attempt->state() == Attempt::State::Greeting && s.tries == 0) {
            s.attempts = 0;
            m_table.startAttempt(slot, now, now);
        }
    }
}

void Links::Impl::on(const SetCandidates& input, Instant now)
{
    std::vector<Endpoint> candidates = input.endpoints;
    candidates.resize(std::min(candidates.size(), kMaxNamedCandidates));
    const bool isForeseen = input.forecast && !m_shared.forecast;
    m_shared.forecast = input.forecast;
    if (!isForeseen && m_shared.candidates == candidates)
        return; // the ports of a forecast change with every link
    m_shared.candidates = std::move(candidates);
    for (auto& [endpoint, slot] : m_table.slots())
        if (slot.link) {
            slot.link->onCandidatesChange(now);
            slot.link->arm(now);
        }
}

void Links::Impl::on(const SetKeepalive& input, Instant now)
{
    const Duration usual = m_shared.config.keepalive;
    m_shared.keepalive = std::clamp(input.every.value_or(usual), kMinInterval, usual);
    for (auto& [endpoint, slot] : m_table.slots())
        if (slot.link)
            slot.link->arm(now);
}

void Links::Impl::on(const SendMessage& input, Instant now)
{
    const auto slot = m_table.findUp(input.link);
    if (slot == m_table.slots().end())
        return;
    Session* link = slot->second.link.get();
    if (input.isOnce && input.message.size() <= maxUnreliableBytes()) {
        link->sendUnreliable(input.message, true, now);
        return link->arm(now);
    }
    const auto status = link->send(input.message, now);
    if (status)
        return link->arm(now);
    ++m_shared.stats.refusedMessages;
    if (status.error().code != Errc::Busy)
        return;
    link->sendBye(now);
    m_table.endLink(slot, Errc::Busy, now);
}

void Links::Impl::on(const SendUnreliable& input, Instant now)
{
    const auto slot = m_table.findUp(input.link);
    if (slot == m_table.slots().end())
        return;
    slot->second.link->sendUnreliable(input.bytes, false, now);
    slot->second.link->arm(now);
}

void Links::Impl::on(const CloseAll&, Instant now)
{
    // Relays carry goodbyes as long as their own link is up.
    for (const bool isByDetour : {true, false}) {
        for (auto& [endpoint, slot] : m_table.slots()) {
            if (!slot.link || isDetour(endpoint) != isByDetour)
                continue;
            slot.link->sendBye(now);
            m_shared.outputs.push_back(LinkDown{slot.link->id(), Errc::Cancelled});
        }
        static_cast<void>(m_detours.work(now));
    }
    m_table.clear();
    m_isClosed = true;
}

Links::Links(NodeId self, Config config, Authenticator& authenticator, RandomSource& random)
    : m_impl(std::make_unique<Impl>(self, config, authenticator, random))
{
}

Links::~Links() = default;

std::vector<Output> Links::handle(const Input& input, Instant now)
{
    if (m_impl->isClosed())
        return {};
    std::visit([&](const auto& what) { m_impl->on(what, now); }, input);
    m_impl->settle(now);
    return m_impl->takeOutputs();
}

const Stats& Links::stats() const
{
    return m_impl->stats();
}

std::vector<LinkInfo> Links::links() const
{
    return m_impl->links();
}

std::size_t Links::maxUnreliableBytes() const
{
    return m_impl->maxUnreliableBytes();
}

std::uint64_t Links::carriedBytes() const
{
    return m_impl->carriedBytes();
}

std::size_t Links::halfOpen() const
{
    return m_impl->halfOpen();
}

} // namespace starling::link
