// SPDX-License-Identifier: Apache-2.0
/// Enrolment's parsers: join requests, tokens, what goes over the join channel, and an agent's state of it.
/// What parses is written again as it came, unknown keys apart.
#include "base/assert.h"
#include "covers.h"
#include "enrol/fingerprint.h"
#include "enrol/reception.h"
#include "fuzz.h"

using namespace starling;

namespace {

template <class Document> void attempt(ByteView input)
{
    const auto document = Document::parse(input);
    if (!document)
        return;
    const Bytes again = document->serialize();
    STARLING_ASSERT(*Document::parse(again) == *document);
    STARLING_ASSERT(covers(*bencode::decode(input), *bencode::decode(again)));
}

crypto::SecretKey key()
{
    return std::move(*crypto::SecretKey::fromSeed(Bytes(32)));
}

/// A fleet with two roots.
const trust::TrustSet& newest()
{
    static const trust::TrustSet kTrust = [] {
        trust::RootDocument root;
        root.root = {{key().id()}, 1};
        root.admit = {{crypto::SecretKey::fromSeed(Bytes(32, std::byte{1}))->id()}, 1};
        trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
        envelope.sign(FleetId(), key());
        auto trust = std::move(*trust::TrustSet::fromAnchor(envelope.serialize()));
        root.number = 2;
        root.previous = envelope.payloadHash();
        trust::Envelope second{trust::Kind::Root, root.serialize(), {}};
        second.sign(trust.fleet(), key());
        STARLING_ASSERT(trust.advance(second.serialize()).has_value());
        return trust;
    }();
    return kTrust;
}

/// In two parts, wherever they are cut.
void walk(ByteView input)
{
    auto trust = *trust::TrustSet::fromAnchor(newest().chain().front());
    enrol::RootWalk walk;
    const std::size_t cut = input.empty() ? 0 : std::to_integer<std::size_t>(input.back()) % input.size();
    for (const ByteView part : {input.first(cut), input.subspan(cut)}) {
        [[maybe_unused]] const auto taken = walk.take(part, trust);
        STARLING_ASSERT(walk.wanted(trust).offset <= enrol::kMaxRootsOffset);
        STARLING_ASSERT(trust.root().number <= 2);
    }
}

trust::JoinRequest request()
{
    trust::JoinRequest made;
    made.linkKey = LinkKey(std::array<std::byte, 32>{std::byte{1}});
    made.name = "gateway-7";
    made.labels = {{"arch", "arm64"}, {"site", "B"}};
    made.token = trust::TokenSecret{std::byte{2}};
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    attempt<trust::JoinRequest>(input);
    attempt<enrol::JoinQuestion>(input);
    attempt<enrol::JoinAnswer>(input);
    walk(input);
    if (const auto token = enrol::JoinToken::parse(toText(input)))
        STARLING_ASSERT(*enrol::JoinToken::parse(token->line()) == *token);
    if (const auto reception = enrol::Reception::parse(input, FleetId())) {
        const Bytes again = reception->serialize();
        STARLING_ASSERT(enrol::Reception::parse(again, FleetId())->serialize() == again);
    }
    if (const auto opened = trust::openJoinRequest(input, FleetId()))
        STARLING_ASSERT(trust::JoinRequest::parse(opened->serialize()) == *opened);
    const std::string words = enrol::normalFingerprint(toText(input));
    STARLING_ASSERT(enrol::normalFingerprint(words) == words);
    return 0;
}

std::vector<Bytes> seeds()
{
    enrol::JoinToken token;
    token.contact = Endpoint::ipv4(127, 0, 0, 1, 7'891);
    enrol::JoinAnswer granted;
    granted.state = enrol::JoinAnswer::State::Granted;
    granted.certificate = toBytes("certificate");
    enrol::JoinAnswer part;
    part.reason = "soon";
    part.anchorPart = toBytes("root");
    part.anchorBytes = 1'000;
    enrol::Reception reception{FleetId()};
    [[maybe_unused]] const auto added = reception.addToken({}, 1'900'000'000, UtcTime());
    [[maybe_unused]] const auto another = reception.addToken(trust::TokenSecret{std::byte{1}}, 1'900'000'000,
                                                             UtcTime(), enrol::TokenUse::Console);
    reception.grant(NodeId(), toBytes("certificate"));
    enrol::JoinAnswer roots;
    roots.rootsPart = toBytes("roots");
    const Bytes sealed = request().seal(FleetId(), key());
    return {request().serialize(),
            sealed,
            enrol::JoinQuestion{sealed, 1'000}.serialize(),
            enrol::JoinQuestion{sealed, {}, enrol::RootsFrom{1, 20}}.serialize(),
            roots.serialize(),
            enrol::rootsPart(newest().chain(), {1, 0}, 65'536),
            granted.serialize(),
            part.serialize(),
            toBytes(token.line()),
            reception.serialize(),
            toBytes("Acorn tiger, ZEBRA")};
}
