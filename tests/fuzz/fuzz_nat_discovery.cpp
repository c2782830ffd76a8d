// SPDX-License-Identifier: Apache-2.0
/// nat::Discovery and nat::LifetimeProbe with hostile servers: the input is a script of answers to what was
/// asked last, and of timers. Each step is one byte of what to do, one of length, and that many bytes: the
/// attributes of an answer, with the right transaction id and from the right address. Whatever comes, the
/// machine ends once, and asks a bounded number of times.
#include "base/assert.h"
#include "fuzz.h"
#include "nat/discovery.h"
#include "nat/lifetime_probe.h"

#include <algorithm>
#include <deque>
#include <functional>

using namespace starling;
using namespace starling::nat;

namespace {

constexpr std::size_t kMaxSteps = 64;
constexpr std::size_t kMaxSent = 2 * 4 + 2 * 3 + 2 * 4; // of Discovery: servers, filter, mapping
const Endpoint kServer = Endpoint::ipv4(192, 0, 2, 1, 3478);
const Endpoint kOther = Endpoint::ipv4(192, 0, 2, 2, 3479);

template <class Machine> class Script
{
public:
    explicit Script(Machine& machine)
        : m_machine(machine)
    {
        take(m_machine.start());
    }
    void run(ByteReader input)
    {
        for (std::size_t steps = 0; steps < kMaxSteps && !input.rest().empty(); ++steps) {
            const std::uint8_t what = input.u8();
            const std::size_t length = std::min<std::size_t>(input.u8(), input.rest().size());
            perform(what, input.raw(length));
        }
        STARLING_ASSERT(m_ends <= 1);
    }
    std::size_t sent() const { return m_sent; }

private:
    void perform(std::uint8_t what, ByteView attributes)
    {
        if (what % 4 == 0 && !m_timers.empty()) {
            const auto timer = std::move(m_timers.front());
            m_timers.pop_front();
            timer();
        } else if (what % 4 != 0 && !m_questions.empty()) {
            answer(what, attributes);
        }
    }
    void answer(std::uint8_t what, ByteView attributes)
    {
        const std::size_t which = what / 16 % m_questions.size();
        const SendDatagram question = m_questions[m_questions.size() - 1 - which];
        const auto asked = parseStun(question.bytes);
        ByteWriter writer;
        writer.u16(what % 4 == 1 ? 0x0111 : 0x0101);
        writer.u16(static_cast<std::uint16_t>(attributes.size()));
        writer.u32(0x2112A442);
        writer.raw(asked->id);
        writer.raw(attributes);
        const Bytes bytes = writer.take();
        Endpoint from = asked->change && asked->change->address ? kOther : question.to;
        if (asked->change && asked->change->port)
            from.port = kOther.port;
        const Socket at = asked->responsePort ? kMainSocket : question.by;
        take(m_machine.handle(DatagramReceived{at, from, bytes}));
    }
    template <class Outputs> void take(const Outputs& outputs)
    {
        for (const auto& output : outputs)
            std::visit([this](const auto& one) { this->takeOne(one); }, output);
    }
    void takeOne(const SendDatagram& sent)
    {
        ++m_sent;
        m_questions.push_back(sent);
    }
    void takeOne(const BehaviourFound& found)
    {
        ++m_ends;
        STARLING_ASSERT(!meaningOf(prospectOf(found.behaviour)).empty());
    }
    void takeOne(const LifetimeFound& found)
    {
        ++m_ends;
        STARLING_ASSERT(!found.lifetime || !found.lifetime->lost
                        || found.lifetime->held < *found.lifetime->lost);
    }
    template <class Timer> void takeOne(const Timer& scheduled)
    {
        m_timers.push_back([this, timer = scheduled.timer] { take(m_machine.handle(timer)); });
    }

    Machine& m_machine;
    std::vector<SendDatagram> m_questions;
    std::deque<std::function<void()>> m_timers;
    std::size_t m_sent = 0, m_ends = 0;
};

void addStep(Bytes& script, std::uint8_t what, const StunMessage& answer)
{
    const Bytes bytes = serialize(answer);
    script.push_back(std::byte{what});
    script.push_back(static_cast<std::byte>(bytes.size() - kStunHeaderBytes));
    append(script, ByteView(bytes).subspan(kStunHeaderBytes));
}

/// MAPPED-ADDRESS: what is XORed would depend on the transaction.
StunMessage sees(std::uint16_t port)
{
    StunMessage answer;
    answer.mapped = Endpoint::ipv4(203, 0, 113, 1, port);
    answer.other = kOther;
    return answer;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView bytes = std::as_bytes(std::span(data, size));
    SeededRandom random(1);
    Discovery::Config config;
    config.servers = {kServer, Endpoint::ipv4(192, 0, 2, 3, 3478)};
    Discovery discovery(config, random);
    Script discovering(discovery);
    discovering.run(ByteReader(bytes));
    STARLING_ASSERT(discovering.sent() <= kMaxSent);
    LifetimeProbe probe({kServer}, random);
    Script(probe).run(ByteReader(bytes));
    return 0;
}

std::vector<Bytes> seeds()
{
    StunMessage refusal;
    refusal.error = StunError{kStunUnknownAttribute, "no"};
    Bytes open, dependent, refused;
    for (const int which : {0x12, 0x02, 0x12, 0x02, 0x02})
        addStep(open, static_cast<std::uint8_t>(which), sees(5));
    addStep(dependent, 0x12, sees(5));
    addStep(dependent, 0x02, sees(6));
    for (int i = 0; i < 10; ++i)
        dependent.insert(dependent.end(), 2, std::byte{0}); // timers
    addStep(dependent, 0x02, sees(7));
    addStep(dependent, 0x02, sees(8));
    addStep(refused, 0x12, sees(5));
    addStep(refused, 0x02, sees(5));
    addStep(refused, 0x11, refusal);
    addStep(refused, 0x01, refusal);
    addStep(refused, 0x01, refusal);
    return {open, dependent, refused};
}
