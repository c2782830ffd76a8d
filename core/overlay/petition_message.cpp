// SPDX-License-Identifier: Apache-2.0
#include "overlay/petition_message.h"

#include "base/assert.h"

namespace starling::overlay {

namespace {

NodeId readNode(ByteReader& reader)
{
    auto node = NodeId::fromBytes(reader.raw(NodeId::kSize));
    return node ? *node : NodeId(); // the reader remembers that it ran out
}

Result<Bytes> readDocument(ByteReader& reader, std::size_t limit, std::string_view what)
{
    Bytes document = toBytes(reader.sized(limit));
    if (auto status = reader.status(what); !status)
        return tl::unexpected(std::move(status.error()));
    if (document.empty())
        return fail(Errc::Malformed, std::string(what) + " without a document");
    return document;
}

} // namespace

void write(ByteWriter& writer, const PetitionMessage& message)
{
    STARLING_ASSERT(!message.request.empty() && message.request.size() <= kMaxPetitionBytes);
    writer.raw(message.observer.bytes());
    writer.raw(message.gate.bytes());
    writer.sized(message.request);
}

void write(ByteWriter& writer, const GrantMessage& message)
{
    STARLING_ASSERT(!message.certificate.empty() && message.certificate.size() <= kMaxGrantBytes);
    writer.raw(message.observer.bytes());
    writer.raw(message.device.bytes());
    writer.sized(message.certificate);
}

Result<PetitionMessage> readPetition(ByteReader& reader)
{
    PetitionMessage message;
    message.observer = readNode(reader);
    message.gate = readNode(reader);
    auto request = readDocument(reader, kMaxPetitionBytes, "petition");
    if (!request)
        return tl::unexpected(std::move(request.error()));
    message.request = std::move(*request);
    return message;
}

Result<GrantMessage> readGrant(ByteReader& reader)
{
    GrantMessage message;
    message.observer = readNode(reader);
    message.device = readNode(reader);
    auto certificate = readDocument(reader, kMaxGrantBytes, "grant");
    if (!certificate)
        return tl::unexpected(std::move(certificate.error()));
    message.certificate = std::move(*certificate);
    return message;
}

} // namespace starling::overlay
