// SPDX-License-Identifier: Apache-2.0
/// The payload of a withdrawal (trust.md, kind `withdraw`): a release that nobody is to put in place any
/// more. Any one key of the release's scope signs it, whatever the scope's threshold: stopping must be easier
/// than starting. It lowers no floor and undoes nothing; whoever has the release in place gets out of it by a
/// later version.
#pragma once

#include "base/uri.h"
#include "trust/documents.h"

namespace starling::trust {

struct Withdrawal
{
    ResourceUri uri;
    Revision revision; ///< its version is 1 at least
    InfoHash infoHash; ///< of this very content: of two that were signed for one version one may be good

    Bytes serialize() const;
    /// Fails with the decoder's codes, UnsupportedFormat, InvalidUri or Malformed (version 0).
    static Result<Withdrawal> parse(ByteView payload);
    bool operator==(const Withdrawal&) const = default;
};

} // namespace starling::trust
