// SPDX-License-Identifier: Apache-2.0
/// Passphrases of sealed keys in the desktop's keychain: the Secret Service (GNOME Keyring and others) or
/// KWallet, by QtKeychain. An entry is named by the key's id, not by its file: a copy of the file opens with
/// it, too.
///
/// Asked in the thread of the application's event loop alone: QtKeychain keeps one queue, where that
/// is. Nothing blocks there. There is no fallback of ours that would keep a passphrase in a file.
#pragma once

#include "crypto/key_file.h"

#include <QObject>

#include <chrono>
#include <functional>
#include <memory>

namespace starling::console {

/// Shared, because what is copied with a callback must not copy the secret.
using PassphrasePtr = std::shared_ptr<const crypto::SecretText>;

/// A keyring that is locked asks its owner first. Guess: as long as somebody looks for that password.
constexpr std::chrono::seconds kKeychainPatience(120);

/// `then` is called once, in this thread, unless `context` is gone by then. Fails with NotFound (no entry for
/// this key), Refused (its owner or the keychain said no), Unreachable (no keychain answers) or Timeout.
void readKeychain(const KeyId& key, QObject* context, std::function<void(Result<PassphrasePtr>)> then);
/// Replaces what was remembered for `key`. Refused, Unreachable, Timeout.
void writeKeychain(const KeyId& key, const crypto::SecretText& passphrase, QObject* context,
                   std::function<void(Status)> then);
/// Done, too, if nothing was remembered. Refused, Unreachable, Timeout.
void forgetInKeychain(const KeyId& key, QObject* context, std::function<void(Status)> then);

} // namespace starling::console
