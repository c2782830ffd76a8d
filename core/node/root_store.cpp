// SPDX-License-Identifier: Apache-2.0
#include "node/root_store.h"

namespace starling::node {

Result<trust::TrustSet> loadRoots(store::Store& store, ByteView anchorEnvelope)
{
    auto trust = trust::TrustSet::fromAnchor(anchorEnvelope);
    if (!trust)
        return fail(std::move(trust.error()), "trust root");
    auto chain = store.rootChain();
    if (!chain)
        return fail(std::move(chain.error()), "root chain");
    if (chain->empty()) {
        if (auto kept = store.appendRoot(trust->root().number, anchorEnvelope); !kept)
            return fail(std::move(kept.error()), "root chain");
    } else {
        auto held = trust::TrustSet::fromAnchor(chain->front());
        if (!held)
            return fail(Errc::StateCorrupt, "the stored anchor does not verify: " + held.error().context);
        if (held->fleet() != trust->fleet())
            return fail(Errc::WrongFleet,
                        "it belongs to fleet " + held->fleet().shortHex() + ", the configured root to "
                            + trust->fleet().shortHex() + "; use another state directory");
        trust = std::move(held);
    }
    for (std::size_t i = 1; i < chain->size(); ++i)
        if (auto advanced = trust->advance((*chain)[i]); !advanced)
            return fail(Errc::StateCorrupt,
                        "stored root " + std::to_string(i + 1) + ": " + advanced.error().context);
    return trust;
}

Status keepRoots(store::Store& store, const trust::TrustSet& trust)
{
    const auto stored = store.rootChain();
    if (!stored)
        return tl::unexpected<Error>(stored.error());
    const std::vector<Bytes>& chain = trust.chain();
    for (std::size_t i = stored->size(); i < chain.size(); ++i)
        if (auto kept = store.appendRoot(i + 1, chain[i]); !kept)
            return kept;
    return {};
}

} // namespace starling::node
