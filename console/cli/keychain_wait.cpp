// SPDX-License-Identifier: Apache-2.0
#include "keychain_wait.h"

#include <QEventLoop>

namespace starling::cli {

namespace {

/// Calls `ask` with where the answer goes, and waits for it.
template <class Answer> Answer await(const std::function<void(QObject*, std::function<void(Answer)>)>& ask)
{
    QEventLoop loop;
    std::optional<Answer> answer;
    ask(&loop, [&](Answer given) {
        answer.emplace(std::move(given));
        loop.quit();
    });
    while (!answer)
        loop.exec();
    return std::move(*answer);
}

} // namespace

Result<console::PassphrasePtr> awaitKeychainRead(const KeyId& key)
{
    return await<Result<console::PassphrasePtr>>(
        [&](QObject* context, auto then) { console::readKeychain(key, context, std::move(then)); });
}

Status awaitKeychainWrite(const KeyId& key, const crypto::SecretText& passphrase)
{
    return await<Status>([&](QObject* context, auto then) {
        console::writeKeychain(key, passphrase, context, std::move(then));
    });
}

Status awaitKeychainForget(const KeyId& key)
{
    return await<Status>(
        [&](QObject* context, auto then) { console::forgetInKeychain(key, context, std::move(then)); });
}

} // namespace starling::cli
