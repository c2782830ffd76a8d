// SPDX-License-Identifier: Apache-2.0
/// The table of links and handshakes by endpoint. An endpoint has at most one link that is up; beside it may
/// stand a handshake of ours and one of the other side's, and whichever ends first takes the link's place:
/// the other side restarted. Nothing that is not authenticated ends a link.
///
/// When both sides greet each other at once, the handshake with the higher ephemeral key goes on: its
/// initiator does not answer the other's HELLO, and who greets with the higher key forgets the answer that it
/// gave to a lower one. So never do both handshakes end.
#include "link/link.h"

#include "base/assert.h"
#include "link/doorkeeper.h"
#include "link/handshake.h"

#include <algorithm>
#include <map>
#include <utility>

namespace starling::link {

namespace {

constexpr std::size_t kMinDatagramBytes = 128; // headers, and room for some payload
constexpr std::size_t kMaxDatagramBytes = 65'000; // below the 65,507 of a UDP datagram over IPv4
constexpr Duration kMinInterval = std::chrono::milliseconds(1); // no timer may spin
/// Guess: longer than an honest FINISH is under way; a later one comes with another HELLO.
constexpr Duration kAnswerLifetime = std::chrono::seconds(10);
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
        : m_shared{self, clamped(config), authenticator, random, {}, {}}
        , m_codec(authenticator.fleet())
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
    void on(const CloseAll& input, Instant now);

    std::vector<Output> takeOutputs() { return std::exchange(m_shared.outputs, {}); }
    const Stats& stats() const { return m_shared.stats; }
    std::vector<LinkInfo> links() const;
    std::size_t halfOpen() const;
    bool isClosed() const { return m_isClosed; }

private:
    struct Slot
    {
        std::unique_ptr<Session> link;
        std::unique_ptr<Attempt> attempt; ///< of a target only
        std::unique_ptr<Answer> answer;
        bool isTarget = false; ///< to be kept up, or to be tried
        unsigned tries = 0; ///< of a target: HELLOs until it is none any more; 0: it is one for good
        unsigned attempts = 0; ///< HELLOs since the link was last up

        bool isTriedOut() const { return tries != 0 && attempts >= tries; }
    };
    using Slots = std::map<Endpoint, Slot>;

    LinkId newId(const Endpoint& endpoint);
    void startAttempt(Slots::iterator slot, Instant firstHello, Instant now);
    void dropAttempt(Slot& slot);
    void giveUp(Slots::iterator slot);
    void dropIfEmpty(Slots::iterator slot);
    void endLink(Slots::iterator slot, Errc reason, Instant now);
    void bringUp(Slots::iterator slot, std::unique_ptr<Session> session, std::optional<Duration> roundTrip);
    void refuse(Slots::iterator slot, const Error& error);

    void on(const Endpoint& from, const Hello& hello, Instant now);
    void on(const Endpoint& from, const Welcome& welcome, Instant now);
    void on(const Endpoint& from, const Finish& finish, Instant now);
    void on(const Endpoint& from, const CookieReply& reply, Instant now);
    void on(const Endpoint& from, const Sealed& sealed, Instant now);
    void greet(Slot& slot, Instant now);
    bool isOursToAnswer(Slots::iterator slot, const LinkKey& ephemeral, Instant now);
    void answer(const Endpoint& from, const Hello& hello, Instant now);
    void forgetOldAnswers(Instant now);
    bool makeRoom();
    void onAttemptDue(Slots::iterator slot, Instant now);
    void onLinkDue(Slots::iterator slot, Instant now);
    void afterLink(Slots::iterator slot, std::optional<Errc> end, Instant now);
    Duration backoff(unsigned attempts);

