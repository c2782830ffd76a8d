// SPDX-License-Identifier: Apache-2.0
/// Many devices of the sample fleet, each with a key of its own, and their signed receipts as an observer
/// stores them.
#pragma once

#include "board/parcel.h"
#include "release_samples.h"
#include "store/store.h"

#include <filesystem>

namespace starling::release::samples {

/// None of those of key().
inline crypto::SecretKey keyOfMany(std::uint32_t number)
{
    ByteWriter seed;
    for (std::size_t i = 0; i < crypto::SecretKey::kSeedSize / 8; ++i)
        seed.u64(0xfee1dead00000000ull + number);
    return std::move(*crypto::SecretKey::fromSeed(seed.take()));
}

inline NodeId nodeOfMany(std::uint32_t number)
{
    return *NodeId::fromBytes(keyOfMany(number).id().bytes());
}

inline trust::ReceiptEntry healthyEntry(std::uint64_t version = 1)
{
    return {*ResourceUri::parse("fw/gateway"), {0, version}, InfoHash(), trust::Phase::Healthy, 0, {}};
}

/// What device `number` says with `entries`, in a label of one of 40 sites.
inline store::ReceiptRow receiptOfMany(std::uint32_t number, std::uint64_t sequence = 1,
                                       std::vector<trust::ReceiptEntry> entries = {healthyEntry()})
{
    static const LinkKey kLinkKey = crypto::LinkKeyPair::of(key(50)).publicKey();
    static const crypto::SecretKey kAdmit = key(11);
    const crypto::SecretKey own = keyOfMany(number);
    trust::Certificate certificate;
    certificate.node = *NodeId::fromBytes(own.id().bytes());
    certificate.linkKey = kLinkKey;
    certificate.name = "gw-" + std::to_string(number);
    certificate.labels = {{"site", "site-" + std::to_string(number % 40)}};
    trust::Envelope admitted{trust::Kind::Admit, certificate.serialize(), {}};
    admitted.sign(trustSet().fleet(), kAdmit);
    trust::Receipt receipt;
    receipt.node = certificate.node;
    receipt.sequence = sequence;
    receipt.rootNumber = 1;
    receipt.entries = std::move(entries);
    trust::Envelope said{trust::Kind::Receipt, receipt.serialize(), {}};
    said.sign(trustSet().fleet(), own);
    return {certificate.node, sequence, board::Parcel{admitted.serialize(), said.serialize()}.serialize()};
}

/// Into the state of an agent that does not run: those numbers from `first` on.
inline Status storeReceiptsOfMany(const std::filesystem::path& state, std::uint32_t first,
                                  std::uint32_t count)
{
    auto store = store::Store::open(state);
    if (!store)
        return tl::unexpected<Error>(store.error());
    std::vector<store::ReceiptRow> rows;
    for (std::uint32_t i = 0; i < count; ++i) {
        rows.push_back(receiptOfMany(first + i));
        if (rows.size() < 4'096 && i + 1 < count)
            continue;
        if (auto put = store->putReceipts(rows); !put)
            return put;
        rows.clear();
    }
    return {};
}

} // namespace starling::release::samples
