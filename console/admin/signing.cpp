// SPDX-License-Identifier: Apache-2.0
#include "admin/signing.h"

#include "admin/manifest.h"
#include "admin/release_work.h"
#include "admin/root_change.h"
#include "crypto/sha256.h"
#include "node/disk.h"

#include <algorithm>

namespace starling::console {

using release::SigningRequest;
using trust::Kind;

namespace {

RoleCount countOf(const SigningRequest& request, std::string name, const trust::Role& role)
{
    RoleCount count{std::move(name), 0, role.threshold, {}};
    for (const KeyId& key : role.keys)
        if (request.verify(key))
            ++count.held;
        else
            count.missing.push_back(key);
    if (count.isEnough())
        count.missing.clear();
    return count;
}

/// The roles whose signatures are asked for, by name.
Result<std::vector<std::pair<std::string, trust::Role>>> rolesFor(const SigningRequest& request,
                                                                  const trust::TrustSet& trust)
{
    if (request.fleet != trust.fleet())
        return fail(Errc::WrongFleet, "the request is of another fleet than the root");
    if (request.kind == Kind::Release) {
        const auto info = release::ReleaseInfo::parse(request.payload);
        if (!info)
            return tl::unexpected<Error>(info.error());
        const trust::Scope* const scope = trust.root().scopeFor(info->update.uri);
        if (scope == nullptr)
            return fail(Errc::WrongScope, "no scope of the root covers " + info->update.uri.text());
        return std::vector{std::pair("scope:" + std::string(scope->prefix.text()), scope->role)};
    }
    const auto next = trust::RootDocument::parse(request.payload);
    if (!next)
        return tl::unexpected<Error>(next.error());
    if (next->number != trust.root().number + 1)
        return fail(Errc::RootGap,
                    "root " + std::to_string(next->number) + " does not follow root "
                        + std::to_string(trust.root().number)
                        + ", the newest here: put the roots between beside root.envelope");
    const auto held = trust::Envelope::parse(trust.chain().back(), trust::kMaxRootBytes);
    if (!held || held->payloadHash() != next->previous)
        return fail(Errc::InvalidRoot, "the root names another one before it than the one that is here");
    return std::vector{std::pair(std::string("root"), trust.root().root),
                       std::pair(std::string("root"), next->root)};
}

/// What `file` is: nothing parses as two of them.
struct Found
{
    SigningRequest request;
    std::optional<release::TorrentFile> torrent;
    std::optional<trust::Envelope> root;
};

Result<Found> look(const std::filesystem::path& file, const FleetId& fleet)
{
    const auto bytes = node::readFile(file, control::kMaxFrameBytes);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    if (auto request = SigningRequest::parse(*bytes))
        return Found{std::move(*request), {}, {}};
    if (auto envelope = trust::Envelope::parse(*bytes, trust::kMaxRootBytes);
        envelope && envelope->kind == Kind::Root)
        return Found{SigningRequest::of(fleet, *envelope), {}, std::move(*envelope)};
    auto torrent = release::TorrentFile::parse(*bytes);
    if (!torrent)
        return fail(std::move(torrent.error()),
                    file.string() + ": neither a release, a root nor a signing request");
    return Found{SigningRequest::of(fleet, *torrent), std::move(*torrent), {}};
}

} // namespace

Result<std::vector<RoleCount>> countSignatures(const SigningRequest& request, const trust::TrustSet& trust)
{
    const auto roles = rolesFor(request, trust);
    if (!roles)
        return tl::unexpected<Error>(roles.error());
    std::vector<RoleCount> counts;
    for (const auto& [name, role] : *roles)
        counts.push_back(countOf(request, name, role));
    return counts;
}

bool isEnough(const std::vector<RoleCount>& counts)
{
    return std::all_of(counts.begin(), counts.end(), [](const RoleCount& count) { return count.isEnough(); });
}

std::string textOf(const RoleCount& count)
{
    std::string text =
        std::to_string(count.held) + " of " + std::to_string(count.needed) + " signatures of " + count.role;
    if (count.isEnough())
        return text;
    const std::size_t lacking = count.needed - count.held;
    text += ", missing: ";
    text += lacking == count.missing.size() ? "" : std::to_string(lacking) + " of ";
    for (std::size_t i = 0; i < count.missing.size(); ++i)
        text += (i == 0 ? "" : ", ") + count.missing[i].shortHex();
    return text;
}

std::vector<std::string> textOf(const std::vector<RoleCount>& counts)
{
    std::vector<std::string> lines;
    for (const RoleCount& count : counts)
        if (const std::string line = textOf(count);
            std::find(lines.begin(), lines.end(), line) == lines.end())
            lines.push_back(line);
    return lines;
}

std::string subjectOf(const SigningRequest& request)
{
    if (request.kind == Kind::Root) {
        const auto root = trust::RootDocument::parse(request.payload);
        return "root " + (root ? std::to_string(root->number) : std::string()) + " of " + request.fleet.hex();
    }
    const auto info = release::ReleaseInfo::parse(request.payload);
    return info ? info->update.uri.text() + " " + trust::toString(info->update.revision) : std::string();
}

Result<std::string> contentOf(const SigningRequest& request, const trust::TrustSet& trust)
{
    if (const auto roles = rolesFor(request, trust); !roles)
        return tl::unexpected<Error>(roles.error());
    if (request.kind == Kind::Release) {
        auto info = release::ReleaseInfo::parse(request.payload);
        if (!info)
            return tl::unexpected<Error>(info.error());
        const Digest hash = request.payloadHash();
        const release::TorrentFile torrent{
            std::move(*info), request.payload, *InfoHash::fromBytes(hash.bytes()), {}, {}};
        return manifestOf(torrent);
    }
    const auto next = trust::RootDocument::parse(request.payload);
    if (!next)
        return tl::unexpected<Error>(next.error());
    const auto differences = differencesOf(trust.root(), *next);
    std::string text = "Root " + std::to_string(next->number) + " changes:\n";
    for (const std::string& difference : differences)
        text += "  " + difference + '\n';
    if (differences.empty())
        text += "  nothing\n";
    return text + "\nand then says:\n" + manifestOf(*next);
}

Status sign(SigningRequest& request, const trust::TrustSet& trust, const crypto::SecretKey& key)
{
    const auto roles = rolesFor(request, trust);
    if (!roles)
        return tl::unexpected<Error>(roles.error());
    if (std::none_of(roles->begin(), roles->end(),
                     [&](const auto& role) { return role.second.keys.contains(key.id()); }))
        return fail(Errc::WrongScope,
                    "key " + key.id().shortHex() + " is none of " + roles->front().first
                        + "; nothing was signed");
    request.sign(key);
    return {};
}

Result<std::size_t> merge(SigningRequest& into, const SigningRequest& from, const trust::TrustSet& trust)
{
    if (from.fleet != into.fleet || from.kind != into.kind || from.payload != into.payload)
        return fail(Errc::PayloadMismatch,
                    "the signatures are about something else (SHA-256 " + from.payloadHash().hex()
                        + ", wanted " + into.payloadHash().hex() + ")");
    const auto roles = rolesFor(into, trust);
    if (!roles)
        return tl::unexpected<Error>(roles.error());
    trust::Signatures taken;
    for (const auto& [key, signature] : from.signatures) {
        const bool isAsked = std::any_of(roles->begin(), roles->end(),
                                         [&](const auto& role) { return role.second.keys.contains(key); });
        if (!isAsked || into.verify(key))
            continue;
        if (auto good = from.verify(key); !good)
            return fail(std::move(good.error()), "signature of key " + key.shortHex());
        taken.emplace(key, signature);
    }
    if (into.signatures.size() + taken.size() > trust::kMaxSignatures)
        return fail(Errc::TooLarge, "more than 16 signatures");
    for (const auto& [key, signature] : taken)
        into.signatures[key] = signature;
    return taken.size();
}

Result<SigningRequest> readRequest(const std::filesystem::path& file)
{
    const auto bytes = node::readFile(file, SigningRequest::kMaxBytes);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    auto request = SigningRequest::parse(*bytes);
    if (!request)
        return fail(std::move(request.error()), file.string());
    return request;
}

Result<SigningRequest> requestFor(const std::filesystem::path& file, const trust::TrustSet& trust)
{
    auto found = look(file, trust.fleet());
    if (!found)
        return tl::unexpected<Error>(found.error());
    return std::move(found->request);
}

Status writeRequest(const std::filesystem::path& file, const SigningRequest& request)
{
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
        const auto held = readRequest(file);
        if (!held || held->payload != request.payload || held->fleet != request.fleet)
            return fail(Errc::AlreadyExists, file.string() + " is something else");
    }
    return node::writeFile(file, request.serialize(), node::FileMode::Public);
}

Result<SigningRequest> mergeInto(const std::filesystem::path& file, const SigningRequest& from,
                                 const trust::TrustSet& trust)
{
    auto found = look(file, trust.fleet());
    if (!found)
        return tl::unexpected<Error>(found.error());
    const auto taken = merge(found->request, from, trust);
    if (!taken)
        return fail(Error(taken.error()), file.string());
    if (*taken == 0)
        return std::move(found->request);
    Bytes bytes;
    if (found->torrent) {
        found->torrent->signatures = found->request.signatures;
        bytes = found->torrent->serialize();
    } else if (found->root) {
        found->root->signatures = found->request.signatures;
        bytes = found->root->serialize();
    } else {
        bytes = found->request.serialize();
    }
    if (auto written = node::writeFile(file, bytes, node::FileMode::Public); !written)
        return tl::unexpected<Error>(written.error());
    return std::move(found->request);
}

} // namespace starling::console
