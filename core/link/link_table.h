// SPDX-License-Identifier: Apache-2.0
/// The table of links and handshakes by endpoint. An endpoint has at most one link that is up; beside it may
/// stand a handshake of ours and one of the other side's, and whichever ends first takes the link's place:
/// the other side restarted.
#pragma once

#include "link/handshake.h"

#include <map>

namespace starling::link {

class LinkTable
{
public:
    struct Slot
    {
        std::unique_ptr<Session> link;
        std::unique_ptr<Attempt> attempt; ///< of a target only
        std::unique_ptr<Answer> answer;
        bool isTarget = false; ///< to be kept up, or to be tried
        unsigned tries = 0; ///< of a target: HELLOs until it is none any more; 0: it is one for good
        unsigned attempts = 0; ///< HELLOs since the link was last up
        /// Of a target: the link that came up here and has moved, as long as it is up.
        std::optional<LinkId> away;

        bool isTriedOut() const { return tries != 0 && attempts >= tries; }
    };
    using Slots = std::map<Endpoint, Slot>;
    using Iterator = Slots::iterator;

    /// Both must outlive it.
    LinkTable(Shared& shared, const PacketCodec& codec);

    Slots& slots() { return m_slots; }
    const Slots& slots() const { return m_slots; }
    Iterator find(const Endpoint& endpoint) { return m_slots.find(endpoint); }
    /// Where this link or attempt is; the end of slots() if it is none any more.
    Iterator find(LinkId id);
    /// The same of a link that is up.
    Iterator findUp(LinkId id);
    /// The same of the link that is up and has chosen this token.
    Iterator findUp(Token own);
    /// The slot of this endpoint, made if there is none.
    Iterator obtain(const Endpoint& endpoint) { return m_slots.try_emplace(endpoint).first; }
    /// The same for an endpoint that we did not ask for, if one more may have a slot. One that has only got
    /// an answer gives way, the oldest first.
    std::optional<Iterator> admit(const Endpoint& endpoint);

    /// Ids of links are given here, and none twice.
    LinkId newId() { return LinkId{++m_lastId}; }

    void startAttempt(Iterator slot, Instant firstHello, Instant now);
    void dropAttempt(Slot& slot);
    /// What was to be tried came to nothing.
    void giveUp(Iterator slot);
    void dropIfEmpty(Iterator slot);
    void refuse(Iterator slot, const Error& error);
    /// A handshake ended well.
    void bringUp(Iterator slot, std::unique_ptr<Session> session, std::optional<Duration> roundTrip,
                 Instant now);
    void endLink(Iterator slot, Errc reason, Instant now);
    /// What is to be reached at `slot` has been reached elsewhere, by this link: it is greeted no longer.
    void satisfy(Iterator slot, LinkId link);
    /// Where the link of `slot` came up, it is not to be kept up any longer.
    void forgetTarget(Iterator slot);
    /// Takes a link to another endpoint, which must have none.
    Iterator move(Iterator slot, const Endpoint& to);
    void forgetOldAnswers(Instant now);
    void clear();

    /// Until the next HELLO after so many; with jitter.
    Duration backoff(unsigned attempts);
    std::vector<LinkInfo> links() const;
    std::size_t halfOpen() const;

private:
    bool makeRoom();
    void takeDown(Slot& slot, Errc reason);
    void comeHome(LinkId link, Instant now);

    Shared& m_shared;
    const PacketCodec& m_codec;
    Slots m_slots;
    std::map<LinkId, Endpoint> m_endpoints; ///< of all links and attempts
    std::map<Token, LinkId> m_tokens; ///< our own, of links that are up
    std::uint64_t m_lastId = 0;
};

} // namespace starling::link
