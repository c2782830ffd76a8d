// SPDX-License-Identifier: Apache-2.0
#include "bencode/bencode.h"
#include "control_samples.h"

#include <QTest>

using namespace starling;
using namespace starling::control;

namespace {

/// A frame as it is handed to the decoders: without its length.
template <class Message> Bytes frameOf(const Message& message)
{
    const Bytes bytes = encode(message);
    return Bytes(bytes.begin() + 4, bytes.end());
}

Bytes frame(int version, int type, std::string_view body)
{
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(version));
    writer.u8(static_cast<std::uint8_t>(type));
    writer.raw(viewOf(body));
    return writer.take();
}

/// `reply`'s frame with its dictionary changed.
template <class Change> Bytes changed(const Reply& reply, Change change)
{
    const Bytes whole = frameOf(reply);
    auto value = bencode::decode(ByteView(whole).subspan(2));
    change(*value->dict());
    ByteWriter writer;
    writer.raw(ByteView(whole).first(2));
    writer.raw(bencode::encode(*value));
    return writer.take();
}

Bytes announcing(std::uint32_t size)
{
    ByteWriter writer;
    writer.u32(size);
    return writer.take();
}

int code(Errc errc)
{
    return static_cast<int>(errc);
}

} // namespace

class TestControlCodec : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void hasASampleOfEveryKind()
    {
        for (std::size_t i = 0; i < std::variant_size_v<Request>; ++i)
            QCOMPARE(samples::requests().at(i).index(), i);
        for (std::size_t i = 0; i < std::variant_size_v<Reply>; ++i)
            QCOMPARE(samples::replies().at(i).index(), i);
    }

    void requestsComeBackAsTheyWent()
    {
        for (const Request& request : samples::requests()) {
            const auto decoded = decodeRequest(frameOf(request));
            QVERIFY2(decoded.has_value(), decoded ? "" : toString(decoded.error()).c_str());
            QCOMPARE(decoded->index(), request.index());
            QVERIFY(encode(*decoded) == encode(request));
        }
        const auto push = decodeRequest(frameOf(samples::requests()[4]));
        QCOMPARE(std::get<PushRequest>(*push).inPlace, std::string("/srv/releases/gateway"));
        QVERIFY(std::get<PushRequest>(*push).torrentFile == toBytes("d4:infode10:signaturesdee"));
    }

    void repliesComeBackAsTheyWent()
    {
        for (const Reply& reply : samples::replies()) {
            const auto decoded = decodeReply(frameOf(reply));
            QVERIFY2(decoded.has_value(), decoded ? "" : toString(decoded.error()).c_str());
            QCOMPARE(decoded->index(), reply.index());
            QVERIFY(encode(*decoded) == encode(reply));
        }
    }

    void keepsEveryFieldOfAStatus()
    {
        const auto decoded = decodeReply(frameOf(Reply(samples::status())));
        const StatusReply& status = std::get<StatusReply>(*decoded);
        const StatusReply expected = samples::status();
        QCOMPARE(status.version, expected.version);
        QVERIFY(status.node == expected.node && status.fleet == expected.fleet
                && status.listen == expected.listen);
        QCOMPARE(status.name, expected.name);
        QCOMPARE(status.rootNumber, expected.rootNumber);
        QCOMPARE(status.uptimeSeconds, expected.uptimeSeconds);
        QCOMPARE(status.mode, expected.mode);
        QCOMPARE(status.swarm, expected.swarm);
        QCOMPARE(status.swarmPort, expected.swarmPort);
        QVERIFY(status.links[0].isUp && status.links[0].roundTripMicros == 1'500
                && status.links[0].endpoint == expected.links[0].endpoint);
        QVERIFY(status.floors[0].revision == expected.floors[0].revision);
        QVERIFY(status.traffic[0].bytesFrom == 10 && status.traffic[0].bytesTo == 20);
        QVERIFY(status.refused == expected.refused);
        QCOMPARE(status.devices, expected.devices);
        QCOMPARE(status.isObserver, expected.isObserver);
        const UpdateLine& update = status.updates[0];
        QCOMPARE(update.label, std::string("2.4.1"));
        QVERIFY(update.phase == trust::Phase::Downloading && update.code == 305 && update.peers == 3);
        QVERIFY(update.totalBytes == 1'000'000 && update.doneBytes == 999'999
                && update.downRate.value == 1'024 && update.upRate.value == 2'048);
        QVERIFY(update.pieces == toBytes("\xff\x80"));
    }

    void keepsEveryFieldOfAnEventAndAReceipt()
    {
        const auto event = decodeReply(frameOf(Reply(samples::event())));
        const Event& seen = std::get<Event>(*event);
        QVERIFY(seen.what == Event::What::Receipt && seen.phase == trust::Phase::RolledBack
                && seen.code == 404);
        QVERIFY(seen.revision == trust::Revision({1, 7}) && seen.node == samples::filled<NodeId>(2));
        QCOMPARE(seen.uri + " " + seen.text, std::string("fw/gateway no answer on port 80"));
        const auto devices = decodeReply(frameOf(samples::replies()[2]));
        QVERIFY(std::get<DevicesReply>(*devices).devices.at(0).receipt == samples::receipt());
        QCOMPARE(std::get<DevicesReply>(*devices).devices.at(0).labels.at("site"), std::string("lab"));
    }

    void keepsHowFarSomebodyWasTold()
    {
        const auto request = decodeRequest(frameOf(samples::requests()[2]));
        const auto& asked = std::get<DevicesRequest>(*request);
        QCOMPARE(asked.since.era + asked.since.change + asked.most, std::uint64_t{77 + 12'345 + 256});
        const auto reply = decodeReply(frameOf(samples::replies()[2]));
        const auto& told = std::get<DevicesReply>(*reply);
        QVERIFY(told.isObserver && !told.isLast && told.mark.era == 77 && told.mark.change == 12'346);
        QCOMPARE(told.total, std::uint64_t{100'000});
    }

    /// A command line and an agent may be of different versions for a while.
    void understandsDevicesFromBeforeThereWerePages()
    {
        const auto request = decodeRequest(frame(1, 2, "de"));
        QVERIFY(request.has_value());
        const auto& asked = std::get<DevicesRequest>(*request);
        QVERIFY(asked.since.era == 0 && asked.since.change == 0 && asked.most == kMaxDevicesTold);
        const Bytes poorer = changed(samples::replies()[2], [](bencode::Dict& dict) {
            for (const char* name : {"era", "after", "last", "total"})
                dict.erase(name);
        });
        const auto reply = decodeReply(poorer);
        QVERIFY(reply.has_value());
        const auto& told = std::get<DevicesReply>(*reply);
        QVERIFY(told.isLast && told.mark.era == 0 && told.total == 1 && told.devices.size() == 1);
        for (const char* body : {"d4:mosti0ee", "d4:mosti4294967296ee", "d3:erai-1ee", "d5:after1:xe"})
            QCOMPARE(code(decodeRequest(frame(1, 2, body)).error().code), code(Errc::Malformed));
    }

    void keepsEveryFieldOfANetCheck()
    {
        const auto reply = decodeReply(frameOf(samples::replies().at(12)));
        const auto& seen = std::get<NetCheckReply>(*reply);
        QVERIFY(seen.behaviour == samples::netBehaviour());
        QCOMPARE(seen.locals.size() + seen.asked.size(), std::size_t{2});
        QVERIFY(seen.portMapping == samples::portMapState());
        QVERIFY(seen.lifetime == samples::lifetimeState());
        const auto status = decodeReply(frameOf(Reply(samples::status())));
        QVERIFY(std::get<StatusReply>(*status).portMapping == samples::portMapState());
        StatusReply none = samples::status();
        none.portMapping = {};
        QVERIFY(std::get<StatusReply>(*decodeReply(frameOf(Reply(none)))).portMapping == nat::PortMapState());
    }

    void keepsEveryFieldOfPeersAndSessions()
    {
        const auto peers = decodeReply(frameOf(samples::replies().at(13)));
        QVERIFY(std::get<PeersReply>(*peers).portMapping == samples::portMapState());
        const auto& peer = std::get<PeersReply>(*peers).peers.at(0);
        QCOMPARE(peer.kind + " " + toString(peer.endpoint), std::string("direct 192.0.2.9:7891"));
        QCOMPARE(peer.roundTripMicros + peer.ageSeconds, std::uint64_t{1'260});
        const auto& relayed = std::get<PeersReply>(*peers).peers.at(1);
        QVERIFY(relayed.relay == peer.node && relayed.endpoint == Endpoint());
        QCOMPARE(relayed.whyNotBetter, std::string("a firewall"));
        QVERIFY(peer.payload == std::vector<PathLine>({{"direct", 7, 8}, {"relayed", 9, 10}}));
        QVERIFY(relayed.payload.empty());
        QVERIFY(std::get<PeersReply>(*peers).payload == std::vector<PathLine>({{"punched", 11, 12}}));
        const auto sessions = decodeReply(frameOf(samples::replies().at(14)));
        const auto& session = std::get<SessionsReply>(*sessions).sessions.at(0);
        QVERIFY(session.mapping == nat::Mapping::EndpointIndependent && session.internal.size() == 1);
        QCOMPARE(toString(session.external), std::string("192.0.2.9:7891"));
        QCOMPARE(session.ageSeconds, std::uint64_t{60});
    }

    void refusesAnotherProtocolVersion()
    {
        for (const int version : {0, 2, 255}) {
            QCOMPARE(code(decodeRequest(frame(version, 0, "de")).error().code),
                     code(Errc::UnsupportedFormat));
            QCOMPARE(code(decodeReply(frame(version, 3, "de")).error().code), code(Errc::UnsupportedFormat));
        }
    }

    void refusesTypesItDoesNotKnow()
    {
        for (const int type : {static_cast<int>(std::variant_size_v<Request>), 100, 255}) {
            QCOMPARE(code(decodeRequest(frame(1, type, "de")).error().code), code(Errc::UnsupportedFormat));
            QCOMPARE(code(decodeReply(frame(1, type, "de")).error().code), code(Errc::UnsupportedFormat));
        }
    }

    void ignoresFieldsItDoesNotKnow()
    {
        QVERIFY(decodeRequest(frame(1, 0, "d6:futurei1ee")).has_value());
        const Bytes richer =
            changed(samples::status(), [](bencode::Dict& dict) { dict["weather"] = "fine"; });
        QVERIFY(decodeReply(richer).has_value());
    }

    void refusesEveryTruncation()
    {
        std::vector<Bytes> frames;
        for (const Request& request : samples::requests())
            frames.push_back(frameOf(request));
        for (const Bytes& whole : frames)
            for (std::size_t size = 0; size < whole.size(); ++size)
                QVERIFY(!decodeRequest(ByteView(whole).first(size)));
        for (const Reply& reply : samples::replies()) {
            const Bytes whole = frameOf(reply);
            for (std::size_t size = 0; size < whole.size(); ++size)
                QVERIFY(!decodeReply(ByteView(whole).first(size)));
        }
    }

    void refusesTrailingBytes()
    {
        QVERIFY(!decodeRequest(frame(1, 0, "dex")));
        QVERIFY(!decodeRequest(frame(1, 0, "dede")));
    }

    void refusesABodyThatIsNoDictionary()
    {
        for (const char* body : {"le", "i1e", "0:"}) {
            QCOMPARE(code(decodeRequest(frame(1, 0, body)).error().code), code(Errc::Malformed));
            QCOMPARE(code(decodeReply(frame(1, 3, body)).error().code), code(Errc::Malformed));
        }
    }

    void refusesAMissingField()
    {
        // Whichever field of a status is left out.
        const Bytes whole = frameOf(Reply(samples::status()));
        const auto value = bencode::decode(ByteView(whole).subspan(2));
        for (const auto& [name, ignored] : *value->dict()) {
            const Bytes poorer =
                changed(samples::status(), [&, key = name](bencode::Dict& dict) { dict.erase(key); });
            const auto decoded = decodeReply(poorer);
            QVERIFY2(!decoded && decoded.error().code == Errc::Malformed, name.c_str());
        }
        QCOMPARE(code(decodeRequest(frame(1, 4, "d8:in-place0:e")).error().code), code(Errc::Malformed));
        QCOMPARE(code(decodeRequest(frame(1, 5, "de")).error().code), code(Errc::Malformed));
    }

    void refusesValuesOutOfRange_data()
    {
        QTest::addColumn<int>("reply");
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<qlonglong>("value");
        QTest::newRow("a port") << 0 << QByteArray("swarm-port") << 65'536ll;
        QTest::newRow("a negative count") << 0 << QByteArray("devices") << -1ll;
        QTest::newRow("no answer") << 4 << QByteArray("answer") << 0ll;
        QTest::newRow("an unknown answer") << 4 << QByteArray("answer") << 5ll;
        QTest::newRow("no event") << 6 << QByteArray("what") << 0ll;
        QTest::newRow("an unknown event") << 6 << QByteArray("what") << 6ll;
        QTest::newRow("a code") << 6 << QByteArray("code") << 65'536ll;
    }

    void refusesValuesOutOfRange()
    {
        QFETCH(int, reply);
        QFETCH(QByteArray, field);
        QFETCH(qlonglong, value);
        const Bytes bytes =
            changed(samples::replies().at(static_cast<std::size_t>(reply)),
                    [&](bencode::Dict& dict) { dict[field.toStdString()] = bencode::Integer{value}; });
        QVERIFY(!decodeReply(bytes));
    }

    void refusesWrongTextsAndIds()
    {
        const auto with = [](const char* field, bencode::Value value) {
            return decodeReply(
                changed(samples::event(), [&](bencode::Dict& dict) { dict[field] = std::move(value); }));
        };
        QVERIFY(!with("phase", "asleep"));
        QVERIFY(!with("node", "too short"));
        QVERIFY(!with("text", bencode::Integer{1}));
        QCOMPARE(code(with("text", std::string_view(std::string(4'097, 'x'))).error().code),
                 code(Errc::TooLarge));
        QVERIFY(with("text", std::string_view(std::string(4'096, 'x'))).has_value());
    }

    void refusesAUriThatIsNone()
    {
        UpdateLine line = samples::updateLine();
        const Bytes whole = changed(UpdatesReply{{line}}, [](bencode::Dict& dict) {
            bencode::Dict update = *(*dict.at("updates").list())[0].dict();
            update["uri"] = "FW//x";
            dict["updates"] = bencode::List{update};
        });
        QVERIFY(!decodeReply(whole));
    }

    void refusesCountersThatAreNone()
    {
        const auto with = [](bencode::Value value) {
            return decodeReply(changed(samples::status(), [&](bencode::Dict& dict) {
                dict["refused"] = bencode::Dict{{"rollback", value}};
            }));
        };
        QVERIFY(with(bencode::Integer{1}).has_value());
        QVERIFY(!with(bencode::Integer{-1}));
        QVERIFY(!with("many"));
    }

    void takesTheLargestChunkAndNoLarger()
    {
        QVERIFY(decodeRequest(frameOf(Request(PushChunk{Bytes(kMaxChunkBytes)}))).has_value());
        QCOMPARE(code(decodeRequest(frameOf(Request(PushChunk{Bytes(kMaxChunkBytes + 1)}))).error().code),
                 code(Errc::TooLarge));
    }

    void cutsLongDetailsInsteadOfSendingWhatNobodyTakes()
    {
        const std::string endless(100'000, 'x');
        UpdateLine line = samples::updateLine();
        line.detail = endless;
        Event event = samples::event();
        event.text = endless;
        const auto error = decodeReply(frameOf(Reply(ErrorReply{{Errc::Io, endless}})));
        QCOMPARE(std::get<ErrorReply>(*error).error.context.size(), std::size_t{4'096});
        QVERIFY(decodeReply(frameOf(Reply(UpdatesReply{{line}}))).has_value());
        QVERIFY(decodeReply(frameOf(Reply(event))).has_value());
    }

    void showsACodeOfALaterVersionAsRefused()
    {
        const Bytes later = changed(ErrorReply{{Errc::Io, "context"}},
                                    [](bencode::Dict& dict) { dict["code"] = bencode::Integer{9'999}; });
        const auto decoded = decodeReply(later);
        QCOMPARE(code(std::get<ErrorReply>(*decoded).error.code), code(Errc::Refused));
    }

    void framesComeOutOfAnySplitting()
    {
        Bytes stream;
        for (const Request& request : samples::requests())
            append(stream, encode(request));
        for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{7}, stream.size()}) {
            FrameReader reader;
            std::vector<Bytes> seen;
            for (std::size_t at = 0; at < stream.size(); at += step) {
                QVERIFY(reader.feed(ByteView(stream).subspan(at, std::min(step, stream.size() - at)))
                            .has_value());
                while (auto next = reader.next())
                    seen.push_back(std::move(*next));
            }
            QCOMPARE(seen.size(), samples::requests().size());
            for (std::size_t i = 0; i < seen.size(); ++i)
                QVERIFY(seen[i] == frameOf(samples::requests()[i]));
        }
    }

    void aFrameIsNotGivenOutBeforeItsLastByte()
    {
        FrameReader reader;
        const Bytes bytes = encode(Request(StatusRequest{}));
        QVERIFY(reader.feed(ByteView(bytes).first(bytes.size() - 1)).has_value());
        QVERIFY(!reader.next());
        QVERIFY(reader.feed(ByteView(bytes).last(1)).has_value());
        QVERIFY(reader.next().has_value());
        QVERIFY(!reader.next());
    }

    void refusesAFrameThatAnnouncesTooMuch()
    {
        QVERIFY(FrameReader().feed(announcing(kMaxFrameBytes)).has_value());
        const std::uint32_t sizes[]{kMaxFrameBytes + 1, 1u << 30, UINT32_MAX};
        for (const std::uint32_t size : sizes)
            QCOMPARE(code(FrameReader().feed(announcing(size)).error().code), code(Errc::TooLarge));
    }

    void refusesItBehindGoodFramesToo()
    {
        Bytes stream = encode(Request(StatusRequest{}));
        append(stream, encode(Request(PushEnd{})));
        append(stream, announcing(1u << 30));
        FrameReader reader;
        QCOMPARE(code(reader.feed(stream).error().code), code(Errc::TooLarge));
    }

    void anEmptyFrameIsAFrame()
    {
        FrameReader reader;
        QVERIFY(reader.feed(announcing(0)).has_value());
        const auto next = reader.next();
        QVERIFY(next && next->empty());
        QCOMPARE(code(decodeRequest(*next).error().code), code(Errc::Truncated));
    }
};

QTEST_GUILESS_MAIN(TestControlCodec)
#include "tst_control_codec.moc"
