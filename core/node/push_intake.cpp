// SPDX-License-Identifier: Apache-2.0
#include "node/push_intake.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace starling::node {

namespace fs = std::filesystem;

PushIntake::PushIntake(PayloadStore& payloads, release::TorrentFile torrent, ByteCount quota)
    : m_payloads(&payloads)
    , m_torrent(std::move(torrent))
    , m_quota(quota)
    , m_verifier(m_torrent.info)
{
}

PushIntake::PushIntake(PushIntake&& other) noexcept
    : m_payloads(other.m_payloads)
    , m_torrent(std::move(other.m_torrent))
    , m_quota(other.m_quota)
    , m_verifier(std::move(other.m_verifier))
    , m_file(std::move(other.m_file))
    , m_index(other.m_index)
    , m_left(other.m_left)
    , m_received(other.m_received)
    , m_owns(std::exchange(other.m_owns, false))
{
}

PushIntake& PushIntake::operator=(PushIntake&& other) noexcept
{
    std::swap(m_payloads, other.m_payloads);
    std::swap(m_torrent, other.m_torrent);
    std::swap(m_quota, other.m_quota);
    std::swap(m_verifier, other.m_verifier);
    std::swap(m_file, other.m_file);
    std::swap(m_index, other.m_index);
    std::swap(m_left, other.m_left);
    std::swap(m_received, other.m_received);
    std::swap(m_owns, other.m_owns);
    return *this;
}

PushIntake::~PushIntake()
{
    if (m_owns)
        m_payloads->discardIncoming(m_torrent.infoHash);
}

Result<PushIntake> PushIntake::begin(PayloadStore& payloads, release::TorrentFile torrent, ByteCount quota)
{
    PushIntake intake(payloads, std::move(torrent), quota);
    if (auto fits = intake.requireRoom(); !fits)
        return tl::unexpected<Error>(fits.error());
    if (auto begun = intake.makeDirectory(); !begun)
        return tl::unexpected<Error>(begun.error());
    if (auto opened = intake.openNext(); !opened)
        return tl::unexpected<Error>(opened.error());
    return intake;
}

Status PushIntake::requireRoom() const
{
    const std::uint64_t needed = m_torrent.info.payloadBytes();
    if (m_payloads->usedBytes(m_torrent.infoHash) + needed > m_quota.value)
        return fail(Errc::QuotaExceeded,
                    toString(ByteCount{needed}) + " do not fit the agent's quota of " + toString(m_quota));
    if (m_payloads->freeBytes() < needed - m_received)
        return fail(Errc::DiskFull, toString(ByteCount{needed}) + " do not fit the agent's disk");
    return {};
}

Status PushIntake::makeDirectory()
{
    const fs::path directory = m_payloads->incomingDirectory(m_torrent.infoHash);
    std::error_code error;
    if (!fs::create_directory(directory, error) && !error)
        return fail(Errc::Busy, "this release is being pushed already");
    if (error)
        return tl::unexpected<Error>(diskError(error.value(), directory));
    m_owns = true;
    return {};
}

Status PushIntake::openNext()
{
    const release::ReleaseInfo& info = m_torrent.info;
    while (m_left == 0 && m_index < info.files.size()) {
        const release::PayloadFile& file = info.files[m_index++];
        const fs::path path = pathOf(m_payloads->incomingDirectory(m_torrent.infoHash), info.name,
                                     info.isSingleFile, file.path);
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        m_file = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!m_file.isOpen())
            return tl::unexpected<Error>(diskError(errno, path));
        m_left = file.size;
    }
    return {};
}

Status PushIntake::feed(ByteView bytes)
{
    if (auto verified = m_verifier.feed(bytes); !verified)
        return verified;
    m_received += bytes.size();
    while (!bytes.empty()) {
        const ssize_t put =
            ::write(m_file.get(), bytes.data(), std::min<std::uint64_t>(bytes.size(), m_left));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return tl::unexpected<Error>(diskError(errno, m_payloads->incomingDirectory(m_torrent.infoHash)));
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        m_left -= static_cast<std::uint64_t>(put);
        if (auto opened = openNext(); !opened)
            return opened;
    }
    return {};
}

Status PushIntake::finish()
{
    if (auto complete = m_verifier.finish(); !complete)
        return complete;
    // Another push may have taken the room meanwhile.
    if (auto fits = requireRoom(); !fits)
        return fits;
    m_torrent.layers = m_verifier.takeLayers();
    m_file = Descriptor();
    if (auto adopted = m_payloads->adopt(m_torrent); !adopted)
        return adopted;
    m_owns = false;
    return {};
}

} // namespace starling::node
