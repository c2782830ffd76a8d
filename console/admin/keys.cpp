// SPDX-License-Identifier: Apache-2.0
#include "admin/keys.h"

#include "admin/root_change.h"
#include "node/disk.h"
#include "node/identity.h"

#include <algorithm>

namespace starling::console {

namespace fs = std::filesystem;

Status writeSealedKey(const fs::path& file, const crypto::SecretKey& key,
                      const crypto::SecretText& passphrase, crypto::KdfCost cost)
{
    auto sealed = crypto::sealKey(key, passphrase, cost);
    if (!sealed)
        return tl::unexpected<Error>(sealed.error());
    return node::writeFile(file, *sealed, node::FileMode::Private, node::Existing::Keep);
}

Result<KeyFile> inspectKeyFile(const fs::path& file)
{
    auto bytes = node::readKeyFile(file);
    if (!bytes)
        return fail(std::move(bytes.error()), "key");
    auto header = crypto::inspectKey(*bytes);
    if (!header)
        return fail(std::move(header.error()), "key " + file.string());
    return KeyFile{file, *header};
}

Result<std::vector<std::pair<fs::path, Result<KeyFile>>>> listKeyFiles(const fs::path& directory)
{
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".key")
            files.push_back(at->path());
    if (error)
        return fail(Errc::NotFound, directory.string() + ": " + error.message());
    std::sort(files.begin(), files.end());
    std::vector<std::pair<fs::path, Result<KeyFile>>> keys;
    for (const fs::path& file : files)
        keys.emplace_back(file, inspectKeyFile(file));
    return keys;
}

Result<crypto::SecretKey> openSealedKey(const fs::path& file, const crypto::SecretText& passphrase)
{
    auto bytes = node::readKeyFile(file);
    if (!bytes)
        return fail(std::move(bytes.error()), "key");
    auto key = crypto::unsealKey(*bytes, passphrase);
    if (!key)
        return fail(std::move(key.error()), "key " + file.string());
    return key;
}

Result<trust::TrustSet> readRoot(const fs::path& file)
{
    auto bytes = node::readFile(file, trust::kMaxRootBytes + 8 * 1024);
    if (!bytes)
        return fail(std::move(bytes.error()), "trust root");
    auto trust = trust::TrustSet::fromAnchor(*bytes);
    if (!trust)
        return fail(std::move(trust.error()), "trust root " + file.string());
    for (std::uint64_t number = trust->root().number + 1;; ++number) {
        const fs::path next = rootFile(file.parent_path(), number);
        std::error_code error;
        if (!fs::exists(next, error))
            return trust;
        const auto envelope = node::readFile(next, trust::kMaxRootBytes);
        const auto advanced = envelope ? trust->advance(*envelope) : Status(tl::unexpected(envelope.error()));
        if (!advanced
            && (advanced.error().code == Errc::BelowThreshold || advanced.error().code == Errc::Unsigned))
            return trust; // it goes around to be signed
        if (!advanced)
            return fail(Error(advanced.error()), next.string());
    }
}

namespace {

/// Up to the root that an agent holds, and no further: what stands beside the anchor may not be pushed yet.
Result<trust::TrustSet> advanceTo(const Bytes& root, const fs::path& anchor)
{
    const auto envelope = trust::Envelope::parse(root, trust::kMaxRootBytes);
    const auto wanted = envelope ? trust::RootDocument::parse(envelope->payload)
                                 : Result<trust::RootDocument>(tl::unexpected(envelope.error()));
    if (!wanted)
        return fail(Error(wanted.error()), "the agent's root");
    const auto held = readRoot(anchor);
    if (!held)
        return held;
    auto trust = trust::TrustSet::fromAnchor(held->chain().front());
    if (!trust)
        return trust;
    for (std::size_t i = 1; i < held->chain().size() && trust->root().number + 1 < wanted->number; ++i)
        if (auto advanced = trust->advance(held->chain()[i]); !advanced)
            return tl::unexpected<Error>(advanced.error());
    if (auto advanced = trust->advance(root); !advanced)
        return fail(std::move(advanced.error()), "from " + anchor.string() + " to the agent's root");
    return trust;
}

} // namespace

Result<trust::TrustSet> trustOf(const control::TrustReply& agent, const fs::path& anchor)
{
    auto trust = trust::TrustSet::fromAnchor(agent.root);
    if (!trust) {
        if (anchor.empty())
            return fail(std::move(trust.error()), "the agent's root");
        trust = advanceTo(agent.root, anchor);
        if (!trust)
            return trust;
    }
    if (trust->fleet() != agent.fleet)
        return fail(Errc::WrongFleet, "the root is of another fleet than the agent");
    return trust;
}

} // namespace starling::console
