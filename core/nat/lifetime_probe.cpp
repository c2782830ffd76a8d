// SPDX-License-Identifier: Apache-2.0
#include "nat/lifetime_probe.h"

#include "base/assert.h"

namespace starling::nat {

LifetimeProbe::LifetimeProbe(Config config, RandomSource& random)
    : m_config(std::move(config))
    , m_client(random)
{
    STARLING_ASSERT(m_config.precision > Duration{});
}

std::vector<LifetimeProbe::Output> LifetimeProbe::start()
{
    Outputs outputs;
    bind(outputs);
    return outputs;
}

std::vector<LifetimeProbe::Output> LifetimeProbe::handle(const DatagramReceived& received)
{
    Outputs outputs;
    pass(m_client.handle(received), outputs);
    return outputs;
}

std::vector<LifetimeProbe::Output> LifetimeProbe::handle(const StunTimer& timer)
{
    Outputs outputs;
    pass(m_client.handle(timer), outputs);
    return outputs;
}

std::vector<LifetimeProbe::Output> LifetimeProbe::handle(const SilenceTimer& timer)
{
    Outputs outputs;
    if (m_step == Step::Silence && timer.round == m_round)
        prove(outputs);
    return outputs;
}

void LifetimeProbe::pass(std::vector<StunClient::Output> asked, Outputs& outputs)
{
    for (const StunClient::Output& output : asked) {
        if (const auto* sent = std::get_if<SendDatagram>(&output))
            outputs.emplace_back(*sent);
        else if (const auto* timer = std::get_if<ScheduleTimer>(&output))
            outputs.emplace_back(*timer);
        else if (const auto* answered = std::get_if<StunAnswered>(&output))
            m_step == Step::Bind ? onBound(answered->answer, outputs) : onProof(answered->answer, outputs);
    }
}

void LifetimeProbe::bind(Outputs& outputs)
{
    m_step = Step::Bind;
    StunQuestion question;
    question.to = m_config.server;
    question.by = kSilent;
    question.schedule = m_config.expected;
    std::vector<StunClient::Output> asked;
    const auto id = m_client.ask(question, asked);
    STARLING_ASSERT(id); // one at a time
    pass(std::move(asked), outputs);
}

void LifetimeProbe::prove(Outputs& outputs)
{
    m_step = Step::Prove;
    StunQuestion question;
    question.to = m_config.server;
    question.by = kAsking;
    question.responsePort = m_mappedPort;
    question.answerAt = kSilent;
    question.schedule = m_config.doubtful;
    std::vector<StunClient::Output> asked;
    const auto id = m_client.ask(question, asked);
    STARLING_ASSERT(id);
    pass(std::move(asked), outputs);
}

void LifetimeProbe::onBound(const Result<StunMessage>& answer, Outputs& outputs)
{
    if (!answer)
        return finish(fail(Error(answer.error()), "binding"), outputs);
    const auto mapped = answer->xorMapped ? answer->xorMapped : answer->mapped;
    if (!mapped || mapped->port == 0)
        return finish(fail(Errc::UnsupportedFormat, "STUN answer without a mapped address"), outputs);
    m_mappedPort = mapped->port;
    if (!m_isTried)
        return prove(outputs);
    m_step = Step::Silence;
    outputs.emplace_back(ScheduleSilence{m_silence, SilenceTimer{++m_round}});
}

void LifetimeProbe::onProof(const Result<StunMessage>& answer, Outputs& outputs)
{
    if (!m_isTried) {
        if (!answer)
            return finish(fail(Errc::UnsupportedFormat, "no answer arrives at another port"), outputs);
        m_isTried = true;
        m_silence = m_config.longest;
        return bind(outputs);
    }
    if (answer)
        m_found.held = m_silence;
    else
        m_found.lost = m_silence;
    if (!m_found.lost || *m_found.lost - m_found.held <= m_config.precision)
        return finish(m_found, outputs);
    m_silence = (m_found.held + *m_found.lost) / 2;
    bind(outputs); // what was asked in between may have kept the binding, or lost it: it begins anew
}

void LifetimeProbe::finish(Result<BindingLifetime> result, Outputs& outputs)
{
    m_step = Step::Done;
    outputs.emplace_back(LifetimeFound{std::move(result)});
}

} // namespace starling::nat
