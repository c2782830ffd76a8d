// SPDX-License-Identifier: Apache-2.0
#include "swarm/swarm.h"

#include "swarm/disk_io_lt.h"
#include "swarm/endpoint_lt.h"
#include "swarm/fleet_dht_lt.h"
#include "swarm/listening_lt.h"
#include "swarm/member_extension_lt.h"
#include "swarm/session_settings_lt.h"
#include "swarm/torrent_params_lt.h"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_status.hpp>
#include <libtorrent/write_resume_data.hpp>

#include <cstdlib>
#include <map>

namespace starling::swarm {

namespace {

constexpr std::size_t kMaxPeersKept = 64; ///< per payload, to be asked again after a fresh start; guess

namespace errc = boost::system::errc;

Error troubleOf(const lt::error_code& error, std::string_view what)
{
    auto code = Errc::Io;
    if (error == errc::no_space_on_device || error == errc::file_too_large
        || error == lt::error_code(EDQUOT, lt::generic_category()))
        code = Errc::DiskFull;
    else if (error == errc::no_such_file_or_directory || error == errc::not_a_directory
             || error == lt::errors::file_too_short || error == boost::asio::error::eof)
        code = Errc::PayloadMissing;
    return {code, std::string(what) + ": " + error.message()};
}

/// While this lives, OpenSSL finds no certificate authorities. libtorrent parses all of the system's for each
/// session, 35 ms and more than a megabyte, although none of ours speaks TLS. Scripts that are started later
/// see the environment as it was.
class WithoutAuthorities
{
public:
    WithoutAuthorities()
    {
        if (const char* value = ::getenv(kVariable))
            m_before = value;
        ::setenv(kVariable, "/dev/null", 1);
    }
    ~WithoutAuthorities()
    {
        if (m_before)
            ::setenv(kVariable, m_before->c_str(), 1);
        else
            ::unsetenv(kVariable);
    }
    WithoutAuthorities(const WithoutAuthorities&) = delete;
    WithoutAuthorities& operator=(const WithoutAuthorities&) = delete;

private:
    static constexpr const char* kVariable = "SSL_CERT_FILE"; // X509_get_default_cert_file_env(3)
    std::optional<std::string> m_before;
};

} // namespace

class Swarm::Impl
{
public:
    Impl(const Config& config, std::shared_ptr<const MemberProof> proof, std::function<void()> wake)
        : m_context(std::make_shared<MemberContext>(wake))
        , m_wake(std::move(wake))
    {
        m_context->admission = config.admission;
        m_context->admissionTimeout = config.admissionTimeout;
        m_context->proof = std::move(proof);
        if (m_context->proof)
            m_context->certificate = m_context->proof->certificate();
    }

    ~Impl()
    {
        if (!m_session)
            return;
        m_session->set_alert_notify({});
        // The proxy joins libtorrent's thread when it goes out of scope; there are no trackers to wait for.
        const auto proxy = m_session->abort();
        m_session.reset();
    }

    /// Runs `call`; an exception from libtorrent becomes Io.
    static Status attempt(const std::function<Status()>& call);
    /// The same where there is nobody to return an error to: it becomes Trouble of `payload`.
    void attemptFor(const InfoHash& payload, const std::function<void()>& call);

    Status start(const Config& config);
    Status add(const Payload& payload);
    void addPeer(const InfoHash& payload, const Endpoint& peer);
    void remove(const InfoHash& payload);
    void retry(const InfoHash& payload);
    void recheck(const InfoHash& payload);
    void setLimits(BytesPerSecond upload, BytesPerSecond download);
    void requestResumeData();
    lt::session& session() { return *m_session; }
    std::vector<Event> poll();
    std::optional<Progress> progress(const InfoHash& payload) const;
    std::vector<PeerTraffic> traffic() const { return m_context->ledger.traffic(); }
    void askOnly(const InfoHash& payload, std::optional<std::set<NodeId>> nodes)
    {
        m_context->gate.askOnly(payload, std::move(nodes));
    }
    std::uint16_t port() const { return m_ports.open; }
    Endpoint inner() const
    {
        Endpoint endpoint = kInnerListen;
        endpoint.port = m_ports.inner;
        return endpoint;
    }

private:
    struct Entry
    {
        Payload payload;
        lt::torrent_handle handle; ///< invalid while the payload's files are missing
        std::uint64_t totalBytes = 0;
        std::vector<Endpoint> peers;
        std::optional<Errc> trouble; ///< reported, and not yet retried
        bool isResumed = false; ///< started from resume data
        /// What the torrent's next resume data is for: to be given to the caller, or to start a new torrent
        /// from.
        enum class Errand : std::uint8_t { Exchange, Survey, Retry } errand = Errand::Exchange;
    };

