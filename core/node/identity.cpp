// SPDX-License-Identifier: Apache-2.0
#include "node/identity.h"

#include "crypto/key_file.h"
#include "link/authenticator.h"
#include "node/disk.h"

#include <sys/stat.h>

namespace starling::node {

namespace {
constexpr std::size_t kMaxKeyBytes = 4'096;
}

Result<Bytes> readKeyFile(const std::filesystem::path& file)
{
    struct stat info
    {
    };
    if (::stat(file.c_str(), &info) != 0)
        return fail(Errc::KeyUnreadable, diskError(errno, file).context);
    if ((info.st_mode & 077) != 0)
        return fail(Errc::KeyUnreadable,
                    file.string() + ": others may read it; run: chmod 600 " + file.string());
    auto bytes = readFile(file, kMaxKeyBytes);
    if (!bytes)
        return fail(Errc::KeyUnreadable, bytes.error().context);
    return bytes;
}

Result<crypto::SecretKey> loadOrMakeDeviceKey(const std::filesystem::path& file)
{
    std::error_code error;
    if (!std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
        const crypto::SecretKey made = crypto::SecretKey::generate();
        Bytes plain = crypto::plainKey(made);
        const auto written = writeFile(file, plain, FileMode::Private, Existing::Keep);
        std::fill(plain.begin(), plain.end(), std::byte{0});
        if (!written)
            return fail(written.error(), "device key");
    }
    auto bytes = readKeyFile(file);
    if (!bytes)
        return fail(std::move(bytes.error()), "device key");
    auto key = crypto::openPlainKey(*bytes);
    std::fill(bytes->begin(), bytes->end(), std::byte{0});
    if (!key)
        return fail(std::move(key.error()), "device key " + file.string());
    return key;
}

Result<Identity> loadIdentity(const AgentConfig& config)
{
    auto keyBytes = readKeyFile(config.key);
    if (!keyBytes)
        return fail(std::move(keyBytes.error()), "device key");
    auto key = crypto::openPlainKey(*keyBytes);
    std::fill(keyBytes->begin(), keyBytes->end(), std::byte{0});
    if (!key)
        return fail(std::move(key.error()), "device key " + config.key.string());
    auto certificate = readFile(config.certificate, trust::kMaxRootBytes);
    if (!certificate)
        return fail(std::move(certificate.error()), "device certificate");
    if (certificate->size() > link::kMaxCertificateBytes)
        return fail(Errc::TooLarge,
                    "device certificate " + config.certificate.string() + ": links carry "
                        + std::to_string(link::kMaxCertificateBytes) + " bytes of it, and it has "
                        + std::to_string(certificate->size()) + "; it needs fewer or shorter labels");
    auto anchor = readFile(config.root, trust::kMaxRootBytes + 8 * 1024);
    if (!anchor)
        return fail(std::move(anchor.error()), "trust root");
    Identity identity;
    identity.key = std::make_shared<const crypto::SecretKey>(std::move(*key));
    identity.linkKey = std::make_shared<const crypto::LinkKeyPair>(crypto::LinkKeyPair::of(*identity.key));
    identity.certificateEnvelope = std::move(*certificate);
    identity.anchorEnvelope = std::move(*anchor);
    auto node = NodeId::fromBytes(identity.key->id().bytes());
    if (!node)
        return fail(std::move(node.error()), "device key");
    identity.node = *node;
    return identity;
}

} // namespace starling::node
