// SPDX-License-Identifier: Apache-2.0
/// The device's side of enrolment: an agent without a certificate asks its contact to be admitted, again and
/// again, and ends when it has written down the fleet's anchor, the roots since then, and its certificate. In
/// a network that blocks UDP it asks over TCP, through the configuration's proxy if there is one.
#pragma once

#include "enrol/exchange.h"
#include "enrol/token.h"
#include "node/identity.h"
#include "node/stream_desk.h"
#include "node/timer_queue.h"

#include <QUdpSocket>

namespace starling::node {

class Joiner : public QObject
{
    Q_OBJECT

public:
    /// Guesses: above the one question a second that is answered, by a tenth; then doubled up to where
    /// somebody who admits devices does not wait for long.
    static constexpr Duration kPauseMin = std::chrono::milliseconds(1'100);
    static constexpr Duration kPauseMax = std::chrono::seconds(50);
    /// So many questions over UDP stay without an answer before every other one goes over TCP. Guess: one
    /// datagram may be lost.
    static constexpr unsigned kUnheardMax = 2;

    /// Whether the configuration names somebody to ask and there is no certificate yet.
    static bool isNeeded(const AgentConfig& config);

    /// Makes the device's key if there is none, binds the socket and asks. Fails with KeyUnreadable,
    /// ConfigInvalid (a token that is none), WrongFleet (the token's is not the anchor's), NotFound (neither
    /// token nor anchor), PortInUse, Io and the decoder's codes.
    static Result<std::unique_ptr<Joiner>> start(const AgentConfig& config);

    const trust::JoinRequest& request() const { return m_request; }
    const FleetId& fleet() const { return m_fleet; }
    Endpoint listenEndpoint() const;
    std::uint64_t uptimeSeconds() const;
    /// For people: what it waits for.
    std::string waitingFor() const;

Q_SIGNALS:
    /// Anchor, roots and certificate are on the disk.
    void admitted();

private:
    struct Contact
    {
        FleetId fleet;
        Endpoint endpoint;
        LinkKey linkKey;
        std::optional<trust::TokenSecret> secret;
        std::optional<trust::TrustSet> trust;
    };
    static Result<Contact> findContact(const AgentConfig& config);
    Joiner(const AgentConfig& config, crypto::SecretKey key, Contact contact);
    Status bind();
    void ask();
    void askLater(Duration pause);
    /// Chooses the way of the next question: the one that was answered, or else both in turn.
    bool isForStream() const;
    void send(ByteView datagram, bool byStream);
    void read();
    void onStream(const link::Input& input);
    void onDatagram(ByteView datagram, bool byStream);
    void hear(const enrol::JoinAnswer& answer);
    /// From the anchor to the newest root that this device has walked before.
    static Result<trust::TrustSet> openTrust(const AgentConfig& config, ByteView anchor);
    /// Whether the anchor is whole now.
    Result<bool> takeAnchorPart(const enrol::JoinAnswer& answer);
    Status takeRootsPart(const enrol::JoinAnswer& answer);
    Status keepTrust() const;
    Status takeCertificate(const enrol::JoinAnswer& answer);

    AgentConfig m_config;
    crypto::SecretKey m_key;
    FleetId m_fleet;
    Endpoint m_contact;
    std::optional<trust::TrustSet> m_trust; ///< once the anchor is here
    Bytes m_anchor; ///< what has come of it
    enrol::RootWalk m_walk; ///< from there to the newest root
    trust::JoinRequest m_request;
    crypto::SystemRandom m_random;
    link::JoinAsker m_asker;
    TimerQueue m_timers;
    QUdpSocket m_socket;
    StreamDesk m_streams;
    std::optional<link::StreamId> m_stream; ///< to the contact, while it is open
    std::uint64_t m_lastStream = link::kOwnStreams;
    unsigned m_unheard = 0; ///< questions since the last answer
    bool m_heardByStream = false; ///< the last answer
    Instant m_started;
    Duration m_pause = kPauseMin;
    std::string m_news = "no answer yet";
    bool m_isDone = false;
};

} // namespace starling::node
