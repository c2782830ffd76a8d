// SPDX-License-Identifier: Apache-2.0
#include "overlay/membership_message.h"

#include "base/assert.h"

namespace starling::overlay {

namespace {

constexpr std::uint8_t kFirstKind = 20, kLastKind = 29; ///< message.h leaves these to membership

enum class Kind : std::uint8_t {
    Join = 20,
    ForwardJoin = 21,
    Ask = 22,
    Answer = 23,
    Disconnect = 24,
    Shuffle = 25,
    ShuffleReply = 26,
    Moved = 27,
};

/// Eight contacts of the largest size, and what is before them.
constexpr std::size_t kMaxBytes = 16 + kMaxContacts * (4 + kMaxDescriptorBytes + kMaxContactCertificateBytes);

ByteWriter begin(Kind kind)
{
    ByteWriter writer;
    writer.u8(kMessageVersion);
    writer.u8(static_cast<std::uint8_t>(kind));
    return writer;
}

void write(ByteWriter& writer, const Contact& contact)
{
    STARLING_ASSERT(contact.descriptor.size() <= kMaxDescriptorBytes
                    && contact.certificate.size() <= kMaxContactCertificateBytes);
    writer.u16(static_cast<std::uint16_t>(contact.descriptor.size()));
    writer.raw(contact.descriptor);
    writer.u16(static_cast<std::uint16_t>(contact.certificate.size()));
    writer.raw(contact.certificate);
}

void write(ByteWriter& writer, const std::vector<Contact>& contacts)
{
    STARLING_ASSERT(contacts.size() <= kMaxContacts);
    writer.u8(static_cast<std::uint8_t>(contacts.size()));
    for (const Contact& contact : contacts)
        write(writer, contact);
}

Bytes encode(const JoinMessage& message)
{
    ByteWriter writer = begin(Kind::Join);
    write(writer, message.self);
    return writer.take();
}

Bytes encode(const ForwardJoinMessage& message)
{
    STARLING_ASSERT(message.timeToLive <= kMaxTimeToLive);
    ByteWriter writer = begin(Kind::ForwardJoin);
    writer.u8(message.timeToLive);
    write(writer, message.newcomer);
    return writer.take();
}

Bytes encode(const AskMessage& message)
{
    ByteWriter writer = begin(Kind::Ask);
    writer.u8(static_cast<std::uint8_t>(message.urgency));
    write(writer, message.self);
    return writer.take();
}

Bytes encode(const AnswerMessage& message)
{
    ByteWriter writer = begin(Kind::Answer);
    writer.u8(message.isAccepted ? 1 : 0);
    write(writer, message.others);
    return writer.take();
}

Bytes encode(const DisconnectMessage& message)
{
    ByteWriter writer = begin(Kind::Disconnect);
    write(writer, message.instead);
    return writer.take();
}

Bytes encode(const ShuffleMessage& message)
{
    ByteWriter writer = begin(Kind::Shuffle);
    write(writer, message.contacts);
    return writer.take();
}

Bytes encode(const ShuffleReplyMessage& message)
{
    ByteWriter writer = begin(Kind::ShuffleReply);
    write(writer, message.contacts);
    return writer.take();
}

Bytes encode(const MovedMessage& message)
{
    ByteWriter writer = begin(Kind::Moved);
    write(writer, message.self);
    return writer.take();
}

Result<Contact> readContact(ByteReader& reader)
{
    Contact contact;
    const std::size_t descriptor = reader.u16();
    if (descriptor > kMaxDescriptorBytes)
        return fail(Errc::TooLarge, "descriptor of " + std::to_string(descriptor) + " bytes");
    contact.descriptor = toBytes(reader.raw(descriptor));
    const std::size_t certificate = reader.u16();
    if (certificate > kMaxContactCertificateBytes)
        return fail(Errc::TooLarge, "certificate of " + std::to_string(certificate) + " bytes");
    contact.certificate = toBytes(reader.raw(certificate));
    if (auto status = reader.status("contact"); !status)
        return tl::unexpected(status.error());
    return contact;
}

Result<std::vector<Contact>> readContacts(ByteReader& reader)
{
    const std::size_t count = reader.u8();
    if (count > kMaxContacts)
        return fail(Errc::TooLarge, std::to_string(count) + " contacts");
    std::vector<Contact> contacts;
    for (std::size_t i = 0; i < count; ++i) {
        auto contact = readContact(reader);
        if (!contact)
            return tl::unexpected(contact.error());
        contacts.push_back(std::move(*contact));
    }
    return contacts;
}

/// A message that is one contact.
template <class Message> Result<MembershipMessage> readSingle(ByteReader& reader)
{
    auto contact = readContact(reader);
    if (!contact)
        return tl::unexpected(contact.error());
    return Message{std::move(*contact)};
}

/// A message that is a list of contacts.
template <class Message> Result<MembershipMessage> readList(ByteReader& reader)
{
    auto contacts = readContacts(reader);
    if (!contacts)
        return tl::unexpected(contacts.error());
    return Message{std::move(*contacts)};
}

Result<MembershipMessage> readForwardJoin(ByteReader& reader)
{
    const std::uint8_t timeToLive = reader.u8();
    if (timeToLive > kMaxTimeToLive)
        return fail(Errc::Malformed, "forward-join: time to live " + std::to_string(timeToLive));
    auto newcomer = readContact(reader);
    if (!newcomer)
        return tl::unexpected(newcomer.error());
    return ForwardJoinMessage{timeToLive, std::move(*newcomer)};
}

Result<MembershipMessage> readAsk(ByteReader& reader)
{
    const std::uint8_t urgency = reader.u8();
    if (urgency > static_cast<std::uint8_t>(Urgency::High))
        return fail(Errc::Malformed, "ask: urgency " + std::to_string(urgency));
    auto self = readContact(reader);
    if (!self)
        return tl::unexpected(self.error());
    return AskMessage{static_cast<Urgency>(urgency), std::move(*self)};
}

Result<MembershipMessage> readAnswer(ByteReader& reader)
{
    const std::uint8_t accepted = reader.u8();
    if (accepted > 1)
        return fail(Errc::Malformed, "answer: flag " + std::to_string(accepted));
    auto others = readContacts(reader);
    if (!others)
        return tl::unexpected(others.error());
    return AnswerMessage{accepted == 1, std::move(*others)};
}

Result<MembershipMessage> readFields(Kind kind, ByteReader& reader)
{
    switch (kind) {
    case Kind::Join:
        return readSingle<JoinMessage>(reader);
    case Kind::ForwardJoin:
        return readForwardJoin(reader);
    case Kind::Ask:
        return readAsk(reader);
    case Kind::Answer:
        return readAnswer(reader);
    case Kind::Disconnect:
        return readList<DisconnectMessage>(reader);
    case Kind::Shuffle:
        return readList<ShuffleMessage>(reader);
    case Kind::ShuffleReply:
        return readList<ShuffleReplyMessage>(reader);
    case Kind::Moved:
        return readSingle<MovedMessage>(reader);
    }
    return fail(Errc::UnsupportedFormat, "message of kind " + std::to_string(static_cast<unsigned>(kind)));
}

} // namespace

bool concernsMembership(ByteView message)
{
    if (message.size() < 2)
        return false;
    const auto kind = static_cast<std::uint8_t>(message[1]);
    return kind >= kFirstKind && kind <= kLastKind;
}

Bytes serialize(const MembershipMessage& message)
{
    return std::visit([](const auto& typed) { return encode(typed); }, message);
}

Result<MembershipMessage> parseMembership(ByteView bytes)
{
    // Twice what this version fills: room for a later one.
    if (bytes.size() > 2 * kMaxBytes)
        return fail(Errc::TooLarge, "message of " + std::to_string(bytes.size()) + " bytes");
    ByteReader reader(bytes);
    const std::uint8_t version = reader.u8();
    const auto kind = static_cast<Kind>(reader.u8());
    if (auto status = reader.status("message"); !status)
        return tl::unexpected(status.error());
    if (version != kMessageVersion)
        return fail(Errc::UnsupportedFormat, "message of version " + std::to_string(version));
    auto message = readFields(kind, reader);
    if (!message)
        return message;
    if (auto status = reader.status("message"); !status)
        return tl::unexpected(status.error());
    return message;
}

} // namespace starling::overlay
