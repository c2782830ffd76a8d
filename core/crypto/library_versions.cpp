// SPDX-License-Identifier: Apache-2.0
#include "crypto/library_versions.h"

#include <openssl/crypto.h>
#include <sodium.h>

namespace starling::crypto {

std::vector<std::string> libraryVersions()
{
    return {std::string("libsodium ") + sodium_version_string(),
            std::string("OpenSSL ") + OpenSSL_version(OPENSSL_VERSION_STRING)};
}

} // namespace starling::crypto
