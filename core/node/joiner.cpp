// SPDX-License-Identifier: Apache-2.0
#include "node/joiner.h"

#include "enrol/certificate.h"
#include "enrol/fingerprint.h"
#include "node/disk.h"
#include "node/log.h"
#include "node/net_address.h"
#include "node/root_store.h"

#include <QSysInfo>

#include <algorithm>

namespace starling::node {

namespace {

constexpr std::size_t kMaxAnchorBytes = trust::kMaxRootBytes + 8 * 1024; // as loadIdentity()
constexpr std::size_t kMaxDatagram = 2'048; // longer ones are nobody's answer
constexpr std::uint64_t kOnlyTimer = 1;

bool isThere(const std::filesystem::path& file)
{
    std::error_code error;
    return std::filesystem::exists(std::filesystem::symlink_status(file, error));
}

} // namespace

bool Joiner::isNeeded(const AgentConfig& config)
{
    return (!config.tokenFile.empty() || config.contact) && !isThere(config.certificate);
}

Result<Joiner::Contact> Joiner::findContact(const AgentConfig& config)
{
    Contact contact;
    if (isThere(config.root)) {
        auto anchor = readFile(config.root, kMaxAnchorBytes);
        if (!anchor)
            return fail(std::move(anchor.error()), "trust root");
        auto trust = openTrust(config, *anchor);
        if (!trust)
            return fail(std::move(trust.error()), config.root.string());
        contact.fleet = trust->fleet();
        contact.trust = std::move(*trust);
    }
    if (config.tokenFile.empty()) {
        if (!contact.trust)
            return fail(Errc::NotFound,
                        "trust root " + config.root.string() + ": without a join token it has to be there");
        contact.endpoint = config.contact->endpoint;
        contact.linkKey = config.contact->linkKey;
        return contact;
    }
    auto line = readKeyFile(config.tokenFile);
    if (!line)
        return fail(std::move(line.error()), "token_file");
    auto token = enrol::JoinToken::parse(toText(*line));
    if (!token)
        return fail(Errc::ConfigInvalid,
                    "token_file " + config.tokenFile.string() + ": " + token.error().context);
    if (contact.trust && contact.fleet != token->fleet)
        return fail(Errc::WrongFleet,
                    "the join token is for fleet " + token->fleet.shortHex()
                        + ", the configured root of fleet " + contact.fleet.shortHex());
    contact.fleet = token->fleet;
    contact.endpoint = token->contact;
    contact.linkKey = token->linkKey;
    contact.secret = token->secret;
    return contact;
}

Result<trust::TrustSet> Joiner::openTrust(const AgentConfig& config, ByteView anchor)
{
    auto store = store::Store::open(config.state);
    if (!store)
        return tl::unexpected<Error>(store.error());
    return loadRoots(*store, anchor);
}

Result<std::unique_ptr<Joiner>> Joiner::start(const AgentConfig& config)
{
    auto contact = findContact(config);
    if (!contact)
        return fail(std::move(contact.error()), "joining");
    auto key = loadOrMakeDeviceKey(config.key);
    if (!key)
        return fail(std::move(key.error()), "joining");
    std::unique_ptr<Joiner> joiner(new Joiner(config, std::move(*key), std::move(*contact)));
    if (auto usable = enrol::requireUsable(joiner->m_request.certificate(0)); !usable)
        return fail(Errc::ConfigInvalid, "name and labels: " + usable.error().context);
    if (auto bound = joiner->bind(); !bound)
        return tl::unexpected<Error>(bound.error());
    qCInfo(lcNode, "no certificate yet: asking %ls to be admitted; words: %s",
           qUtf16Printable(forLog(toString(joiner->m_contact))),
           enrol::fingerprintOf(joiner->m_request.node).c_str());
    joiner->ask();
    return joiner;
}

Joiner::Joiner(const AgentConfig& config, crypto::SecretKey key, Contact contact)
    : m_config(config)
    , m_key(std::move(key))
    , m_fleet(contact.fleet)
    , m_contact(contact.endpoint)
    , m_trust(std::move(contact.trust))
    , m_asker(m_fleet, contact.linkKey, m_random)
    , m_streams({m_timers, [this](const link::Input& input) { onStream(input); }})
    , m_started(m_timers.now())
{
    m_request.node = *NodeId::fromBytes(m_key.id().bytes());
    m_request.linkKey = crypto::LinkKeyPair::of(m_key).publicKey();
    m_request.name =
        config.deviceName.empty() ? QSysInfo::machineHostName().toStdString() : config.deviceName;
    m_request.labels = config.labels;
    m_request.token = contact.secret;
    m_streams.setProxy(config.proxy);
    connect(&m_socket, &QUdpSocket::readyRead, this, &Joiner::read);
}

Status Joiner::bind()
{
    const Endpoint& listen = m_config.listen;
    if (m_socket.bind(toQt(listen), listen.port, QAbstractSocket::DontShareAddress))
        return {};
    const Errc code = m_socket.error() == QAbstractSocket::AddressInUseError ? Errc::PortInUse : Errc::Io;
    return fail(code, "UDP " + toString(listen) + ": " + m_socket.errorString().toStdString());
}

Endpoint Joiner::listenEndpoint() const
{
    return fromQt(m_socket.localAddress(), m_socket.localPort());
}

std::uint64_t Joiner::uptimeSeconds() const
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(m_timers.now() - m_started).count());
}

