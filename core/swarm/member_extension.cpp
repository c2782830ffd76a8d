// SPDX-License-Identifier: Apache-2.0
#include "swarm/member_extension_lt.h"

#include "crypto/sha256.h"
#include "swarm/endpoint_lt.h"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_connection_interface.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/time.hpp>

#include <array>
#include <optional>
#include <utility>

namespace starling::swarm {

namespace {

constexpr char kName[] = "st_member";
constexpr int kExtendedMessage = 20; ///< BEP 10
constexpr std::uint8_t kInterested = 2, kNotInterested = 3; ///< BEP 3
constexpr int kOurNumber = 22; ///< of st_member in messages to us; 1 to 8 are libtorrent's own
constexpr std::byte kVersion{1};
constexpr std::size_t kChallengeBytes = 32;
constexpr std::size_t kProofBytes = 1 + sizeof(crypto::Signature);

ByteView viewOfChars(lt::span<const char> chars)
{
    return {reinterpret_cast<const std::byte*>(chars.data()), static_cast<std::size_t>(chars.size())};
}

std::string textOf(ByteView bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What the connections of one torrent share; libtorrent's thread only.
struct Holding
{
    bool isComplete = false; ///< we have all of it
};

/// One connection, from its handshake to its end; libtorrent's thread only.
class PeerExtension final : public lt::peer_plugin
{
public:
    PeerExtension(std::shared_ptr<MemberContext> context, const InfoHash& payload,
                  std::shared_ptr<const lt::torrent_info> info, std::shared_ptr<const Holding> holding,
                  const lt::peer_connection_handle& peer)
        : m_context(std::move(context))
        , m_payload(payload)
        , m_info(std::move(info))
        , m_holding(std::move(holding))
        , m_peer(peer)
        , m_endpoint(fromLibtorrent(peer.remote()))
        , m_challenge(kChallengeBytes)
        , m_since(lt::clock_type::now())
    {
        crypto::SystemRandom().fill(m_challenge);
        if (m_context->admission == Admission::Open)
            m_account = m_context->ledger.account(m_payload, NodeId(), m_endpoint);
    }

    lt::string_view type() const override { return kName; }

    void add_handshake(lt::entry& handshake) override
    {
        if (!m_context->proof)
            return;
        handshake["m"][kName] = kOurNumber;
        auto& ours = handshake[kName];
        ours["c"] = textOf(m_context->certificate);
        ours["n"] = textOf(m_challenge);
    }

    bool on_handshake(lt::span<const char> reserved) override
    {
        const bool speaksExtensions = (static_cast<unsigned char>(reserved[5]) & 0x10) != 0; // BEP 10
        if (!speaksExtensions)
            refuse({Errc::NotAdmitted, "the peer speaks no extensions, so it cannot prove membership"});
        return true;
    }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        if (m_theirs) // once proven or challenged, a second handshake changes nothing
            return true;
        if (auto read = readHandshake(handshake); !read)
            refuse(std::move(read.error()));
        return true;
    }

    bool on_extended(int length, int number, lt::span<const char> body) override
    {
        if (number != kOurNumber)
            return false;
        if (length != static_cast<int>(kProofBytes)) {
            refuse({Errc::Malformed, "a proof of " + std::to_string(length) + " bytes"});
            return true;
        }
        if (body.size() < length)
            return true; // the rest is still on its way
        if (auto verified = verifyProof(viewOfChars(body)); !verified)
            refuse(std::move(verified.error()));
        return true;
    }

    // true: libtorrent is not to look at it
    bool on_interested() override { return isBlocked(); }
    bool on_unchoke() override
    {
        if (isBlocked() || mayAsk())
            return isBlocked();
        m_hasUnheard = true;
        return true;
    }
    bool on_allowed_fast(lt::piece_index_t) override { return isBlocked() || !mayAsk(); }
    bool on_suggest(lt::piece_index_t) override { return isBlocked(); }
    bool on_request(const lt::peer_request&) override { return isBlocked(); }
    bool on_piece(const lt::peer_request& request, lt::span<const char>) override
    {
        if (isBlocked())
            return true;
        m_account->bytesFrom.fetch_add(payloadBytesOf(request), std::memory_order_relaxed);
        return false;
    }

    void sent_piece(const lt::peer_request& request) override
    {
        if (m_account)
            m_account->bytesTo.fetch_add(payloadBytesOf(request), std::memory_order_relaxed);
    }

    void tick() override
    {
        if (isBlocked() && lt::clock_type::now() - m_since > m_context->admissionTimeout)
            refuse({Errc::NotAdmitted, "no proof of membership in time"});
        if (!isBlocked())
            followGate();
        leaveIfDone();
        if (m_node.isZero() || !m_account)
            return;
        if (auto still = m_context->proof->stillAdmits(m_node); !still) {
            m_account.reset();
            refuse(std::move(still.error()));
        }
    }

    void on_disconnect(const lt::error_code& why) override
    {
        if (why != lt::errors::too_many_corrupt_pieces)
            return;
        if (!m_node.isZero())
            m_context->ledger.ban(m_payload, m_node);
        m_context->ledger.refuse(
            m_endpoint, {Errc::PayloadMismatch, "peer " + m_node.shortHex() + " sent corrupt pieces"});
    }

private:
    struct Theirs
    {
        Bytes certificate;
        Bytes challenge;
    };

    bool isBlocked() const { return !m_account; }
    bool mayAsk() const { return m_context->gate.mayAsk(m_payload, m_node); }

    /// libtorrent thinks of itself as interested all the time; what it asked for comes back as choked.
    void followGate()
    {
        const bool isAsked = mayAsk();
        const bool isLate = isAsked && std::exchange(m_hasUnheard, false);
        if (std::exchange(m_isAsked, isAsked) == isAsked && !isLate)
            return;
        // Before INTERESTED, too: after an unchoke that was not heard, this brings another one.
        sendPlain(kNotInterested);
        if (isAsked && m_peer.is_interesting())
            sendPlain(kInterested);
    }

    /// Two that both have everything have nothing to say to each other. libtorrent would see to it, too, but
    /// by what it thinks of interest at that moment: whoever fetches one piece behind us is cut off when we
    /// have the last one, and comes back seconds later (session_settings.cpp).
    void leaveIfDone()
    {
        if (m_holding->isComplete && m_peer.is_seed() && !m_peer.is_disconnecting())
            m_peer.disconnect(lt::errors::torrent_finished, lt::operation_t::bittorrent);
    }

    void sendPlain(std::uint8_t message)
    {
        const std::array<char, 5> bytes{0, 0, 0, 1, static_cast<char>(message)};
        m_peer.send_buffer(bytes.data(), static_cast<int>(bytes.size()));
    }

    /// libtorrent asks for whole blocks: what follows the end of a file is padding, not payload.
    std::uint64_t payloadBytesOf(const lt::peer_request& request) const
    {
        const int inFile = m_info->files().piece_size2(request.piece) - request.start;
        return static_cast<std::uint64_t>(std::clamp(inFile, 0, request.length));
    }

    /// In an open swarm whoever fails to prove membership is a stranger, and strangers are served.
    void refuse(Error error)
    {
        if (m_account || m_isRefused)
            return;
        m_isRefused = true;
        m_context->ledger.refuse(m_endpoint, std::move(error));
        m_peer.disconnect(lt::errors::make_error_code(lt::errors::peer_banned), lt::operation_t::bittorrent,
                          lt::peer_connection_interface::peer_error);
    }

    Status readHandshake(const lt::bdecode_node& handshake)
    {
        const auto numbers = handshake.dict_find_dict("m");
        const auto number = numbers ? numbers.dict_find_int_value(kName, 0) : 0;
        const auto theirs = handshake.dict_find_dict(kName);
        if (number == 0 || !theirs)
            return fail(Errc::NotAdmitted, "the peer offers no proof of membership");
        const auto certificate = theirs.dict_find_string_value("c");
        const auto challenge = theirs.dict_find_string_value("n");
        if (number < 1 || number > 255 || certificate.empty() || certificate.size() > kMaxCertificateBytes
            || challenge.size() != kChallengeBytes)
            return fail(Errc::Malformed, "the peer's membership handshake");
        if (!m_context->proof)
            return {};
        Theirs read{toBytes(viewOfChars(certificate)), toBytes(viewOfChars(challenge))};
        if (read.certificate == m_context->certificate || read.challenge == m_challenge)
            return fail(Errc::NotAdmitted, "the peer shows our own certificate or challenge");
        m_theirs = std::move(read);
        sendProof(static_cast<std::uint8_t>(number));
        return {};
    }

    void sendProof(std::uint8_t number)
    {
        const auto signature = m_context->proof->prove(proofMessage(
            m_payload, {m_context->certificate, m_challenge}, {m_theirs->certificate, m_theirs->challenge}));
        ByteWriter writer;
        writer.u32(static_cast<std::uint32_t>(2 + kProofBytes));
        writer.u8(kExtendedMessage);
        writer.u8(number);
        writer.u8(std::to_integer<std::uint8_t>(kVersion));
        writer.raw(signature);
        const auto message = writer.take();
        m_peer.send_buffer(reinterpret_cast<const char*>(message.data()), static_cast<int>(message.size()));
    }

    Status verifyProof(ByteView body)
    {
        if (!m_node.isZero())
            return {}; // proven already
        if (!m_theirs)
            return fail(Errc::NotAdmitted, "a proof without a handshake");
        if (body[0] != kVersion)
            return fail(Errc::UnsupportedFormat, "a proof of an unknown version");
        crypto::Signature signature;
        std::copy_n(body.begin() + 1, signature.size(), signature.begin());
        const auto message = proofMessage(m_payload, {m_theirs->certificate, m_theirs->challenge},
                                          {m_context->certificate, m_challenge});
        auto node = m_context->proof->verify(m_theirs->certificate, message, signature);
        if (!node)
            return fail(std::move(node.error()), "the peer's proof of membership");
        if (m_context->ledger.isBanned(m_payload, *node))
            return fail(Errc::PayloadMismatch, "peer " + node->shortHex() + " sent corrupt pieces before");
        m_node = *node;
        m_account = m_context->ledger.account(m_payload, m_node, m_endpoint);
        return {};
    }

    const std::shared_ptr<MemberContext> m_context;
    const InfoHash m_payload;
    const std::shared_ptr<const lt::torrent_info> m_info;
    const std::shared_ptr<const Holding> m_holding;
    lt::peer_connection_handle m_peer;
    const Endpoint m_endpoint;
    Bytes m_challenge;
    const lt::time_point m_since;
    std::optional<Theirs> m_theirs; ///< set once the peer's handshake is read
    NodeId m_node; ///< zero until proven
    std::shared_ptr<PeerAccount> m_account; ///< null while the peer may not exchange payload
    bool m_isRefused = false;
    bool m_isAsked = true; ///< as far as the peer was told
    bool m_hasUnheard = false; ///< an unchoke came while it was not to be asked
};

class TorrentExtension final : public lt::torrent_plugin
{
public:
    TorrentExtension(std::shared_ptr<MemberContext> context, const InfoHash& payload,
                     std::shared_ptr<const lt::torrent_info> info)
        : m_context(std::move(context))
        , m_payload(payload)
        , m_info(std::move(info))
    {
    }

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& peer) override
    {
        return std::make_shared<PeerExtension>(m_context, m_payload, m_info, m_holding, peer);
    }

