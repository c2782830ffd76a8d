// SPDX-License-Identifier: Apache-2.0
/// What a fuzz target needs besides libFuzzer: `fuzz_x --export-seeds=DIRECTORY` writes the target's seeds as
/// the files of a corpus and ends.
#include "fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

bool writeSeed(const std::string& file, starling::ByteView seed)
{
    std::FILE* out = std::fopen(file.c_str(), "wb");
    if (out == nullptr)
        return false;
    const bool isWritten = std::fwrite(seed.data(), 1, seed.size(), out) == seed.size();
    return std::fclose(out) == 0 && isWritten;
}

} // namespace

/// Called by libFuzzer before anything else.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv)
{
    static constexpr std::string_view kOption = "--export-seeds=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (!argument.starts_with(kOption))
            continue;
        const std::string directory(argument.substr(kOption.size()));
        std::size_t number = 0;
        for (const starling::Bytes& seed : seeds()) {
            const std::string file = directory + "/seed-" + std::to_string(++number);
            if (!writeSeed(file, seed)) {
                std::perror(file.c_str());
                std::exit(1);
            }
        }
        std::exit(0);
    }
    return 0;
}
