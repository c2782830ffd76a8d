// SPDX-License-Identifier: Apache-2.0
// The payloads, canonical bencoding:
//
//     subscription  d 15:aggregate-above <n> 7:expires <n> 6:format i1e 8:observer <32 bytes> [5:scope <uri>]
//                     8:sequence <n> e
//     pulse         d [3:ask ASK] 6:format i1e 6:number <n> 8:observer <32 bytes> [4:sums i1e] e
//     ASK           d [6:device <32 bytes>] [5:epoch <n>] 5:limit <n> 6:number <n> [5:phase <n>]
//                     [4:site <text>] [3:uri <uri>] [7:version <n>] e: epoch and version together
#include "trust/subscription.h"

#include "trust/fields.h"

namespace starling::trust {

namespace {

constexpr std::size_t kMaxPayloadBytes = 4 * 1024; ///< guess: ten times what either needs today

constexpr std::array<std::string_view, 7> kSubscriptionKeys{
    "aggregate-above", "critical", "expires", "format", "observer", "scope", "sequence",
};
constexpr std::array<std::string_view, 6> kPulseKeys{"ask",    "critical", "format",
                                                     "number", "observer", "sums"};

Result<bencode::DictReader> readPayload(const bencode::Value& value, std::string_view what,
                                        std::span<const std::string_view> knownKeys)
{
    auto from = bencode::DictReader::of(value, std::string(what));
    if (!from)
        return from;
    if (auto status = from->requireFormat(fields::kFormat, knownKeys); !status)
        return tl::unexpected(std::move(status.error()));
    return from;
}

/// Counters of which 0 stands for none.
Result<std::uint64_t> readNumber(const bencode::DictReader& from, std::string_view key)
{
    auto number = fields::readCounter(from, key);
    if (number && *number == 0)
        return fail(Errc::Malformed, from.name() + "." + std::string(key) + " is 0");
    return number;
}

bencode::Value encodeAsk(const ReceiptAsk& ask)
{
    STARLING_ASSERT(ask.limit >= 1 && ask.limit <= ReceiptAsk::kMaxLimit);
    bencode::Dict dict;
    dict.emplace("number", fields::counter(ask.number));
    dict.emplace("limit", fields::counter(ask.limit));
    if (ask.uri)
        dict.emplace("uri", fields::text(ask.uri->text()));
    if (ask.revision) {
        dict.emplace("epoch", fields::counter(ask.revision->epoch));
        dict.emplace("version", fields::counter(ask.revision->version));
    }
    if (ask.phase)
        dict.emplace("phase", static_cast<bencode::Integer>(*ask.phase));
    if (ask.site)
        dict.emplace("site", fields::text(*ask.site));
    if (ask.device)
        dict.emplace("device", fields::id(*ask.device));
    return dict;
}

/// The fields of an ask that name one of a device's releases.
Status readAskedRelease(const bencode::DictReader& from, ReceiptAsk& ask)
{
    if (from.has("uri")) {
        auto uri = fields::readUri(from, "uri");
        if (!uri)
            return tl::unexpected(std::move(uri.error()));
        ask.uri = std::move(*uri);
    }
    if (from.has("epoch") || from.has("version")) {
        const auto revision = fields::readRevision(from);
        if (!revision)
            return tl::unexpected<Error>(revision.error());
        ask.revision = *revision;
    }
    if (from.has("phase")) {
        const auto phase = from.integer("phase", static_cast<bencode::Integer>(Phase::Announced),
                                        static_cast<bencode::Integer>(Phase::RolledBack));
        if (!phase)
            return tl::unexpected<Error>(phase.error());
        ask.phase = static_cast<Phase>(*phase);
    }
    return {};
}

Result<ReceiptAsk> readAsk(const bencode::DictReader& from)
{
    ReceiptAsk ask;
    const auto number = readNumber(from, "number");
    if (!number)
        return tl::unexpected<Error>(number.error());
    ask.number = *number;
    const auto limit = from.integer("limit", 1, ReceiptAsk::kMaxLimit);
    if (!limit)
        return tl::unexpected<Error>(limit.error());
    ask.limit = static_cast<std::uint32_t>(*limit);
    if (auto release = readAskedRelease(from, ask); !release)
        return tl::unexpected(std::move(release.error()));
    if (from.has("site")) {
        auto site = from.text("site", fields::kMaxNameBytes);
        if (!site)
            return tl::unexpected(std::move(site.error()));
        ask.site = std::move(*site);
    }
    if (from.has("device")) {
        const auto device = fields::readId<NodeId>(from, "device");
        if (!device)
            return tl::unexpected<Error>(device.error());
        ask.device = *device;
    }
    return ask;
}

} // namespace

Bytes Subscription::serialize() const
{
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("observer", fields::id(observer));
    if (scope)
        dict.emplace("scope", fields::text(scope->text()));
    dict.emplace("sequence", fields::counter(sequence));
    dict.emplace("expires", fields::counter(expires));
    dict.emplace("aggregate-above", fields::counter(aggregateAbove));
    return bencode::encode(dict);
}

Result<Subscription> Subscription::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "subscription");
    auto from = readPayload(*value, "subscription", kSubscriptionKeys);
    if (!from)
        return tl::unexpected(std::move(from.error()));
    Subscription subscription;
    auto observer = fields::readId<NodeId>(*from, "observer");
    if (!observer)
        return tl::unexpected(std::move(observer.error()));
    subscription.observer = *observer;
    if (from->has("scope")) {
        auto scope = fields::readUri(*from, "scope");
        if (!scope)
            return tl::unexpected(std::move(scope.error()));
        subscription.scope = std::move(*scope);
    }
    auto sequence = readNumber(*from, "sequence");
    if (!sequence)
        return tl::unexpected(std::move(sequence.error()));
    subscription.sequence = *sequence;
    auto expires = readNumber(*from, "expires");
    if (!expires)
        return tl::unexpected(std::move(expires.error()));
    subscription.expires = *expires;
    auto aggregateAbove = fields::readCounter(*from, "aggregate-above");
    if (!aggregateAbove)
        return tl::unexpected(std::move(aggregateAbove.error()));
    subscription.aggregateAbove = *aggregateAbove;
    return subscription;
}