    void on_state(lt::torrent_status::state_t state) override
    {
        m_holding->isComplete = state == lt::torrent_status::seeding;
    }

private:
    const std::shared_ptr<MemberContext> m_context;
    const InfoHash m_payload;
    const std::shared_ptr<const lt::torrent_info> m_info;
    const std::shared_ptr<Holding> m_holding = std::make_shared<Holding>();
};

} // namespace

Bytes proofMessage(const InfoHash& payload, const PeerTranscript& signer, const PeerTranscript& verifier)
{
    crypto::Sha256 transcript;
    transcript.update(crypto::sha256(signer.certificate).bytes());
    transcript.update(crypto::sha256(verifier.certificate).bytes());
    transcript.update(signer.challenge);
    transcript.update(verifier.challenge);

    Bytes message = toBytes("starling/1/peer");
    message.resize(32);
    append(message, payload.bytes());
    append(message, transcript.finish().bytes());
    return message;
}

std::shared_ptr<lt::torrent_plugin> makeMemberExtension(std::shared_ptr<MemberContext> context,
                                                        InfoHash payload,
                                                        std::shared_ptr<const lt::torrent_info> info)
{
    return std::make_shared<TorrentExtension>(std::move(context), payload, std::move(info));
}

} // namespace starling::swarm
