// SPDX-License-Identifier: Apache-2.0
#include "enrol/certificate.h"

#include "link/authenticator.h"

namespace starling::enrol {

Status requireUsable(const trust::Certificate& certificate)
{
    if (auto parsed = trust::Certificate::parse(certificate.serialize()); !parsed)
        return tl::unexpected<Error>(parsed.error());
    trust::Envelope envelope{trust::Kind::Admit, certificate.serialize(), {}};
    for (std::size_t i = 0; i < trust::kMaxCertificateSignatures; ++i) {
        std::array<std::byte, KeyId::kSize> signer{};
        signer[0] = static_cast<std::byte>(i);
        envelope.signatures.emplace(KeyId(signer), crypto::Signature{});
    }
    if (const std::size_t size = envelope.serialize().size(); size > link::kMaxCertificateBytes)
        return fail(Errc::TooLarge,
                    "the certificate of '" + certificate.name + "' would have " + std::to_string(size)
                        + " bytes, and links carry " + std::to_string(link::kMaxCertificateBytes)
                        + ": give it fewer or shorter labels");
    return {};
}

Result<trust::Envelope> grant(const trust::JoinRequest& request, const trust::RootDocument& root,
                              std::optional<std::uint64_t> notAfter)
{
    trust::Certificate certificate = request.certificate(root.admitEpoch);
    certificate.notAfter = notAfter;
    if (auto usable = requireUsable(certificate); !usable)
        return tl::unexpected<Error>(usable.error());
    return trust::Envelope{trust::Kind::Admit, certificate.serialize(), {}};
}

Status requireGranted(ByteView certificateEnvelope, const NodeId& node, const LinkKey& linkKey,
                      const trust::TrustSet& trust)
{
    auto envelope = trust::Envelope::parse(certificateEnvelope, link::kMaxCertificateBytes);
    if (!envelope)
        return tl::unexpected<Error>(envelope.error());
    auto certificate = trust.verifyAdmit(*envelope);
    if (!certificate)
        return tl::unexpected<Error>(certificate.error());
    if ((*certificate)->node != node || (*certificate)->linkKey != linkKey)
        return fail(Errc::NotAdmitted, "the certificate is for another device");
    return {};
}

} // namespace starling::enrol
