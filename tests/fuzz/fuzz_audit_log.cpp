// SPDX-License-Identifier: Apache-2.0
/// Properties: a line that was read, written again, is the same bytes if its hash is good; what is read of a
/// file never is more than its lines.
#include "admin/audit_chain.h"
#include "base/assert.h"
#include "fuzz.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace starling;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto trail = console::readAuditTrail(text);
    if (!trail) {
        STARLING_ASSERT(trail.error().code == Errc::StateNewer || trail.error().code == Errc::StateCorrupt);
        return 0;
    }
    STARLING_ASSERT(trail->bad.size() <= console::kMaxBadLines && trail->bad.size() <= trail->badLines);
    STARLING_ASSERT(trail->lines.size()
                    <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
    if (!trail->isGood())
        return 0;
    std::string again(console::auditHeader());
    Digest previous = console::auditStart();
    for (const console::AuditLine& line : trail->lines) {
        again += console::auditLineOf(line.entry, previous);
        previous = line.hash;
    }
    STARLING_ASSERT(again == text);
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    using namespace starling;
    std::string text(console::auditHeader());
    Digest previous = console::auditStart();
    std::vector<Bytes> seeds{toBytes(text)};
    for (std::uint64_t i = 1; i <= 3; ++i) {
        const std::string line =
            console::auditLineOf({i, UtcTime(std::chrono::seconds(1'795'000'000 + i)), "alice@desk",
                                  "starling", "release-signed", "ok", "fw/gateway 2\t%\n", "key 4f1c"},
                                 previous);
        previous = console::parseAuditLine(std::string_view(line).substr(0, line.size() - 1))->hash;
        text += line;
        seeds.push_back(toBytes(text));
    }
    return seeds;
}
