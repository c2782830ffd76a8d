// SPDX-License-Identifier: Apache-2.0
/// Measures how long a NAT or firewall keeps a binding through which nothing passes (RFC 5780 section 4.6).
/// Pure. It has two sockets, both just opened and used for nothing else: the first one makes a binding and is
/// silent; then the second one asks the server to answer to the first one's mapped port. What arrives proves
/// the binding. The server must know RESPONSE-PORT, which is tried first without any silence. Silences are
/// halved towards the end of the binding: a quarter of an hour at most, with the defaults.
///
/// A binding may live longer once traffic went both ways for a while (Linux: 30 s, and 120 s after 2 s of
/// it): this is about one question and its answer, the shorter of the two.
#pragma once

#include "nat/behaviour.h"
#include "nat/stun_client.h"

namespace starling::nat {

/// Comes back when a silence is over.
struct SilenceTimer
{
    unsigned round = 0;
    bool operator==(const SilenceTimer&) const = default;
};
struct ScheduleSilence
{
    Duration delay;
    SilenceTimer timer;
};
/// The end of a measurement. Timeout: the server does not answer; UnsupportedFormat: nor to another port.
struct LifetimeFound
{
    Result<BindingLifetime> lifetime;
};

class LifetimeProbe
{
public:
    struct Config
    {
        Endpoint server;
        /// Tried first. RFC 4787 section 4.3 (REQ-5) wants two minutes at least, and more is of no use.
        Duration longest = std::chrono::minutes(3);
        Duration precision =
            std::chrono::seconds(10); ///< guess: a keepalive keeps that far away from the end
        StunSchedule expected{std::chrono::milliseconds(500), 4, 8}; ///< see Discovery::Config
        StunSchedule doubtful{std::chrono::milliseconds(500), 3, 4};
    };
    static constexpr Socket kSilent = kMainSocket;
    static constexpr Socket kAsking{1};
    using Output = std::variant<SendDatagram, ScheduleTimer, ScheduleSilence, LifetimeFound>;

    /// `random` must outlive it; `precision` must be above 0.
    LifetimeProbe(Config config, RandomSource& random);
    /// To be called once.
    std::vector<Output> start();
    std::vector<Output> handle(const DatagramReceived& received);
    std::vector<Output> handle(const StunTimer& timer);
    std::vector<Output> handle(const SilenceTimer& timer);

private:
    enum class Step : std::uint8_t { Bind, Silence, Prove, Done };
    using Outputs = std::vector<Output>;

    void pass(std::vector<StunClient::Output> asked, Outputs& outputs);
    void bind(Outputs& outputs);
    void prove(Outputs& outputs);
    void onBound(const Result<StunMessage>& answer, Outputs& outputs);
    void onProof(const Result<StunMessage>& answer, Outputs& outputs);
    void finish(Result<BindingLifetime> result, Outputs& outputs);

    Config m_config;
    StunClient m_client;
    Step m_step = Step::Bind;
    bool m_isTried = false; ///< an answer to another port arrived, without silence
    unsigned m_round = 0;
    Duration m_silence{};
    std::uint16_t m_mappedPort = 0;
    BindingLifetime m_found;
};

} // namespace starling::nat
