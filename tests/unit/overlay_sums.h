// SPDX-License-Identifier: Apache-2.0
/// What the overlay's tests put behind pulses and receipts: what the observer wants, and how far a device is.
#pragma once

#include "overlay/receipts.h"

namespace starling::overlay::testing {

constexpr std::size_t kMaxTestText = 200;

inline Bytes wantsOf(bool wantsSums, const std::optional<Ask>& ask)
{
    ByteWriter writer;
    writer.u8(wantsSums ? 1 : 0);
    writer.u8(ask ? 1 : 0);
    if (!ask)
        return writer.take();
    writer.u64(ask->number);
    writer.u32(ask->limit);
    writer.sized(viewOf(ask->uri.value_or("")));
    writer.u64(ask->revision ? ask->revision->second : 0);
    writer.u8(ask->phase.value_or(0));
    writer.sized(viewOf(ask->site.value_or("-")));
    writer.raw(ask->device.value_or(NodeId()).bytes());
    return writer.take();
}

/// Nothing behind a pulse: receipts are wanted.
inline void readWants(ByteReader& reader, PulseInfo& info)
{
    if (reader.rest().empty())
        return;
    info.wantsSums = reader.u8() == 1;
    if (reader.u8() == 0)
        return;
    Ask ask;
    ask.number = reader.u64();
    ask.limit = reader.u32();
    if (const std::string uri = toText(reader.sized(kMaxTestText)); !uri.empty())
        ask.uri = uri;
    if (const std::uint64_t version = reader.u64(); version != 0)
        ask.revision.emplace(0, version);
    if (const std::uint8_t phase = reader.u8(); phase != 0)
        ask.phase = phase;
    if (const std::string site = toText(reader.sized(kMaxTestText)); site != "-")
        ask.site = site;
    if (const auto device = NodeId::fromBytes(reader.raw(32)); device && *device != NodeId())
        ask.device = *device;
    info.ask = ask;
}

inline Bytes keysOf(const std::vector<TallyKey>& keys)
{
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(keys.size()));
    for (const TallyKey& key : keys) {
        writer.sized(viewOf(key.uri));
        writer.u64(key.version);
        writer.u8(key.phase);
        writer.sized(viewOf(key.site.value_or("")));
    }
    return writer.take();
}

inline std::vector<TallyKey> readKeys(ByteReader& reader)
{
    std::vector<TallyKey> keys;
    for (unsigned left = reader.rest().empty() ? 0 : reader.u8(); left > 0; --left) {
        TallyKey key;
        key.uri = toText(reader.sized(kMaxTestText));
        key.version = reader.u64();
        key.phase = reader.u8();
        key.site = toText(reader.sized(kMaxTestText));
        keys.push_back(std::move(key));
    }
    return keys;
}

} // namespace starling::overlay::testing
