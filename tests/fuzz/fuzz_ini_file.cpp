// SPDX-License-Identifier: Apache-2.0
/// Property: what was accepted, written out again, reads the same.
#include "base/assert.h"
#include "base/ini_file.h"
#include "fuzz.h"

#include <algorithm>

namespace {

using starling::IniFile;

std::string written(const IniFile& file)
{
    std::string text;
    std::string section;
    for (const auto& entry : file.entries()) {
        if (entry.section != section)
            text += "[" + entry.section + "]\n";
        section = entry.section;
        text += entry.key + "=" + entry.value + "\n";
    }
    return text;
}

bool isSame(const IniFile& one, const IniFile& other)
{
    return std::equal(one.entries().begin(), one.entries().end(), other.entries().begin(),
                      other.entries().end(), [](const auto& a, const auto& b) {
                          return a.section == b.section && a.key == b.key && a.value == b.value;
                      });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto file = starling::parseIni(text, "f");
    if (!file) {
        STARLING_ASSERT(file.error().code == starling::Errc::ConfigInvalid);
        return 0;
    }
    const auto again = starling::parseIni(written(*file), "f");
    STARLING_ASSERT(again && isSame(*file, *again));
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    return {starling::toBytes("# comment\n; another\n[swarm]\nport = 7001\nlimit = 1 Mbit/s\n\n"
                              "[neighbours]\na.1 = [::1]:7001\nempty =\n"),
            starling::toBytes("[a b]\r\nk-1 = Gr\xc3\xbc\xc3\x9f"
                              "e \xf0\x9f\x90\xa6 = # x\r\n[c/d:e.f]\r\n")};
}
