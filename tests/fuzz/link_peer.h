// SPDX-License-Identifier: Apache-2.0
/// A peer that is hostile and holds a good identity: it makes a real link with the Links under test, and then
/// says in it whatever it is told. A certificate is a node id and the link key that belongs to it.
#pragma once

#include "base/assert.h"
#include "link/channel.h"
#include "link/link.h"

#include <map>

namespace starling::link::fuzz {

inline Endpoint addressOf(std::uint8_t number)
{
    return Endpoint::ipv4(127, 0, 0, 1, static_cast<std::uint16_t>(7000 + number));
}

inline NodeId nodeOf(std::uint8_t number)
{
    std::array<std::byte, NodeId::kSize> id{};
    id[0] = std::byte{number};
    return NodeId(id);
}

inline crypto::LinkKeyPair keyOf(std::uint8_t number)
{
    SeededRandom random(number);
    return crypto::LinkKeyPair::generate(random);
}

inline Config smallConfig()
{
    Config config;
    config.maxIncomingLinks = 4;
    config.maxMessageBytes = 600;
    config.maxQueuedBytes = 5'000;
    config.datagramBytes = 200;
    return config;
}

class PlainAuthenticator final : public Authenticator
{
public:
    explicit PlainAuthenticator(std::uint8_t number)
        : m_key(keyOf(number))
        , m_certificate(toBytes(nodeOf(number).bytes()))
    {
        append(m_certificate, m_key.publicKey().bytes());
    }
    FleetId fleet() const override { return {}; }
    const crypto::LinkKeyPair& linkKey() const override { return m_key; }
    ByteView certificate() const override { return m_certificate; }
    Result<Credential> verify(ByteView certificate, const LinkKey& linkKey) const override
    {
        if (certificate.size() < 64 || !std::ranges::equal(certificate.subspan(32, 32), linkKey.bytes()))
            return fail(Errc::NotAdmitted, "certificate of another key");
        return Credential{*NodeId::fromBytes(certificate.first(NodeId::kSize))};
    }

private:
    crypto::LinkKeyPair m_key;
    Bytes m_certificate;
};

class Peer
{
public:
    /// The certificate with which connect() succeeds.
    static Bytes certificate() { return toBytes(PlainAuthenticator(kPeer).certificate()); }
    /// Whether verify() takes it from the peer: its key is in it, and it is not for the other side's node.
    static bool isOurs(ByteView certificate)
    {
        return std::ranges::equal(certificate.subspan(32, 32), keyOf(kPeer).publicKey().bytes())
            && !std::ranges::equal(certificate.first(32), nodeOf(kSubject).bytes());
    }

    /// Greets the Links under test, and shows `certificate`.
    void connect(const Bytes& certificate)
    {
        using crypto::NoiseHandshake;
        Bytes prologue = toBytes(std::string_view("starling-link/1"));
        append(prologue, FleetId().bytes());
        NoiseHandshake noise(NoiseHandshake::Role::Initiator, prologue, m_key,
                             crypto::LinkKeyPair::generate(m_random));
        receive(m_codec.serialize(Hello{{}, noise.write(helloPayload(kToken)).value()}));
        const auto packet = m_codec.parse(m_sent).value();
        const Bytes payload = noise.read(std::get<Welcome>(packet).message).value();
        m_subjectsToken = Token{ByteReader(payload).u64()};
        const Bytes message = noise.write(certificate).value();
        m_channel.emplace(noise.split(), Channel::Lifetime{}, m_now);
        receive(PacketCodec::serialize(Finish{m_subjectsToken, message}));
    }

    bool isUp() const { return m_link != LinkId{}; }
    /// A frame, well formed or not, sealed as it should be.
    void say(ByteView frame, const Endpoint& from = addressOf(kPeer))
    {
        const Bytes datagram = m_channel->sealBytes(m_subjectsToken, frame, m_now);
        give(DatagramReceived{from, datagram});
    }
    /// The same on a stream.
    void sayOn(StreamId stream, ByteView frame)
    {
        const Bytes datagram = m_channel->sealBytes(m_subjectsToken, frame, m_now);
        give(StreamReceived{stream, datagram});
    }
    void receive(const Bytes& datagram) { give(DatagramReceived{addressOf(kPeer), datagram}); }

    void give(const Input& input)
    {
        if (const auto* datagram = std::get_if<DatagramReceived>(&input))
            m_received[datagram->from] += datagram->bytes.size();
        for (const Output& output : m_links.handle(input, m_now)) {
            if (const auto* up = std::get_if<LinkUp>(&output))
                m_link = up->link;
            if (const auto* schedule = std::get_if<ScheduleTimer>(&output))
                m_timer = *schedule;
            if (const auto* message = std::get_if<MessageReceived>(&output))
                STARLING_ASSERT(message->message.size() <= smallConfig().maxMessageBytes);
            if (const auto* datagram = std::get_if<SendDatagram>(&output)) {
                STARLING_ASSERT(datagram->bytes.size() <= kHelloBytes);
                STARLING_ASSERT(m_codec.parse(datagram->bytes));
                // Elsewhere nobody has proved to be, so that it is not worth asking us to send there.
                m_sentTo[datagram->to] += datagram->bytes.size();
                if (datagram->to != addressOf(kPeer))
                    STARLING_ASSERT(m_sentTo[datagram->to] <= 3 * m_received[datagram->to]);
                m_sent = datagram->bytes;
            }
        }
        STARLING_ASSERT(m_links.links().size() + m_links.halfOpen()
                        <= 2 * smallConfig().maxIncomingLinks + 2);
    }
    void expireTimer()
    {
        m_now += m_timer.delay;
        give(TimerExpired{m_timer.timer});
    }
    LinkId link() const { return m_link; }

private:
    static constexpr std::uint8_t kSubject = 1, kPeer = 2;
    static constexpr Token kToken{0x1234};
    SeededRandom m_random{1};
    PacketCodec m_codec{FleetId()};
    PlainAuthenticator m_authenticator{kSubject};
    crypto::LinkKeyPair m_key = keyOf(kPeer);
    Links m_links{nodeOf(kSubject), smallConfig(), m_authenticator, m_random};
    Instant m_now{};
    LinkId m_link{};
    Token m_subjectsToken{};
    std::optional<Channel> m_channel;
    Bytes m_sent;
    std::map<Endpoint, std::size_t> m_received, m_sentTo; ///< bytes
    ScheduleTimer m_timer;
};

} // namespace starling::link::fuzz
