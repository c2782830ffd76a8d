// SPDX-License-Identifier: Apache-2.0
// The payloads, canonical bencoding:
//
//     subscription  d 15:aggregate-above <n> 7:expires <n> 6:format i1e 8:observer <32 bytes> [5:scope <uri>]
//                     8:sequence <n> e
//     pulse         d 6:format i1e 6:number <n> 8:observer <32 bytes> e
#include "trust/subscription.h"

#include "trust/fields.h"

namespace starling::trust {

namespace {

constexpr std::size_t kMaxPayloadBytes = 4 * 1024; ///< guess: ten times what either needs today

constexpr std::array<std::string_view, 7> kSubscriptionKeys{
    "aggregate-above", "critical", "expires", "format", "observer", "scope", "sequence",
};
constexpr std::array<std::string_view, 4> kPulseKeys{"critical", "format", "number", "observer"};

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
    return Pulse{*observer, *number};
}

} // namespace starling::trust
