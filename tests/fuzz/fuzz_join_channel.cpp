// SPDX-License-Identifier: Apache-2.0
/// The join channel: any bytes as a datagram to either side, as the question that is sealed as it should be,
/// and as the Noise message of each side. No answer is longer than what it answers, and after whatever came
/// the right datagram is taken.
#include "base/assert.h"
#include "fuzz.h"
#include "link/join_channel.h"

using namespace starling;
using namespace starling::link;

namespace {

struct Sides
{
    SeededRandom random{1};
    crypto::LinkKeyPair own = crypto::LinkKeyPair::generate(random);
    Bytes heard;
    JoinDesk desk{FleetId(), own, random, [this](const Endpoint&, ByteView question) {
                      heard = toBytes(question);
                      return toBytes(question.first(std::min(question.size(), kMaxAnswerBytes)));
                  }};
    JoinAsker asker{FleetId(), own.publicKey(), random};
};

const Endpoint kHere = Endpoint::ipv4(10, 0, 0, 1, 1);
const Endpoint kThere = Endpoint::ipv4(10, 0, 0, 2, 1);

void examineDatagram(ByteView bytes)
{
    Sides sides;
    const auto reply = sides.desk.onDatagram(kHere, bytes, Instant());
    STARLING_ASSERT(!reply || reply->size() <= bytes.size());
    const Bytes question = sides.asker.ask(viewOf("q")).value();
    STARLING_ASSERT(!sides.asker.onDatagram(bytes).answer);
    const auto answer = sides.desk.onDatagram(kThere, question, Instant());
    STARLING_ASSERT(answer && answer->size() <= question.size());
    STARLING_ASSERT(sides.asker.onDatagram(*answer).answer == toBytes("q"));
}

void examineQuestion(ByteView bytes)
{
    Sides sides;
    const ByteView question = bytes.first(std::min(bytes.size(), kMaxQuestionBytes));
    const Bytes datagram = sides.asker.ask(question).value();
    const auto answer = sides.desk.onDatagram(kHere, datagram, Instant());
    STARLING_ASSERT(sides.heard == toBytes(question));
    STARLING_ASSERT(answer.has_value() == !question.empty());
    if (answer)
        STARLING_ASSERT(sides.asker.onDatagram(*answer).answer == toBytes(question));
}

void examineMessage(ByteView bytes)
{
    SeededRandom random(2);
    const auto own = crypto::LinkKeyPair::generate(random);
    crypto::NkQuestion question({}, own.publicKey(), crypto::LinkKeyPair::generate(random));
    crypto::NkAnswer answer({}, own, crypto::LinkKeyPair::generate(random));
    const Bytes first = question.write({}).value();
    STARLING_ASSERT(!answer.read(bytes) && answer.read(first));
    const Bytes second = answer.write({}).value();
    STARLING_ASSERT(!question.read(bytes) && question.read(second));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView bytes = std::as_bytes(std::span(data, size));
    if (bytes.empty())
        return 0;
    switch (std::to_integer<unsigned>(bytes[0]) % 3) {
    case 0:
        examineQuestion(bytes.subspan(1));
        break;
    case 1:
        examineMessage(bytes.subspan(1));
        break;
    default:
        examineDatagram(bytes.subspan(1));
    }
    return 0;
}

std::vector<Bytes> seeds()
{
    const auto with = [](unsigned char how, ByteView rest) {
        Bytes bytes{std::byte{how}};
        append(bytes, rest);
        return bytes;
    };
    Sides sides;
    const Bytes question = sides.asker.ask(viewOf("another")).value();
    return {with(0, viewOf("d6:formati1e4:join0:e")), with(1, Bytes(80, std::byte{9})), with(2, question),
            with(2, PacketCodec(FleetId()).serialize(CookieReply{Token{4}, {}}))};
}
