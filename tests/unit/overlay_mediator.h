// SPDX-License-Identifier: Apache-2.0
/// What the overlay's tests put on boards: notices and descriptors of a few fields, and a mediator that keeps
/// a map and "verifies" by their first byte.
#pragma once

#include "crypto/sha256.h"
#include "overlay/message.h"
#include "overlay_sums.h"

#include <set>

namespace starling::overlay::testing {

constexpr std::uint8_t kRootKind = 1, kCertificateKind = 2, kReleaseKind = 3, kReceiptKind = 4,
                       kUrgentKind = 10;

/// WantsRoot: genuine for whoever holds the root whose number is the body.
enum class Seal : std::uint8_t { Genuine = 1, Forged = 2, NotAdmitted = 3, WantsRoot = 4, Denied = 5 };

struct TestNotice
{
    NoticeKey key;
    std::uint64_t rank = 1;
    std::string body;
    Seal seal = Seal::Genuine;

    Bytes serialize() const
    {
        ByteWriter writer;
        writer.u8(static_cast<std::uint8_t>(seal));
        writer.u8(key.kind);
        writer.u64(rank);
        writer.sized(viewOf(key.name));
        writer.sized(viewOf(body));
        return writer.take();
    }
    static std::optional<TestNotice> parse(ByteView bytes)
    {
        ByteReader reader(bytes);
        TestNotice notice;
        notice.seal = static_cast<Seal>(reader.u8());
        notice.key.kind = reader.u8();
        notice.rank = reader.u64();
        notice.key.name = toText(reader.sized(kMaxNameBytes));
        notice.body = toText(reader.sized(kMaxMessageBytes));
        return reader.isGood() && reader.rest().empty() ? std::optional(notice) : std::nullopt;
    }
    Head head() const { return {key, {0, rank}, *NoticeId::fromBytes(crypto::sha256(serialize()).bytes())}; }
};

inline NodeId nodeId(std::uint64_t number)
{
    ByteWriter writer;
    writer.u64(number);
    writer.raw(Bytes(24));
    return *NodeId::fromBytes(writer.take());
}

inline InfoHash payloadId(std::uint64_t number)
{
    return *InfoHash::fromBytes(nodeId(number).bytes());
}

inline Bytes descriptorOf(const NodeId& node, std::uint64_t sequence = 1, Seal seal = Seal::Genuine)
{
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(seal));
    writer.raw(node.bytes());
    writer.u64(sequence);
    return writer.take();
}

constexpr std::size_t kDescriptorBytes = 41;

inline Bytes pulseOf(const NodeId& observer, std::uint64_t number, Seal seal = Seal::Genuine)
{
    return descriptorOf(observer, number, seal);
}

/// Of an observer that wants sums.
inline Bytes sumsPulseOf(const NodeId& observer, std::uint64_t number, const std::optional<Ask>& ask = {})
{
    Bytes pulse = pulseOf(observer, number);
    append(pulse, wantsOf(true, ask));
    return pulse;
}

inline Bytes receiptOf(const NodeId& device, std::uint64_t sequence, Seal seal = Seal::Genuine)
{
    return descriptorOf(device, sequence, seal);
}

inline Bytes receiptOf(const NodeId& device, std::uint64_t sequence, const std::vector<TallyKey>& keys)
{
    Bytes receipt = receiptOf(device, sequence);
    append(receipt, keysOf(keys));
    return receipt;
}

