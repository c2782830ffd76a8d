// SPDX-License-Identifier: Apache-2.0
#include "link/handshake.h"

#include "base/assert.h"

namespace starling::link {

namespace {

constexpr std::string_view kPrologue = "starling-link/1"; // trust.md
// Guesses: with these and Config::maxRetransmit a FINISH is sent for 16 s.
constexpr Duration kFirstFinishPause = std::chrono::milliseconds(250);
constexpr unsigned kMaxFinishes = 9;

Bytes prologueOf(const FleetId& fleet)
{
    Bytes prologue = toBytes(kPrologue);
    append(prologue, fleet.bytes());
    return prologue;
}

Token newToken(RandomSource& random)
{
    Token token{};
    while (token == Token{})
        token = Token{random.u64()};
    return token;
}

crypto::NoiseHandshake begin(crypto::NoiseHandshake::Role role, const Shared& shared,
                             crypto::LinkKeyPair ephemeral)
{
    return {role, prologueOf(shared.authenticator.fleet()), shared.authenticator.linkKey(),
            std::move(ephemeral)};
}

Channel channelOf(const crypto::NoiseHandshake& noise, const Config& config, Instant now)
{
    return {noise.split(), {config.rekeyTime, config.rekeyDatagrams}, now};
}

Result<Credential> identify(ByteView certificate, const LinkKey& key, const Shared& shared)
{
    auto credential = shared.authenticator.verify(certificate, key);
    if (credential && credential->node == shared.self)
        return fail(Errc::Refused, "our own address, or a copy of our identity");
    return credential;
}

} // namespace

// --- Attempt

Attempt::Attempt(LinkId id, const Endpoint& remote, Shared& shared, const PacketCodec& codec,
                 Instant firstHello)
    : m_id(id)
    , m_remote(remote)
    , m_shared(&shared)
    , m_codec(&codec)
    , m_own(newToken(shared.random))
    , m_noise(begin(crypto::NoiseHandshake::Role::Initiator, shared,
                    crypto::LinkKeyPair::generate(shared.random)))
    , m_due(firstHello)
{
    auto message = m_noise.write(helloPayload(m_own));
    STARLING_ASSERT(message); // only agreements can fail, and there is none in the first message
    m_message = std::move(*message);
    m_ephemeral = ephemeralOf({{}, m_message});
}

void Attempt::sendHello(Instant now, Duration pause)
{
    STARLING_ASSERT(m_state == State::Greeting);
    m_shared->send(m_remote, m_codec->serialize(Hello{m_cookie, m_message}));
    m_mayHurry = true;
    m_lastSent = now;
    m_due = now + pause;
}

void Attempt::onCookie(const Cookie& cookie, Instant now)
{
    if (m_state != State::Greeting || !std::exchange(m_mayHurry, false))
        return;
    m_cookie = cookie;
    m_due = now;
}

std::optional<Status> Attempt::onWelcome(const Welcome& welcome, Instant now)
{
    STARLING_ASSERT(m_state == State::Greeting);
    auto payload = m_noise.read(welcome.message);
    if (!payload)
        return std::nullopt;
    ByteReader reader(*payload);
    m_peer = Token{reader.u64()};
    if (!reader.isGood() || m_peer == Token{})
        return fail(Errc::Malformed, "WELCOME without a token");
    auto credential = identify(reader.rest(), m_noise.remoteStatic(), *m_shared);
    if (!credential)
        return tl::unexpected<Error>(credential.error());
    m_credential = *credential;
    auto message = m_noise.write(m_shared->authenticator.certificate());
    if (!message)
        return tl::unexpected<Error>(message.error());
    m_message = std::move(*message);
    m_channel = channelOf(m_noise, m_shared->config, now);
    m_state = State::Finishing;
    sendFinish(now);
    return Status();
}

bool Attempt::sendFinish(Instant now)
{
    STARLING_ASSERT(m_state == State::Finishing);
    if (m_finishes == kMaxFinishes)
        return false;
    m_shared->send(m_remote, PacketCodec::serialize(Finish{m_peer, m_message}));
    m_lastSent = now;
    m_due = now + std::min(kFirstFinishPause * (1u << m_finishes++), m_shared->config.maxRetransmit);
    return true;
}

std::optional<Bytes> Attempt::open(const Sealed& sealed, Instant now)
{
    if (m_state != State::Finishing)
        return std::nullopt;
    auto bytes = m_channel->open(sealed, now);
    if (!bytes)
        return std::nullopt;
    return std::move(*bytes);
}

std::unique_ptr<Session> Attempt::intoSession(Instant now)
{
    STARLING_ASSERT(m_state == State::Finishing);
    auto session = std::make_unique<Session>(m_id, m_own, Session::Peer{m_remote, m_credential, m_peer},
                                             std::move(*m_channel), *m_shared, now);
    session->setCaller();
    if (m_finishes == 1)
        session->addSample(now - m_lastSent); // from FINISH to what answers it
    return session;
}

// --- Answer

Answer::Answer(const Hello& hello, const Endpoint& remote, Shared& shared, Instant now)
    : m_remote(remote)
    , m_shared(&shared)
    , m_own(newToken(shared.random))
    , m_peer(tokenOf(hello))
    , m_initiator(ephemeralOf(hello))
    , m_noise(begin(crypto::NoiseHandshake::Role::Responder, shared,
                    crypto::LinkKeyPair::generate(shared.random)))
    , m_since(now)
{
}

Result<std::unique_ptr<Answer>> Answer::to(const Hello& hello, const Endpoint& remote, Shared& shared,
                                           Instant now)
{
    std::unique_ptr<Answer> answer(new Answer(hello, remote, shared, now));
    if (answer->m_peer == Token{})
        return fail(Errc::Malformed, "HELLO without a token");
    if (auto payload = answer->m_noise.read(hello.message); !payload)
        return tl::unexpected<Error>(payload.error());
    ByteWriter writer;
    writer.u64(static_cast<std::uint64_t>(answer->m_own));
    writer.raw(shared.authenticator.certificate());
    auto message = answer->m_noise.write(writer.take());
    if (!message)
        return tl::unexpected<Error>(message.error());
    answer->m_message = std::move(*message);
    return answer;
}

void Answer::sendWelcome()
{
    m_shared->send(m_remote, PacketCodec::serialize(Welcome{m_peer, m_message}));
}

std::optional<Result<std::unique_ptr<Session>>> Answer::onFinish(const Finish& finish, LinkId id, Instant now)
{
    auto certificate = m_noise.read(finish.message);
    if (!certificate)
        return std::nullopt;
    auto credential = identify(*certificate, m_noise.remoteStatic(), *m_shared);
    if (!credential)
        return tl::unexpected<Error>(credential.error());
    return std::make_unique<Session>(id, m_own, Session::Peer{m_remote, *credential, m_peer},
                                     channelOf(m_noise, m_shared->config, now), *m_shared, now);
}

} // namespace starling::link