    Status startTorrent(Entry& entry);
    Status addTorrent(Entry& entry, lt::add_torrent_params params);
    void finishErrand(Entry& entry, lt::add_torrent_params saved);
    void connectPeers(Entry& entry);
    void stopTorrent(Entry& entry);
    void restart(Entry& entry);
    void connectAtOnce(Entry& entry);
    void report(Entry& entry, Error error);
    void takeAlerts();
    void take(const lt::alert& alert);
    void takeChecked(const lt::torrent_handle& torrent);
    void takeResumeData(const lt::save_resume_data_alert& alert);
    void takeFileError(const lt::torrent_handle& torrent, const lt::error_code& error, std::string_view file);
    std::map<InfoHash, Entry>::iterator find(const lt::torrent_handle& handle);

    const std::shared_ptr<MemberContext> m_context;
    const std::function<void()> m_wake;
    std::unique_ptr<lt::session> m_session;
    Ports m_ports;
    std::map<InfoHash, Entry> m_entries;
    std::vector<Event> m_events; ///< for the next poll
};

Status Swarm::Impl::start(const Config& config)
{
    // An empty list of plugins: no metadata exchange, no peer exchange.
    lt::session_params params(sessionSettings(config), std::vector<std::shared_ptr<lt::plugin>>{});
    params.disk_io_constructor = makeDiskIo;
    {
        const WithoutAuthorities bare;
        m_session = std::make_unique<lt::session>(std::move(params));
    }
    m_session->set_peer_class_filter(everyoneInGlobalClass());
    auto ports = awaitListening(*m_session, config);
    if (!ports)
        return fail(std::move(ports.error()), "BitTorrent");
    m_ports = *ports;
    m_session->set_alert_notify(m_wake);
    return {};
}

Status Swarm::Impl::add(const Payload& payload)
{
    if (m_entries.contains(payload.infoHash))
        return fail(Errc::AlreadyExists, "payload " + payload.infoHash.shortHex());
    Entry entry;
    entry.payload = payload;
    if (auto started = startTorrent(entry); !started)
        return started;
    m_entries.emplace(payload.infoHash, std::move(entry));
    return {};
}

/// A seed whose files are missing becomes Trouble and waits for retry(); everything else wrong is the
/// caller's.
Status Swarm::Impl::startTorrent(Entry& entry)
{
    auto info = readInfo(entry.payload);
    if (!info)
        return fail(std::move(info.error()), "payload");
    entry.totalBytes = payloadBytes(**info);
    entry.trouble.reset();
    if (entry.payload.presence == Payload::Presence::Complete) {
        if (auto there = requireFiles(**info, entry.payload.directory); !there) {
            report(entry, std::move(there.error()));
            m_wake();
            return {};
        }
    }
    auto params = torrentParams(entry.payload, *info);
    entry.payload.resumeData = {}; // it describes this start only
    entry.isResumed = !params.have_pieces.empty();
    entry.errand = needsSurvey(params, entry.payload) ? Entry::Errand::Survey : Entry::Errand::Exchange;
    if (entry.errand == Entry::Errand::Survey)
        params.flags |= lt::torrent_flags::upload_mode;
    return addTorrent(entry, std::move(params));
}

Status Swarm::Impl::addTorrent(Entry& entry, lt::add_torrent_params params)
{
    params.extensions.push_back([context = m_context, payload = entry.payload.infoHash,
                                 info = params.ti](const lt::torrent_handle&, lt::client_data_t) {
        return makeMemberExtension(context, payload, info);
    });
    if (entry.errand == Entry::Errand::Exchange && m_session->is_dht_running())
        params.flags &= ~lt::torrent_flags::disable_dht;
    lt::error_code error;
    auto handle = m_session->add_torrent(std::move(params), error);
    if (error)
        return fail(error == lt::errors::duplicate_torrent ? Errc::AlreadyExists : Errc::Malformed,
                    "payload " + entry.payload.infoHash.shortHex() + ": " + error.message());
    entry.handle = std::move(handle);
    if (entry.errand == Entry::Errand::Exchange)
        connectPeers(entry);
    return {};
}

void Swarm::Impl::connectPeers(Entry& entry)
{
    for (const auto& peer : entry.peers)
        entry.handle.connect_peer(toLibtorrent(peer));
}

/// After a survey or before another try: a new torrent takes over what the old one has.
void Swarm::Impl::finishErrand(Entry& entry, lt::add_torrent_params saved)
{
    stopTorrent(entry);
    const auto errand = std::exchange(entry.errand, Entry::Errand::Exchange);
    auto info = readInfo(entry.payload);
    if (!info) { // it could be read when the old torrent began
        report(entry, std::move(info.error()));
        return;
    }
    auto params = torrentParams(entry.payload, *info);
    if (errand == Entry::Errand::Survey)
        takeCompleteFiles(params, std::move(saved));
    else
        takePieces(params, std::move(saved));
    if (auto added = addTorrent(entry, std::move(params)); !added)
        report(entry, std::move(added.error()));
}

void Swarm::Impl::stopTorrent(Entry& entry)
{
    if (entry.handle.is_valid())
        m_session->remove_torrent(entry.handle);
    entry.handle = {};
}

void Swarm::Impl::addPeer(const InfoHash& payload, const Endpoint& peer)
{
    const auto found = m_entries.find(payload);
    if (found == m_entries.end() || peer.port == 0)
        return;
    auto& entry = found->second;
    if (std::find(entry.peers.begin(), entry.peers.end(), peer) == entry.peers.end()) {
        if (entry.peers.size() >= kMaxPeersKept)
            entry.peers.erase(entry.peers.begin());
        entry.peers.push_back(peer);
    }
    if (entry.handle.is_valid() && entry.errand == Entry::Errand::Exchange) {
        entry.handle.connect_peer(toLibtorrent(peer));
        connectAtOnce(entry);
    }
}

/// libtorrent looks for somebody to connect to once a second, and when a torrent resumes. A release that
/// passes from device to device would lose that second on each of them.
void Swarm::Impl::connectAtOnce(Entry& entry)
{
    if (entry.trouble || entry.peers.size() > 1 || entry.handle.status({}).num_connections > 0)
        return;
    entry.handle.pause();
    entry.handle.resume();
}

void Swarm::Impl::remove(const InfoHash& payload)
{
    m_context->gate.askOnly(payload, std::nullopt);
    const auto found = m_entries.find(payload);
    if (found == m_entries.end())
        return;
    stopTorrent(found->second);
    m_entries.erase(found);
}

void Swarm::Impl::retry(const InfoHash& payload)
{
    const auto found = m_entries.find(payload);
    if (found == m_entries.end() || !found->second.trouble)
        return;
    auto& entry = found->second;
    if (entry.trouble == Errc::PayloadMissing || entry.trouble == Errc::PayloadChanged
        || !entry.handle.is_valid()) {
        restart(entry); // what was believed to be there is not
        return;
    }
    // A torrent that ran into an error believes blocks to be written that are not, and never hashes some
    // pieces again. So it hands what it has to a new one.
    entry.trouble.reset();
    entry.errand = Entry::Errand::Retry;
    entry.handle.save_resume_data();
}

/// Nothing that was believed survives: a new torrent reads what is on disk and keeps what hashes right.
void Swarm::Impl::recheck(const InfoHash& payload)
{
    const auto found = m_entries.find(payload);
    if (found == m_entries.end())
        return;
    found->second.payload.presence = Payload::Presence::Unknown;
    restart(found->second);
}

void Swarm::Impl::restart(Entry& entry)
{
    stopTorrent(entry);
    if (auto started = startTorrent(entry); !started) {
        report(entry, std::move(started.error()));
        m_wake();
    }
}

void Swarm::Impl::setLimits(BytesPerSecond upload, BytesPerSecond download)
{
    lt::settings_pack pack;
    setRateLimits(pack, upload, download);
    m_session->apply_settings(std::move(pack));
}

void Swarm::Impl::requestResumeData()
{
    for (const auto& [payload, entry] : m_entries) {
        if (entry.handle.is_valid() && entry.errand == Entry::Errand::Exchange)
            entry.handle.save_resume_data();
    }
}

std::map<InfoHash, Swarm::Impl::Entry>::iterator Swarm::Impl::find(const lt::torrent_handle& handle)
{
    return std::find_if(m_entries.begin(), m_entries.end(),
                        [&](const auto& pair) { return pair.second.handle == handle; });
}

/// One Trouble at a time: every block in flight fails alike.
void Swarm::Impl::report(Entry& entry, Error error)
{
    if (entry.trouble)
        return;
    entry.trouble = error.code;
    m_events.emplace_back(Trouble{entry.payload.infoHash, std::move(error)});
}

void Swarm::Impl::takeFileError(const lt::torrent_handle& torrent, const lt::error_code& error,
                                std::string_view file)
{
    const auto found = find(torrent);
    if (found == m_entries.end() || found->second.errand == Entry::Errand::Retry)
        return; // old news of a torrent that is about to be replaced
    auto trouble = troubleOf(error, file);
    // A full disk stops fetching and not serving; libtorrent has gone into its upload mode by itself.
    if (trouble.code == Errc::DiskFull)
        torrent.set_flags(lt::torrent_flags::upload_mode);
    else
        torrent.pause();
    report(found->second, std::move(trouble));
}

void Swarm::Impl::takeChecked(const lt::torrent_handle& torrent)
{
    const auto found = find(torrent);
    if (found == m_entries.end())
        return;
    auto& entry = found->second;
    if (entry.errand == Entry::Errand::Survey) {
        entry.handle.save_resume_data();
    } else if (entry.payload.presence == Payload::Presence::Complete && !torrent.status().is_seeding) {
        // libtorrent hashes a seed's piece before it first sends it, and reads all files again when one is
        // wrong, or cannot be read: then this may come before the error does.
        torrent.pause();
        const auto info = torrent.torrent_file();
        auto there = info ? requireFiles(*info, entry.payload.directory) : Status();
        report(entry,
               there ? Error{Errc::PayloadChanged, entry.payload.directory.string()}
                     : std::move(there.error()));
    }
}

void Swarm::Impl::takeResumeData(const lt::save_resume_data_alert& alert)
{
    const auto found = find(alert.handle);
    if (found == m_entries.end())
        return;
    if (found->second.errand != Entry::Errand::Exchange) {
        finishErrand(found->second, alert.params);
        return;
    }
    const auto saved = lt::write_resume_data_buf(alert.params);
    m_events.emplace_back(ResumeData{found->first, toBytes(viewOf({saved.data(), saved.size()}))});
}

void Swarm::Impl::take(const lt::alert& alert)
{
    if (const auto* finished = lt::alert_cast<lt::torrent_finished_alert>(&alert)) {
        const auto found = find(finished->handle);
        if (found != m_entries.end() && found->second.errand == Entry::Errand::Exchange
            && found->second.payload.presence == Payload::Presence::Unknown)
            m_events.emplace_back(Completed{found->first});
    } else if (const auto* file = lt::alert_cast<lt::file_error_alert>(&alert)) {
        takeFileError(file->handle, file->error, file->filename());
    } else if (const auto* torrent = lt::alert_cast<lt::torrent_error_alert>(&alert)) {
        takeFileError(torrent->handle, torrent->error, torrent->filename());
    } else if (const auto* checked = lt::alert_cast<lt::torrent_checked_alert>(&alert)) {
        takeChecked(checked->handle);
    } else if (const auto* resume = lt::alert_cast<lt::save_resume_data_alert>(&alert)) {
        takeResumeData(*resume);
    } else if (const auto* unsaved = lt::alert_cast<lt::save_resume_data_failed_alert>(&alert)) {
        const auto found = find(unsaved->handle);
        if (found != m_entries.end() && found->second.errand != Entry::Errand::Exchange)
            restart(found->second);
    } else if (const auto* rejected = lt::alert_cast<lt::fastresume_rejected_alert>(&alert)) {
        const auto found = find(rejected->handle);
        if (found != m_entries.end() && found->second.isResumed)
            restart(found->second); // the files are not what the resume data says
    }
}

void Swarm::Impl::takeAlerts()
{
    std::vector<lt::alert*> alerts;
    m_session->pop_alerts(&alerts);
    for (const auto* alert : alerts)
        take(*alert);
}

std::vector<Event> Swarm::Impl::poll()
{
    takeAlerts();
    for (auto& refused : m_context->ledger.takeRefusals())
        m_events.emplace_back(std::move(refused));
    return std::exchange(m_events, {});
}

std::optional<Progress> Swarm::Impl::progress(const InfoHash& payload) const
{
    const auto found = m_entries.find(payload);
    if (found == m_entries.end())
        return {};
    const auto& entry = found->second;
    Progress progress;
    progress.totalBytes = entry.totalBytes;
    if (!entry.handle.is_valid())
        return progress;
    const auto status = entry.handle.status(lt::torrent_handle::query_pieces);
    progress.doneBytes = static_cast<std::uint64_t>(std::max<std::int64_t>(status.total_done, 0));
    progress.downRate.value = static_cast<std::uint64_t>(std::max(status.download_payload_rate, 0));
    progress.upRate.value = static_cast<std::uint64_t>(std::max(status.upload_payload_rate, 0));
    progress.isSeeding = status.is_seeding && !entry.trouble;
    progress.peers = static_cast<std::size_t>(std::max(status.num_peers, 0));
    const auto* bits = reinterpret_cast<const std::uint8_t*>(status.pieces.data());
    progress.pieces.assign(bits, bits + (status.pieces.size() + 7) / 8);
    return progress;
}

// The door: what libtorrent throws ends here.

Status Swarm::Impl::attempt(const std::function<Status()>& call)
{
    try {
        return call();
    } catch (const std::exception& error) { // an invalid handle, or no memory or thread to be had
        return fail(Errc::Io, std::string("libtorrent: ") + error.what());
    }
}

void Swarm::Impl::attemptFor(const InfoHash& payload, const std::function<void()>& call)
{
    auto done = attempt([&]() -> Status {
        call();
        return {};
    });
    if (done)
        return;
    m_events.emplace_back(Trouble{payload, std::move(done.error())});
    m_wake();
}

Swarm::Swarm(std::unique_ptr<Impl> impl)
    : m_impl(std::move(impl))
{
}

Swarm::~Swarm() = default;

Result<std::unique_ptr<Swarm>> Swarm::create(const Config& config, std::shared_ptr<const MemberProof> proof,
                                             std::function<void()> wake)
{
    if (!proof && config.admission == Admission::Members)
        return fail(Errc::Usage, "a swarm of members needs a proof of membership");
    auto impl = std::make_unique<Impl>(config, std::move(proof), std::move(wake));
    if (auto started = Impl::attempt([&] { return impl->start(config); }); !started)
        return fail(std::move(started.error()), "swarm");
    return std::unique_ptr<Swarm>(new Swarm(std::move(impl)));
}

std::uint16_t Swarm::port() const
{
    return m_impl->port();
}

Endpoint Swarm::inner() const
{
    return m_impl->inner();
}

Status Swarm::add(const Payload& payload)
{
    return Impl::attempt([&] { return m_impl->add(payload); });
}

void Swarm::addPeer(const InfoHash& payload, const Endpoint& peer)
{
    m_impl->attemptFor(payload, [&] { m_impl->addPeer(payload, peer); });
}

void Swarm::askOnly(const InfoHash& payload, std::optional<std::set<NodeId>> nodes)
{
    m_impl->askOnly(payload, std::move(nodes));
}

void Swarm::remove(const InfoHash& payload)
{
    m_impl->attemptFor(payload, [&] { m_impl->remove(payload); });
}

void Swarm::retry(const InfoHash& payload)
{
    m_impl->attemptFor(payload, [&] { m_impl->retry(payload); });
}

void Swarm::recheck(const InfoHash& payload)
{
    m_impl->attemptFor(payload, [&] { m_impl->recheck(payload); });
}

void Swarm::setLimits(BytesPerSecond upload, BytesPerSecond download)
{
    m_impl->attemptFor({}, [&] { m_impl->setLimits(upload, download); });
}

void Swarm::meet(const std::vector<Endpoint>& nodes)
{
    m_impl->attemptFor({}, [&] { meetNodes(m_impl->session(), nodes); });
}

void Swarm::requestResumeData()
{
    m_impl->attemptFor({}, [&] { m_impl->requestResumeData(); });
}

std::vector<Event> Swarm::poll()
{
    std::vector<Event> events;
    m_impl->attemptFor({}, [&] { events = m_impl->poll(); });
    return events;
}

std::optional<Progress> Swarm::progress(const InfoHash& payload) const
{
    std::optional<Progress> progress;
    m_impl->attemptFor(payload, [&] { progress = m_impl->progress(payload); });
    return progress;
}

std::vector<PeerTraffic> Swarm::traffic() const
{
    return m_impl->traffic();
}

} // namespace starling::swarm
