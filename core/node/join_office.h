// SPDX-License-Identifier: Apache-2.0
/// The agent's side of enrolment: answers the join channel, issues tokens, keeps who waits, and admits by
/// itself if it was given an admit key for it.
#pragma once

#include "crypto/signing.h"
#include "enrol/reception.h"
#include "link/join_channel.h"
#include "node/identity.h"
#include "release/board.h"

namespace starling::node {

class JoinOffice
{
public:
    /// Called whenever a device that has to wait asks, with its request as it came: others are to be told.
    using Waits = std::function<void(const NodeId& device, ByteView request)>;

    /// Takes up what `<state>/enrolment` holds. Everything but the configuration must outlive it. Fails with
    /// Io, the decoder's codes, WrongFleet, or KeyUnreadable and WrongScope for the admit key.
    static Result<std::unique_ptr<JoinOffice>> open(const AgentConfig& config, const Identity& identity,
                                                    const release::Board& board, RandomSource& random,
                                                    Waits waits);

    /// What to send back to a datagram of the join channel, if anything.
    std::optional<Bytes> onDatagram(const Endpoint& from, ByteView datagram, Instant now);

    /// A neighbour at this address asks for a new certificate: the one that is kept for it, or nothing yet.
    std::optional<Bytes> onRenewal(const Endpoint& from, ByteView request, Instant now);

    const std::map<NodeId, enrol::Reception::Pending>& pending(Instant now)
    {
        return m_reception.pending(now);
    }
    /// A new token of ours, durable when it is returned. Usage for a time above enrol::kMaxTokenLifetime or
    /// an address that nobody can reach, Busy when too many are out, Io, DiskFull.
    Result<enrol::JoinToken> createToken(const Endpoint& address, std::chrono::seconds validity,
                                         enrol::TokenUse use = enrol::TokenUse::Device);
    /// Keeps `certificate` for a device that waits here. Fails with verifyAdmit's codes, or NotFound if no
    /// device waits that this certificate is for: it says what the device asked for, no more and no less.
    Status admit(ByteView certificate, Instant now);
    /// The same for a device that waits elsewhere, with `request`; it is kept here to be sent again.
    Status admitElsewhere(ByteView certificate, ByteView request);
    /// The certificate that is kept for the device that made `request`, if it is good now and says the same.
    std::optional<Bytes> grantedTo(ByteView request) const;

private:
    JoinOffice(const AgentConfig& config, const Identity& identity, const release::Board& board,
               RandomSource& random, Waits waits, enrol::Reception reception,
               std::optional<crypto::SecretKey> admitKey);
    Bytes answer(const Endpoint& from, ByteView question);
    enrol::JoinAnswer judge(const Endpoint& from, const enrol::JoinQuestion& question);
    Result<trust::Certificate> verify(ByteView certificate) const;
    Status keep(const trust::Certificate& certificate, ByteView bytes);
    /// Whether it did.
    Status admitByItself(const trust::JoinRequest& request);
    Status store();

    std::filesystem::path m_file;
    const Identity& m_identity;
    const release::Board& m_board;
    RandomSource& m_random;
    Waits m_waits;
    enrol::Reception m_reception;
    std::optional<crypto::SecretKey> m_admitKey;
    link::JoinDesk m_desk;
    Instant m_now; ///< of the datagram that is being answered
};

} // namespace starling::node