Bytes Pulse::serialize() const
{
    bencode::Dict dict;
    dict.emplace("format", fields::kFormat);
    dict.emplace("observer", fields::id(observer));
    dict.emplace("number", fields::counter(number));
    if (wantsSums)
        dict.emplace("sums", bencode::Integer{1});
    if (ask)
        dict.emplace("ask", encodeAsk(*ask));
    return bencode::encode(dict);
}

Result<Pulse> Pulse::parse(ByteView payload)
{
    auto value = bencode::decode(payload, {.bytes = kMaxPayloadBytes});
    if (!value)
        return fail(std::move(value.error()), "pulse");
    auto from = readPayload(*value, "pulse", kPulseKeys);
    if (!from)
        return tl::unexpected(std::move(from.error()));
    auto observer = fields::readId<NodeId>(*from, "observer");
    if (!observer)
        return tl::unexpected(std::move(observer.error()));
    auto number = readNumber(*from, "number");
    if (!number)
        return tl::unexpected(std::move(number.error()));
    Pulse pulse{*observer, *number};
    if (from->has("sums")) {
        const auto sums = from->integer("sums", 1, 1);
        if (!sums)
            return tl::unexpected<Error>(sums.error());
        pulse.wantsSums = true;
    }
    if (from->has("ask")) {
        const auto dict = from->dict("ask");
        auto ask = dict ? readAsk(*dict) : Result<ReceiptAsk>(tl::unexpected<Error>(dict.error()));
        if (!ask)
            return tl::unexpected(std::move(ask.error()));
        pulse.ask = std::move(*ask);
    }
    return pulse;
}

} // namespace starling::trust
