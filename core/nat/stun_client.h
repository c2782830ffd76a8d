// SPDX-License-Identifier: Apache-2.0
/// STUN transactions over UDP from the client's side (RFC 8489 section 6.2.1): a binding request is sent
/// again until it is answered or given up. Answers count only from where they were asked for, at the socket
/// where they were asked to, and with the transaction's id. Pure.
#pragma once

#include "nat/datagram.h"

#include "base/random.h"

#include <map>
#include <variant>

namespace starling::nat {

/// When a request is sent again: after `timeout`, then twice as long each time, until it was sent `count`
/// times; it fails after `lastWait` more timeouts. RFC 8489 section 6.2.1: RTO, Rc, Rm; 39.5 s by default.
struct StunSchedule
{
    Duration timeout = std::chrono::milliseconds(500);
    unsigned count = 7;
    unsigned lastWait = 16;
};

/// A timer as a value: comes back through StunClient::handle. Stale ones are ignored.
struct StunTimer
{
    TransactionId id{};
    unsigned sent = 0; ///< how often the request had been sent when it was scheduled
    bool operator==(const StunTimer&) const = default;
};

/// One request, and where its answer is to be expected.
struct StunQuestion
{
    Endpoint to;
    Socket by = kMainSocket;
    std::optional<ChangeRequest> change;
    std::optional<std::uint16_t> responsePort;
    std::optional<Endpoint> answerFrom; ///< where it is not `to`: with CHANGE-REQUEST
    std::optional<Socket> answerAt; ///< where it is not `by`: with RESPONSE-PORT
    StunSchedule schedule;
};

// Outputs, besides SendDatagram
struct ScheduleTimer
{
    Duration delay;
    StunTimer timer;
};
/// A transaction's end. Fails with Timeout, Refused (an error response), or UnsupportedFormat (the answer has
/// attributes that must be understood and are not, RFC 8489 section 6.3.3).
struct StunAnswered
{
    TransactionId id{};
    Result<StunMessage> answer;
};

class StunClient
{
public:
    using Output = std::variant<SendDatagram, ScheduleTimer, StunAnswered>;
    static constexpr std::size_t kMaxTransactions = 32; ///< guess: discovery has four at once

    struct Stats
    {
        std::uint64_t sent = 0; ///< requests, retransmissions included
        std::uint64_t ignored = 0; ///< datagrams that answer nothing that was asked
    };

    /// `random` makes transaction ids, and must outlive it.
    explicit StunClient(RandomSource& random);

    /// Begins a transaction; Busy if there are too many.
    Result<TransactionId> ask(const StunQuestion& question, std::vector<Output>& outputs);
    std::vector<Output> handle(const DatagramReceived& received);
    std::vector<Output> handle(const StunTimer& timer);
    /// Ends a transaction without a word.
    void forget(const TransactionId& id);
    const Stats& stats() const { return m_stats; }

private:
    struct Transaction
    {
        StunQuestion question;
        Bytes request;
        unsigned sent = 0;
    };
    void send(const TransactionId& id, Transaction& transaction, std::vector<Output>& outputs);

    RandomSource& m_random;
    std::map<TransactionId, Transaction> m_transactions;
    Stats m_stats;
};

} // namespace starling::nat
