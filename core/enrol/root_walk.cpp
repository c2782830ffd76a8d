// SPDX-License-Identifier: Apache-2.0
#include "enrol/root_walk.h"

#include <algorithm>

namespace starling::enrol {

Bytes rootsPart(const std::vector<Bytes>& chain, const RootsFrom& from, std::size_t most)
{
    Bytes part;
    std::uint64_t skip = from.offset;
    for (std::uint64_t i = from.after; i < chain.size() && part.size() < most; ++i) {
        ByteWriter writer;
        writer.sized(chain[i]);
        const Bytes item = writer.take();
        const std::uint64_t skipped = std::min<std::uint64_t>(skip, item.size());
        skip -= skipped;
        const ByteView rest = ByteView(item).subspan(skipped);
        append(part, rest.first(std::min(rest.size(), most - part.size())));
    }
    return part;
}

Status RootWalk::take(ByteView part, trust::TrustSet& trust)
{
    append(m_partial, part);
    const Bytes bytes = std::exchange(m_partial, {});
    ByteView rest(bytes);
    for (;;) {
        ByteReader reader(rest);
        const std::uint32_t size = reader.u32();
        if (reader.isGood() && size > trust::kMaxRootBytes)
            return fail(Errc::TooLarge, "a root of " + std::to_string(size) + " bytes");
        const ByteView root = reader.raw(size);
        if (!reader.isGood())
            break;
        const std::uint64_t number = trust.root().number;
        if (auto advanced = trust.advance(root); !advanced)
            return advanced;
        if (trust.root().number == number)
            return fail(Errc::Malformed, "root " + std::to_string(number) + " once more");
        rest = reader.rest();
    }
    m_partial = toBytes(rest);
    return {};
}

} // namespace starling::enrol
