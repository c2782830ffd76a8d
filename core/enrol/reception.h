// SPDX-License-Identifier: Apache-2.0
/// What an agent knows of devices that are not in the fleet yet: who waits, which of its tokens are open and
/// which were redeemed, and the certificates that wait to be fetched. Tokens and certificates must survive a
/// restart: whenever isChanged(), serialize() is to be durable before an answer goes out. Those that wait ask
/// again by themselves. Pure.
#pragma once

#include "enrol/exchange.h"
#include "enrol/token.h"

namespace starling::enrol {

class Reception
{
public:
    // Guesses, each far above what people admit by hand.
    static constexpr std::size_t kMaxPending = 64;
    static constexpr std::size_t kMaxPendingPerAddress = 8; ///< without a token: one host cannot take all
    static constexpr std::size_t kMaxTokens = 256; ///< that have not expired
    static constexpr std::size_t kMaxGranted = 64; ///< the oldest goes first
    /// Twelve polls of a device that asks as seldom as it may (node/joiner.h).
    static constexpr Duration kPendingLifetime = std::chrono::minutes(10);

    struct Pending
    {
        Bytes envelope;
        trust::JoinRequest request;
        bool hasGoodToken = false;
        Instant since, lastAsked;
        Endpoint from;
    };

    explicit Reception(const FleetId& fleet)
        : m_fleet(fleet)
    {
    }

    /// A token that may be redeemed once until `expires`. Busy when there are too many.
    Status addToken(const trust::TokenSecret& secret, std::uint64_t expires, UtcTime calendar,
                    TokenUse use = TokenUse::Device);
    /// What the token that `request` shows was made for; Device if it shows none that is known.
    TokenUse useOf(const trust::JoinRequest& request) const;

    /// What a device that sent `envelope` is told. Its token is redeemed here and now, by this device alone:
    /// with another's, an unknown or an expired one it is refused.
    JoinAnswer onRequest(const Endpoint& from, ByteView envelope, Instant now, UtcTime calendar);
    /// `certificate`, which was verified, waits for `node` to ask again.
    void grant(const NodeId& node, Bytes certificate);
    /// The certificate that waits for `node` is of no use any more.
    void revoke(const NodeId& node);
    /// The certificate that waits for `node`; nullptr if there is none.
    const Bytes* grantedTo(const NodeId& node) const;
    /// nullptr if it does not wait here.
    const Pending* find(const NodeId& node) const;
    /// In the order of their keys.
    const std::map<NodeId, Pending>& pending(Instant now);

    bool isChanged() const { return m_isChanged; }
    void setStored() { m_isChanged = false; }
    /// Tokens and certificates; secrets as hashes only.
    Bytes serialize() const;
    /// Fails as documents do, or WrongFleet.
    static Result<Reception> parse(ByteView bytes, const FleetId& fleet);

private:
    struct Token
    {
        std::uint64_t expires = 0;
        NodeId redeemedBy; ///< zero: open
        TokenUse use = TokenUse::Device;
    };
    struct Grant
    {
        std::uint64_t number = 0; ///< in the order in which they were made
        Bytes certificate;
    };
    Status redeem(const trust::JoinRequest& request, UtcTime calendar);
    Status makeRoom(const Endpoint& from, bool hasGoodToken);
    void forgetSilent(Instant now);

    FleetId m_fleet;
    std::map<Digest, Token> m_tokens; ///< by the hash of the secret
    std::map<NodeId, Grant> m_granted;
    std::map<NodeId, Pending> m_pending;
    std::uint64_t m_nextGrant = 0;
    bool m_isChanged = false;
};

} // namespace starling::enrol
