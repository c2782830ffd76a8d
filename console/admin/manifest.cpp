// SPDX-License-Identifier: Apache-2.0
#include "admin/manifest.h"

#include "base/size.h"

namespace starling::console {

namespace {

std::string line(std::string name, const std::string& value)
{
    name.resize(14, ' ');
    return name + value + '\n';
}

std::string deployment(const release::DeployPlan& plan)
{
    std::string text = line("deploy", std::string(release::methodName(plan.method)));
    if (plan.method == release::Method::None)
        return text;
    text += line("run", plan.run);
    text += line("check", plan.check.empty() ? "nothing" : plan.check);
    text += line("undo", plan.rollback.empty() ? "by deploying the release before" : plan.rollback);
    return text + line("time limit", std::to_string(plan.timeoutSeconds) + " s for each script");
}

} // namespace

Result<std::string> manifestOf(const release::TorrentFile& torrent, std::size_t files)
{
    const auto info = release::ReleaseInfo::parse(torrent.infoBytes);
    if (!info)
        return tl::unexpected<Error>(info.error());
    const release::UpdateInfo& update = info->update;
    std::string text = line("resource", update.uri.text());
    text += line("version", trust::toString(update.revision));
    if (!update.label.empty())
        text += line("label", update.label);
    if (update.created)
        text += line("created", std::to_string(*update.created) + " s since 1970");
    for (const auto& [name, value] : update.requirements)
        text += line("requires", name + "=" + value);
    text += deployment(update.deploy);
    text += line("payload", info->name + (info->isSingleFile ? "" : "/"));
    text += line("size",
                 toString(ByteCount{info->payloadBytes()}) + " in " + std::to_string(info->files.size())
                     + " file(s), pieces of " + toString(ByteCount{info->pieceBytes}));
    text += line("signed bytes", std::to_string(torrent.infoBytes.size()));
    text += line("SHA-256", torrent.infoHash.hex());
    text += '\n';
    for (std::size_t i = 0; i < std::min(files, info->files.size()); ++i)
        text += info->files[i].piecesRoot.hex().substr(0, 16) + "  " + info->files[i].path + "  "
            + std::to_string(info->files[i].size) + '\n';
    if (info->files.size() > files)
        text += "and " + std::to_string(info->files.size() - files) + " more files\n";
    return text;
}

} // namespace starling::console
