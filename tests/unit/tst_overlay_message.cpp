// SPDX-License-Identifier: Apache-2.0
#include "overlay/message.h"
#include "overlay/reconcile.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;

namespace {

template <class SomeId> SomeId idOf(std::uint8_t value)
{
    std::array<std::byte, 32> bytes{};
    bytes.fill(static_cast<std::byte>(value));
    return SomeId(bytes);
}

Head headOf(std::uint8_t kind, const std::string& name, std::uint64_t rank, std::uint8_t id = 1)
{
    return {{kind, name}, {1, rank}, idOf<NoticeId>(id)};
}

/// parse(serialize(message)) as the type that went in.
template <class Typed> std::optional<Typed> carried(const Typed& message)
{
    const Bytes bytes = serialize(message);
    const auto parsed = parse(bytes);
    if (!parsed || !std::holds_alternative<Typed>(*parsed) || serialize(*parsed) != bytes)
        return std::nullopt;
    return std::get<Typed>(*parsed);
}

std::optional<Errc> refusal(const Bytes& bytes)
{
    const auto message = parse(bytes);
    return message ? std::nullopt : std::optional(message.error().code);
}

std::vector<Message> oneOfEach()
{
    static const Bytes kNotice = toBytes(std::string_view("a signed document"));
    return {
        NoticeMessage{kNotice},
        DigestMessage{idOf<Digest>(7)},
        SummaryMessage{{1, "a"}, NoticeKey{9, "z"}, {headOf(1, "a", 4), headOf(3, "fw/x", 2)}},
        RequestMessage{{{1, "a"}, {3, "fw/x"}}},
        MoreMessage{17},
        HaveMessage{idOf<InfoHash>(3), true, toBytes(std::string_view("descriptor"))},
        StopHaveMessage{idOf<InfoHash>(3)},
        WhoHasMessage{idOf<InfoHash>(3)},
        ProvidersMessage{idOf<InfoHash>(3), {{true, 12, toBytes(std::string_view("d"))}, {false, 0, {}}}},
        IHaveMessage{{{{1, "a"}, tagOf(kNotice)}, {{3, "fw/x"}, {}}}},
        GraftMessage{{{3, "fw/x"}, {1, "a"}}},
        PruneMessage{},
        StandingMessage{4, idOf<Digest>(9)},
        AskRootsMessage{5},
        RootsMessage{{kNotice, kNotice}},
        RangesMessage{NoticeKey{9, "z"}, {{{}, hashOf({})}, {{3, "fw/x"}, {}}}},
        PulseMessage{2, toBytes(std::string_view("pulse"))},
        ReceiptsMessage{idOf<NodeId>(1), 7, {toBytes(std::string_view("receipt")), {}}},
        AcceptedMessage{idOf<NodeId>(1), 7},
        DeliveredMessage{idOf<NodeId>(1), {{idOf<NodeId>(2), 9}}},
        SumsMessage{
            idOf<NodeId>(1),
            {9, {{{"fw/x", 0, 7, 9, {}}, 3}, {{"fw/x", 0, 7, 9, ""}, 4}, {{"fw/x", 0, 7, 9, "B"}, 2}}, 5, 3}},
    };
}

} // namespace

class TestOverlayMessage : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void carriesEveryKindUnchanged();
    void laysOutBytesAsDocumented();
    void carriesFlagsAtTheEnd();
    void ignoresTrailingBytes();
    void refusesEveryTruncation();
    void refusesOtherVersionsAndUnknownKinds();
    void refusesWhatIsOverALimit();
    void refusesKeysOutOfOrderOrRange();
    void refusesSumsOutOfOrder();
    void refusesSumsThatAreTooLarge();
    void refusesFlagsThatAreNeitherZeroNorOne();
    void splitsASummaryIntoRangesWithoutGaps();
    void dividesARangeIntoPartsThatCoverIt();
    void refusesDamagedRanges();
    void comparesWithinTheRangeOnly();
    void showsBothSidesTwoContentsOfOneRank();
    void splitsRequestsByCountAndSize();
};

void TestOverlayMessage::carriesEveryKindUnchanged()
{
    for (const Message& message : oneOfEach()) {
        const bool isCarried = std::visit(
            [](const auto& typed) {
                if constexpr (std::is_same_v<std::decay_t<decltype(typed)>, NoticeMessage>) {
                    const Bytes bytes = serialize(typed);
                    const auto parsed = parse(bytes);
                    return parsed && std::ranges::equal(std::get<NoticeMessage>(*parsed).bytes, typed.bytes)
                        && std::get<NoticeMessage>(*parsed).isBeside == typed.isBeside;
                } else if constexpr (std::is_same_v<std::decay_t<decltype(typed)>, RootsMessage>) {
                    const Bytes bytes = serialize(typed);
                    const auto parsed = parse(bytes);
                    return parsed
                        && std::ranges::equal(
                               std::get<RootsMessage>(*parsed).notices, typed.notices,
                               [](ByteView a, ByteView b) { return std::ranges::equal(a, b); });
                } else {
                    return carried(typed) == typed;
                }
            },
            message);
        QVERIFY2(isCarried, std::to_string(message.index()).c_str());
    }
}

