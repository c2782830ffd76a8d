// SPDX-License-Identifier: Apache-2.0
/// Root payloads: what parses keeps the document's rules and is written again as it came, unknown keys apart.
#include "base/assert.h"
#include "covers.h"
#include "fuzz.h"
#include "trust/root.h"

using namespace starling;

namespace {

trust::Role roleOf(RandomSource& random, std::size_t count, std::uint32_t threshold)
{
    trust::Role role;
    for (; count > 0; --count) {
        std::array<std::byte, 32> key{};
        random.fill(key);
        role.keys.insert(KeyId(key));
    }
    role.threshold = threshold;
    return role;
}

void requireRules(const trust::Role& role)
{
    STARLING_ASSERT(role.threshold >= 1);
    STARLING_ASSERT(role.threshold <= role.keys.size());
    STARLING_ASSERT(role.keys.size() <= trust::kMaxSignatures);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const auto root = trust::RootDocument::parse(input);
    if (!root)
        return 0;
    requireRules(root->root);
    requireRules(root->admit);
    for (const trust::Scope& scope : root->scopes) {
        requireRules(scope.role);
        STARLING_ASSERT(root->scopeFor(scope.prefix) == &scope);
    }
    const Bytes again = root->serialize();
    STARLING_ASSERT(*trust::RootDocument::parse(again) == *root);
    STARLING_ASSERT(covers(*bencode::decode(input), *bencode::decode(again)));
    return 0;
}

std::vector<Bytes> seeds()
{
    SeededRandom random(5);
    trust::RootDocument root;
    root.root = roleOf(random, 3, 2);
    root.admit = roleOf(random, 2, 1);
    root.scopes.push_back({*ResourceUri::parse("fw"), roleOf(random, 2, 2), 0});
    root.scopes.push_back({*ResourceUri::parse("fw/a"), roleOf(random, 1, 1), 1});
    const Bytes first = root.serialize();
    root.number = 2;
    root.previous = *Digest::fromBytes(Bytes(32, std::byte(7)));
    root.created = 1'700'000'000;
    root.expires = 1'900'000'000;
    root.beacon = roleOf(random, 1, 1);
    root.observe = roleOf(random, 1, 1);
    root.admitEpoch = 2;
    return {first, root.serialize()};
}