std::string Joiner::waitingFor() const
{
    std::string news = m_news;
    if (const auto& trouble = m_streams.proxyTrouble(); trouble && m_unheard > kUnheardMax)
        news += "; " + trouble->context;
    return "waiting for admission at " + toString(m_contact) + (m_heardByStream ? " over TCP" : "") + " ("
        + news + "), words " + enrol::fingerprintOf(m_request.node);
}

void Joiner::ask()
{
    enrol::JoinQuestion question;
    question.request = m_request.seal(m_fleet, m_key);
    if (!m_trust)
        question.anchorFrom = m_anchor.size();
    else
        question.roots = m_walk.wanted(*m_trust);
    if (m_stream && m_unheard > 0) { // what had no answer may hang
        m_streams.take(link::CloseStream{*m_stream});
        m_stream.reset();
    }
    if (const auto datagram = m_asker.ask(question.serialize()))
        send(*datagram, isForStream());
    else
        m_news = datagram.error().context;
    ++m_unheard;
    askLater(m_pause);
    m_pause = std::min(m_pause * 2, kPauseMax);
}

bool Joiner::isForStream() const
{
    const bool isLost = m_unheard >= kUnheardMax && m_unheard % 2 == 0;
    return m_heardByStream != isLost;
}

void Joiner::send(ByteView datagram, bool byStream)
{
    if (!byStream) {
        m_socket.writeDatagram(reinterpret_cast<const char*>(datagram.data()),
                               static_cast<qint64>(datagram.size()), toQt(m_contact), m_contact.port);
        return;
    }
    if (!m_stream) {
        m_stream = link::StreamId{++m_lastStream};
        m_streams.take(link::OpenStream{*m_stream, m_contact});
    }
    m_streams.take(link::SendOnStream{*m_stream, toBytes(datagram)});
}

void Joiner::askLater(Duration pause)
{
    m_timers.reschedule(kOnlyTimer, pause, [this] {
        if (!m_isDone)
            ask();
    });
}

void Joiner::read()
{
    std::array<char, kMaxDatagram> buffer{};
    QHostAddress from;
    quint16 port = 0;
    for (qint64 size = 0;
         !m_isDone && (size = m_socket.readDatagram(buffer.data(), buffer.size(), &from, &port)) >= 0;) {
        onDatagram(std::as_bytes(std::span(buffer.data(), static_cast<std::size_t>(size))), false);
    }
}

void Joiner::onStream(const link::Input& input)
{
    if (const auto* closed = std::get_if<link::StreamClosed>(&input); closed && m_stream == closed->stream)
        m_stream.reset();
    else if (const auto* received = std::get_if<link::StreamReceived>(&input); received && !m_isDone)
        onDatagram(received->bytes, true);
}

