// SPDX-License-Identifier: Apache-2.0
#include "admin/keychain.h"

#include "crypto/secret.h"

#include <QPointer>
#include <QTimer>
#include <qt6keychain/keychain.h>

namespace starling::console {

namespace {

QString service()
{
    return QStringLiteral("starling");
}

/// Overwrites the memory that `bytes` shares with whoever else holds it.
void wipeShared(const QByteArray& bytes)
{
    auto* const begin = const_cast<char*>(bytes.constData());
    crypto::wipe(std::as_writable_bytes(std::span(begin, static_cast<std::size_t>(bytes.size()))));
}

Status outcomeOf(const QKeychain::Job& job)
{
    const std::string key = job.key().left(8).toStdString();
    const std::string said = job.errorString().toStdString();
    switch (job.error()) {
    case QKeychain::NoError:
        return {};
    case QKeychain::EntryNotFound:
        return fail(Errc::NotFound, "the keychain has no passphrase for key " + key);
    case QKeychain::AccessDeniedByUser:
    case QKeychain::AccessDenied:
    case QKeychain::CouldNotDeleteEntry:
        return fail(Errc::Refused, "the keychain: " + said);
    case QKeychain::NoBackendAvailable:
    case QKeychain::NotImplemented:
    case QKeychain::OtherError:
        break;
    }
    return fail(
        Errc::Unreachable,
        "no keychain answers on this session's D-Bus (org.freedesktop.secrets, such as GNOME Keyring, and "
        "the library libsecret; or KWallet): "
            + said);
}

/// Starts `job` and calls `then` when it has ended or has taken too long, whichever is first.
template <class KeychainJob>
void run(KeychainJob* job, const KeyId& key, QObject* context, std::function<void(Status, KeychainJob*)> then)
{
    job->setKey(QString::fromStdString(key.hex()));
    auto* const limit = new QTimer(context);
    limit->setSingleShot(true);
    QObject::connect(job, &QKeychain::Job::finished, limit, [limit, job, then](QKeychain::Job*) {
        limit->deleteLater();
        if (limit->isActive()) // or `then` was told of the time already
            then(outcomeOf(*job), job);
        limit->stop();
    });
    QObject::connect(limit, &QTimer::timeout, limit, [limit, then] {
        limit->deleteLater();
        then(fail(Errc::Timeout, "the keychain did not answer"), nullptr);
    });
    limit->start(kKeychainPatience);
    job->start(); // and deletes itself
}

} // namespace

void readKeychain(const KeyId& key, QObject* context, std::function<void(Result<PassphrasePtr>)> then)
{
    using Read = QKeychain::ReadPasswordJob;
    run<Read>(new Read(service()), key, context, [then](Status done, Read* job) {
        if (!done)
            return then(tl::unexpected<Error>(done.error()));
        const QByteArray bytes = job->binaryData();
        const auto passphrase = std::make_shared<const crypto::SecretText>(
            std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
        wipeShared(bytes);
        then(passphrase);
    });
}

void writeKeychain(const KeyId& key, const crypto::SecretText& passphrase, QObject* context,
                   std::function<void(Status)> then)
{
    using Write = QKeychain::WritePasswordJob;
    const ByteView secret = passphrase.bytes();
    const QByteArray bytes(reinterpret_cast<const char*>(secret.data()),
                           static_cast<qsizetype>(secret.size()));
    auto* const job = new Write(service());
    job->setBinaryData(bytes);
    run<Write>(job, key, context, [then, bytes](Status done, Write*) {
        wipeShared(bytes);
        then(std::move(done));
    });
}

void forgetInKeychain(const KeyId& key, QObject* context, std::function<void(Status)> then)
{
    using Delete = QKeychain::DeletePasswordJob;
    run<Delete>(new Delete(service()), key, context, [then](Status done, Delete*) {
        if (!done && done.error().code == Errc::NotFound)
            done = {};
        then(std::move(done));
    });
}

} // namespace starling::console
