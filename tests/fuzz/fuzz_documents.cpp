// SPDX-License-Identifier: Apache-2.0
/// Certificates, receipts, descriptors, deny lists, withdrawals, subscriptions and pulses: what parses is
/// written again as it came, unknown keys apart.
#include "base/assert.h"
#include "covers.h"
#include "fuzz.h"
#include "trust/deny_list.h"
#include "trust/documents.h"
#include "trust/subscription.h"
#include "trust/withdrawal.h"

using namespace starling;

namespace {

template <class Document> void attempt(ByteView input)
{
    const auto document = Document::parse(input);
    if (!document)
        return;
    const Bytes again = document->serialize();
    STARLING_ASSERT(*Document::parse(again) == *document);
    STARLING_ASSERT(covers(*bencode::decode(input), *bencode::decode(again)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    attempt<trust::Certificate>(input);
    attempt<trust::Receipt>(input);
    attempt<trust::Descriptor>(input);
    attempt<trust::DenyList>(input);
    attempt<trust::Subscription>(input);
    attempt<trust::Pulse>(input);
    attempt<trust::Withdrawal>(input);
    return 0;
}

std::vector<Bytes> seeds()
{
    trust::Pulse pulse{NodeId(), 4, true, trust::ReceiptAsk{3, 20}};
    pulse.ask->uri = *ResourceUri::parse("fw/a");
    pulse.ask->revision = trust::Revision{1, 7};
    pulse.ask->phase = trust::Phase::Failed;
    pulse.ask->site = "B";
    pulse.ask->device = NodeId();

    trust::Certificate certificate;
    certificate.name = "gateway-7";
    certificate.labels = {{"arch", "arm64"}, {"site", "B"}};
    certificate.notAfter = 1'900'000'000;

    trust::Receipt receipt;
    receipt.sequence = 1'024;
    receipt.entries.push_back(
        {*ResourceUri::parse("fw/a"), {0, 2}, InfoHash(), trust::Phase::Healthy, 0, ""});
    receipt.entries.push_back(
        {*ResourceUri::parse("os/b"), {1, 7}, InfoHash(), trust::Phase::Failed, 401, "exit status 3"});
    receipt.alarms = {{"rollback", 2}, {"signature", 5}};

    trust::Descriptor descriptor;
    descriptor.sequence = 9;
    descriptor.addresses = {Endpoint::ipv4(127, 0, 0, 1, 7001)};
    descriptor.swarmPort = 6881;
    trust::DenyList denied;
    denied.nodes = {*NodeId::fromBytes(Bytes(32, std::byte(1))), *NodeId::fromBytes(Bytes(32, std::byte(2)))};
    const trust::Subscription subscription{NodeId(), ResourceUri::parse("fw").value(), 3, 1'900'000'000,
                                           10'000};
    const trust::Pulse bare{NodeId(), 17};
    const trust::Withdrawal withdrawal{*ResourceUri::parse("fw/a"), {1, 7}, InfoHash()};
    return {certificate.serialize(), receipt.serialize(), descriptor.serialize(), subscription.serialize(),
            pulse.serialize(),       denied.serialize(),  withdrawal.serialize(), bare.serialize()};
}
