// SPDX-License-Identifier: Apache-2.0
#include "sim/content.h"

#include "sim/mixing.h"

#include <cstring>

namespace starling::sim {

namespace {

/// Up to eight bytes, the first one lowest.
std::uint64_t wordOf(ByteView bytes)
{
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    return littleEndian(word);
}

} // namespace

std::uint64_t quickHash(ByteView bytes)
{
    std::uint64_t hash = bytes.size();
    while (bytes.size() >= 8) {
        hash = mixed(hash, wordOf(bytes.first(8)));
        bytes = bytes.subspan(8);
    }
    return bytes.empty() ? hash : mixed(hash, wordOf(bytes));
}

Content Content::again() const
{
    return m_held == nullptr ? Content() : Content(m_held);
}

void Content::release()
{
    if (m_held == nullptr || --m_held->users > 0)
        return;
    if (m_held->owner != nullptr)
        m_held->owner->m_held.erase(m_held->hash);
    else
        delete m_held;
}

Content Contents::share(Bytes bytes)
{
    if (bytes.empty())
        return {};
    const std::uint64_t hash = quickHash(bytes);
    const auto [place, isNew] = m_held.try_emplace(hash);
    if (isNew)
        place->second = {std::move(bytes), hash, 0, this};
    else if (place->second.bytes != bytes)
        return alone(std::move(bytes));
    return Content(&place->second);
}

Content Contents::alone(Bytes bytes)
{
    if (bytes.empty())
        return {};
    const std::uint64_t hash = quickHash(bytes);
    return Content(new Content::Held{std::move(bytes), hash, 0, nullptr});
}

} // namespace starling::sim
