// SPDX-License-Identifier: Apache-2.0
#include "nat/discovery.h"

#include "base/assert.h"

#include <algorithm>

namespace starling::nat {

namespace {

// Purposes of transactions besides the servers' places.
constexpr std::size_t kFilterByAddress = 100;
constexpr std::size_t kFilterByPort = 101;
constexpr std::size_t kMapping = 102;

std::optional<Endpoint> mappedBy(const StunMessage& answer)
{
    return answer.xorMapped ? answer.xorMapped : answer.mapped;
}

/// What a server says of a second address is used only if it can be one: others must not be able to point us
/// at ourselves.
bool hasSecondAddress(const Endpoint& server, const StunMessage& answer)
{
    return answer.other && isUnicast(*answer.other) && answer.other->isIpv4() == server.isIpv4()
        && answer.other->isLoopback() == server.isLoopback() && answer.other->address != server.address
        && answer.other->port != server.port;
}

Endpoint with(Endpoint endpoint, std::uint16_t port)
{
    endpoint.port = port;
    return endpoint;
}

} // namespace

Discovery::Discovery(Config config, RandomSource& random)
    : m_config(std::move(config))
    , m_client(random)
{
    if (m_config.servers.size() > kMaxServers)
        m_config.servers.resize(kMaxServers);
    m_answers.resize(m_config.servers.size());
}

Endpoint Discovery::primary() const
{
    return m_config.servers[*m_helper];
}

Endpoint Discovery::alternate() const
{
    return *m_answers[*m_helper]->other;
}

bool Discovery::isLocal(const Endpoint& mapped) const
{
    return std::find(m_config.locals.begin(), m_config.locals.end(), mapped) != m_config.locals.end();
}

void Discovery::ask(const StunQuestion& question, std::size_t purpose, Outputs& outputs)
{
    const auto id = m_client.ask(question, outputs);
    STARLING_ASSERT(id); // few at once, and ids of 96 bits
    m_open.emplace(*id, purpose);
}

std::vector<Discovery::Output> Discovery::start()
{
    Outputs outputs;
    for (std::size_t i = 0; i < m_config.servers.size(); ++i) {
        StunQuestion question;
        question.to = m_config.servers[i];
        question.schedule = m_config.expected;
        ask(question, i, outputs);
    }
    if (m_config.servers.empty())
        m_step = Step::Done;
    return pass(std::move(outputs));
}

std::vector<Discovery::Output> Discovery::handle(const DatagramReceived& received)
{
    return pass(m_client.handle(received));
}

std::vector<Discovery::Output> Discovery::handle(const StunTimer& timer)
{
    return pass(m_client.handle(timer));
}

/// Takes the answers out, which may lead to other questions, and hands on the rest.
std::vector<Discovery::Output> Discovery::pass(Outputs outputs)
{
    const bool wasDone = m_step == Step::Done && !m_config.servers.empty();
    std::vector<Output> passed;
    for (std::size_t i = 0; i < outputs.size(); ++i) { // grows while answers are taken out
        const StunClient::Output output = std::move(outputs[i]);
        if (const auto* sent = std::get_if<SendDatagram>(&output))
            passed.emplace_back(*sent);
        else if (const auto* timer = std::get_if<ScheduleTimer>(&output))
            passed.emplace_back(*timer);
        else if (const auto* answered = std::get_if<StunAnswered>(&output)) {
            const auto open = m_open.find(answered->id);
            STARLING_ASSERT(open != m_open.end());
            const std::size_t purpose = open->second;
            m_open.erase(open);
            onAnswer(purpose, answered->answer, outputs);
        }
    }
    if (m_step == Step::Done && !wasDone) {
        lookAhead();
        passed.emplace_back(BehaviourFound{m_found});
    }
    return passed;
}

/// All were asked from one socket, one soon after the other: who counts up gave them ports in a row.
void Discovery::lookAhead()
{
    if (prospectOf(m_found) != Prospect::Relayed)
        return;
    std::vector<Endpoint> readings;
    for (const auto& answer : m_answers)
        if (answer)
            readings.push_back(*mappedBy(*answer));
    if (m_fromOtherAddress)
        readings.push_back(*m_fromOtherAddress);
    if (m_fromOtherPort && m_fromOtherPort != m_fromOtherAddress)
        readings.push_back(*m_fromOtherPort);
    m_found.forecast = forecastPorts(readings);
}

void Discovery::onAnswer(std::size_t purpose, const Result<StunMessage>& answer, Outputs& outputs)
{
    if (purpose < m_answers.size()) {
        if (answer && mappedBy(*answer))
            m_answers[purpose] = *answer;
        if (m_open.empty())
            onAddresses(outputs);
        return;
    }
    if (purpose == kMapping)
        return onMapping(answer, outputs);
    onFiltering(purpose, answer, outputs);
}

void Discovery::onFiltering(std::size_t purpose, const Result<StunMessage>& answer, Outputs& outputs)
{
    // A server that refuses to answer by another way has told nothing of the filter.
    if (answer || answer.error().code == Errc::Timeout)
        (purpose == kFilterByAddress ? m_addressPasses : m_portPasses) = answer.has_value();
    if (m_addressPasses == true) { // whatever becomes of the other
        for (const auto& [id, other] : m_open)
            m_client.forget(id);
        m_open.clear();
        m_found.filtering = Filtering::EndpointIndependent;
    }
    if (!m_open.empty())
        return;
    if (m_addressPasses == false && m_portPasses)
        m_found.filtering = *m_portPasses ? Filtering::AddressDependent : Filtering::AddressAndPortDependent;
    askForMapping(outputs);
}

void Discovery::onAddresses(Outputs& outputs)
{
    for (std::size_t i = 0; i < m_answers.size(); ++i) {
        if (!m_answers[i])
            continue;
        m_found.answered.push_back(m_config.servers[i]);
        if (!m_found.mapped)
            m_found.mapped = mappedBy(*m_answers[i]);
    }
    if (!m_found.mapped) {
        m_step = Step::Done;
        return;
    }
    compareServers();
    chooseHelper();
    if (!m_helper) {
        m_step = Step::Done;
        return;
    }
    // RFC 5780 section 4.4, tests II and III. What comes in opens nothing, so that both can go at once.
    m_step = Step::Filtering;
    StunQuestion question;
    question.to = primary();
    question.schedule = m_config.doubtful;
    question.change = ChangeRequest{true, true};
    question.answerFrom = alternate();
    ask(question, kFilterByAddress, outputs);
    question.change = ChangeRequest{false, true};
    question.answerFrom = with(primary(), alternate().port);
    ask(question, kFilterByPort, outputs);
}

/// The mapped address is what most servers say; if all at different addresses say something else, the NAT
/// depends on them.
void Discovery::compareServers()
{
    std::map<Endpoint, std::size_t> votes;
    std::size_t voters = 0;
    for (const auto& answer : m_answers)
        if (answer) {
            ++votes[*mappedBy(*answer)];
            ++voters;
        }
    const auto most = std::max_element(votes.begin(), votes.end(), [](const auto& one, const auto& other) {
        return one.second < other.second;
    });
    const bool isMajority = most->second > 1 && 2 * most->second > voters;
    if (isMajority) {
        m_found.mapped = most->first;
        for (std::size_t i = 0; i < m_answers.size(); ++i)
            if (m_answers[i] && mappedBy(*m_answers[i]) != most->first)
                m_found.outvoted.push_back(m_config.servers[i]);
    }
    m_found.keepsPort =
        std::any_of(m_config.locals.begin(), m_config.locals.end(),
                    [&](const Endpoint& local) { return local.port == m_found.mapped->port; });
    if (isLocal(*m_found.mapped))
        m_found.mapping = Mapping::None;
    else if (isMajority)
        m_found.mapping = Mapping::EndpointIndependent;
    else if (voters > 1)
        m_found.mapping = Mapping::Dependent;
}

void Discovery::chooseHelper()
{
    const auto& outvoted = m_found.outvoted;
    for (std::size_t i = 0; i < m_answers.size() && !m_helper; ++i) {
        const Endpoint& server = m_config.servers[i];
        if (m_answers[i] && hasSecondAddress(server, *m_answers[i])
            && std::find(outvoted.begin(), outvoted.end(), server) == outvoted.end())
            m_helper = i;
    }
}

void Discovery::askForMapping(Outputs& outputs)
{
    if (m_found.mapping == Mapping::None) {
        m_step = Step::Done;
        return;
    }
    // RFC 5780 section 4.3, test II: the second address with the first port.
    m_step = Step::MappingByAddress;
    StunQuestion question;
    question.to = with(alternate(), primary().port);
    question.schedule = m_config.expected;
    ask(question, kMapping, outputs);
}

void Discovery::onMapping(const Result<StunMessage>& answer, Outputs& outputs)
{
    const auto seen = answer ? mappedBy(*answer) : std::nullopt;
    if (!seen) { // the second address does not answer: what the servers say together has to do
        m_step = Step::Done;
        return;
    }
    if (m_step == Step::MappingByPort) {
        m_fromOtherPort = seen;
        m_found.mapping =
            seen == m_fromOtherAddress ? Mapping::AddressDependent : Mapping::AddressAndPortDependent;
        m_step = Step::Done;
        return;
    }
    if (seen == mappedBy(*m_answers[*m_helper])) {
        m_found.mapping = Mapping::EndpointIndependent;
        m_step = Step::Done;
        return;
    }
    m_fromOtherAddress = seen;
    m_found.mapping = Mapping::Dependent;
    m_step = Step::MappingByPort; // test III: the second address with the second port
    StunQuestion question;
    question.to = alternate();
    question.schedule = m_config.expected;
    ask(question, kMapping, outputs);
}

} // namespace starling::nat
