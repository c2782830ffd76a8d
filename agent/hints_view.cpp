// SPDX-License-Identifier: Apache-2.0
#include "agent/hints_view.h"

#include "bencode/bencode.h"

namespace starling::agent {

using namespace control;

namespace {

std::optional<HintLine> lineOf(const overlay::TallyKey& key, std::uint32_t devices)
{
    auto uri = ResourceUri::parse(key.uri);
    const bool isPhase = key.phase >= static_cast<std::uint8_t>(trust::Phase::Announced)
        && key.phase <= static_cast<std::uint8_t>(trust::Phase::RolledBack);
    const bool isRevision =
        key.epoch <= trust::Revision::kMaxVersion && key.version <= trust::Revision::kMaxVersion;
    if (!uri || !isPhase || !isRevision || (key.site && !bencode::isPlainText(*key.site)))
        return std::nullopt;
    return HintLine{
        std::move(*uri), {key.epoch, key.version}, static_cast<trust::Phase>(key.phase), key.site, devices};
}

} // namespace

HintsReply hintsOf(const std::optional<overlay::Hints>& hints)
{
    HintsReply reply;
    if (!hints)
        return reply;
    reply.isSummed = true;
    reply.devices = hints->tally.devices;
    reply.ageSeconds =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(hints->age).count());
    overlay::Tally tally = hints->tally;
    overlay::bound(tally); // of many branches, each was bounded
    reply.folded = tally.folded;
    for (const auto& [key, devices] : tally.counts)
        if (auto line = lineOf(key, devices))
            reply.lines.push_back(std::move(*line));
        else
            reply.folded += devices;
    return reply;
}

Reply fetch(node::Node& node, const FetchRequest& request)
{
    if (auto asked = node.askForReceipts(request.ask); !asked)
        return ErrorReply{std::move(asked.error())};
    return FetchReply{static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(node::ReceiptDesk::kAskTime).count())};
}

} // namespace starling::agent
