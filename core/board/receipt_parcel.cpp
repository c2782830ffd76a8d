// SPDX-License-Identifier: Apache-2.0
#include "board/receipt_parcel.h"

#include "link/authenticator.h"

#include <algorithm>

namespace starling::board {

Bytes ReceiptParcel::serialize() const
{
    ByteWriter writer;
    writer.sized(certificate);
    writer.sized(receipt);
    return writer.take();
}

Result<ReceiptParcel> ReceiptParcel::parse(ByteView bytes)
{
    if (bytes.size() > kMaxParcelBytes)
        return fail(Errc::TooLarge, "receipt of " + std::to_string(bytes.size()) + " bytes");
    ByteReader reader(bytes);
    ReceiptParcel parcel;
    parcel.certificate = toBytes(reader.sized(link::kMaxCertificateBytes));
    parcel.receipt = toBytes(reader.sized(kMaxParcelBytes));
    if (auto status = reader.status("receipt"); !status)
        return tl::unexpected(std::move(status.error()));
    if (!reader.rest().empty())
        return fail(Errc::Malformed, "receipt: bytes after its end");
    return parcel;
}

Result<ParcelContent> verifyParcel(ByteView bytes, const trust::TrustSet& trust)
{
    const auto parcel = ReceiptParcel::parse(bytes);
    if (!parcel)
        return tl::unexpected<Error>(parcel.error());
    auto admit = trust::Envelope::parse(parcel->certificate, link::kMaxCertificateBytes);
    if (!admit)
        return fail(std::move(admit.error()), "receipt's certificate");
    auto certificate = trust.verifyAdmit(*admit);
    if (!certificate)
        return fail(std::move(certificate.error()), "receipt's certificate");
    auto envelope = trust::Envelope::parse(parcel->receipt, kMaxParcelBytes);
    if (!envelope)
        return fail(std::move(envelope.error()), "receipt");
    auto receipt = trust.verifyReceipt(*envelope, **certificate);
    if (!receipt)
        return tl::unexpected(std::move(receipt.error()));
    return ParcelContent{**certificate, **receipt};
}

bool isCovered(const trust::Receipt& receipt, const std::optional<ResourceUri>& scope)
{
    return !scope || receipt.entries.empty()
        || std::any_of(receipt.entries.begin(), receipt.entries.end(),
                       [&](const trust::ReceiptEntry& entry) { return entry.uri.isWithin(*scope); });
}

} // namespace starling::board