class TestMediator final : public Mediator
{
public:
    /// Puts a notice on the board without a word to the overlay.
    void hold(const TestNotice& notice) { board[notice.key] = notice; }
    Opinion examine(ByteView bytes) override
    {
        ++examined;
        const auto notice = TestNotice::parse(bytes);
        if (!notice)
            return {Verdict::Refused, {}, Error{Errc::Malformed, "notice"}};
        if (notice->seal == Seal::WantsRoot && roots < std::stoull(notice->body))
            return {Verdict::Refused, {}, Error{Errc::UnknownKey, notice->key.name}};
        if (notice->seal != Seal::Genuine && notice->seal != Seal::WantsRoot)
            return {Verdict::Refused, {}, Error{Errc::BadSignature, notice->key.name}};
        if (notice->key.kind == kRootKind)
            return examineRoot(*notice);
        if (notice->key.kind == kReceiptKind && !board.contains({kCertificateKind, notice->key.name}))
            return {Verdict::Refused, {}, Error{Errc::NotAdmitted, notice->key.name}};
        const auto held = board.find(notice->key);
        if (held != board.end() && held->second.rank == notice->rank && held->second.body != notice->body)
            return {Verdict::Refused, {}, Error{Errc::Equivocation, notice->key.name}};
        if (held != board.end() && held->second.rank >= notice->rank)
            return {Verdict::Known, notice->head(), {}};
        hold(*notice);
        return {Verdict::Taken, notice->head(), {}};
    }
    static TestNotice rootNotice(std::uint64_t number) { return {{kRootKind, "root"}, number, {}}; }
    /// Holds root `number`, and all before it.
    void holdRoot(std::uint64_t number)
    {
        roots = number;
        hold(rootNotice(number));
    }
    std::uint64_t rootNumber() const override { return roots; }
    Bytes root(std::uint64_t number) const override
    {
        return number >= 1 && number <= roots ? rootNotice(number).serialize() : Bytes();
    }
    KeyRange urgentRange() const override { return {{kUrgentKind, {}}, NoticeKey{kUrgentKind + 1, {}}}; }
    bool isForRestricted(ByteView bytes) const override
    {
        const auto notice = TestNotice::parse(bytes);
        return notice && (notice->key.kind == kRootKind || notice->key.kind == kUrgentKind);
    }
    void excuse(const Error&) override { ++excused; }
    std::vector<Head> heads() const override
    {
        std::vector<Head> all;
        for (const auto& [key, notice] : board)
            all.push_back(notice.head());
        return all;
    }
    Bytes notice(const NoticeKey& key) const override
    {
        const auto held = board.find(key);
        return held == board.end() ? Bytes() : held->second.serialize();
    }
    Result<DescriptorInfo> examineDescriptor(ByteView descriptor) const override
    {
        ++descriptorsExamined;
        ByteReader reader(descriptor);
        const auto seal = static_cast<Seal>(reader.u8());
        const auto node = NodeId::fromBytes(reader.raw(32));
        const std::uint64_t sequence = reader.u64();
        if (!reader.isGood())
            return fail(Errc::Truncated, "descriptor");
        if (seal != Seal::Genuine)
            return fail(seal == Seal::Denied ? Errc::Denied : Errc::BadSignature, "descriptor");
        return DescriptorInfo{*node, sequence};
    }

    Result<PulseInfo> examinePulse(ByteView pulse) const override
    {
        ++pulsesExamined;
        const auto info = examineDescriptor(pulse);
        if (!info)
            return tl::unexpected(info.error());
        if (!isObserver(info->node))
            return fail(Errc::NotAdmitted, "pulse");
        PulseInfo told{info->node, info->sequence};
        ByteReader reader(pulse.subspan(kDescriptorBytes));
        readWants(reader, told);
        return told;
    }
    Result<ReceiptInfo> examineReceipt(ByteView receipt) const override
    {
        const auto info = examineDescriptor(receipt);
        if (!info)
            return tl::unexpected(info.error());
        return ReceiptInfo{info->node, info->sequence};
    }
    Result<NodeId> examineRequest(ByteView request) const override
    {
        ++requestsExamined;
        const auto info = examineDescriptor(request);
        return info ? Result<NodeId>(info->node) : tl::unexpected(info.error());
    }
    Result<NodeId> examineGrant(ByteView certificate) const override { return examineRequest(certificate); }
    std::optional<std::vector<TallyKey>> tallyOf(const NodeId& observer, ByteView receipt) const override
    {
        if (!examineReceipt(receipt) || !isWantedBy(observer, receipt))
            return std::nullopt;
        ByteReader reader(receipt.subspan(kDescriptorBytes));
        return readKeys(reader);
    }
    bool isObserver(const NodeId& node) const override { return observers.contains(node); }
    bool isWantedBy(const NodeId& observer, ByteView) const override { return !unwanted.contains(observer); }

    std::set<NodeId> observers; ///< whose subscriptions are held
    std::set<NodeId> unwanted; ///< those that our own receipts do not concern
    mutable std::uint64_t pulsesExamined = 0;
    mutable std::uint64_t requestsExamined = 0; ///< and grants
    std::map<NoticeKey, TestNotice> board;
    std::uint64_t examined = 0;
    std::uint64_t excused = 0;
    std::uint64_t roots = 0; ///< the number of the newest
    mutable std::uint64_t descriptorsExamined = 0;

private:
    Opinion examineRoot(const TestNotice& notice)
    {
        if (notice.rank > roots + 1)
            return {Verdict::Refused, {}, Error{Errc::RootGap, notice.key.name}};
        if (notice.rank <= roots)
            return {Verdict::Known, notice.head(), {}};
        holdRoot(notice.rank);
        return {Verdict::Taken, notice.head(), {}};
    }
};

} // namespace starling::overlay::testing
