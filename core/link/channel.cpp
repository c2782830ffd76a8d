// SPDX-License-Identifier: Apache-2.0
#include "link/channel.h"

namespace starling::link {

namespace {
/// Guess: no datagram is under way for longer. Then the key before the current one is wiped.
constexpr Duration kOvertakenFor = std::chrono::seconds(30);
} // namespace

Channel::Channel(crypto::SessionKeys keys, Lifetime lifetime, Instant now)
    : m_lifetime(lifetime)
    , m_sending(std::move(keys.sending))
    , m_receiving(std::move(keys.receiving))
    , m_sendingSince(now)
    , m_receivingSince(now)
{
}

ByteWriter Channel::begin(Token to, Instant now)
{
    if (now - m_sendingSince >= m_lifetime.time || m_counter - m_firstCounter >= m_lifetime.datagrams) {
        m_sending = m_sending.next();
        ++m_sendingEpoch;
        m_sendingSince = now;
        m_firstCounter = m_counter;
    }
    ByteWriter writer;
    writeSealedHeader(writer, to, m_sendingEpoch, m_counter);
    return writer;
}

Bytes Channel::finish(ByteWriter& writer)
{
    Bytes bytes = writer.take();
    bytes.resize(bytes.size() + crypto::CipherKey::kTagBytes);
    const std::span<std::byte> all(bytes);
    m_sending.seal(m_counter++, all.first(kSealedHeaderBytes), all.subspan(kSealedHeaderBytes));
    return bytes;
}

Bytes Channel::seal(Token to, const Frame& frame, Instant now)
{
    ByteWriter writer = begin(to, now);
    write(writer, frame);
    return finish(writer);
}

Bytes Channel::sealBytes(Token to, ByteView frame, Instant now)
{
    ByteWriter writer = begin(to, now);
    writer.raw(frame);
    return finish(writer);
}

const crypto::CipherKey* Channel::receivingKey(std::uint8_t epoch)
{
    if (epoch == m_receivingEpoch)
        return &m_receiving;
    if (epoch == static_cast<std::uint8_t>(m_receivingEpoch + 1)) {
        if (!m_nextReceiving)
            m_nextReceiving = m_receiving.next();
        return &*m_nextReceiving;
    }
    const bool isPrevious = epoch == static_cast<std::uint8_t>(m_receivingEpoch - 1);
    return isPrevious && m_previousReceiving ? &*m_previousReceiving : nullptr;
}

void Channel::advanceReceiving(Instant now)
{
    m_previousReceiving = std::move(m_receiving);
    m_receiving = std::move(*m_nextReceiving);
    m_nextReceiving.reset();
    ++m_receivingEpoch;
    m_receivingSince = now;
}

Result<Bytes> Channel::open(const Sealed& sealed, Instant now)
{
    if (m_previousReceiving && now - m_receivingSince > kOvertakenFor)
        m_previousReceiving.reset();
    if (!m_window.isFresh(sealed.counter))
        return fail(Errc::Refused, "a datagram that came before");
    const crypto::CipherKey* key = receivingKey(sealed.epoch);
    auto frame = key == nullptr ? std::nullopt : key->open(sealed.counter, sealed.header, sealed.frame);
    if (!frame)
        return fail(Errc::BadSignature, "a datagram does not authenticate");
    if (m_nextReceiving && key == &*m_nextReceiving)
        advanceReceiving(now);
    m_window.note(sealed.counter);
    return std::move(*frame);
}

bool Channel::isAuthentic(const Sealed& sealed)
{
    const crypto::CipherKey* key = receivingKey(sealed.epoch);
    return key != nullptr && key->open(sealed.counter, sealed.header, sealed.frame);
}

} // namespace starling::link