    Shared m_shared;
    PacketCodec m_codec;
    Doorkeeper m_doorkeeper;
    Slots m_slots;
    std::map<LinkId, Endpoint> m_endpoints; ///< of all links and attempts
    std::uint64_t m_lastId = 0;
    bool m_isClosed = false;
};

LinkId Links::Impl::newId(const Endpoint& endpoint)
{
    const LinkId id{++m_lastId};
    m_endpoints.emplace(id, endpoint);
    return id;
}

Duration Links::Impl::backoff(unsigned attempts)
{
    Duration delay = m_shared.config.reconnectMin;
    for (unsigned i = 0; i < attempts && delay < m_shared.config.reconnectMax; ++i)
        delay *= 2;
    delay = std::min(delay, m_shared.config.reconnectMax);
    // Between half of it and all: nodes that lost the same neighbour at once do not come back at once.
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    return delay - Duration(static_cast<Duration::rep>(m_shared.random.below(half + 1)));
}

// --- What slots hold

void Links::Impl::startAttempt(Slots::iterator slot, Instant firstHello, Instant now)
{
    dropAttempt(slot->second);
    slot->second.attempt =
        std::make_unique<Attempt>(newId(slot->first), slot->first, m_shared, m_codec, firstHello);
    slot->second.attempt->arm(now);
}

void Links::Impl::dropAttempt(Slot& slot)
{
    if (slot.attempt)
        m_endpoints.erase(slot.attempt->id());
    slot.attempt.reset();
}

void Links::Impl::giveUp(Slots::iterator slot)
{
    dropAttempt(slot->second);
    slot->second.isTarget = false;
    slot->second.attempts = 0;
    m_shared.outputs.push_back(LinkFailed{slot->first});
    dropIfEmpty(slot);
}

void Links::Impl::dropIfEmpty(Slots::iterator slot)
{
    const Slot& s = slot->second;
    if (!s.isTarget && !s.link && !s.answer)
        m_slots.erase(slot);
}

void Links::Impl::endLink(Slots::iterator slot, Errc reason, Instant now)
{
    Slot& s = slot->second;
    m_shared.outputs.push_back(LinkDown{s.link->id(), reason});
    m_endpoints.erase(s.link->id());
    s.link.reset();
    if (!s.isTarget)
        return dropIfEmpty(slot);
    s.attempts = 0;
    if (!s.attempt)
        startAttempt(slot, now + backoff(0), now);
}

void Links::Impl::bringUp(Slots::iterator slot, std::unique_ptr<Session> session,
                          std::optional<Duration> roundTrip)
{
    Slot& s = slot->second;
    if (s.link) {
        m_shared.outputs.push_back(LinkDown{s.link->id(), Errc::Unreachable});
        m_endpoints.erase(s.link->id());
    }
    dropAttempt(s);
    s.answer.reset();
    s.attempts = 0;
    s.isTarget = s.isTarget && s.tries == 0;
    m_endpoints.emplace(session->id(), slot->first);
    s.link = std::move(session);
    m_shared.outputs.push_back(LinkUp{s.link->id(), s.link->peer().node, slot->first, roundTrip});
}

void Links::Impl::refuse(Slots::iterator slot, const Error& error)
{
    ++m_shared.stats.refusedLinks;
    m_shared.outputs.push_back(LinkRefused{slot->first, error});
}

/// Whether one more endpoint that we did not ask for may have a slot. One that has only got an answer gives
/// way, the oldest first.
bool Links::Impl::makeRoom()
{
    std::size_t incoming = 0;
    auto oldest = m_slots.end();
    for (auto it = m_slots.begin(); it != m_slots.end(); ++it) {
        const Slot& slot = it->second;
        if (slot.isTarget)
            continue;
        ++incoming;
        if (!slot.link && (oldest == m_slots.end() || slot.answer->since() < oldest->second.answer->since()))
            oldest = it;
    }
    if (incoming < m_shared.config.maxIncomingLinks)
        return true;
    ++m_shared.stats.refusedLinks;
    if (oldest == m_slots.end())
        return false;
    m_slots.erase(oldest);
    return true;
}

void Links::Impl::forgetOldAnswers(Instant now)
{
    for (auto it = m_slots.begin(); it != m_slots.end();) {
        const auto slot = it++;
        if (!slot->second.answer || now - slot->second.answer->since() < kAnswerLifetime)
            continue;
        slot->second.answer.reset();
        dropIfEmpty(slot);
    }
}

// --- Inputs

void Links::Impl::on(const Connect& input, Instant now)
{
    const auto slot = m_slots.try_emplace(input.to).first;
    Slot& s = slot->second;
    if (s.link && input.tries != 0)
        return; // there is one, and its end is its end
    s.tries = s.isTarget && (s.tries == 0 || input.tries == 0) ? 0 : input.tries;
    if (std::exchange(s.isTarget, true) || s.link)
        return;
    // A handshake of the other side's is under way: it gets the time to end.
    startAttempt(slot, s.answer ? now + m_shared.config.reconnectMin : now, now);
}

void Links::Impl::on(const Close& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.link);
    if (endpoint == m_endpoints.end())
        return;
    const auto slot = m_slots.find(endpoint->second);
    Slot& s = slot->second;
    if (!s.link || s.link->id() != input.link)
        return;
    s.isTarget = false;
    dropAttempt(s);
    s.link->sendBye(now);
    endLink(slot, Errc::Cancelled, now);
}

