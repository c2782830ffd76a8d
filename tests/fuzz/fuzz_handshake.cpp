// SPDX-License-Identifier: Apache-2.0
/// The datagrams and handshakes of links: any bytes as a datagram, with a right code if its first byte says
/// so; as the message that each side of a Noise handshake waits for; and as a certificate that reaches
/// Authenticator::verify. What does not authenticate changes nothing: the right message is taken afterwards.
#include "base/assert.h"
#include "fuzz.h"
#include "link_peer.h"

using namespace starling;
using namespace starling::link;
using fuzz::Peer;

namespace {

using Role = crypto::NoiseHandshake::Role;

void examineDatagram(ByteView bytes)
{
    const PacketCodec codec{FleetId()};
    const auto packet = codec.parse(bytes);
    if (!packet)
        return;
    if (const auto* hello = std::get_if<Hello>(&*packet))
        STARLING_ASSERT(toBytes(bytes) == codec.serialize(*hello));
    if (const auto* welcome = std::get_if<Welcome>(&*packet))
        STARLING_ASSERT(toBytes(bytes) == PacketCodec::serialize(*welcome));
    if (const auto* finish = std::get_if<Finish>(&*packet))
        STARLING_ASSERT(toBytes(bytes) == PacketCodec::serialize(*finish));
    if (const auto* reply = std::get_if<CookieReply>(&*packet))
        STARLING_ASSERT(toBytes(bytes) == codec.serialize(*reply));
    if (const auto* sealed = std::get_if<Sealed>(&*packet))
        STARLING_ASSERT(sealed->header.size() + sealed->frame.size() == bytes.size());
}

/// `bytes` in place of message `at` (from 0), and then the right one.
void examineMessage(ByteView bytes, std::size_t at)
{
    SeededRandom random(1);
    const auto initiatorKey = crypto::LinkKeyPair::generate(random);
    const auto responderKey = crypto::LinkKeyPair::generate(random);
    crypto::NoiseHandshake initiator(Role::Initiator, {}, initiatorKey,
                                     crypto::LinkKeyPair::generate(random));
    crypto::NoiseHandshake responder(Role::Responder, {}, responderKey,
                                     crypto::LinkKeyPair::generate(random));
    for (std::size_t i = 0; i <= at; ++i) {
        auto& writer = i % 2 == 0 ? initiator : responder;
        auto& reader = i % 2 == 0 ? responder : initiator;
        const Bytes right = writer.write({}).value();
        if (i == at && reader.read(bytes)) // only the first is not authenticated
            STARLING_ASSERT(at == 0 || toBytes(bytes) == right);
        else
            STARLING_ASSERT(reader.read(right));
    }
}

/// `bytes` as what a peer that knows the fleet, and seals as it should, gives for its certificate.
void examineCertificate(ByteView bytes)
{
    Peer peer;
    peer.connect(toBytes(bytes.first(std::min(bytes.size(), kMaxCertificateBytes))));
    STARLING_ASSERT(peer.isUp() == (bytes.size() >= 64 && Peer::isOurs(bytes)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView bytes = std::as_bytes(std::span(data, size));
    examineDatagram(bytes);
    if (bytes.empty())
        return 0;
    const auto how = std::to_integer<std::size_t>(bytes[0]) % 4;
    if (how < 3)
        examineMessage(bytes.subspan(1), how);
    else
        examineCertificate(bytes.subspan(1));
    return 0;
}

std::vector<Bytes> seeds()
{
    const PacketCodec codec{FleetId()};
    Bytes message(32, std::byte{9});
    append(message, helloPayload(Token{5}));
    const Bytes noise(130, std::byte{3});
    Bytes certificate{std::byte{3}};
    append(certificate, Peer::certificate());
    Bytes second{std::byte{1}};
    append(second, noise);
    return {codec.serialize(Hello{{}, message}),
            codec.serialize(CookieReply{Token{4}, {}}),
            PacketCodec::serialize(Welcome{Token{1}, noise}),
            PacketCodec::serialize(Finish{Token{1}, noise}),
            certificate,
            second};
}
