// SPDX-License-Identifier: Apache-2.0
/// Messages into an Overlay with two neighbours. The input is a sequence of steps: one byte that says from
/// whom, or that time passes, then a length of two bytes and that many bytes of message. Whatever leaves must
/// be within the limits, and nothing that was refused may leave.
#include "base/assert.h"
#include "crypto/sha256.h"
#include "fuzz.h"
#include "overlay/message.h"

#include <algorithm>

using namespace starling;
using namespace starling::overlay;

namespace {

constexpr std::size_t kMaxSteps = 64;
const Instant kStart{};

NodeId nodeOf(std::uint8_t number)
{
    std::array<std::byte, 32> bytes{};
    bytes.fill(static_cast<std::byte>(number));
    return NodeId(bytes);
}

/// A notice is kind, rank and a name; one that ends in '!' is refused, one that ends in '?'
/// wants root 3. Kind 1 are roots. A descriptor is a node's number and a
/// sequence.
class ByteMediator final : public Mediator
{
public:
    Opinion examine(ByteView notice) override
    {
        if (notice.size() < 2 || notice.size() > 2 + kMaxNameBytes || notice.back() == std::byte{'!'})
            return {Verdict::Refused, {}, Error{Errc::BadSignature, {}}};
        if (notice.back() == std::byte{'?'} && m_roots < 3)
            return {Verdict::Refused, {}, Error{Errc::UnknownKey, {}}};
        const Head head = headOf(notice);
        if (head.key.kind == kRootKind && head.rank.minor > m_roots + 1)
            return {Verdict::Refused, {}, Error{Errc::RootGap, {}}};
        if (head.key.kind == kRootKind)
            m_roots = std::max(m_roots, head.rank.minor);
        Bytes& held = m_board[head.key];
        if (!held.empty() && headOf(held).rank >= head.rank)
            return {Verdict::Known, head, {}};
        held = toBytes(notice);
        return {Verdict::Taken, head, {}};
    }
    std::vector<Head> heads() const override
    {
        std::vector<Head> all;
        for (const auto& [key, bytes] : m_board)
            all.push_back(headOf(bytes));
        return all;
    }
    std::uint64_t rootNumber() const override { return m_roots; }
    Bytes root(std::uint64_t number) const override
    {
        return number < 1 || number > m_roots
            ? Bytes()
            : Bytes{std::byte{kRootKind}, static_cast<std::byte>(number), std::byte{'r'}};
    }
    KeyRange urgentRange() const override { return {{10, {}}, NoticeKey{11, {}}}; }
    /// An observer's number, a pulse's, and what it wants: receipts, sums, or one receipt.
    Result<PulseInfo> examinePulse(ByteView pulse) const override
    {
        if (pulse.size() != 3 || !isObserver(nodeOf(std::to_integer<std::uint8_t>(pulse[0]))))
            return fail(Errc::NotAdmitted, "pulse");
        const auto wants = std::to_integer<unsigned>(pulse[2]);
        PulseInfo info{nodeOf(std::to_integer<std::uint8_t>(pulse[0])),
                       std::to_integer<std::uint64_t>(pulse[1]), wants > 0};
        if (wants > 1)
            info.ask = Ask{wants, 1};
        return info;
    }
    Result<ReceiptInfo> examineReceipt(ByteView receipt) const override
    {
        if (receipt.size() != 2)
            return fail(Errc::Malformed, "receipt");
        return ReceiptInfo{nodeOf(std::to_integer<std::uint8_t>(receipt[0])),
                           std::to_integer<std::uint64_t>(receipt[1])};
    }
    Result<NodeId> examineRequest(ByteView request) const override
    {
        if (request.size() != 2 || request[1] == std::byte{'!'})
            return fail(Errc::BadSignature, "request");
        return nodeOf(std::to_integer<std::uint8_t>(request[0]));
    }
    Result<NodeId> examineGrant(ByteView certificate) const override { return examineRequest(certificate); }
    bool isObserver(const NodeId& node) const override { return node == nodeOf(1) || node == nodeOf(5); }
    std::optional<std::vector<TallyKey>> tallyOf(const NodeId&, ByteView) const override
    {
        return std::vector<TallyKey>{{"fw/a", 0, 1, 9, ""}};
    }
    Bytes notice(const NoticeKey& key) const override
    {
        const auto held = m_board.find(key);
        return held == m_board.end() ? Bytes() : held->second;
    }
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        if (descriptor.size() != 2)
            return fail(Errc::Malformed, "descriptor");
        return DescriptorInfo{nodeOf(std::to_integer<std::uint8_t>(descriptor[0])),
                              std::to_integer<std::uint64_t>(descriptor[1])};
    }

private:
    static Head headOf(ByteView notice)
    {
        return {{std::to_integer<std::uint8_t>(notice[0]), toText(notice.subspan(2))},
                {0, std::to_integer<std::uint64_t>(notice[1])},
                *NoticeId::fromBytes(crypto::sha256(notice).bytes())};
    }
    static constexpr std::uint8_t kRootKind = 1;
    std::map<NoticeKey, Bytes> m_board;
    std::uint64_t m_roots = 1;
};

