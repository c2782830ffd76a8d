// SPDX-License-Identifier: Apache-2.0
/// The table of sessions by endpoint. An endpoint has at most one link that is up. A HELLO with another token
/// than that link's (the other side restarted, or a stranger forged its address) makes a second, half-open
/// session beside it, which takes the link's place only when a frame proves that its sender received our
/// answer.
#include "link/link.h"

#include "link/session.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace starling::link {

namespace {

constexpr std::size_t kMinDatagramBytes = 128; // header, DATA's fields, and room for some payload
constexpr std::size_t kMaxDatagramBytes = 65'000; // below the 65,507 of a UDP datagram over IPv4
constexpr Duration kMinInterval = std::chrono::milliseconds(1); // no timer may spin

Config clamped(Config config)
{
    config.datagramBytes = std::clamp(config.datagramBytes, kMinDatagramBytes, kMaxDatagramBytes);
    config.windowFragments = std::clamp<std::size_t>(config.windowFragments, 1, kReceiveWindow);
    config.minRetransmit = std::max(config.minRetransmit, kMinInterval);
    config.maxRetransmit = std::max(config.maxRetransmit, config.minRetransmit);
    config.keepalive = std::max(config.keepalive, kMinInterval);
    config.reconnectMin = std::max(config.reconnectMin, kMinInterval);
    config.reconnectMax = std::max(config.reconnectMax, config.reconnectMin);
    return config;
}

} // namespace

class Links::Impl
{
public:
    Impl(NodeId self, Config config, RandomSource& random)
        : m_shared{self, clamped(config), {}, {}}
        , m_random(random)
    {
    }

    void on(const DatagramReceived& input, Instant now);
    void on(const TimerExpired& input, Instant now);
    void on(const Connect& input, Instant now);
    void on(const SendMessage& input, Instant now);
    void on(const CloseAll& input, Instant now);

    std::vector<Output> takeOutputs() { return std::exchange(m_shared.outputs, {}); }
    const Stats& stats() const { return m_shared.stats; }
    std::vector<LinkInfo> links() const;
    bool isClosed() const { return m_isClosed; }

private:
    using SessionPtr = std::unique_ptr<Session>;
    struct Slot
    {
        SessionPtr current; ///< never empty between inputs
        SessionPtr candidate; ///< half-open
        bool isTarget = false; ///< to be kept up
        unsigned attempts = 0; ///< HELLOs since the link was last up
    };
    using Slots = std::map<Endpoint, Slot>;

    SessionPtr makeSession(const Endpoint& remote, Session::State state);
    void forget(SessionPtr& session);
    void onHello(const Endpoint& from, Token token, const Hello& hello, Instant now);
    void onHelloAck(const Endpoint& from, const Frame& frame, const HelloAck& ack, Instant now);
    void onLinkFrame(const Endpoint& from, const Frame& frame, Instant now);
    void onStrangeFrame(const Endpoint& from, const Frame& frame);
    Session* proven(Slot& slot, const Frame& frame, Instant now);
    bool makeRoom();
    void connect(Slots::iterator slot, Instant firstHello);
    void end(Slots::iterator slot, Errc reason, Instant now);
    Duration backoff(unsigned attempts);

    Session::Shared m_shared;
    RandomSource& m_random;
    Slots m_slots;
    std::map<LinkId, Endpoint> m_endpoints; ///< of all sessions
    std::uint64_t m_lastId = 0;
    bool m_isClosed = false;
};

Links::Impl::SessionPtr Links::Impl::makeSession(const Endpoint& remote, Session::State state)
{
    Token token{};
    while (token == Token{})
        token = Token{m_random.u64()};
    const LinkId id{++m_lastId};
    m_endpoints.emplace(id, remote);
    return std::make_unique<Session>(id, remote, token, state, m_shared);
}

void Links::Impl::forget(SessionPtr& session)
{
    if (session)
        m_endpoints.erase(session->id());
    session.reset();
}

Duration Links::Impl::backoff(unsigned attempts)
{
    Duration delay = m_shared.config.reconnectMin;
    for (unsigned i = 0; i < attempts && delay < m_shared.config.reconnectMax; ++i)
        delay *= 2;
    delay = std::min(delay, m_shared.config.reconnectMax);
    // Between half of it and all: nodes that lost the same neighbour at once do not come back at once.
    const auto half = static_cast<std::uint64_t>(delay.count() / 2);
    return delay - Duration(static_cast<Duration::rep>(m_random.below(half + 1)));
}

