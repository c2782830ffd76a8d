// SPDX-License-Identifier: Apache-2.0
/// What a node does when certificates end: its own, for which it asks its neighbours, and theirs.
#include "board/link_authenticator.h"
#include "enrol/certificate.h"
#include "node/disk.h"
#include "node/log.h"
#include "node/node.h"
#include "node/wall_clock.h"
#include "trust/join.h"

#include <algorithm>

namespace starling::node {

namespace {

constexpr Duration kReviewInterval = std::chrono::minutes(1); ///< guess: certificates are good for months
/// Guess: a gate shows the request all the time (enrol::Reception::kPendingLifetime), though every neighbour
/// is asked in turn.
constexpr Duration kRenewPause = std::chrono::minutes(2);
constexpr Duration kAfterLink = std::chrono::seconds(1); ///< guess: until both sides are neighbours
/// Guess: a third of a certificate's time, as short as that may be, and a month at most for people to act.
constexpr auto kRenewBefore = std::chrono::seconds(std::chrono::days(30));
constexpr int kRenewShare = 3;

UtcTime timeOf(std::uint64_t seconds)
{
    return UtcTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

} // namespace

/// Ends links that are restricted and need not be any longer, or should be by now: they come up anew.
void Node::reviewLinks()
{
    m_timers.schedule(kReviewInterval, [this] { reviewLinks(); });
    const UtcTime now = wallClock();
    for (const link::LinkInfo& link : m_links.links()) {
        const bool isOver = board::hasExpired(link.notAfter, now);
        if (!link.isUp || isOver == link.isRestricted)
            continue;
        qCInfo(lcOverlay, "link to %ls begins anew: its certificate %s",
               qUtf16Printable(forLog(link.node.shortHex())), isOver ? "has expired" : "is good again");
        feedLinks(link::Close{link.link});
    }
    renew();
}

bool Node::needsRenewal(UtcTime now) const
{
    if (!m_certificate.notAfter)
        return false;
    const auto life = timeOf(*m_certificate.notAfter) - m_certifiedSince;
    const auto share = life.count() > 0 ? life / kRenewShare : kRenewBefore;
    return timeOf(*m_certificate.notAfter) - now < std::min<std::chrono::seconds>(kRenewBefore, share);
}

void Node::renewSoon()
{
    if (needsRenewal(wallClock()))
        m_timers.schedule(kAfterLink, [this] { renew(); });
}

trust::JoinRequest Node::renewal() const
{
    trust::JoinRequest request;
    request.node = m_identity.node;
    request.linkKey = m_identity.linkKey->publicKey();
    request.name = m_certificate.name;
    request.labels = m_certificate.labels;
    request.renews = m_certificate.notAfter;
    return request;
}

void Node::renew()
{
    const Instant now = m_timers.now();
    const bool isLinked =
        std::ranges::any_of(m_links.links(), [](const link::LinkInfo& link) { return link.isUp; });
    if (!isLinked || !needsRenewal(wallClock()) || (m_renewAsked && now - *m_renewAsked < kRenewPause))
        return;
    m_renewAsked = now;
    feedOverlay(overlay::Renew{renewal().seal(m_keeper.board().trust().fleet(), *m_identity.key)});
}

/// A neighbour's certificate ends: it waits here like a device that joins.
void Node::onRenewalAsked(const overlay::RenewalAsked& renewal)
{
    Endpoint from;
    for (const link::LinkInfo& link : m_links.links())
        if (link.isUp && link.node == renewal.device)
            from = link.endpoint;
    if (auto certificate = m_joinOffice->onRenewal(from, renewal.request, m_timers.now()))
        feedOverlay(overlay::Renewed{renewal.device, std::move(*certificate)});
}

/// To the device that it is for, if that is a neighbour: one that renews its certificate need not ask again.
void Node::tellGranted(ByteView certificate)
{
    const auto envelope = trust::Envelope::parse(certificate, link::kMaxCertificateBytes);
    const auto granted =
        envelope ? trust::Certificate::parse(envelope->payload) : fail(Errc::Malformed, "grant");
    if (granted)
        feedOverlay(overlay::Renewed{granted->node, toBytes(certificate)});
}

void Node::onRenewalArrived(const overlay::RenewalArrived& renewal)
{
    if (auto taken = takeCertificate(renewal.certificate); !taken)
        qCWarning(lcNode, "the new certificate is of no use: %ls", qUtf16Printable(forLog(taken.error())));
}

Status Node::takeCertificate(ByteView bytes)
{
    if (auto good = enrol::requireGranted(bytes, m_identity.node, m_identity.linkKey->publicKey(),
                                          m_keeper.board().trust());
        !good)
        return good;
    const auto envelope = trust::Envelope::parse(bytes, link::kMaxCertificateBytes);
    const auto certificate = trust::Certificate::parse(envelope->payload);
    if (!renewal().isGrantedBy(*certificate))
        return {}; // the one that is held, or an older one
    if (auto written = writeFile(m_options.config.certificate, bytes, FileMode::Public); !written)
        return written;
    m_identity.certificateEnvelope = toBytes(bytes);
    m_certificate = *certificate;
    m_certifiedSince = wallClock();
    m_proof->setCertificate(m_identity.certificateEnvelope);
    m_toldAddresses.reset(); // contacts show the certificate
    qCInfo(lcNode, "a new certificate is here; links begin anew with it");
    for (const link::LinkInfo& link : m_links.links())
        if (link.isUp)
            feedLinks(link::Close{link.link});
    scheduleReceipt(kAfterLink);
    return {};
}

} // namespace starling::node