void inspect(const std::vector<Output>& outputs)
{
    for (const Output& output : outputs) {
        if (const auto* timer = std::get_if<ScheduleTimer>(&output))
            STARLING_ASSERT(timer->delay >= Duration(0));
        const auto* sent = std::get_if<SendMessage>(&output);
        if (!sent)
            continue;
        STARLING_ASSERT(sent->bytes.size() <= kMaxMessageBytes);
        const auto message = parse(sent->bytes);
        STARLING_ASSERT(message.has_value());
        if (const auto* sums = std::get_if<SumsMessage>(&*message))
            STARLING_ASSERT(sums->tally.devices <= kMaxCounted);
        if (const auto* notice = std::get_if<NoticeMessage>(&*message))
            STARLING_ASSERT(notice->bytes.back() != std::byte{'!'});
        if (const auto* petition = std::get_if<PetitionMessage>(&*message))
            STARLING_ASSERT(petition->request.back() != std::byte{'!'});
        if (const auto* grant = std::get_if<GrantMessage>(&*message))
            STARLING_ASSERT(grant->certificate.back() != std::byte{'!'});
    }
}

Bytes step(std::uint8_t who, const Message& message)
{
    const Bytes bytes = serialize(message);
    ByteWriter writer;
    writer.u8(who);
    writer.u16(static_cast<std::uint16_t>(bytes.size()));
    writer.raw(bytes);
    return writer.take();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    ByteReader reader(ByteView(reinterpret_cast<const std::byte*>(data), size));
    ByteMediator mediator;
    SeededRandom random(1);
    Overlay overlay(nodeOf(5), {}, mediator, random);
    Instant now = kStart;
    std::vector<Timer> timers;
    const auto perform = [&](const std::vector<Output>& outputs) {
        inspect(outputs);
        for (const Output& output : outputs) {
            if (const auto* timer = std::get_if<ScheduleTimer>(&output))
                timers.push_back(timer->timer);
        }
    };
    perform(overlay.start(now));
    perform(overlay.handle(NeighborUp{NeighborId{1}, nodeOf(1)}, now));
    perform(overlay.handle(NeighborUp{NeighborId{2}, nodeOf(9)}, now));
    perform(overlay.handle(FindProviders{InfoHash()}, now));
    perform(overlay.handle(Observe{toBytes(std::string_view("\x05\x01\x01"))}, now));
    perform(overlay.handle(Report{1, toBytes(std::string_view("\x05\x01"))}, now));
    for (std::size_t i = 0; i < kMaxSteps && !reader.rest().empty(); ++i) {
        const std::uint8_t who = reader.u8();
        perform(overlay.handle(Petition{nodeOf(8), toBytes(std::string_view("\x08r"))}, now));
        if (who % 4u == 3)
            perform(overlay.handle(Grant{nodeOf(who), toBytes(std::string_view("\x07g"))}, now));
        STARLING_ASSERT(overlay.petitionsHeld() <= 2 * 256);
        const ByteView message = reader.raw(reader.u16());
        perform(overlay.handle(MessageReceived{NeighborId{who % 2u + 1u}, message}, now));
        if (who < 128)
            continue;
        now += std::chrono::seconds(who);
        const std::vector<Timer> due = std::exchange(timers, {});
        for (const Timer& timer : due)
            perform(overlay.handle(TimerExpired{timer}, now));
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    static const Bytes kNotice = toBytes(std::string_view("\x03\x05fw/a"));
    static const Bytes kBad = toBytes(std::string_view("\x03\x06fw/a!"));
    const auto descriptor = [](char node, char sequence) { return toBytes(std::string{node, sequence}); };
    static const Bytes kSecond = toBytes(std::string_view("\x01\x02r"));
    static const Bytes kThird = toBytes(std::string_view("\x01\x03r"));
    static const Bytes kLate = toBytes(std::string_view("\x01\x09r"));
    static const Bytes kEarly = toBytes(std::string_view("\x03\x07fw/b?"));
    const NoticeKey key{3, "fw/a"};
    Bytes all;
    for (const Bytes& bytes : {
             step(0, NoticeMessage{kNotice}),
             step(1, NoticeMessage{kBad}),
             step(1, DigestMessage{}),
             step(200, SummaryMessage{{}, {}, {{key, {0, 4}, {}}, {{4, "device"}, {0, 1}, {}}}}),
             step(1, RequestMessage{{key}}),
             step(0, MoreMessage{9}),
             step(0, RequestMessage{}),
             step(0, HaveMessage{{}, false, descriptor(1, 1)}),
             step(1, WhoHasMessage{}),
             step(0, HaveMessage{{}, true, descriptor(1, 2)}),
             step(255, ProvidersMessage{{}, {{true, 1, descriptor(7, 1)}, {false, 2, descriptor(5, 1)}}}),
             step(0, StopHaveMessage{}),
             step(0, StandingMessage{3, {}}),
             step(0, NoticeMessage{kEarly}),
             step(0, RootsMessage{{kSecond, kThird}}),
             step(1, AskRootsMessage{1}),
             step(1, NoticeMessage{kLate}),
             step(1, RangesMessage{NoticeKey{9, {}}, {{{}, {}}, {key, {}}}}),
             step(0, PulseMessage{0, toBytes(std::string_view("\x01\x01\x01"))}),
             step(1, SumsMessage{nodeOf(1), {7, {{{"fw/a", 0, 1, 9, ""}, 7}}, 0, 2}}),
             step(1, SumsMessage{nodeOf(5), {UINT32_MAX, {{{"fw/a", 0, 1, 9, {}}, UINT32_MAX}}, 0, 9}}),
             step(0, PetitionMessage{nodeOf(5), nodeOf(9), toBytes(std::string_view("\x07r"))}),
             step(1, PetitionMessage{nodeOf(1), nodeOf(9), toBytes(std::string_view("\x06r"))}),
             step(0, GrantMessage{nodeOf(1), nodeOf(6), toBytes(std::string_view("\x06g"))}),
             step(0, GrantMessage{nodeOf(1), nodeOf(8), toBytes(std::string_view("\x08g"))}),
             step(3, PetitionMessage{nodeOf(5), nodeOf(9), toBytes(std::string_view("\x03!"))}),
             step(130, ReceiptsMessage{nodeOf(1), 1, {toBytes(std::string_view("\x07\x01"))}}),
             step(0, PulseMessage{0, toBytes(std::string_view("\x01\x02\x02"))}),
             step(131, ReceiptsMessage{nodeOf(1), 2, {toBytes(std::string_view("\x07\x01"))}}),
             step(0, PulseMessage{0, toBytes(std::string_view{"\x01\x03\x00", 3})}),
         })
        append(all, bytes);
    return {all, step(0, NoticeMessage{kNotice}), step(129, DigestMessage{})};
}
