// SPDX-License-Identifier: Apache-2.0
/// What a node does when the trust root or the deny lists change.
#include "node/log.h"
#include "node/node.h"

namespace starling::node {

Result<bool> Node::publishNotice(ByteView notice)
{
    const auto kind = notice.empty() ? trust::Kind::Release : static_cast<trust::Kind>(notice.front());
    if (kind != trust::Kind::Root && kind != trust::Kind::Deny && kind != trust::Kind::Withdraw
        && kind != trust::Kind::Subscription)
        return fail(Errc::Usage,
                    "only roots, deny lists, withdrawals and subscriptions are published without a payload");
    const auto examined = m_keeper.take(notice);
    if (examined.verdict == release::Examined::Verdict::Refused) {
        reportRefusal(*examined.error);
        return tl::unexpected<Error>(*examined.error);
    }
    if (examined.verdict != release::Examined::Verdict::Taken)
        return false;
    settle(examined);
    feedOverlay(overlay::Publish{board::BoardKeeper::keyOf(examined.key)});
    return true;
}

void Node::trustChanged()
{
    const release::Board& board = m_keeper.board();
    m_proof->setTrust(board.trust(), board.denials().nodes());
    for (const link::LinkInfo& link : m_links.links()) {
        if (!link.isUp || !board.denials().contains(link.node))
            continue;
        qCWarning(lcOverlay, "link to %ls is cut: the device is denied",
                  qUtf16Printable(forLog(link.node.shortHex())));
        feedLinks(link::Close{link.link});
    }
}

} // namespace starling::node