void TestOverlayMessage::laysOutBytesAsDocumented()
{
    QCOMPARE(toHex(serialize(MoreMessage{258})), std::string("010500000102"));
    QCOMPARE(toHex(serialize(RequestMessage{{{3, "ab"}}})), std::string("0104000000010302") + "6162");
    QCOMPARE(toHex(serialize(WhoHasMessage{idOf<InfoHash>(0xab)})).substr(0, 8), std::string("0108abab"));
    QCOMPARE(toHex(serialize(GraftMessage{{{3, "ab"}}})), std::string("010b0001") + "03026162");
}

/// Which earlier versions do without, and pass over.
void TestOverlayMessage::carriesFlagsAtTheEnd()
{
    const Bytes notice = toBytes(std::string_view("a signed document"));
    const GraftMessage once{{{3, "ab"}}, true};
    QCOMPARE(toHex(serialize(once)), toHex(serialize(GraftMessage{once.keys})) + "01");
    QVERIFY(carried(once) == once);
    const Bytes bytes = serialize(NoticeMessage{notice, true});
    QCOMPARE(toHex(bytes), toHex(serialize(NoticeMessage{notice})) + "01");
    const auto parsed = parse(bytes);
    QVERIFY(parsed && std::get<NoticeMessage>(*parsed).isBeside);
    QVERIFY(std::ranges::equal(std::get<NoticeMessage>(*parsed).bytes, notice));
}

void TestOverlayMessage::ignoresTrailingBytes()
{
    for (const Message& message : oneOfEach()) {
        const Bytes bytes = serialize(message);
        Bytes longer = bytes;
        append(longer, viewOf("from a later version"));
        const auto parsed = parse(longer);
        QVERIFY(parsed);
        QCOMPARE(serialize(*parsed), bytes);
    }
}

void TestOverlayMessage::refusesEveryTruncation()
{
    for (const Message& message : oneOfEach()) {
        const Bytes bytes = serialize(message);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            QVERIFY(!parse(ByteView(bytes).first(size)));
    }
    QCOMPARE(refusal({}), std::optional(Errc::Truncated));
}

void TestOverlayMessage::refusesOtherVersionsAndUnknownKinds()
{
    Bytes bytes = serialize(MoreMessage{1});
    bytes[0] = std::byte{2};
    QCOMPARE(refusal(bytes), std::optional(Errc::UnsupportedFormat));
    bytes[0] = std::byte{kMessageVersion};
    for (const unsigned kind : {0u, 13u, 255u}) {
        bytes[1] = static_cast<std::byte>(kind);
        QCOMPARE(refusal(bytes), std::optional(Errc::UnsupportedFormat));
    }
}

void TestOverlayMessage::refusesWhatIsOverALimit()
{
    QCOMPARE(refusal(Bytes(kMaxMessageBytes + 1, std::byte{1})), std::optional(Errc::TooLarge));

    ByteWriter request;
    request.raw(viewOf(std::string_view("\x01\x04", 2)));
    request.u32(kMaxKeys + 1);
    QCOMPARE(refusal(request.take()), std::optional(Errc::TooLarge));

    for (const char kind : {'\x0a', '\x0b'}) {
        ByteWriter items;
        items.u8(kMessageVersion);
        items.u8(static_cast<std::uint8_t>(kind));
        items.u16(kMaxItems + 1);
        QCOMPARE(refusal(items.take()), std::optional(Errc::TooLarge));
    }

    ByteWriter name;
    name.raw(viewOf(std::string_view("\x01\x04", 2)));
    name.u32(1);
    name.u8(3);
    name.u8(kMaxNameBytes + 1);
    name.raw(Bytes(kMaxNameBytes + 1));
    QCOMPARE(refusal(name.take()), std::optional(Errc::TooLarge));

    ByteWriter summary;
    summary.raw(viewOf(std::string_view("\x01\x03\0\0\0", 5)));
    summary.u32(0xffffffff);
    QCOMPARE(refusal(summary.take()), std::optional(Errc::TooLarge));

    Bytes providers = serialize(ProvidersMessage{});
    providers.back() = std::byte{kMaxProviders + 1};
    QCOMPARE(refusal(providers), std::optional(Errc::TooLarge));

    ByteWriter have;
    have.raw(viewOf(std::string_view("\x01\x06", 2)));
    have.raw(InfoHash().bytes());
    have.u8(1);
    have.u16(kMaxProviderBytes + 1);
    have.raw(Bytes(kMaxProviderBytes + 1));
    QCOMPARE(refusal(have.take()), std::optional(Errc::TooLarge));
}

