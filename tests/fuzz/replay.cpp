// SPDX-License-Identifier: Apache-2.0
/// Runs a fuzz target without a fuzzer: every seed, every truncation of it, and seeded mutations. The same on
/// every run.
#include "base/random.h"
#include "fuzz.h"

#include <algorithm>
#include <cstdio>

namespace {

constexpr std::size_t kMutations = 20'000;
constexpr std::size_t kTruncations = 4'096;

void run(starling::ByteView input)
{
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void mutate(starling::Bytes& bytes, starling::RandomSource& random)
{
    static constexpr std::string_view kInteresting = "0123456789-ideln:/.\\";
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
        const std::size_t at = random.below(bytes.size() + 1);
        const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        switch (random.below(5)) {
        case 0:
            if (at < bytes.size())
                bytes[at] ^= static_cast<std::byte>(1u << random.below(8));
            break;
        case 1:
            if (at < bytes.size())
                bytes[at] = static_cast<std::byte>(kInteresting[random.below(kInteresting.size())]);
            break;
        case 2:
            bytes.insert(position, static_cast<std::byte>(random.below(256)));
            break;
        case 3:
            if (at < bytes.size())
                bytes.erase(position,
                            position
                                + static_cast<std::ptrdiff_t>(
                                    1 + random.below(std::min<std::size_t>(8, bytes.size() - at))));
            break;
        case 4: {
            const std::size_t from = random.below(bytes.size() + 1);
            const starling::Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                                        bytes.begin()
                                            + static_cast<std::ptrdiff_t>(std::min(bytes.size(), from + 32)));
            bytes.insert(position, piece.begin(), piece.end());
            break;
        }
        }
    }
}

} // namespace

int main()
{
    starling::SeededRandom random(1);
    const auto inputs = seeds();
    for (const starling::Bytes& seed : inputs) {
        run(seed);
        for (std::size_t length = 0; length < std::min(seed.size(), kTruncations); ++length)
            run(starling::ByteView(seed).first(length));
    }
    for (std::size_t i = 0; i < kMutations && !inputs.empty(); ++i) {
        starling::Bytes bytes = inputs[random.below(inputs.size())];
        mutate(bytes, random);
        run(bytes);
    }
    std::printf("%zu seeds, %zu mutations\n", inputs.size(), kMutations);
    return inputs.empty() ? 1 : 0;
}
