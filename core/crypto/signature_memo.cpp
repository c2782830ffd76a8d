// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature_memo.h"

#include "crypto/sha256.h"

namespace starling::crypto {

Status SignatureMemo::verify(const KeyId& key, ByteView message, const Signature& signature)
{
    Sha256 hash;
    hash.update(key.bytes());
    hash.update(signature);
    hash.update(message);
    const Digest name = hash.finish();
    const auto known = m_verdicts.find(name);
    if (known != m_verdicts.end())
        return known->second ? Status() : fail(Errc::BadSignature, "by key " + key.shortHex());
    if (m_verdicts.size() >= kMaxVerdicts)
        m_verdicts.clear();
    Status verdict = crypto::verify(key, message, signature);
    m_verdicts.emplace(name, verdict.has_value());
    return verdict;
}

} // namespace starling::crypto
