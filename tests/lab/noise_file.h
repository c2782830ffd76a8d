// SPDX-License-Identifier: Apache-2.0
/// Payloads of which no two pieces are alike, the same for the same seed.
#pragma once

#include "base/random.h"
#include "base/result.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace starling::lab {

/// `bytes` of noise. Io if they cannot be written.
inline Status writeNoise(const std::filesystem::path& file, std::uint64_t bytes, std::uint64_t seed)
{
    Bytes block(1024 * 1024);
    SeededRandom random(seed);
    std::ofstream out(file, std::ios::binary);
    for (std::uint64_t done = 0; done < bytes; done += block.size()) {
        random.fill(block);
        const auto part = std::min<std::uint64_t>(block.size(), bytes - done);
        out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(part));
    }
    return out.flush() ? Status() : Status(fail(Errc::Io, file.string()));
}

} // namespace starling::lab
