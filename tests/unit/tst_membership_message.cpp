// SPDX-License-Identifier: Apache-2.0
/// Messages of membership: what is written is read again, and what is not well-formed is refused.
#include "overlay/membership_message.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;

namespace {

Contact contact(const char* descriptor, const char* certificate = "")
{
    return {toBytes(std::string_view(descriptor)), toBytes(std::string_view(certificate))};
}

std::vector<MembershipMessage> samples()
{
    return {
        JoinMessage{contact("a", "b")},
        ForwardJoinMessage{kMaxTimeToLive, contact("a")},
        AskMessage{Urgency::High, contact("a")},
        AnswerMessage{true, {contact("a", "b"), contact("c")}},
        AnswerMessage{false, {}},
        DisconnectMessage{{contact("a")}},
        ShuffleMessage{std::vector<Contact>(kMaxContacts, contact("a"))},
        ShuffleReplyMessage{{contact("", "")}},
        MovedMessage{contact("a")},
    };
}

std::optional<Errc> codeOf(const Bytes& bytes)
{
    const auto message = parseMembership(bytes);
    return message ? std::nullopt : std::optional(message.error().code);
}

} // namespace

class TestMembershipMessage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatItWrites()
    {
        for (const MembershipMessage& message : samples()) {
            const Bytes bytes = serialize(message);
            QVERIFY(concernsMembership(bytes));
            const auto again = parseMembership(bytes);
            QVERIFY(again.has_value());
            QVERIFY(*again == message);
        }
    }

    void ignoresWhatALaterVersionAdded()
    {
        for (const MembershipMessage& message : samples()) {
            Bytes bytes = serialize(message);
            bytes.resize(bytes.size() + 9);
            const auto again = parseMembership(bytes);
            QVERIFY(again.has_value() && *again == message);
        }
    }

    void refusesTruncatedMessages()
    {
        for (const MembershipMessage& message : samples()) {
            const Bytes bytes = serialize(message);
            for (std::size_t size = 0; size < bytes.size(); ++size)
                QVERIFY(!parseMembership(ByteView(bytes).first(size)));
        }
    }

    void refusesWhatIsOverALimit()
    {
        Bytes walk = serialize(ForwardJoinMessage{1, contact("a")});
        walk[2] = std::byte{kMaxTimeToLive + 1};
        QVERIFY(codeOf(walk) == Errc::Malformed);
        Bytes ask = serialize(AskMessage{Urgency::High, contact("a")});
        ask[2] = std::byte{3};
        QVERIFY(codeOf(ask) == Errc::Malformed);
        Bytes answer = serialize(AnswerMessage{true, {}});
        answer[2] = std::byte{2};
        QVERIFY(codeOf(answer) == Errc::Malformed);
        Bytes shuffle = serialize(ShuffleMessage{{contact("a")}});
        shuffle[2] = std::byte{kMaxContacts + 1};
        QVERIFY(codeOf(shuffle) == Errc::TooLarge);
        Bytes join = serialize(JoinMessage{contact("a")});
        join[2] = std::byte{0xff};
        QVERIFY(codeOf(join) == Errc::TooLarge);
        QVERIFY(codeOf(Bytes(64 * 1024)) == Errc::TooLarge);
    }

    void refusesOtherVersionsAndKinds()
    {
        Bytes other = serialize(MovedMessage{contact("a")});
        other[0] = std::byte{9};
        QVERIFY(codeOf(other) == Errc::UnsupportedFormat);
        other[0] = std::byte{kMessageVersion};
        other[1] = std::byte{29};
        QVERIFY(concernsMembership(other));
        QVERIFY(codeOf(other) == Errc::UnsupportedFormat);
        QVERIFY(!concernsMembership(serialize(Message(PruneMessage()))));
        QVERIFY(!concernsMembership({}));
    }
};

QTEST_APPLESS_MAIN(TestMembershipMessage)
#include "tst_membership_message.moc"
