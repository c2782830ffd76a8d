// SPDX-License-Identifier: Apache-2.0
#include "link/join_channel.h"

#include "base/assert.h"

#include <algorithm>
#include <utility>

namespace starling::link {

namespace {

constexpr std::uint8_t kVersion = 0x82; // packet.h
constexpr std::uint8_t kJoin = 6;
constexpr std::uint8_t kAnswer = 7;
constexpr std::string_view kCodePurpose = "starling/1/join";
constexpr std::string_view kPrologue = "starling-join/1";
constexpr std::size_t kCodeBytes = sizeof(crypto::Code128);
constexpr std::size_t kCookieBytes = sizeof(Cookie);
constexpr std::size_t kMessageAt = 2 + kCookieBytes + 8;
constexpr std::size_t kMessageBytes = kHelloBytes - kMessageAt - kCodeBytes;
constexpr std::size_t kPayloadBytes = kMessageBytes - crypto::kNkMessageBytes;
static_assert(kPayloadBytes == 2 + kMaxQuestionBytes);

Bytes prologueOf(const FleetId& fleet)
{
    Bytes prologue = toBytes(kPrologue);
    append(prologue, fleet.bytes());
    return prologue;
}

/// The question in the payload; nothing if it is not the one form.
std::optional<ByteView> questionIn(ByteView payload)
{
    ByteReader reader(payload);
    const std::size_t size = reader.u16();
    const ByteView question = reader.raw(size);
    const auto isZero = [](std::byte byte) { return byte == std::byte{0}; };
    if (payload.size() != kPayloadBytes || !reader.isGood() || !std::ranges::all_of(reader.rest(), isZero))
        return std::nullopt;
    return question;
}

} // namespace

// --- The agent's side

JoinDesk::JoinDesk(const FleetId& fleet, const crypto::LinkKeyPair& own, RandomSource& random, Clerk clerk)
    : m_codeKey(crypto::deriveKey(fleet.bytes(), kCodePurpose))
    , m_prologue(prologueOf(fleet))
    , m_codec(fleet)
    , m_own(own)
    , m_random(random)
    , m_clerk(std::move(clerk))
    , m_doorkeeper(random)
{
}

bool JoinDesk::isJoin(ByteView datagram)
{
    return datagram.size() >= 2 && datagram[0] == std::byte{kVersion} && datagram[1] == std::byte{kJoin};
}

std::optional<Bytes> JoinDesk::onDatagram(const Endpoint& from, ByteView datagram, Instant now)
{
    const bool isOurs = datagram.size() == kHelloBytes && isJoin(datagram)
        && crypto::isEqual(crypto::authenticationCode(m_codeKey.bytes(),
                                                      datagram.first(kHelloBytes - kCodeBytes)),
                           datagram.last(kCodeBytes));
    if (!isOurs) {
        ++m_stats.malformed;
        return std::nullopt;
    }
    Cookie cookie{};
    std::ranges::copy(datagram.subspan(2, kCookieBytes), cookie.begin());
    switch (m_doorkeeper.judge(from, cookie, 0, now)) {
    case Doorkeeper::Verdict::Answer:
        break;
    case Doorkeeper::Verdict::AskForCookie:
        ++m_stats.cookiesAsked;
        return m_codec.serialize(CookieReply{Token{ByteReader(datagram.subspan(2 + kCookieBytes)).u64()},
                                             m_doorkeeper.cookieFor(from, now)});
    case Doorkeeper::Verdict::Ignore:
        ++m_stats.tooOften;
        return std::nullopt;
    }
    if (!mayAsk(from, now)) {
        ++m_stats.tooOften;
        return std::nullopt;
    }
    return answer(from, datagram);
}

bool JoinDesk::mayAsk(const Endpoint& from, Instant now)
{
    if (m_lastAsked.size() >= kMaxSources)
        std::erase_if(m_lastAsked, [now](const auto& entry) { return now - entry.second >= kPause; });
    const auto known = m_lastAsked.find(from.address);
    if (known == m_lastAsked.end())
        return m_lastAsked.size() < kMaxSources && m_lastAsked.emplace(from.address, now).second;
    if (now - known->second < kPause)
        return false;
    known->second = now;
    return true;
}

std::optional<Bytes> JoinDesk::answer(const Endpoint& from, ByteView datagram)
{
    crypto::NkAnswer noise(m_prologue, m_own, crypto::LinkKeyPair::generate(m_random));
    const auto payload = noise.read(datagram.subspan(kMessageAt, kMessageBytes));
    const auto question = payload ? questionIn(*payload) : std::nullopt;
    if (!question) {
        ++m_stats.malformed;
        return std::nullopt;
    }
    const Bytes content = m_clerk(from, *question);
    STARLING_ASSERT(content.size() <= kMaxAnswerBytes);
    if (content.empty())
        return std::nullopt;
    const auto message = noise.write(content);
    if (!message)
        return std::nullopt;
    ++m_stats.answered;
    ByteWriter writer;
    writer.u8(kVersion);
    writer.u8(kAnswer);
    writer.raw(datagram.subspan(2 + kCookieBytes, 8));
    writer.raw(*message);
    return writer.take();
}

// --- The device's side

JoinAsker::JoinAsker(const FleetId& fleet, const LinkKey& contactKey, RandomSource& random)
    : m_codeKey(crypto::deriveKey(fleet.bytes(), kCodePurpose))
    , m_prologue(prologueOf(fleet))
    , m_codec(fleet)
    , m_contactKey(contactKey)
    , m_random(random)
{
}

Result<Bytes> JoinAsker::ask(ByteView question)
{
    STARLING_ASSERT(question.size() <= kMaxQuestionBytes);
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(question.size()));
    writer.raw(question);
    Bytes payload = writer.take();
    payload.resize(kPayloadBytes);
    m_noise.emplace(m_prologue, m_contactKey, crypto::LinkKeyPair::generate(m_random));
    auto message = m_noise->write(payload);
    if (!message) {
        m_noise.reset();
        return fail(std::move(message.error()), "contact");
    }
    m_message = std::move(*message);
    m_token = Token{m_random.u64()};
    m_mayHurry = true;
    return datagram({});
}

Bytes JoinAsker::datagram(const Cookie& cookie) const
{
    ByteWriter writer;
    writer.u8(kVersion);
    writer.u8(kJoin);
    writer.raw(cookie);
    writer.u64(static_cast<std::uint64_t>(m_token));
    writer.raw(m_message);
    Bytes bytes = writer.take();
    append(bytes, crypto::authenticationCode(m_codeKey.bytes(), bytes));
    return bytes;
}

JoinAsker::Heard JoinAsker::onDatagram(ByteView bytes)
{
    if (!m_noise)
        return {};
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    const std::uint8_t type = reader.u8();
    const Token to{reader.u64()};
    if (!reader.isGood() || version != kVersion || to != m_token)
        return {};
    if (type == kAnswer) {
        auto answer = m_noise->read(reader.rest());
        if (!answer)
            return {};
        m_noise.reset();
        return {std::nullopt, std::move(*answer)};
    }
    const auto packet = m_codec.parse(bytes);
    const CookieReply* reply = packet ? std::get_if<CookieReply>(&*packet) : nullptr;
    if (reply == nullptr || !std::exchange(m_mayHurry, false))
        return {};
    return {datagram(reply->cookie), std::nullopt};
}

} // namespace starling::link
