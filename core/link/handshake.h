// SPDX-License-Identifier: Apache-2.0
/// The two sides of a handshake:
///
///     Attempt                                    Answer
///     Greeting  ── HELLO, again and again ──>
///               <─────────── WELCOME ───────     certificate of the responder
///     Finishing ── FINISH, again and again ─>    certificate of the initiator: the link is up here
///               <────── any sealed frame ───     and now there
///
/// An Attempt goes on until it is taken away; an Answer costs a bounded table entry and no timer.
#pragma once

#include "link/alarm.h"
#include "link/authenticator.h"
#include "link/session.h"

namespace starling::link {

class Attempt
{
public:
    enum class State : std::uint8_t { Greeting, Finishing };

    Attempt(LinkId id, const Endpoint& remote, Shared& shared, const PacketCodec& codec, Instant firstHello);

    LinkId id() const { return m_id; }
    State state() const { return m_state; }
    Token own() const { return m_own; }
    /// Decides which of two handshakes that meet goes on: the higher one.
    const LinkKey& ephemeral() const { return m_ephemeral; }
    LinkInfo info() const { return {m_id, m_credential.node, m_remote, false, std::nullopt}; }

    bool takeTimer(const Timer& timer) { return m_alarm.take(timer); }
    void arm(Instant now) { m_alarm.arm(m_id, m_due, now, *m_shared); }
    Instant due() const { return m_due; }
    Instant lastSent() const { return m_lastSent; }
    unsigned finishes() const { return m_finishes; } ///< how often FINISH was sent

    /// The next one is due after `pause`.
    void sendHello(Instant now, Duration pause);
    /// The next HELLO shows it, and is due now; once for each HELLO.
    void onCookie(const Cookie& cookie, Instant now);
    /// Nothing if it is forged: nothing happened, and the right one may still come. When it fails, the
    /// handshake cannot go on.
    std::optional<Status> onWelcome(const Welcome& welcome, Instant now);
    /// False when it was sent often enough.
    bool sendFinish(Instant now);
    /// The other side's first words in the session, if this is them. Then it is intoSession()'s turn.
    std::optional<Bytes> open(const Sealed& sealed, Instant now);
    std::unique_ptr<Session> intoSession(Instant now);

private:
    LinkId m_id;
    Endpoint m_remote;
    Shared* m_shared;
    const PacketCodec* m_codec;
    Token m_own;
    LinkKey m_ephemeral;
    crypto::NoiseHandshake m_noise;
    Bytes m_message; ///< of Noise: the first, then the third
    Cookie m_cookie{};
    bool m_mayHurry = false;
    State m_state = State::Greeting;
    Token m_peer{};
    Credential m_credential;
    std::optional<Channel> m_channel;
    unsigned m_finishes = 0;
    Instant m_due, m_lastSent;
    Alarm m_alarm;
};

class Answer
{
public:
    /// Fails with the codes of Noise, or Malformed.
    static Result<std::unique_ptr<Answer>> to(const Hello& hello, const Endpoint& remote, Shared& shared,
                                              Instant now);

    const LinkKey& initiator() const { return m_initiator; } ///< its ephemeral key
    Token own() const { return m_own; }
    Instant since() const { return m_since; }
    void sendWelcome();
    /// The session. Nothing if it is forged: nothing happened, and the right one may still come. When it
    /// fails, the other side is refused.
    std::optional<Result<std::unique_ptr<Session>>> onFinish(const Finish& finish, LinkId id, Instant now);

private:
    Answer(const Hello& hello, const Endpoint& remote, Shared& shared, Instant now);

    Endpoint m_remote;
    Shared* m_shared;
    Token m_own, m_peer;
    LinkKey m_initiator;
    crypto::NoiseHandshake m_noise;
    Bytes m_message; ///< of Noise, the second
    Instant m_since;
};

} // namespace starling::link
