// SPDX-License-Identifier: Apache-2.0
/// The fleet's roots after the one that a device holds, on their way over the join channel: a device that
/// joins verifies its certificate by the root of today, as everybody else will. One stream for each root to
/// begin after, of which a question names a place and an answer brings the next bytes. Pure.
///
///     stream   (length u32 | envelope) of each root, in order
#pragma once

#include "trust/trust_set.h"

namespace starling::enrol {

/// A place in the stream of the roots after number `after`.
struct RootsFrom
{
    std::uint64_t after = 0; ///< at least 1
    std::uint64_t offset = 0;
    bool operator==(const RootsFrom&) const = default;
};

/// What of a question's place in the stream can be used: no root is longer, nor any chain.
constexpr std::uint64_t kMaxRootsAfter = trust::kMaxRootChain + 1;
constexpr std::uint64_t kMaxRootsOffset = 4 + trust::kMaxRootBytes;

/// At most `most` bytes from there; none if `chain`, from the anchor on, ends before.
Bytes rootsPart(const std::vector<Bytes>& chain, const RootsFrom& from, std::size_t most);

/// The device's side.
class RootWalk
{
public:
    /// What to ask for, of a device that trusts `trust`.
    RootsFrom wanted(const trust::TrustSet& trust) const { return {trust.root().number, m_partial.size()}; }
    /// The bytes that were wanted: `trust` goes on root by root. Fails with TrustSet::advance()'s codes,
    /// TooLarge, or Malformed if one of them is no news: then what is left of them is forgotten.
    Status take(ByteView part, trust::TrustSet& trust);

private:
    Bytes m_partial; ///< less than a root
};

} // namespace starling::enrol