void Joiner::onDatagram(ByteView datagram, bool byStream)
{
    const auto heard = m_asker.onDatagram(datagram);
    if (heard.send)
        send(*heard.send, byStream);
    if (!heard.answer)
        return;
    const auto answer = enrol::JoinAnswer::parse(*heard.answer);
    if (!answer)
        return;
    m_unheard = 0;
    m_heardByStream = byStream;
    hear(*answer);
}

void Joiner::hear(const enrol::JoinAnswer& answer)
{
    using State = enrol::JoinAnswer::State;
    if (!answer.anchorPart.empty() && !m_trust) {
        const auto whole = takeAnchorPart(answer);
        m_news = !whole ? whole.error().context
            : *whole    ? "it has the trust root"
                        : "the trust root is coming";
        qCInfo(lcNode, "joining: %ls", qUtf16Printable(forLog(m_news)));
        if (whole) { // there is more at once
            m_pause = kPauseMin;
            return askLater(m_pause);
        }
        return;
    }
    if (!answer.rootsPart.empty() && m_trust) {
        const auto walked = takeRootsPart(answer);
        m_news = walked ? "it has root " + std::to_string(m_trust->root().number) + " of the fleet"
                        : "the trust root that came is no good: " + walked.error().context;
        qCInfo(lcNode, "joining: %ls", qUtf16Printable(forLog(m_news)));
        if (!walked)
            return;
        m_pause = kPauseMin;
        return askLater(m_pause);
    }
    switch (answer.state) {
    case State::Pending:
        m_news = "somebody has to admit it";
        return;
    case State::TokenGood:
        m_news = "its token is good, somebody has to admit it";
        return;
    case State::Refused:
        m_news = "refused: " + answer.reason;
        qCWarning(lcNode, "joining: %ls", qUtf16Printable(forLog(m_news)));
        return;
    case State::Granted:
        break;
    }
    if (auto taken = takeCertificate(answer); !taken) {
        m_news = "the certificate that came is no good: " + taken.error().context;
        qCWarning(lcNode, "joining: %ls", qUtf16Printable(forLog(m_news)));
        return;
    }
    m_isDone = true;
    qCInfo(lcNode, "admitted as %ls", qUtf16Printable(forLog(m_request.name)));
    Q_EMIT admitted();
}

Result<bool> Joiner::takeAnchorPart(const enrol::JoinAnswer& answer)
{
    append(m_anchor, answer.anchorPart);
    if (m_anchor.size() < answer.anchorBytes && m_anchor.size() < kMaxAnchorBytes)
        return false;
    const Bytes anchor = std::exchange(m_anchor, {});
    auto trust = trust::TrustSet::fromAnchor(anchor);
    if (!trust)
        return fail(std::move(trust.error()), "the trust root that came");
    if (trust->fleet() != m_fleet)
        return fail(Errc::WrongFleet, "the trust root that came is of another fleet");
    if (auto written = writeFile(m_config.root, anchor, FileMode::Public); !written)
        return tl::unexpected<Error>(written.error());
    auto walked = openTrust(m_config, anchor);
    if (!walked)
        return tl::unexpected<Error>(walked.error());
    m_trust = std::move(*walked);
    return true;
}

Status Joiner::takeRootsPart(const enrol::JoinAnswer& answer)
{
    const std::uint64_t before = m_trust->root().number;
    auto walked = m_walk.take(answer.rootsPart, *m_trust);
    if (m_trust->root().number > before)
        if (auto kept = keepTrust(); !kept)
            return kept;
    return walked;
}

/// As an agent keeps roots, which this one is to be.
Status Joiner::keepTrust() const
{
    auto store = store::Store::open(m_config.state);
    if (!store)
        return tl::unexpected<Error>(store.error());
    return keepRoots(*store, *m_trust);
}

Status Joiner::takeCertificate(const enrol::JoinAnswer& answer)
{
    if (!m_trust)
        return fail(Errc::NotFound, "it has no trust root yet");
    if (auto good = enrol::requireGranted(answer.certificate, m_request.node, m_request.linkKey, *m_trust);
        !good)
        return good;
    if (auto kept = keepTrust(); !kept) // it may have failed before
        return kept;
    return writeFile(m_config.certificate, answer.certificate, FileMode::Public);
}

} // namespace starling::node
