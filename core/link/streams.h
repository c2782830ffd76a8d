// SPDX-License-Identifier: Apache-2.0
/// Links on streams: for networks that block UDP, the same datagrams over TCP to the same address. Whom a
/// HELLO over UDP has not reached soon is greeted on a stream as well; whichever comes up is the link, and
/// the other attempt ends. A link on a stream goes on looking for a way over UDP (punch.h), and one on a
/// detour tries streams. Also decides who may have a stream here, and for how long without a link. Pure:
/// connections are whoever's who hands bytes over.
///
///     Connect{to} ── HELLO over UDP ──> no answer for 250 to 500 ms
///                 ── OpenStream{to}, HELLO on it ──>
#pragma once

#include "link/link_table.h"

namespace starling::link {

class Streams
{
public:
    static constexpr std::size_t kMaxStreams = 160; ///< guess: Config::maxIncomingLinks, and own ones
    /// Without a link, of all and of one IPv4 address or IPv6 network of 64 bits. Guesses: devices of a site
    /// share one address, and a handshake takes three round trips. When all are taken, the oldest gives way.
    static constexpr std::size_t kMaxStrangers = 32, kMaxStrangersOfOne = 8;
    /// For so long a stream may be without a link. Guess: three HELLOs through a slow proxy.
    static constexpr Duration kPatience = std::chrono::seconds(10);
    static constexpr std::size_t kMaxTrials = 16; ///< streams of ours without a link, at once; guess
    static constexpr unsigned kHellos = 3; ///< on one stream: it may take a while to open

    /// Both must outlive it.
    Streams(Shared& shared, LinkTable& table);

    /// Somebody else's; says CloseStream if it is not taken.
    void accept(StreamId stream, const Endpoint& remote, Instant now);
    /// Whether datagrams may come on it.
    bool isOpen(StreamId stream) const { return m_streams.contains(stream); }
    /// What came on it belongs to no link or handshake: it is closed, unless there is one on it, which nothing
    /// ends that is not authenticated.
    void onStrange(StreamId stream);
    void onClosed(StreamId stream, Instant now);
    /// A HELLO over UDP to `to` had no answer: greet it on a stream, unless one is.
    void tryBeside(const Endpoint& to, Instant now);
    /// Whether a link on a stream that we have opened to `to` is up.
    bool hasLinkTo(const Endpoint& to) const;
    bool onTimer(const Timer& timer, Instant now);
    /// What links wish for.
    void work(Instant now);
    /// Attempts on streams and over UDP are one attempt to whoever wants a link: says what became of it, in
    /// terms of the address that was to be reached. To be called before others see the outputs.
    void review(std::vector<Output>& outputs);
    /// The link is on a stream from now on, perhaps on one of ours.
    void tellRemote(Session& link) const;
    /// Ends attempts on streams that nobody wants any more.
    void prune();
    /// Of a stream's address: where it leads to or comes from. Others as they are.
    Endpoint remoteOf(const Endpoint& endpoint) const;
    /// Whether it is the address of a stream that was opened here.
    bool isOurs(const Endpoint& endpoint) const;

private:
    struct Stream
    {
        Endpoint remote;
        Instant idleSince; ///< since when it has no link
        bool isOurs = false;
        bool isForUdp = false; ///< an attempt beside one over UDP
        bool hasUdpFailed = false; ///< and that one has ended
        bool isClosed = false; ///< but its link is there yet, and to be taken to another one
    };
    using Entries = std::map<StreamId, Stream>;

    Entries::iterator open(const Endpoint& to, Instant now);
    Entries::iterator trialOf(const Endpoint& to);
    bool mayOpen(const Endpoint& to) const;
    bool hasLink(StreamId stream) const;
    bool admit(const Endpoint& remote);
    void close(StreamId stream);
    void endTrial(StreamId stream);
    void drop(StreamId stream);
    void sweep(Instant now);
    void tryWay(LinkTable::Iterator slot, const Endpoint& to, Instant now);
    bool onFailed(const Endpoint& endpoint, std::vector<Output>& kept);
    void onUp(LinkUp& up);
    void arm();

    Shared& m_shared;
    LinkTable& m_table;
    Entries m_streams;
    std::uint64_t m_lastOwn = kOwnStreams;
    Timer m_timer{}; ///< link: 0 until the first use
    bool m_isArmed = false;
    bool m_isPruneDue = false;
};

} // namespace starling::link
