// SPDX-License-Identifier: Apache-2.0
/// Board::examine: no notice gets onto a board but one that was signed, and what is refused changes nothing.
#include "../unit/release_samples.h"
#include "base/assert.h"
#include "fuzz.h"

using namespace starling;
using namespace starling::release;
using namespace starling::release::samples;

namespace {

using Entries = std::map<BoardKey, Bytes>;

Entries entriesOf(const Board& board)
{
    Entries entries;
    for (const auto& [key, entry] : board.entries())
        entries.emplace(key, entry.bytes);
    return entries;
}

Bytes secondRoot()
{
    trust::RootDocument root = trustSet().root();
    root.previous = *Digest::fromBytes(trustSet().fleet().bytes()); // the first root founds the fleet
    root.number = 2;
    return noticeOf(trust::Kind::Root, signRoot(root, trustSet().fleet(), {1, 2}));
}

/// In an order in which a board takes them all, each with exactly as many signatures as are needed.
const std::vector<Bytes>& genuineNotices()
{
    static const std::vector<Bytes> kNotices = {
        subscriptionNotice(51), releaseNotice(single(5, update("fw/a", 3))),
        releaseNotice(single(50'000, update("fw/pair/b", 1)), {21, 22}), secondRoot()};
    return kNotices;
}

const Board& startingBoard()
{
    static const Board kBoard(trustSet(), trust::Floors());
    return kBoard;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    Board board = startingBoard();
    const Entries before = entriesOf(board);
    const auto floors = board.floors().all();
    const Examined examined = board.examine(input);
    STARLING_ASSERT((examined.verdict == Examined::Verdict::Refused) == examined.error.has_value());
    if (examined.verdict == Examined::Verdict::Taken) {
        const auto isInput = [&input](const Bytes& notice) { return std::ranges::equal(notice, input); };
        STARLING_ASSERT(std::ranges::any_of(genuineNotices(), isInput));
        return 0;
    }
    STARLING_ASSERT(entriesOf(board) == before);
    STARLING_ASSERT(board.floors().all() == floors);
    STARLING_ASSERT(board.trust().chain().size() == 1);
    return 0;
}

std::vector<Bytes> seeds()
{
    STARLING_ASSERT(crypto::initialize().has_value());
    Board board(trustSet(), trust::Floors());
    for (const Bytes& notice : genuineNotices())
        STARLING_ASSERT(board.examine(notice).verdict == Examined::Verdict::Taken);
    return genuineNotices();
}
