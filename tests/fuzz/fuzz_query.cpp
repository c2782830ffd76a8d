// SPDX-License-Identifier: Apache-2.0
/// Properties: what was accepted, written out again, reads the same, and answers for any device; whatever is
/// typed, what is offered begins as it does.
#include "base/assert.h"
#include "fleetview/completion.h"
#include "fleetview/query.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace starling::fleetview;
    const std::string_view typed(reinterpret_cast<const char*>(data), size);
    static const std::vector<Facet> kFacets{{"site", {{"berlin", 2}, {"a \"b\\", 1}}, 0}};
    const std::string_view head = typed.substr(0, typed.find_first_of(" ()\"\\=!~<>"));
    for (const std::string& offer : completionsOf(kFacets, typed))
        STARLING_ASSERT(offer.size() >= head.size());
    const auto query = Query::parse(typed);
    if (!query) {
        STARLING_ASSERT(query.error().code == starling::Errc::Usage);
        return 0;
    }
    Device device;
    device.name = "gw-7";
    device.labels = {{"site", "berlin"}, {"model", "gw2"}};
    const bool isMatch = query->matches(device);
    const std::string text = query->text();
    if (text.size() > Query::kMaxBytes)
        return 0; // "and" between words makes it longer
    const auto again = Query::parse(text);
    STARLING_ASSERT(again && *again == *query && again->matches(device) == isMatch);
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    return {starling::toBytes("model=gw2 and site!=lab"),
            starling::toBytes("not (state=failed or version<1:2) name~\"a \\\"b\\\\\" gw-*"),
            starling::toBytes("((a b) or not not c) label.x>=3 phase!=healthy")};
}
