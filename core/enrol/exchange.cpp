// SPDX-License-Identifier: Apache-2.0
#include "enrol/exchange.h"

#include "base/assert.h"
#include "link/authenticator.h"
#include "trust/root.h"

namespace starling::enrol {

namespace {

constexpr bencode::Integer kFormat = 1;
constexpr std::array<std::string_view, 6> kQuestionKeys{"anchor-from", "critical",    "format",
                                                        "join",        "roots-after", "roots-from"};
constexpr std::array<std::string_view, 8> kAnswerKeys{"anchor", "anchor-bytes", "certificate", "critical",
                                                      "format", "reason",       "roots",       "state"};
constexpr auto kMaxAnchor = static_cast<bencode::Integer>(trust::kMaxRootBytes + 8 * 1024);

static_assert(trust::kMaxJoinBytes + 64 <= link::kMaxQuestionBytes, "a question has room for any request");
static_assert(link::kMaxCertificateBytes + 64 <= link::kMaxAnswerBytes,
              "an answer has room for any certificate");
static_assert(kAnchorPartBytes + 96 <= link::kMaxAnswerBytes);

Result<bencode::Value> decode(ByteView bytes, std::size_t limit, const char* what)
{
    auto value = bencode::decode(bytes, {.bytes = limit});
    if (!value)
        return fail(std::move(value.error()), what);
    return value;
}

Result<Bytes> optionalBytes(const bencode::DictReader& from, std::string_view key, std::size_t most)
{
    if (!from.has(key))
        return Bytes();
    auto bytes = from.bytes(key, most);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    if (bytes->empty())
        return fail(Errc::Malformed, from.name() + "." + std::string(key) + " is empty");
    return Bytes(bytes->begin(), bytes->end());
}

} // namespace

Bytes JoinQuestion::serialize() const
{
    bencode::Dict dict;
    if (anchorFrom)
        dict.emplace("anchor-from", static_cast<bencode::Integer>(*anchorFrom));
    dict.emplace("format", kFormat);
    dict.emplace("join", request);
    if (roots) {
        dict.emplace("roots-after", static_cast<bencode::Integer>(roots->after));
        dict.emplace("roots-from", static_cast<bencode::Integer>(roots->offset));
    }
    return bencode::encode(dict);
}

Result<JoinQuestion> JoinQuestion::parse(ByteView bytes)
{
    auto value = decode(bytes, link::kMaxQuestionBytes, "join question");
    if (!value)
        return tl::unexpected<Error>(value.error());
    auto from = bencode::DictReader::of(*value, "question");
    if (!from)
        return tl::unexpected<Error>(from.error());
    if (auto status = from->requireFormat(kFormat, kQuestionKeys); !status)
        return tl::unexpected<Error>(status.error());
    auto request = from->bytes("join", trust::kMaxJoinBytes);
    if (!request)
        return tl::unexpected<Error>(request.error());
    JoinQuestion question{Bytes(request->begin(), request->end()), std::nullopt};
    if (from->has("anchor-from")) {
        auto offset = from->integer("anchor-from", 0, kMaxAnchor);
        if (!offset)
            return tl::unexpected<Error>(offset.error());
        question.anchorFrom = static_cast<std::uint64_t>(*offset);
    }
    if (from->has("roots-after") || from->has("roots-from")) {
        auto after = from->integer("roots-after", 1, kMaxRootsAfter);
        auto offset = from->integer("roots-from", 0, kMaxRootsOffset);
        if (!after || !offset)
            return tl::unexpected<Error>(after ? offset.error() : after.error());
        question.roots = RootsFrom{static_cast<std::uint64_t>(*after), static_cast<std::uint64_t>(*offset)};
    }
    return question;
}

Bytes JoinAnswer::serialize() const
{
    STARLING_ASSERT(reason.size() <= kMaxReasonBytes && anchorPart.size() <= kAnchorPartBytes
                    && rootsPart.size() <= kAnchorPartBytes);
    bencode::Dict dict;
    if (!anchorPart.empty()) {
        dict.emplace("anchor", anchorPart);
        dict.emplace("anchor-bytes", static_cast<bencode::Integer>(anchorBytes));
    }
    if (!certificate.empty())
        dict.emplace("certificate", certificate);
    dict.emplace("format", kFormat);
    if (!reason.empty())
        dict.emplace("reason", std::string_view(reason));
    if (!rootsPart.empty())
        dict.emplace("roots", rootsPart);
    dict.emplace("state", static_cast<bencode::Integer>(state));
    return bencode::encode(dict);
}

Result<JoinAnswer> JoinAnswer::parse(ByteView bytes)
{
    auto value = decode(bytes, link::kMaxAnswerBytes, "join answer");
    if (!value)
        return tl::unexpected<Error>(value.error());
    auto from = bencode::DictReader::of(*value, "answer");
    if (!from)
        return tl::unexpected<Error>(from.error());
    if (auto status = from->requireFormat(kFormat, kAnswerKeys); !status)
        return tl::unexpected<Error>(status.error());
    JoinAnswer answer;
    auto state = from->integer("state", 1, 4);
    if (!state)
        return tl::unexpected<Error>(state.error());
    answer.state = static_cast<State>(*state);
    if (from->has("reason")) {
        auto reason = from->text("reason", kMaxReasonBytes);
        if (!reason)
            return tl::unexpected<Error>(reason.error());
        answer.reason = std::move(*reason);
    }
    auto certificate = optionalBytes(*from, "certificate", link::kMaxCertificateBytes);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    answer.certificate = std::move(*certificate);
    auto part = optionalBytes(*from, "anchor", kAnchorPartBytes);
    if (!part)
        return tl::unexpected<Error>(part.error());
    answer.anchorPart = std::move(*part);
    auto roots = optionalBytes(*from, "roots", kAnchorPartBytes);
    if (!roots)
        return tl::unexpected<Error>(roots.error());
    answer.rootsPart = std::move(*roots);
    if (!answer.anchorPart.empty()) {
        auto whole = from->integer("anchor-bytes", 1, kMaxAnchor);
        if (!whole)
            return tl::unexpected<Error>(whole.error());
        answer.anchorBytes = static_cast<std::uint64_t>(*whole);
    }
    return answer;
}

} // namespace starling::enrol
