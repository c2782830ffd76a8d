// SPDX-License-Identifier: Apache-2.0
/// What nodes say to each other about who is whose neighbour (membership.h). Version and kind as in
/// message.h, whose numbers these continue; a message may end with bytes that a later version added.
///
///    20 Join          CONTACT
///    21 ForwardJoin   ttl u8 | CONTACT
///    22 Ask           urgency u8 | CONTACT
///    23 Answer        accepted u8 | count u8 | count × CONTACT
///    24 Disconnect    count u8 | count × CONTACT
///    25 Shuffle       count u8 | count × CONTACT
///    26 ShuffleReply  count u8 | count × CONTACT
///    27 Moved         CONTACT
///
///     CONTACT  length u16 | descriptor | length u16 | certificate
#pragma once

#include "overlay/message.h"

namespace starling::overlay {

constexpr std::size_t kMaxContactCertificateBytes = 1'024; ///< as link's kMaxCertificateBytes
constexpr std::size_t kMaxContacts = 8; ///< in one message; guess: 6 KiB with certificates
constexpr std::uint8_t kMaxTimeToLive = 6; ///< HyParView section 5.1: ARWL

/// Where a node can be reached, in its own signed words, and the certificate by which its signature is
/// verified where its own has not arrived yet.
struct Contact
{
    Bytes descriptor; ///< at most kMaxDescriptorBytes
    Bytes certificate; ///< may be empty
    bool operator==(const Contact&) const = default;
};

/// "I come into the fleet through you": an Ask, and to be passed on.
struct JoinMessage
{
    Contact self;
    bool operator==(const JoinMessage&) const = default;
};

/// A walk through the overlay with a newcomer's contact.
struct ForwardJoinMessage
{
    std::uint8_t timeToLive = 0; ///< at most kMaxTimeToLive
    Contact newcomer;
    bool operator==(const ForwardJoinMessage&) const = default;
};

/// How much a node needs a neighbour.
enum class Urgency : std::uint8_t {
    Random = 0, ///< one more link into the distance
    Near = 1, ///< a better one than it has
    High = 2, ///< it has none (HyParView section 4.3: high priority)
};

/// "Be my neighbour."
struct AskMessage
{
    Urgency urgency{};
    Contact self;
    bool operator==(const AskMessage&) const = default;
};

struct AnswerMessage
{
    bool isAccepted = false;
    std::vector<Contact> others; ///< at most kMaxContacts; of an acceptance, the first is its sender's own
    bool operator==(const AnswerMessage&) const = default;
};

/// "We are neighbours no more; try these."
struct DisconnectMessage
{
    std::vector<Contact> instead; ///< at most kMaxContacts
    bool operator==(const DisconnectMessage&) const = default;
};

struct ShuffleMessage
{
    std::vector<Contact> contacts; ///< at most kMaxContacts
    bool operator==(const ShuffleMessage&) const = default;
};

struct ShuffleReplyMessage
{
    std::vector<Contact> contacts; ///< at most kMaxContacts
    bool operator==(const ShuffleReplyMessage&) const = default;
};

/// "I can be reached elsewhere from now on."
struct MovedMessage
{
    Contact self;
    bool operator==(const MovedMessage&) const = default;
};

using MembershipMessage = std::variant<JoinMessage, ForwardJoinMessage, AskMessage, AnswerMessage,
                                       DisconnectMessage, ShuffleMessage, ShuffleReplyMessage, MovedMessage>;

/// Whether `message` is for membership rather than for the overlay; it need not be valid.
bool concernsMembership(ByteView message);
/// The limits above must hold: a broken invariant otherwise.
Bytes serialize(const MembershipMessage& message);
/// Fails with UnsupportedFormat (another version, an unknown kind), Truncated, TooLarge or Malformed.
Result<MembershipMessage> parseMembership(ByteView bytes);

} // namespace starling::overlay
