// SPDX-License-Identifier: Apache-2.0
#include "enrol/reception.h"

#include "base/assert.h"
#include "crypto/sha256.h"
#include "link/authenticator.h"
#include "trust/fields.h"

#include <algorithm>

namespace starling::enrol {

namespace {

constexpr std::array<std::string_view, 5> kKeys{"critical", "fleet", "format", "granted", "tokens"};
/// A token says no more than "redeemed" after its time: it may be forgotten, for an unknown one is refused,
/// too.
constexpr std::size_t kMaxBytes = 128 * 1024;

std::uint64_t secondsOf(UtcTime time)
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

JoinAnswer refusal(const Error& error)
{
    JoinAnswer answer;
    answer.state = JoinAnswer::State::Refused;
    answer.reason = error.context.substr(0, kMaxReasonBytes);
    if (!bencode::isPlainText(answer.reason)) // it may quote the device, and was cut
        answer.reason = std::string(describe(error.code));
    return answer;
}

/// The hexadecimal key of an item, in its one spelling.
template <class IdType> Result<IdType> readKey(std::string_view hex)
{
    auto id = IdType::fromHex(hex);
    if (!id)
        return fail(std::move(id.error()), "reception");
    if (id->hex() != hex)
        return fail(Errc::NotCanonical, "reception: a key in capitals");
    return *id;
}

/// Whether a device that has a certificate already has use for this one, too. It was verified when it came.
bool isNews(const Bytes& granted, const trust::JoinRequest& request)
{
    if (!request.renews)
        return true;
    const auto envelope = trust::Envelope::parse(granted);
    const auto certificate =
        envelope ? trust::Certificate::parse(envelope->payload) : fail(Errc::Malformed, "grant");
    return certificate && request.isGrantedBy(*certificate);
}

} // namespace

Status Reception::addToken(const trust::TokenSecret& secret, std::uint64_t expires, UtcTime calendar,
                           TokenUse use)
{
    std::erase_if(m_tokens,
                  [now = secondsOf(calendar)](const auto& each) { return each.second.expires < now; });
    if (m_tokens.size() >= kMaxTokens)
        return fail(Errc::Busy, std::to_string(kMaxTokens) + " join tokens are out already");
    m_tokens[crypto::sha256(secret)] = Token{expires, {}, use};
    m_isChanged = true;
    return {};
}

TokenUse Reception::useOf(const trust::JoinRequest& request) const
{
    const auto token = request.token ? m_tokens.find(crypto::sha256(*request.token)) : m_tokens.end();
    return token == m_tokens.end() ? TokenUse::Device : token->second.use;
}

Status Reception::redeem(const trust::JoinRequest& request, UtcTime calendar)
{
    const auto token = m_tokens.find(crypto::sha256(*request.token));
    if (token == m_tokens.end())
        return fail(Errc::Refused, "this agent knows no such join token; it may have expired");
    if (!token->second.redeemedBy.isZero() && token->second.redeemedBy != request.node)
        return fail(Errc::Refused, "another device has joined with this token");
    if (token->second.redeemedBy == request.node)
        return {}; // it asks again
    if (token->second.expires < secondsOf(calendar))
        return fail(Errc::Refused, "the join token has expired");
    token->second.redeemedBy = request.node;
    m_isChanged = true;
    return {};
}

JoinAnswer Reception::onRequest(const Endpoint& from, ByteView envelope, Instant now, UtcTime calendar)
{
    auto request = trust::openJoinRequest(envelope, m_fleet);
    if (!request)
        return refusal(request.error());
    if (const auto granted = m_granted.find(request->node);
        granted != m_granted.end() && isNews(granted->second.certificate, *request)) {
        JoinAnswer answer;
        answer.state = JoinAnswer::State::Granted;
        answer.certificate = granted->second.certificate;
        return answer;
    }
    forgetSilent(now);
    const bool hasToken = request->token.has_value();
    if (hasToken)
        if (auto redeemed = redeem(*request, calendar); !redeemed)
            return refusal(redeemed.error());
    auto known = m_pending.find(request->node);
    if (known == m_pending.end()) {
        if (auto room = makeRoom(from, hasToken); !room)
            return refusal(room.error());
        known = m_pending.emplace(request->node, Pending{}).first;
        known->second.since = now;
    }
    Pending& pending = known->second;
    pending.envelope = toBytes(envelope);
    pending.request = std::move(*request);
    pending.hasGoodToken = hasToken;
    pending.lastAsked = now;
    pending.from = from;
    JoinAnswer answer;
    answer.state = hasToken ? JoinAnswer::State::TokenGood : JoinAnswer::State::Pending;
    return answer;
}

/// For one more. A device with a token always has room: there are not many tokens.
Status Reception::makeRoom(const Endpoint& from, bool hasGoodToken)
{
    if (!hasGoodToken) {
        const auto fromThere = std::ranges::count_if(m_pending, [&from](const auto& each) {
            return !each.second.hasGoodToken && each.second.from.address == from.address;
        });
        if (static_cast<std::size_t>(fromThere) >= kMaxPendingPerAddress)
            return fail(Errc::Busy, "too many devices wait from this address");
    }
    if (m_pending.size() < kMaxPending)
        return {};
    auto oldest = m_pending.end();
    for (auto it = m_pending.begin(); it != m_pending.end(); ++it)
        if (!it->second.hasGoodToken
            && (oldest == m_pending.end() || it->second.since < oldest->second.since))
            oldest = it;
    if (!hasGoodToken || oldest == m_pending.end())
        return fail(Errc::Busy, "too many devices wait to be admitted");
    m_pending.erase(oldest);
    return {};
}

void Reception::forgetSilent(Instant now)
{
    std::erase_if(m_pending,
                  [now](const auto& each) { return now - each.second.lastAsked >= kPendingLifetime; });
}

void Reception::grant(const NodeId& node, Bytes certificate)
{
    STARLING_ASSERT(certificate.size() <= link::kMaxCertificateBytes);
    m_pending.erase(node);
    m_granted[node] = Grant{m_nextGrant++, std::move(certificate)};
    if (m_granted.size() > kMaxGranted)
        m_granted.erase(
            std::ranges::min_element(m_granted, {}, [](const auto& each) { return each.second.number; }));
    m_isChanged = true;
}

void Reception::revoke(const NodeId& node)
{
    m_isChanged = m_granted.erase(node) > 0 || m_isChanged;
}

const Bytes* Reception::grantedTo(const NodeId& node) const
{
    const auto found = m_granted.find(node);
    return found == m_granted.end() ? nullptr : &found->second.certificate;
}

const Reception::Pending* Reception::find(const NodeId& node) const
{
    const auto found = m_pending.find(node);
    return found == m_pending.end() ? nullptr : &found->second;
}

const std::map<NodeId, Reception::Pending>& Reception::pending(Instant now)
{
    forgetSilent(now);
    return m_pending;
}

// --- What survives
//
//     d 5:fleet <32 bytes> 6:format i1e
//       7:granted l d 11:certificate <envelope> 4:node <32 bytes> e … e              oldest first
//       6:tokens d <SHA-256 of the secret, 64 hex digits> d 7:expires <n> 2:of <32 bytes> e … e e
//
// With 7:console i1e before `expires` in a token that is for consoles, too; others say nothing of it.

Bytes Reception::serialize() const
{
    bencode::Dict tokens;
    for (const auto& [hash, token] : m_tokens) {
        bencode::Dict item;
        if (token.use == TokenUse::Console)
            item.emplace("console", bencode::Integer{1});
        item.emplace("expires", trust::fields::counter(token.expires));
        item.emplace("of", trust::fields::id(token.redeemedBy));
        tokens.emplace(hash.hex(), std::move(item));
    }
    std::map<std::uint64_t, NodeId> inOrder;
    for (const auto& [node, grant] : m_granted)
        inOrder.emplace(grant.number, node);
    bencode::List granted;
    for (const auto& [number, node] : inOrder) {
        bencode::Dict item;
        item.emplace("certificate", m_granted.at(node).certificate);
        item.emplace("node", trust::fields::id(node));
        granted.push_back(std::move(item));
    }
    bencode::Dict dict;
    dict.emplace("fleet", trust::fields::id(m_fleet));
    dict.emplace("format", trust::fields::kFormat);
    dict.emplace("granted", std::move(granted));
    dict.emplace("tokens", std::move(tokens));
    return bencode::encode(dict);
}

Result<Reception> Reception::parse(ByteView bytes, const FleetId& fleet)
{
    auto value = bencode::decode(bytes, {.bytes = kMaxBytes});
    if (!value)
        return fail(std::move(value.error()), "reception");
    auto from = bencode::DictReader::of(*value, "reception");
    if (!from)
        return tl::unexpected<Error>(from.error());
    if (auto status = from->requireFormat(trust::fields::kFormat, kKeys); !status)
        return tl::unexpected<Error>(status.error());
    auto written = trust::fields::readId<FleetId>(*from, "fleet");
    if (!written)
        return tl::unexpected<Error>(written.error());
    if (*written != fleet)
        return fail(Errc::WrongFleet, "reception: tokens of another fleet");
    Reception reception(fleet);
    auto tokens = from->dict("tokens");
    if (!tokens)
        return tl::unexpected<Error>(tokens.error());
    if (tokens->entries().size() > kMaxTokens)
        return fail(Errc::TooLarge, "reception: more than " + std::to_string(kMaxTokens) + " tokens");
    for (const auto& [hex, ignored] : tokens->entries()) {
        auto hash = readKey<Digest>(hex);
        auto item = tokens->dict(hex);
        if (!hash || !item)
            return tl::unexpected<Error>(hash ? item.error() : hash.error());
        auto expires = trust::fields::readCounter(*item, "expires");
        auto node = trust::fields::readId<NodeId>(*item, "of");
        if (!expires || !node)
            return tl::unexpected<Error>(expires ? node.error() : expires.error());
        TokenUse use = TokenUse::Device;
        if (item->has("console")) {
            if (auto is = item->integer("console", 1, 1); !is)
                return tl::unexpected<Error>(is.error());
            use = TokenUse::Console;
        }
        reception.m_tokens.emplace(*hash, Token{*expires, *node, use});
    }
    auto granted = from->list("granted", kMaxGranted);
    if (!granted)
        return tl::unexpected<Error>(granted.error());
    for (const bencode::Value& each : **granted) {
        auto item = bencode::DictReader::of(each, "reception.granted");
        if (!item)
            return tl::unexpected<Error>(item.error());
        auto node = trust::fields::readId<NodeId>(*item, "node");
        auto certificate = item->bytes("certificate", link::kMaxCertificateBytes);
        if (!node || !certificate)
            return tl::unexpected<Error>(node ? certificate.error() : node.error());
        reception.grant(*node, Bytes(certificate->begin(), certificate->end()));
    }
    reception.m_isChanged = false;
    return reception;
}

} // namespace starling::enrol
