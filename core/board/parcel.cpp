// SPDX-License-Identifier: Apache-2.0
#include "board/parcel.h"

#include "link/authenticator.h"
#include "overlay/message.h"

#include <algorithm>

namespace starling::board {

namespace {

Result<trust::Certificate> verifyCertificate(const Parcel& parcel, const Admission& admission)
{
    auto envelope = trust::Envelope::parse(parcel.certificate, link::kMaxCertificateBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "its certificate");
    auto certificate = admission.trust.verifyAdmit(*envelope);
    if (!certificate)
        return fail(std::move(certificate.error()), "its certificate");
    if (admission.denials.contains((*certificate)->node))
        return fail(Errc::Denied, "device " + (*certificate)->node.shortHex());
    return **certificate;
}

} // namespace

Bytes Parcel::serialize() const
{
    ByteWriter writer;
    writer.sized(certificate);
    writer.sized(document);
    return writer.take();
}

Result<Parcel> Parcel::parse(ByteView bytes)
{
    if (bytes.size() > kMaxParcelBytes)
        return fail(Errc::TooLarge, "parcel of " + std::to_string(bytes.size()) + " bytes");
    ByteReader reader(bytes);
    Parcel parcel;
    parcel.certificate = toBytes(reader.sized(link::kMaxCertificateBytes));
    parcel.document = toBytes(reader.sized(kMaxParcelBytes));
    if (auto status = reader.status("parcel"); !status)
        return tl::unexpected(std::move(status.error()));
    if (!reader.rest().empty())
        return fail(Errc::Malformed, "parcel: bytes after its end");
    return parcel;
}

Result<DeviceReceipt> verifyReceipt(ByteView bytes, const Admission& admission)
{
    const auto parcel = Parcel::parse(bytes);
    if (!parcel)
        return fail(Error(parcel.error()), "receipt");
    auto certificate = verifyCertificate(*parcel, admission);
    if (!certificate)
        return fail(std::move(certificate.error()), "receipt");
    auto envelope = trust::Envelope::parse(parcel->document, kMaxParcelBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "receipt");
    auto receipt = admission.trust.verifyReceipt(*envelope, *certificate);
    if (!receipt)
        return tl::unexpected(std::move(receipt.error()));
    return DeviceReceipt{std::move(*certificate), **receipt};
}

Result<DeviceReceipt> recallReceipt(ByteView bytes, const release::Denials& denials)
{
    const auto parcel = Parcel::parse(bytes);
    if (!parcel)
        return fail(Error(parcel.error()), "receipt");
    const auto admitted = trust::Envelope::parse(parcel->certificate, link::kMaxCertificateBytes);
    if (!admitted)
        return fail(Error(admitted.error()), "receipt");
    auto certificate = trust::Certificate::parse(admitted->payload);
    if (!certificate)
        return tl::unexpected(std::move(certificate.error()));
    if (denials.contains(certificate->node))
        return fail(Errc::Denied, "device " + certificate->node.shortHex());
    const auto signedBytes = trust::Envelope::parse(parcel->document, kMaxParcelBytes);
    if (!signedBytes)
        return fail(Error(signedBytes.error()), "receipt");
    auto receipt = trust::Receipt::parse(signedBytes->payload);
    if (!receipt)
        return tl::unexpected(std::move(receipt.error()));
    return DeviceReceipt{std::move(*certificate), std::move(*receipt)};
}

Result<DeviceDescriptor> verifyDevice(const Parcel& parcel, const Admission& admission)
{
    auto certificate = verifyCertificate(parcel, admission);
    if (!certificate)
        return fail(std::move(certificate.error()), "descriptor");
    auto envelope = trust::Envelope::parse(parcel.document, overlay::kMaxDescriptorBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "descriptor");
    auto descriptor = admission.trust.verifyDescriptor(*envelope, *certificate);
    if (!descriptor)
        return fail(std::move(descriptor.error()), "descriptor");
    return DeviceDescriptor{std::move(*certificate), **descriptor};
}

Result<trust::Descriptor> verifyDescriptor(const Parcel& parcel, const Admission& admission)
{
    auto device = verifyDevice(parcel, admission);
    if (!device)
        return tl::unexpected(std::move(device.error()));
    return std::move(device->descriptor);
}

Result<DeviceDescriptor> verifyDevice(ByteView bytes, const Admission& admission)
{
    const auto parcel = Parcel::parse(bytes);
    if (!parcel)
        return fail(Error(parcel.error()), "descriptor");
    return verifyDevice(*parcel, admission);
}

Result<trust::Descriptor> verifyDescriptor(ByteView bytes, const Admission& admission)
{
    auto device = verifyDevice(bytes, admission);
    if (!device)
        return tl::unexpected(std::move(device.error()));
    return std::move(device->descriptor);
}

bool isCovered(const trust::Receipt& receipt, const std::optional<ResourceUri>& scope)
{
    return !scope || receipt.entries.empty()
        || std::any_of(receipt.entries.begin(), receipt.entries.end(),
                       [&](const trust::ReceiptEntry& entry) { return entry.uri.isWithin(*scope); });
}

} // namespace starling::board
