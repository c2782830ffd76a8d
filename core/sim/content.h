// SPDX-License-Identifier: Apache-2.0
/// What messages on their way say. Of thousands that are on their way at the same time most say the same: one
/// notice, one digest of equal boards, one I-have. So it is held once for all of them, found by its bytes,
/// and who receives it finds it in the cache. Every node encodes and decodes its messages itself all the
/// same. Pure.
#pragma once

#include "base/bytes.h"

#include <unordered_map>
#include <utility>

namespace starling::sim {

/// A quick hash, good enough to tell traces apart, for nothing else.
std::uint64_t quickHash(ByteView bytes);

class Contents;

/// One message's hold on its bytes, which do not change; none for no bytes.
class Content
{
public:
    Content() = default;
    ~Content() { release(); }
    Content(Content&& other) noexcept
        : m_held(std::exchange(other.m_held, nullptr))
    {
    }
    Content& operator=(Content&& other) noexcept
    {
        std::swap(m_held, other.m_held);
        return *this;
    }
    /// One more message that says the same.
    Content again() const;
    bool isEmpty() const { return m_held == nullptr; }
    ByteView bytes() const { return m_held == nullptr ? ByteView() : ByteView(m_held->bytes); }
    /// quickHash() of the bytes.
    std::uint64_t hash() const { return m_held == nullptr ? quickHash({}) : m_held->hash; }

private:
    friend class Contents;
    struct Held
    {
        Bytes bytes;
        std::uint64_t hash = 0;
        std::uint64_t users = 0;
        Contents* owner = nullptr; ///< none: nobody else finds it
    };
    explicit Content(Held* held)
        : m_held(held)
    {
        ++held->users;
    }
    void release();

    Held* m_held = nullptr;
};

/// Outlives what it hands out.
class Contents
{
public:
    Content share(Bytes bytes);
    /// For bytes that no other message has, as what is sealed: not looked for.
    static Content alone(Bytes bytes);
    std::size_t size() const { return m_held.size(); }

private:
    friend class Content;
    std::unordered_map<std::uint64_t, Content::Held> m_held; ///< by hash; never iterated
};

} // namespace starling::sim