void Links::Impl::on(const Connect& input, Instant now)
{
    const auto [slot, isNew] = m_slots.try_emplace(input.to);
    if (slot->second.isTarget)
        return;
    slot->second.isTarget = true;
    if (isNew)
        connect(slot, now);
    else if (slot->second.current->state() == Session::State::HalfOpen)
        slot->second.current->beginConnecting(now);
    slot->second.current->arm(now);
}

void Links::Impl::connect(Slots::iterator slot, Instant firstHello)
{
    slot->second.current = makeSession(slot->first, Session::State::Connecting);
    slot->second.current->setNextHello(firstHello);
}

void Links::Impl::end(Slots::iterator slot, Errc reason, Instant now)
{
    Slot& s = slot->second;
    if (s.current->state() == Session::State::Up)
        m_shared.outputs.push_back(LinkDown{s.current->id(), reason});
    forget(s.current);
    if (s.isTarget) {
        s.attempts = 0;
        connect(slot, now + backoff(0));
        s.current->arm(now);
    } else if (s.candidate) {
        s.current = std::move(s.candidate);
    } else {
        m_slots.erase(slot);
    }
}

void Links::Impl::on(const DatagramReceived& input, Instant now)
{
    ++m_shared.stats.datagramsIn;
    m_shared.stats.bytesIn += input.bytes.size();
    const auto frame = parse(input.bytes);
    if (!frame) {
        ++m_shared.stats.malformed;
        return;
    }
    if (const auto* hello = std::get_if<Hello>(&frame->body))
        return onHello(input.from, frame->from, *hello, now);
    if (const auto* ack = std::get_if<HelloAck>(&frame->body))
        return onHelloAck(input.from, *frame, *ack, now);
    onLinkFrame(input.from, *frame, now);
}

/// Whether one more endpoint that we did not ask for may have a session. A half-open one gives way, the
/// oldest first.
bool Links::Impl::makeRoom()
{
    std::size_t incoming = 0;
    auto oldest = m_slots.end();
    for (auto it = m_slots.begin(); it != m_slots.end(); ++it) {
        const Slot& slot = it->second;
        if (slot.isTarget)
            continue;
        ++incoming;
        if (slot.current->state() == Session::State::HalfOpen
            && (oldest == m_slots.end() || slot.current->id() < oldest->second.current->id()))
            oldest = it;
    }
    if (incoming < m_shared.config.maxIncomingLinks)
        return true;
    ++m_shared.stats.refusedLinks;
    if (oldest == m_slots.end())
        return false;
    forget(oldest->second.current);
    forget(oldest->second.candidate);
    m_slots.erase(oldest);
    return true;
}

void Links::Impl::onHello(const Endpoint& from, Token token, const Hello& hello, Instant now)
{
    if (hello.node == m_shared.self) {
        ++m_shared.stats.refusedLinks; // our own address, or a copy of our identity
        return;
    }
    auto slot = m_slots.find(from);
    if (slot == m_slots.end()) {
        if (!makeRoom())
            return;
        slot = m_slots.try_emplace(from).first;
        slot->second.current = makeSession(from, Session::State::HalfOpen);
        slot->second.current->setPeer(token, hello.node);
        return slot->second.current->sendHelloAck(now);
    }
    Slot& s = slot->second;
    for (Session* session : {s.current.get(), s.candidate.get()}) {
        if (session != nullptr && session->peer() == token)
            return session->sendHelloAck(now); // our first answer was lost
    }
    // Both sides connect at once: our HELLO and theirs belong to one link, named by the two tokens.
    if (s.current->state() == Session::State::Connecting && s.current->peer() == Token{}) {
        s.current->setPeer(token, hello.node);
        return s.current->sendHelloAck(now);
    }
    forget(s.candidate);
    s.candidate = makeSession(from, Session::State::HalfOpen);
    s.candidate->setPeer(token, hello.node);
    s.candidate->sendHelloAck(now);
}

void Links::Impl::onHelloAck(const Endpoint& from, const Frame& frame, const HelloAck& ack, Instant now)
{
    const auto slot = m_slots.find(from);
    if (slot == m_slots.end() || ack.node == m_shared.self)
        return;
    Session& session = *slot->second.current;
    if (session.state() != Session::State::Connecting || session.own() != frame.to)
        return;
    session.setPeer(frame.from, ack.node);
    session.comeUp(Session::Proof::Needed, now);
    slot->second.attempts = 0;
    session.arm(now);
}

