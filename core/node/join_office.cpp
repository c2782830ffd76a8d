// SPDX-License-Identifier: Apache-2.0
#include "node/join_office.h"

#include "crypto/key_file.h"
#include "enrol/certificate.h"
#include "enrol/fingerprint.h"
#include "link/authenticator.h"
#include "node/disk.h"
#include "node/log.h"

#include <algorithm>

namespace starling::node {

namespace {

constexpr std::size_t kMaxFileBytes = 128 * 1024; ///< above what Reception::serialize() can make

UtcTime calendar()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<enrol::Reception> load(const std::filesystem::path& file, const FleetId& fleet)
{
    auto bytes = readFile(file, kMaxFileBytes);
    if (!bytes && bytes.error().code == Errc::NotFound)
        return enrol::Reception(fleet);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    auto reception = enrol::Reception::parse(*bytes, fleet);
    if (!reception)
        return fail(std::move(reception.error()), file.string());
    return reception;
}

Result<std::optional<crypto::SecretKey>> loadAdmitKey(const std::filesystem::path& file,
                                                      const trust::RootDocument& root)
{
    std::optional<crypto::SecretKey> none;
    if (file.empty())
        return none;
    auto bytes = readKeyFile(file);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    auto key = crypto::openPlainKey(*bytes);
    std::fill(bytes->begin(), bytes->end(), std::byte{0});
    if (!key)
        return fail(std::move(key.error()), file.string());
    if (!root.admit.keys.contains(key->id()))
        return fail(Errc::WrongScope, file.string() + " is no admit key of this fleet");
    return std::optional(std::move(*key));
}

} // namespace

Result<std::unique_ptr<JoinOffice>> JoinOffice::open(const AgentConfig& config, const Identity& identity,
                                                     const release::Board& board, RandomSource& random,
                                                     Waits waits)
{
    auto reception = load(config.state / "enrolment", board.trust().fleet());
    if (!reception)
        return fail(std::move(reception.error()), "enrolment");
    auto admitKey = loadAdmitKey(config.admitKey, board.trust().root());
    if (!admitKey)
        return fail(std::move(admitKey.error()), "admit_key");
    return std::unique_ptr<JoinOffice>(new JoinOffice(config, identity, board, random, std::move(waits),
                                                      std::move(*reception), std::move(*admitKey)));
}

JoinOffice::JoinOffice(const AgentConfig& config, const Identity& identity, const release::Board& board,
                       RandomSource& random, Waits waits, enrol::Reception reception,
                       std::optional<crypto::SecretKey> admitKey)
    : m_file(config.state / "enrolment")
    , m_identity(identity)
    , m_board(board)
    , m_random(random)
    , m_waits(std::move(waits))
    , m_reception(std::move(reception))
    , m_admitKey(std::move(admitKey))
    , m_desk(board.trust().fleet(), *identity.linkKey, random,
             [this](const Endpoint& from, ByteView question) { return answer(from, question); })
{
}

std::optional<Bytes> JoinOffice::onDatagram(const Endpoint& from, ByteView datagram, Instant now)
{
    m_now = now;
    return m_desk.onDatagram(from, datagram, now);
}

std::optional<Bytes> JoinOffice::onRenewal(const Endpoint& from, ByteView request, Instant now)
{
    m_now = now;
    const enrol::JoinAnswer answer = judge(from, {toBytes(request), {}});
    if (auto stored = store(); !stored)
        qCCritical(lcNode, "enrolment not stored: %ls", qUtf16Printable(forLog(stored.error())));
    return answer.certificate.empty() ? std::nullopt : std::optional(answer.certificate);
}

Bytes JoinOffice::answer(const Endpoint& from, ByteView bytes)
{
    const auto question = enrol::JoinQuestion::parse(bytes);
    if (!question)
        return {};
    enrol::JoinAnswer answer = judge(from, *question);
    // What was promised survives a power loss, or it is not said.
    if (auto stored = store(); !stored) {
        qCCritical(lcNode, "enrolment not stored: %ls", qUtf16Printable(forLog(stored.error())));
        return {};
    }
    if (question->anchorFrom && answer.state != enrol::JoinAnswer::State::Refused) {
        const ByteView anchor = m_identity.anchorEnvelope;
        const ByteView rest = anchor.subspan(std::min<std::size_t>(*question->anchorFrom, anchor.size()));
        answer.anchorPart = toBytes(rest.first(std::min(rest.size(), enrol::kAnchorPartBytes)));
        answer.anchorBytes = anchor.size();
        if (!answer.anchorPart.empty())
            answer.certificate.clear(); // without the anchor it cannot be verified
    } else if (question->roots && answer.state != enrol::JoinAnswer::State::Refused) {
        answer.rootsPart =
            enrol::rootsPart(m_board.trust().chain(), *question->roots, enrol::kAnchorPartBytes);
        if (!answer.rootsPart.empty())
            answer.certificate.clear(); // it may be signed by keys of a root that the device lacks
    }
    return answer.serialize();
}

enrol::JoinAnswer JoinOffice::judge(const Endpoint& from, const enrol::JoinQuestion& question)
{
    using State = enrol::JoinAnswer::State;
    auto answer = m_reception.onRequest(from, question.request, m_now, calendar());
    if (answer.state == State::Granted && !verify(answer.certificate)) {
        // The root has another admit epoch since, or other keys: somebody has to admit the device anew.
        if (const auto request = trust::openJoinRequest(question.request, m_board.trust().fleet()))
            m_reception.revoke(request->node);
        answer = m_reception.onRequest(from, question.request, m_now, calendar());
    }
    if (answer.state == State::Refused)
        qCWarning(lcNode, "join request from %ls refused: %ls", qUtf16Printable(forLog(toString(from))),
                  qUtf16Printable(forLog(answer.reason)));
    if (answer.state != State::Pending && answer.state != State::TokenGood)
        return answer;
    const auto request = trust::openJoinRequest(question.request, m_board.trust().fleet());
    if (!request)
        return answer;
    if (answer.state == State::Pending || !m_admitKey) {
        // A token that was shown is spent by now: whoever reads it on the way has no use for it.
        m_waits(request->node, question.request);
        return answer;
    }
    if (auto admitted = admitByItself(*request); !admitted) {
        qCWarning(lcNode, "not admitted by its token alone: %ls", qUtf16Printable(forLog(admitted.error())));
        m_waits(request->node, question.request);
        return answer;
    }
    return m_reception.onRequest(from, question.request, m_now, calendar());
}

Status JoinOffice::admitByItself(const trust::JoinRequest& request)
{
    // A console is neither updated nor counted: no device gets out of that by asking for it.
    if (request.isForConsole() && m_reception.useOf(request) != enrol::TokenUse::Console)
        return fail(Errc::Refused,
                    request.name + " asks to be a console (role=console), and its token is not for one");
    const trust::TrustSet& trust = m_board.trust();
    auto certificate = enrol::grant(request, trust.root());
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    certificate->sign(trust.fleet(), *m_admitKey);
    return admit(certificate->serialize(), m_now);
}

Result<trust::Certificate> JoinOffice::verify(ByteView bytes) const
{
    auto envelope = trust::Envelope::parse(bytes, link::kMaxCertificateBytes);
    if (!envelope)
        return tl::unexpected<Error>(envelope.error());
    const auto certificate = m_board.trust().verifyAdmit(*envelope);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    return **certificate;
}

Status JoinOffice::keep(const trust::Certificate& certificate, ByteView bytes)
{
    qCInfo(lcNode, "%ls is admitted, %s", qUtf16Printable(forLog(certificate.name)),
           enrol::fingerprintOf(certificate.node).c_str());
    m_reception.grant(certificate.node, toBytes(bytes));
    return store();
}

Status JoinOffice::admit(ByteView bytes, Instant now)
{
    const auto certificate = verify(bytes);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    m_reception.pending(now); // forgets those that are gone
    const auto* waiting = m_reception.find(certificate->node);
    if (waiting == nullptr || !waiting->request.isGrantedBy(*certificate))
        return fail(Errc::NotFound, "no device waits here that this certificate is for");
    return keep(*certificate, bytes);
}

Status JoinOffice::admitElsewhere(ByteView bytes, ByteView request)
{
    const auto certificate = verify(bytes);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    const auto waiting = trust::openJoinRequest(request, m_board.trust().fleet());
    if (!waiting || !waiting->isGrantedBy(*certificate))
        return fail(Errc::NotFound, "no device waits that this certificate is for");
    return keep(*certificate, bytes);
}

std::optional<Bytes> JoinOffice::grantedTo(ByteView bytes) const
{
    const auto request = trust::openJoinRequest(bytes, m_board.trust().fleet());
    const Bytes* granted = request ? m_reception.grantedTo(request->node) : nullptr;
    const auto certificate = granted != nullptr ? verify(*granted) : fail(Errc::NotFound, "grant");
    return certificate && request->isGrantedBy(*certificate) ? std::optional(*granted) : std::nullopt;
}

Result<enrol::JoinToken> JoinOffice::createToken(const Endpoint& address, std::chrono::seconds validity,
                                                 enrol::TokenUse use)
{
    if (validity <= std::chrono::seconds(0) || validity > enrol::kMaxTokenLifetime)
        return fail(Errc::Usage, "a join token is good for at most 24 hours");
    if (address.port == 0 || address.address == std::array<std::uint8_t, 16>{}
        || address.address == Endpoint::ipv4(0, 0, 0, 0, 0).address)
        return fail(
            Errc::Usage,
            "a join token names where devices reach this agent, and it listens everywhere: give --address");
    enrol::JoinToken token;
    token.fleet = m_board.trust().fleet();
    token.issuer = m_identity.node;
    token.linkKey = m_identity.linkKey->publicKey();
    token.contact = address;
    m_random.fill(token.secret);
    const UtcTime now = calendar();
    token.expires = static_cast<std::uint64_t>((now + validity).time_since_epoch().count());
    if (auto added = m_reception.addToken(token.secret, token.expires, now, use); !added)
        return tl::unexpected<Error>(added.error());
    if (auto stored = store(); !stored)
        return tl::unexpected<Error>(stored.error());
    return token;
}

Status JoinOffice::store()
{
    if (!m_reception.isChanged())
        return {};
    auto written = writeFile(m_file, m_reception.serialize(), FileMode::Private);
    if (written)
        m_reception.setStored();
    return written;
}

} // namespace starling::node
