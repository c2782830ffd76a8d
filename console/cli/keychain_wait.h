// SPDX-License-Identifier: Apache-2.0
/// The desktop's keychain for a program without an event loop of its own: each call runs one until the answer
/// is there.
#pragma once

#include "admin/keychain.h"

namespace starling::cli {

/// The codes of console::readKeychain() and its neighbours.
Result<console::PassphrasePtr> awaitKeychainRead(const KeyId& key);
Status awaitKeychainWrite(const KeyId& key, const crypto::SecretText& passphrase);
Status awaitKeychainForget(const KeyId& key);

} // namespace starling::cli