/// The session that the frame's tokens name, up: a frame with both is the proof that a half-open one waited
/// for.
Session* Links::Impl::proven(Slot& slot, const Frame& frame, Instant now)
{
    const bool isCandidate = slot.candidate && slot.candidate->isBetween(frame.to, frame.from);
    if (isCandidate) {
        if (slot.current->state() == Session::State::Up)
            m_shared.outputs.push_back(LinkDown{slot.current->id(), Errc::Unreachable});
        forget(slot.current);
        slot.current = std::move(slot.candidate);
    } else if (!slot.current->isBetween(frame.to, frame.from)) {
        return nullptr;
    }
    if (slot.current->state() != Session::State::Up && !std::holds_alternative<Bye>(frame.body)) {
        slot.current->comeUp(Session::Proof::Given, now);
        slot.attempts = 0;
    }
    return slot.current.get();
}

void Links::Impl::onLinkFrame(const Endpoint& from, const Frame& frame, Instant now)
{
    const auto slot = m_slots.find(from);
    if (slot == m_slots.end())
        return onStrangeFrame(from, frame);
    const bool isBye = std::holds_alternative<Bye>(frame.body);
    if (isBye && slot->second.candidate && slot->second.candidate->isBetween(frame.to, frame.from))
        return forget(slot->second.candidate); // it ended before it began: no reason to replace the link
    Session* session = proven(slot->second, frame, now);
    if (session == nullptr)
        return onStrangeFrame(from, frame);
    const auto reason = session->onFrame(frame.body, now);
    if (!reason)
        return session->arm(now);
    if (!isBye)
        session->sendBye(now);
    end(slot, *reason, now);
}

/// Tells a side that still believes in a link which we forgot: it need not wait for its timeout. The answer
/// is smaller than what it answers, names the tokens that came, and is never itself answered.
void Links::Impl::onStrangeFrame(const Endpoint& from, const Frame& frame)
{
    if (!std::holds_alternative<Data>(frame.body) && !std::holds_alternative<Ping>(frame.body))
        return;
    Bytes bytes = serialize({frame.from, frame.to, Bye{Bye::Reason::Unknown}});
    ++m_shared.stats.datagramsOut;
    m_shared.stats.bytesOut += bytes.size();
    m_shared.outputs.push_back(SendDatagram{from, std::move(bytes)});
}

void Links::Impl::on(const TimerExpired& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.timer.link);
    if (endpoint == m_endpoints.end())
        return;
    const auto slot = m_slots.find(endpoint->second);
    Session& session = *slot->second.current;
    if (session.id() != input.timer.link || !session.takeTimer(input.timer))
        return;
    if (now >= session.deadline()) {
        if (session.state() == Session::State::Connecting) {
            session.sendHello(now);
            session.setNextHello(now + backoff(slot->second.attempts++));
        } else if (const auto reason = session.onDeadline(now)) {
            session.sendBye(now);
            return end(slot, *reason, now);
        }
    }
    session.arm(now);
}

void Links::Impl::on(const SendMessage& input, Instant now)
{
    const auto endpoint = m_endpoints.find(input.link);
    if (endpoint == m_endpoints.end())
        return;
    const auto slot = m_slots.find(endpoint->second);
    Session& session = *slot->second.current;
    if (session.id() != input.link || session.state() != Session::State::Up)
        return;
    const auto status = session.send(input.message, now);
    if (status)
        return session.arm(now);
    ++m_shared.stats.refusedMessages;
    if (status.error().code != Errc::Busy)
        return;
    session.sendBye(now);
    end(slot, Errc::Busy, now);
}

void Links::Impl::on(const CloseAll&, Instant now)
{
    for (auto& [endpoint, slot] : m_slots) {
        for (const SessionPtr& session : {std::cref(slot.current), std::cref(slot.candidate)}) {
            if (!session)
                continue;
            session->sendBye(now);
            if (session->state() == Session::State::Up)
                m_shared.outputs.push_back(LinkDown{session->id(), Errc::Cancelled});
        }
    }
    m_slots.clear();
    m_endpoints.clear();
    m_isClosed = true;
}

std::vector<LinkInfo> Links::Impl::links() const
{
    std::vector<LinkInfo> all;
    for (const auto& [endpoint, slot] : m_slots)
        all.push_back(slot.current->info());
    return all;
}

Links::Links(NodeId self, Config config, RandomSource& random)
    : m_impl(std::make_unique<Impl>(self, config, random))
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

} // namespace starling::link