void TestOverlayMessage::refusesKeysOutOfOrderOrRange()
{
    QCOMPARE(refusal(serialize(RequestMessage{{{2, "a"}, {1, "a"}}})), std::optional(Errc::NotCanonical));
    QCOMPARE(refusal(serialize(RequestMessage{{{2, "a"}, {2, "a"}}})), std::optional(Errc::NotCanonical));
    const SummaryMessage twice{{}, {}, {headOf(1, "a", 1), headOf(1, "a", 2)}};
    QCOMPARE(refusal(serialize(twice)), std::optional(Errc::NotCanonical));
    const SummaryMessage before{{2, ""}, {}, {headOf(1, "a", 1)}};
    QCOMPARE(refusal(serialize(before)), std::optional(Errc::Malformed));
    const SummaryMessage after{{}, NoticeKey{1, "a"}, {headOf(1, "a", 1)}};
    QCOMPARE(refusal(serialize(after)), std::optional(Errc::Malformed));
}

void TestOverlayMessage::refusesSumsOutOfOrder()
{
    const auto bytesOf = [](std::uint64_t version) {
        return serialize(SumsMessage{{}, {1, {{{"fw/x", 0, version, 9, ""}, 1}}, 0, 0}});
    };
    constexpr std::size_t kHead = 2 + 32 + 1 + 4 + 4 + 2;
    for (const auto& [version, isGood] : {std::pair(7u, false), std::pair(6u, false), std::pair(8u, true)}) {
        Bytes two = bytesOf(7);
        two[kHead - 1] = std::byte{2};
        append(two, ByteView(bytesOf(version)).subspan(kHead));
        const auto message = parse(two);
        QVERIFY(isGood ? message.has_value() : !message && message.error().code == Errc::NotCanonical);
    }
}

void TestOverlayMessage::refusesSumsThatAreTooLarge()
{
    const auto with = [](std::uint16_t count, std::uint8_t uriBytes, std::uint8_t siteBytes) {
        ByteWriter writer;
        writer.u8(kMessageVersion);
        writer.u8(SumsMessage::kKind);
        writer.raw(Bytes(32 + 1 + 4 + 4));
        writer.u16(count);
        writer.u8(uriBytes);
        writer.raw(Bytes(uriBytes + 8u + 8u + 1u));
        writer.u8(siteBytes);
        writer.raw(Bytes(siteBytes + 4u));
        return parse(writer.take());
    };
    QVERIFY(with(1, 200, 64).has_value());
    QVERIFY(with(1, 201, 0).error().code == Errc::TooLarge);
    QVERIFY(with(1, 1, 65).error().code == Errc::TooLarge);
    QVERIFY(with(kMaxTallyRows + 1, 1, 1).error().code == Errc::TooLarge);
}

void TestOverlayMessage::refusesFlagsThatAreNeitherZeroNorOne()
{
    Bytes have = serialize(HaveMessage{InfoHash(), true, {}});
    have[2 + 32] = std::byte{2};
    QCOMPARE(refusal(have), std::optional(Errc::Malformed));
}

