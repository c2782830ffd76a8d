// SPDX-License-Identifier: Apache-2.0
/// How releases come into a node by its control socket.
#include "node/node.h"

namespace starling::node {

Result<release::VerifiedRelease> Node::examinePush(ByteView torrentFile)
{
    auto judged = [&]() -> Result<release::VerifiedRelease> {
        auto torrent = release::TorrentFile::parse(torrentFile);
        if (!torrent)
            return fail(std::move(torrent.error()), "release");
        auto verified = release::verifyRelease(std::move(*torrent), m_keeper.board().trust());
        if (!verified)
            return fail(std::move(verified.error()), "release");
        const release::UpdateInfo& update = verified->update();
        if (auto admitted =
                m_keeper.board().floors().admit(update.uri, update.revision, verified->infoHash());
            !admitted)
            return fail(std::move(admitted.error()), "release");
        if (const auto withdrawn = m_keeper.board().withdrawalOf(verified->torrent()))
            return fail(withdrawn->code,
                        update.uri.text() + " version " + trust::toString(update.revision) + ": withdrawn "
                            + withdrawn->context);
        return verified;
    }();
    if (!judged)
        reportRefusal(judged.error());
    return judged;
}

bool Node::holdsPayload(const release::TorrentFile& torrent) const
{
    const trust::Floor* floor = m_keeper.board().floors().find(torrent.info.update.uri);
    return floor != nullptr && floor->infoHash == torrent.infoHash
        && m_payloads.condition(torrent.info, torrent.infoHash) == PayloadStore::Condition::Verified;
}

Result<PushIntake> Node::beginPush(const release::TorrentFile& torrent)
{
    return PushIntake::begin(m_payloads, torrent, m_options.config.quota);
}

Status Node::publish(const release::TorrentFile& torrent)
{
    const auto examined = m_keeper.take(release::noticeOf(trust::Kind::Release, torrent.notice()));
    if (examined.verdict == release::Examined::Verdict::Refused) {
        reportRefusal(*examined.error);
        m_payloads.remove(torrent.infoHash);
        return tl::unexpected<Error>(*examined.error);
    }
    if (examined.verdict == release::Examined::Verdict::Duplicate) {
        // The notice came by gossip before; now its payload did.
        m_swarm.drop(torrent.infoHash);
        m_updater.payloadArrived(torrent.infoHash);
        return {};
    }
    noteKnown(examined);
    // As what comes from others: on its way first. Whoever pushes is answered when it is durable, too.
    feedOverlay(overlay::Publish{board::BoardKeeper::keyOf(examined.key)});
    settle(examined);
    return {};
}

void Node::publishInPlace(const release::TorrentFile& torrent, const std::filesystem::path& path,
                          std::function<void(Status)> done)
{
    if (!path.is_absolute())
        return done(fail(Errc::Usage, path.string() + ": the agent needs an absolute path"));
    const auto directory = locatePayload(path, torrent.info);
    if (!directory)
        return done(fail(Errc::PayloadMissing, "as the agent sees it: " + directory.error().context));
    if (!m_inPlacePushes.insert(torrent.infoHash).second)
        return done(fail(Errc::Busy, "this release is being pushed already"));
    const auto real = *directory / torrent.info.name;
    m_pushVerifier.verify(torrent.info, *directory,
                          [this, torrent, real, done = std::move(done)](Verification result) {
                              m_inPlacePushes.erase(torrent.infoHash);
                              if (!result)
                                  return done(tl::unexpected<Error>(result.error()));
                              release::TorrentFile complete = torrent;
                              complete.layers = std::move(*result);
                              if (auto linked = m_payloads.link(complete, real); !linked)
                                  return done(linked);
                              done(publish(complete));
                          });
}

} // namespace starling::node
