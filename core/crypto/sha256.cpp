// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include "base/assert.h"

#include <openssl/evp.h>

namespace starling::crypto {

namespace {

using DigestBytes = std::array<std::byte, Digest::kSize>;

/// Fetched once: looking the algorithm up costs more than hashing a block. Freed by the end of the process.
const EVP_MD* algorithm()
{
    static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    STARLING_ASSERT(kAlgorithm != nullptr);
    return kAlgorithm;
}

struct FreeContext
{
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using ContextPointer = std::unique_ptr<EVP_MD_CTX, FreeContext>;

ContextPointer makeContext()
{
    ContextPointer context(EVP_MD_CTX_new());
    STARLING_ASSERT(context != nullptr);
    STARLING_ASSERT(EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1);
    return context;
}

void add(EVP_MD_CTX* context, ByteView bytes)
{
    STARLING_ASSERT(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

/// Leaves the context ready for the next message; without an algorithm named, it keeps the memory it has.
Digest take(EVP_MD_CTX* context)
{
    DigestBytes digest{};
    STARLING_ASSERT(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), nullptr)
                    == 1);
    STARLING_ASSERT(EVP_DigestInit_ex2(context, nullptr, nullptr) == 1);
    return Digest(digest);
}

/// A context that is always ready for a message, one a thread: setting one up costs as much as hashing a
/// block.
EVP_MD_CTX* threadContext()
{
    static thread_local const ContextPointer context = makeContext();
    return context.get();
}

} // namespace

struct Sha256::Context
{
    ContextPointer context = makeContext();
};

Sha256::Sha256()
    : m_context(std::make_unique<Context>())
{
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes)
{
    STARLING_ASSERT(m_context != nullptr);
    add(m_context->context.get(), bytes);
}

Digest Sha256::finish()
{
    STARLING_ASSERT(m_context != nullptr);
    return take(m_context->context.get());
}

Digest sha256(ByteView bytes)
{
    EVP_MD_CTX* context = threadContext();
    add(context, bytes);
    return take(context);
}

Digest sha256(const Digest& left, const Digest& right)
{
    EVP_MD_CTX* context = threadContext();
    add(context, left.bytes());
    add(context, right.bytes());
    return take(context);
}

} // namespace starling::crypto