void TestOverlayMessage::splitsASummaryIntoRangesWithoutGaps()
{
    std::vector<Head> heads;
    for (int i = 0; i < 20'000; ++i)
        heads.push_back(headOf(3, "n" + std::to_string(100'000 + i), 1));
    for (const std::size_t limit : {std::size_t(1'000), std::size_t(100'000), kMaxMessageBytes}) {
        std::vector<Head> joined;
        NoticeKey from;
        for (bool isLast = false; !isLast;) {
            const SummaryMessage part = summarize(heads, from, limit);
            QVERIFY(serialize(part).size() <= limit);
            QVERIFY(part.from == from);
            QVERIFY(carried(part) == part);
            joined.insert(joined.end(), part.heads.begin(), part.heads.end());
            isLast = !part.to;
            from = part.to.value_or(NoticeKey());
        }
        QVERIFY(joined == heads);
    }
    const SummaryMessage empty = summarize({}, {}, kMaxMessageBytes);
    QVERIFY(empty.heads.empty() && !empty.to);
}

void TestOverlayMessage::dividesARangeIntoPartsThatCoverIt()
{
    std::vector<Head> heads;
    for (char letter = 'a'; letter <= 'z'; ++letter)
        heads.push_back(headOf(3, std::string(1, letter), 1));
    for (const KeyRange& range : {KeyRange{}, KeyRange{{3, "c"}, NoticeKey{3, "e"}}, KeyRange{{1, ""}, {}}}) {
        const RangesMessage message = divide(heads, range);
        QVERIFY(message.parts.size() <= kMaxParts && message.parts.size() >= 2);
        QVERIFY(message.parts.front().from == range.from && message.to == range.to);
        QVERIFY(differingParts(heads, message).empty());
        // Whatever is missing, other or more shows in the one part where it is.
        std::vector<Head> others = heads;
        others[3] = headOf(3, "d", 2);
        QCOMPARE(differingParts(others, message).size(), std::size_t{1});
        others.erase(others.begin() + 3);
        const auto differing = differingParts(others, message);
        QCOMPARE(differing.size(), std::size_t{1});
        QCOMPARE(within(heads, differing[0]).size() - within(others, differing[0]).size(), std::size_t{1});
        QCOMPARE(differingParts({}, message).size(), message.parts.size());
    }
    QVERIFY(within(heads, {{9, ""}, NoticeKey{1, ""}}).empty());
}

void TestOverlayMessage::refusesDamagedRanges()
{
    const auto refused = [](const RangesMessage& message) { return refusal(serialize(message)); };
    QVERIFY(refused({{}, {{{1, "b"}, {}}, {{1, "a"}, {}}}}) == Errc::NotCanonical);
    QVERIFY(refused({{}, {{{1, "a"}, {}}, {{1, "a"}, {}}}}) == Errc::NotCanonical);
    QVERIFY(refused({NoticeKey{1, "a"}, {{{1, "a"}, {}}}}) == Errc::NotCanonical);
    QVERIFY(refusal(*fromHex("01210000")) == Errc::TooLarge);
    QVERIFY(refusal(*fromHex("01210011")) == Errc::TooLarge);
    QVERIFY(refusal(*fromHex("012002")) == Errc::Truncated);
    QVERIFY(refusal(*fromHex("01200401")) == Errc::TooLarge); // 1,025 roots
}

void TestOverlayMessage::comparesWithinTheRangeOnly()
{
    const std::vector<Head> ours = {headOf(1, "a", 1), headOf(1, "c", 5), headOf(1, "e", 1),
                                    headOf(1, "g", 1), headOf(2, "a", 1)};
    const SummaryMessage theirs{{1, "b"}, NoticeKey{1, "g"}, {headOf(1, "c", 4), headOf(1, "d", 1)}};
    const Difference difference = compare(ours, theirs);
    QVERIFY((difference.newerHere == std::vector<NoticeKey>{{1, "c"}, {1, "e"}}));
    QVERIFY((difference.newerThere == std::vector<NoticeKey>{{1, "d"}}));

    const Difference all = compare(ours, SummaryMessage());
    QCOMPARE(all.newerHere.size(), ours.size());
    const Difference none = compare({}, SummaryMessage{{}, {}, ours});
    QCOMPARE(none.newerThere.size(), ours.size());
    // A range that ends before it begins is nobody's: nothing is concluded from it.
    const Difference reversed = compare(ours, SummaryMessage{{2, ""}, NoticeKey{1, ""}, {}});
    QVERIFY(reversed.newerHere.empty() && reversed.newerThere.empty());
}

void TestOverlayMessage::showsBothSidesTwoContentsOfOneRank()
{
    const auto between = [](const Head& ours, const Head& theirs) {
        return compare({ours}, SummaryMessage{{}, {}, {theirs}});
    };
    const Difference contested = between(headOf(1, "a", 1, 1), headOf(1, "a", 1, 2));
    const std::vector<NoticeKey> both{headOf(1, "a", 1, 1).key};
    QVERIFY(contested.newerHere == both && contested.newerThere == both);
    const Difference equal = between(headOf(1, "a", 1, 1), headOf(1, "a", 1, 1));
    QVERIFY(equal.newerHere.empty() && equal.newerThere.empty());
    QVERIFY(digestOf(std::vector{headOf(1, "a", 1, 1)}) != digestOf(std::vector{headOf(1, "a", 1, 2)}));
}

void TestOverlayMessage::splitsRequestsByCountAndSize()
{
    std::vector<NoticeKey> keys;
    for (int i = 0; i < 10'000; ++i)
        keys.push_back({1, "n" + std::to_string(100'000 + i)});
    QVERIFY(requestsFor({}, kMaxMessageBytes).empty());
    for (const std::size_t limit : {std::size_t(1'000), kMaxMessageBytes}) {
        std::vector<NoticeKey> joined;
        for (const RequestMessage& request : requestsFor(keys, limit)) {
            QVERIFY(serialize(request).size() <= limit);
            QVERIFY(carried(request) == request);
            joined.insert(joined.end(), request.keys.begin(), request.keys.end());
        }
        QVERIFY(joined == keys);
    }
}

QTEST_GUILESS_MAIN(TestOverlayMessage)
#include "tst_overlay_message.moc"