void Links::Impl::on(const Probe& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.link);
    Session* link = endpoint == m_endpoints.end() ? nullptr : m_slots.at(endpoint->second).link.get();
    if (link == nullptr || link->id() != input.link)
        return;
    link->probe(now);
    link->arm(now);
}

void Links::Impl::on(const DatagramReceived& input, Instant now)
{
    ++m_shared.stats.datagramsIn;
    m_shared.stats.bytesIn += input.bytes.size();
    const auto packet = m_codec.parse(input.bytes);
    if (!packet) {
        ++m_shared.stats.malformed;
        return;
    }
    std::visit([&](const auto& what) { on(input.from, what, now); }, *packet);
}

void Links::Impl::greet(Slot& slot, Instant now)
{
    if (slot.answer && slot.answer->initiator() < slot.attempt->ephemeral())
        slot.answer.reset();
    slot.attempt->sendHello(now, backoff(slot.attempts++));
}

/// Whether a HELLO from where we greet ourselves is answered, or given way to ours.
bool Links::Impl::isOursToAnswer(Slots::iterator slot, const LinkKey& ephemeral, Instant now)
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
    const auto slot = m_slots.find(from);
    if (slot != m_slots.end()) {
        const LinkKey ephemeral = ephemeralOf(hello);
        if (!isOursToAnswer(slot, ephemeral, now))
            return;
        if (slot->second.answer && slot->second.answer->initiator() == ephemeral)
            return slot->second.answer->sendWelcome(); // our first one was lost
    }
    forgetOldAnswers(now);
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
    auto slot = m_slots.find(from);
    if (slot == m_slots.end()) {
        if (!makeRoom())
            return;
        slot = m_slots.try_emplace(from).first;
    }
    slot->second.answer = std::move(*answer);
    slot->second.answer->sendWelcome();
}

void Links::Impl::on(const Endpoint& from, const Welcome& welcome, Instant now)
{
    const auto slot = m_slots.find(from);
    Attempt* attempt = slot == m_slots.end() ? nullptr : slot->second.attempt.get();
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
    refuse(slot, taken->error());
    if (slot->second.tries != 0)
        return giveUp(slot);
    startAttempt(slot, now + backoff(slot->second.attempts), now);
}

void Links::Impl::on(const Endpoint& from, const CookieReply& reply, Instant now)
{
    const auto slot = m_slots.find(from);
    Attempt* attempt = slot == m_slots.end() ? nullptr : slot->second.attempt.get();
    if (attempt == nullptr || attempt->own() != reply.to) {
        ++m_shared.stats.malformed;
        return;
    }
    attempt->onCookie(reply.cookie, now);
    attempt->arm(now);
}

void Links::Impl::on(const Endpoint& from, const Finish& finish, Instant now)
{
    const auto slot = m_slots.find(from);
    if (slot != m_slots.end() && slot->second.link && slot->second.link->own() == finish.to) {
        slot->second.link->sendConfirmation(now); // our first word was lost
        return slot->second.link->arm(now);
    }
    Answer* answer = slot == m_slots.end() ? nullptr : slot->second.answer.get();
    if (answer == nullptr || answer->own() != finish.to) {
        ++m_shared.stats.malformed;
        return;
    }
    auto session = answer->onFinish(finish, LinkId{m_lastId + 1}, now);
    if (!session) {
        ++m_shared.stats.malformed;
        return;
    }
    if (!*session) {
        refuse(slot, session->error());
        slot->second.answer.reset();
        return dropIfEmpty(slot);
    }
    ++m_lastId;
    bringUp(slot, std::move(**session), now - answer->since());
    slot->second.link->sendPing(now); // tells the other side that it is up
    slot->second.link->arm(now);
}

