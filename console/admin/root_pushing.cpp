// SPDX-License-Identifier: Apache-2.0
#include "admin/root_pushing.h"

#include "admin/audit_log.h"
#include "admin/root_change.h"
#include "node/disk.h"
#include "release/board.h"

namespace starling::console {

Status keepRoot(const trust::Envelope& root, const std::filesystem::path& directory)
{
    const auto document = trust::RootDocument::parse(root.payload);
    if (!document)
        return tl::unexpected<Error>(document.error());
    const std::filesystem::path file = rootFile(directory, document->number);
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
        const auto bytes = node::readFile(file, trust::kMaxRootBytes);
        const auto held = bytes ? trust::Envelope::parse(*bytes, trust::kMaxRootBytes)
                                : Result<trust::Envelope>(tl::unexpected(bytes.error()));
        if (!held || held->payload != root.payload)
            return fail(Errc::AlreadyExists, file.string() + " is another root of this number");
    }
    return node::writeFile(file, root.serialize(), node::FileMode::Public);
}

Result<bool> pushRoot(control::Client& agent, const trust::Envelope& root, std::chrono::milliseconds timeout)
{
    const auto document = trust::RootDocument::parse(root.payload);
    if (!document)
        return tl::unexpected<Error>(document.error());
    const auto published = agent.ask<control::PublishReply>(
        control::PublishRequest{release::noticeOf(trust::Kind::Root, root.serialize())}, timeout);
    if (!published)
        return tl::unexpected<Error>(published.error());
    if (published->isNew)
        if (auto noted = AuditLog().record(Act::RootPushed, "root " + std::to_string(document->number),
                                           "payload " + root.payloadHash().hex());
            !noted)
            return fail(std::move(noted.error()), "it is pushed, and not in the audit log");
    return published->isNew;
}

} // namespace starling::console
