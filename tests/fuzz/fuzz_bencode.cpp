// SPDX-License-Identifier: Apache-2.0
/// The decoder accepts only what the encoder would write, and stays within its limits.
#include "base/assert.h"
#include "bencode/bencode.h"
#include "fuzz.h"

using namespace starling;

namespace {

std::size_t depthOf(const bencode::Value& value)
{
    std::size_t inner = 0;
    if (const auto* list = value.list()) {
        for (const bencode::Value& item : *list)
            inner = std::max(inner, depthOf(item));
    } else if (const auto* dict = value.dict()) {
        for (const auto& [key, item] : *dict)
            inner = std::max(inner, depthOf(item));
    } else {
        return 0;
    }
    return inner + 1;
}

void readAsDocument(const bencode::Value& value)
{
    static constexpr std::array<std::string_view, 2> kKnown{"uri", "version"};
    const auto reader = bencode::DictReader::of(value, "document");
    if (!reader)
        return;
    const auto text = reader->text("uri", 200);
    STARLING_ASSERT(!text || (text->size() <= 200 && bencode::isPlainText(*text)));
    const auto version = reader->integer("version", 1, 9);
    STARLING_ASSERT(!version || (*version >= 1 && *version <= 9));
    const Status format = reader->requireFormat(1, kKnown);
    STARLING_ASSERT(!format || reader->integer("format", 1, 1));
    const auto inner = reader->dict("info");
    STARLING_ASSERT(!inner || inner->name() == "document.info");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input = std::as_bytes(std::span(data, size));
    const auto value = bencode::decode(input);
    if (value) {
        const Bytes again = bencode::encode(*value);
        STARLING_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
        STARLING_ASSERT(depthOf(*value) <= bencode::Limits().depth);
        readAsDocument(*value);
    } else {
        STARLING_ASSERT(static_cast<unsigned>(value.error().code) / 100 == 1);
    }
    const bencode::Limits narrow{64, 2, 8};
    const auto small = bencode::decode(input, narrow);
    STARLING_ASSERT(!small || (value && *small == *value && size <= narrow.bytes && depthOf(*small) <= 2));
    bencode::isPlainText({reinterpret_cast<const char*>(data), size});
    return 0;
}

std::vector<Bytes> seeds()
{
    using bencode::Dict;
    using bencode::Integer;
    using bencode::List;
    const bencode::Value document(Dict{
        {"critical", List{"uri"}},
        {"format", Integer{1}},
        {"info", Dict{{"list", List{Integer{-1}, "", List{}, Dict{}}}, {"name", "x"}}},
        {"uri", "fw/gateway"},
        {"version", Integer{2}},
    });
    std::vector<Bytes> all{bencode::encode(document)};
    for (const char* text :
         {"i0e", "i-9223372036854775808e", "0:", "le", "de", "llllllllleeeeeeeee", "d1:ai1e1:bi2ee"})
        all.push_back(toBytes(text));
    return all;
}
