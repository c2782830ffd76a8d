// SPDX-License-Identifier: Apache-2.0
/// The valid withdrawals that a board holds. Each has a place of its own, named by its signer and content, so
/// that a thief's take no place from the owner's. One for a release that a newer one has replaced says
/// nothing any more, and makes room. Pure.
#pragma once

#include "trust/withdrawal.h"

namespace starling::release {

class Withdrawals
{
public:
    /// Of one signer. Guess: what is withdrawn and not replaced yet is little; one stolen key fills no more
    /// than 128 KiB of a board.
    static constexpr std::size_t kMaxOfSigner = 256;

    struct Held
    {
        KeyId signer;
        trust::Withdrawal withdrawal;
    };

    static std::string placeName(const KeyId& signer, const Digest& payload);

    /// Who withdrew this very release, by one of the signers if there are several; nullptr if nobody did.
    const KeyId* signerOf(const ResourceUri& uri, const trust::Revision& revision,
                          const InfoHash& infoHash) const;
    std::size_t countOf(const KeyId& signer) const;
    /// The places of those that tell of versions of `uri` below `newest`.
    std::vector<std::string> outdatedBy(const ResourceUri& uri, const trust::Revision& newest) const;

    void put(const std::string& place, Held held);
    void erase(const std::string& place);

private:
    std::map<std::string, Held> m_held; ///< by place
};

} // namespace starling::release