void Links::Impl::on(const Endpoint& from, const Sealed& sealed, Instant now)
{
    const auto slot = m_slots.find(from);
    if (slot != m_slots.end() && slot->second.link && slot->second.link->own() == sealed.to)
        return afterLink(slot, slot->second.link->onSealed(sealed, now), now);
    Attempt* attempt = slot == m_slots.end() ? nullptr : slot->second.attempt.get();
    const auto first =
        attempt != nullptr && attempt->own() == sealed.to ? attempt->open(sealed, now) : std::nullopt;
    if (!first) {
        ++m_shared.stats.malformed;
        return;
    }
    auto session = attempt->intoSession(now);
    const auto roundTrip = session->info().roundTrip;
    bringUp(slot, std::move(session), roundTrip);
    afterLink(slot, slot->second.link->onFrame(*first, now), now);
}

/// After the link heard or did something; `end` says why it ends, if it does.
void Links::Impl::afterLink(Slots::iterator slot, std::optional<Errc> end, Instant now)
{
    Slot& s = slot->second;
    if (!end) {
        if (s.attempt && s.attempt->state() == Attempt::State::Greeting && !s.link->isSuspect())
            dropAttempt(s); // the other side has not restarted after all
        return s.link->arm(now);
    }
    if (*end != Errc::Cancelled)
        s.link->sendBye(now);
    endLink(slot, *end, now);
}

void Links::Impl::on(const TimerExpired& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.timer.link);
    if (endpoint == m_endpoints.end())
        return;
    const auto slot = m_slots.find(endpoint->second);
    Slot& s = slot->second;
    if (s.attempt && s.attempt->id() == input.timer.link) {
        if (s.attempt->takeTimer(input.timer))
            onAttemptDue(slot, now);
    } else if (s.link && s.link->takeTimer(input.timer)) {
        onLinkDue(slot, now);
    }
}

void Links::Impl::onAttemptDue(Slots::iterator slot, Instant now)
{
    Slot& s = slot->second;
    if (now >= s.attempt->due() && s.isTriedOut() && s.attempt->state() == Attempt::State::Greeting)
        return giveUp(slot);
    if (now >= s.attempt->due()) {
        if (s.attempt->state() == Attempt::State::Greeting) {
            greet(s, now);
        } else if (s.tries != 0 && s.attempt->finishes() > s.tries) {
            return giveUp(slot); // it has other things to do, or did not take us
        } else if (!s.attempt->sendFinish(now)) {
            return startAttempt(slot, now + backoff(s.attempts++), now);
        }
    }
    s.attempt->arm(now);
}

void Links::Impl::onLinkDue(Slots::iterator slot, Instant now)
{
    Slot& s = slot->second;
    if (now >= s.link->deadline())
        if (const auto end = s.link->onDeadline(now)) {
            s.link->sendBye(now);
            return endLink(slot, *end, now);
        }
    if (s.isTarget && !s.attempt && s.link->isSuspect())
        startAttempt(slot, now, now);
    s.link->arm(now);
}

void Links::Impl::on(const SendMessage& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.link);
    if (endpoint == m_endpoints.end())
        return;
    const auto slot = m_slots.find(endpoint->second);
    Session* link = slot->second.link.get();
    if (link == nullptr || link->id() != input.link)
        return;
    const auto status = link->send(input.message, now);
    if (status)
        return link->arm(now);
    ++m_shared.stats.refusedMessages;
    if (status.error().code != Errc::Busy)
        return;
    link->sendBye(now);
    endLink(slot, Errc::Busy, now);
}

void Links::Impl::on(const CloseAll&, Instant now)
{
    for (auto& [endpoint, slot] : m_slots) {
        if (!slot.link)
            continue;
        slot.link->sendBye(now);
        m_shared.outputs.push_back(LinkDown{slot.link->id(), Errc::Cancelled});
    }
    m_slots.clear();
    m_endpoints.clear();
    m_isClosed = true;
}

std::vector<LinkInfo> Links::Impl::links() const
{
    std::vector<LinkInfo> all;
    for (const auto& [endpoint, slot] : m_slots) {
        if (slot.link)
            all.push_back(slot.link->info());
        else if (slot.attempt)
            all.push_back(slot.attempt->info());
    }
    return all;
}

std::size_t Links::Impl::halfOpen() const
{
    return static_cast<std::size_t>(std::count_if(
        m_slots.begin(), m_slots.end(), [](const auto& slot) { return slot.second.answer != nullptr; }));
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

std::size_t Links::halfOpen() const
{
    return m_impl->halfOpen();
}

} // namespace starling::link
