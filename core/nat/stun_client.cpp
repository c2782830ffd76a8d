// SPDX-License-Identifier: Apache-2.0
#include "nat/stun_client.h"

namespace starling::nat {

namespace {

Bytes requestOf(const StunQuestion& question, const TransactionId& id)
{
    StunMessage request;
    request.id = id;
    request.change = question.change;
    request.responsePort = question.responsePort;
    request.hasFingerprint = true; // RFC 8489 section 14.7: where other protocols share the socket
    return serialize(request);
}

Result<StunMessage> judged(StunMessage answer)
{
    if (!answer.notUnderstood.empty())
        return fail(Errc::UnsupportedFormat,
                    "STUN answer with attribute " + std::to_string(answer.notUnderstood.front()));
    if (answer.kind == StunClass::Success)
        return answer;
    std::string why = "STUN error";
    if (answer.error)
        why += " " + std::to_string(answer.error->code);
    return fail(Errc::Refused, std::move(why));
}

} // namespace

StunClient::StunClient(RandomSource& random)
    : m_random(random)
{
}

Result<TransactionId> StunClient::ask(const StunQuestion& question, std::vector<Output>& outputs)
{
    if (m_transactions.size() >= kMaxTransactions)
        return fail(Errc::Busy, "STUN transactions");
    TransactionId id{};
    m_random.fill(id);
    const auto [at, isNew] = m_transactions.try_emplace(id, Transaction{question, requestOf(question, id)});
    if (!isNew)
        return fail(Errc::AlreadyExists, "STUN transaction"); // one in 2^96
    send(id, at->second, outputs);
    return id;
}

void StunClient::send(const TransactionId& id, Transaction& transaction, std::vector<Output>& outputs)
{
    const StunSchedule& schedule = transaction.question.schedule;
    ++m_stats.sent;
    ++transaction.sent;
    outputs.push_back(SendDatagram{transaction.question.by, transaction.question.to, transaction.request});
    const unsigned timeouts =
        transaction.sent < schedule.count ? 1u << (transaction.sent - 1) : schedule.lastWait;
    outputs.push_back(ScheduleTimer{schedule.timeout * timeouts, StunTimer{id, transaction.sent}});
}

std::vector<StunClient::Output> StunClient::handle(const StunTimer& timer)
{
    const auto at = m_transactions.find(timer.id);
    if (at == m_transactions.end() || at->second.sent != timer.sent)
        return {};
    Transaction& transaction = at->second;
    std::vector<Output> outputs;
    if (transaction.sent < transaction.question.schedule.count) {
        send(timer.id, transaction, outputs);
        return outputs;
    }
    outputs.push_back(
        StunAnswered{timer.id, fail(Errc::Timeout, "STUN server " + toString(transaction.question.to))});
    m_transactions.erase(at);
    return outputs;
}

std::vector<StunClient::Output> StunClient::handle(const DatagramReceived& received)
{
    auto answer = parseStun(received.bytes);
    const auto at = answer ? m_transactions.find(answer->id) : m_transactions.end();
    const bool isAnswer = answer && (answer->kind == StunClass::Success || answer->kind == StunClass::Error);
    if (at == m_transactions.end() || !isAnswer) {
        ++m_stats.ignored;
        return {};
    }
    const StunQuestion& question = at->second.question;
    // An error response has not been told to come by another way.
    const bool isAsAsked = received.from == question.answerFrom.value_or(question.to)
        && received.at == question.answerAt.value_or(question.by);
    const bool isPlain =
        answer->kind == StunClass::Error && received.from == question.to && received.at == question.by;
    if (!isAsAsked && !isPlain) {
        ++m_stats.ignored;
        return {};
    }
    std::vector<Output> outputs;
    outputs.push_back(StunAnswered{answer->id, judged(std::move(*answer))});
    m_transactions.erase(at);
    return outputs;
}

void StunClient::forget(const TransactionId& id)
{
    m_transactions.erase(id);
}

} // namespace starling::nat
