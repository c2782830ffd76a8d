// SPDX-License-Identifier: Apache-2.0
#include "overlay/providers.h"
#include "overlay_network.h"

#include <QtTest>

using namespace starling;
using namespace starling::overlay;
using namespace starling::overlay::testing;
using namespace std::chrono_literals;

namespace {

const InfoHash kPayload = payloadId(77);

Provide provideBy(const Network::Node& node, bool isComplete = true, std::uint64_t sequence = 1)
{
    return {kPayload, descriptorOf(node.id, sequence), isComplete};
}

std::set<NodeId> foundBy(const Network::Node& node)
{
    std::set<NodeId> found;
    for (const ProviderFound& event : node.found)
        found.insert(event.provider.node);
    return found;
}

ProviderRecord recordOf(std::uint64_t node, std::uint64_t sequence, bool isComplete, Duration said = 0s)
{
    return {descriptorOf(nodeId(node), sequence), sequence, isComplete, Instant(said)};
}

/// The providers in the only answer among `outputs`.
std::vector<ProvidersMessage::Told> answerIn(const std::vector<Output>& outputs)
{
    for (const Output& output : outputs) {
        const auto* sent = std::get_if<SendMessage>(&output);
        const auto message = sent ? parse(sent->bytes) : fail(Errc::NotFound, "not a message");
        if (message && std::holds_alternative<ProvidersMessage>(*message))
            return std::get<ProvidersMessage>(*message).providers;
    }
    return {};
}

} // namespace

class TestOverlayProviders : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void findsProvidersOverTwoHops();
    void findsThroughWhoeverAsksToo();
    void passesOnANewProviderAtOnce();
    void reportsEachStateOfAProviderOnce();
    void asksLessAndLessOften();
    void asksANeighborThatComesUp();
    void asksNobodyWhoWasMutedBefore();
    void stopsAskingWhenNothingIsWanted();
    void providersOutliveTheirLifetimeByRepeating();
    void forgetsWhoFellSilentOrStopped();
    void hearsayGrowsOld();
    void answersWithItselfFirstAndABoundedSample();
    void tellsNobodyOfItself();
    void ignoresHearsayNobodyAskedFor();
    void refusesAHaveInAnothersName();
    void refusesABadDescriptorButNotADeniedDevice();
    void boundsItsAnswersToAFloodOfQuestions();
    void boundsWhatItPassesOn();
    void tableTakesTheNewestDescriptor();
    void tableMakesAGreedyNodeDisplaceItself();
    void tableKeepsWhatIsPinned();
    void tableBoundsTheProvidersOfAPayload();
};

void TestOverlayProviders::findsProvidersOverTwoHops()
{
    Network network(3);
    network.connect(0, 1);
    network.connect(1, 2);
    network.run(1s);
    network.input(2, provideBy(network[2]));
    network.run(1min);
    network.input(0, FindProviders{kPayload});
    network.run(2 * network.latency);
    QCOMPARE(network[0].found.size(), 1u);
    const ProviderFound& found = network[0].found[0];
    QVERIFY(found.payload == kPayload);
    QVERIFY((found.provider == Provider{network[2].id, descriptorOf(network[2].id), true}));
    network.run(5min);
    QCOMPARE(network[0].found.size(), 1u);
    QVERIFY(network[1].found.empty());
}

void TestOverlayProviders::findsThroughWhoeverAsksToo()
{
    Network network(6);
    for (std::size_t i = 0; i + 1 < 6; ++i)
        network.connect(i, i + 1);
    for (std::size_t i = 0; i < 5; ++i)
        network.input(i, FindProviders{kPayload});
    network.run(1s);
    network.input(5, provideBy(network[5]));
    network.run(5 * network.latency);
    for (std::size_t i = 0; i < 5; ++i)
        QVERIFY2(foundBy(network[i]) == std::set{network[5].id}, std::to_string(i).c_str());
}

void TestOverlayProviders::passesOnANewProviderAtOnce()
{
    Network network(3);
    network.connect(0, 1);
    network.connect(1, 2);
    network.input(0, FindProviders{kPayload});
    network.run(1s);
    QVERIFY(network[0].found.empty());
    network.input(2, provideBy(network[2], false));
    network.run(2 * network.latency);
    QCOMPARE(network[0].found.size(), 1u);
    QCOMPARE(network[0].found[0].provider.isComplete, false);
    // Long after the question nothing is passed on.
    network.input(0, StopFinding{kPayload});
    network.run(2min);
    const std::uint64_t before = network.sent(kIndexOf<ProvidersMessage>);
    network.input(2, provideBy(network[2], true));
    network.run(10s);
    QCOMPARE(network.sent(kIndexOf<ProvidersMessage>), before);
}

void TestOverlayProviders::reportsEachStateOfAProviderOnce()
{
    Network network(2);
    network.connect(0, 1);
    network.input(0, FindProviders{kPayload});
    network.input(1, provideBy(network[1], false, 1));
    network.run(5s);
    network.input(1, provideBy(network[1], true, 1));
    network.run(5s);
    network.input(1, provideBy(network[1], true, 2));
    network.run(5s);
    network.input(1, provideBy(network[1], true, 2));
    network.run(20min);
    QCOMPARE(network[0].found.size(), 3u);
    QCOMPARE(network[0].found[1].provider.isComplete, true);
    QVERIFY(network[0].found[2].provider.descriptor == descriptorOf(network[1].id, 2));
}

void TestOverlayProviders::asksLessAndLessOften()
{
    Network network(2);
    network.connect(0, 1);
    network.run(1s);
    network.input(0, FindProviders{kPayload});
    network.input(0, FindProviders{kPayload}); // said twice, asked once
    network.run(1s);
    QCOMPARE(network.sent(kIndexOf<WhoHasMessage>), 1u);
    network.run(1min); // 2, 4, 8, 16, 30 s with a quarter of jitter
    const std::uint64_t first = network.sent(kIndexOf<WhoHasMessage>);
    QVERIFY2(first >= 4 && first <= 7, std::to_string(first).c_str());
    network.run(10min);
    const std::uint64_t later = network.sent(kIndexOf<WhoHasMessage>) - first;
    QVERIFY2(later >= 15 && later <= 27, std::to_string(later).c_str());
}

void TestOverlayProviders::asksANeighborThatComesUp()
{
    Network network(2);
    network.input(0, FindProviders{kPayload});
    network.input(1, provideBy(network[1]));
    network.connect(0, 1);
    network.run(network.latency);
    QVERIFY(foundBy(network[0]) == std::set{network[1].id});
    QCOMPARE(network.sent(kIndexOf<WhoHasMessage>), 1u);
    QCOMPARE(network.sent(kIndexOf<HaveMessage>), 1u);
}

void TestOverlayProviders::asksNobodyWhoWasMutedBefore()
{
    Network network(3);
    const NeighborId hostile = network.connect(0, 1), honest = network.connect(0, 2);
    const Bytes truncated = toBytes(ByteView(serialize(WhoHasMessage{kPayload})).first(9));
    for (int i = 0; i < 1'001; ++i)
        network.input(0, MessageReceived{hostile, truncated});
    std::vector<NeighborId> asked;
    for (const Output& output : network[0].overlay->handle(FindProviders{kPayload}, network.now))
        if (const auto* sent = std::get_if<SendMessage>(&output))
            asked.push_back(sent->to);
    QVERIFY(asked == std::vector{honest});
}

void TestOverlayProviders::stopsAskingWhenNothingIsWanted()
{
    Network network(2);
    network.connect(0, 1);
    network.input(0, FindProviders{kPayload});
    network.input(0, StopFinding{kPayload});
    network.input(0, StopFinding{kPayload});
    network.run(10min);
    QCOMPARE(network.sent(kIndexOf<WhoHasMessage>), 1u);
}

void TestOverlayProviders::providersOutliveTheirLifetimeByRepeating()
{
    Network network(3);
    network.connect(0, 1);
    network.connect(0, 2);
    network.input(1, provideBy(network[1]));
    network.run(3h);
    QVERIFY(network.sent(kIndexOf<HaveMessage>) <= 1 + 3 * 60 / 5);
    network.input(2, FindProviders{kPayload});
    network.run(1s);
    QVERIFY(foundBy(network[2]) == std::set{network[1].id});
    QCOMPARE(network[0].mediator.descriptorsExamined, 1u); // the same descriptor is verified once
}

void TestOverlayProviders::forgetsWhoFellSilentOrStopped()
{
    Network network(4);
    network.connect(0, 1);
    network.connect(0, 2);
    network.connect(0, 3);
    network.input(1, provideBy(network[1]));
    network.input(2, provideBy(network[2]));
    network.run(1s);
    network.input(2, StopProviding{kPayload});
    network.run(1s);
    network.input(3, FindProviders{kPayload});
    network.run(1s);
    QVERIFY(foundBy(network[3]) == std::set{network[1].id});
    network.disconnect(0, 1);
    network.input(3, StopFinding{kPayload});
    network.run(16min);
    network[3].found.clear();
    network.input(3, FindProviders{kPayload});
    network.run(1min);
    QVERIFY(network[3].found.empty());
}

void TestOverlayProviders::hearsayGrowsOld()
{
    // Nodes 0 to 2 all ask each other for as long as they like: what they heard of node 3 ends all the same.
    Network network(4);
    network.connect(0, 1);
    network.connect(1, 2);
    network.connect(2, 0);
    network.connect(2, 3);
    for (std::size_t i = 0; i < 3; ++i)
        network.input(i, FindProviders{kPayload});
    network.input(3, provideBy(network[3]));
    network.run(1min);
    network.disconnect(2, 3);
    network.run(16min);
    for (std::size_t i = 0; i < 3; ++i)
        network[i].found.clear();
    network.input(0, StopFinding{kPayload});
    network.input(0, FindProviders{kPayload});
    network.run(5min);
    QVERIFY(network[0].found.empty() && network[1].found.empty() && network[2].found.empty());
}

void TestOverlayProviders::answersWithItselfFirstAndABoundedSample()
{
    Network network(100);
    for (std::size_t i = 1; i < 100; ++i)
        network.connect(0, i);
    for (std::size_t i = 0; i < 99; ++i)
        network.input(i, provideBy(network[i]));
    network.run(1s);
    const NeighborId asker = network[0].links.rbegin()->first;
    const Bytes question = serialize(WhoHasMessage{kPayload});
    std::set<Bytes> all;
    for (int i = 0; i < 20; ++i) {
        const auto told = answerIn(network[0].overlay->handle(MessageReceived{asker, question}, network.now));
        QCOMPARE(told.size(), 32u);
        QVERIFY(told[0].descriptor == descriptorOf(network[0].id));
        std::set<Bytes> distinct;
        for (const auto& provider : told)
            distinct.insert(provider.descriptor);
        QCOMPARE(distinct.size(), 32u);
        all.merge(distinct);
    }
    QVERIFY(all.size() > 90); // every answer is another sample
}

void TestOverlayProviders::tellsNobodyOfItself()
{
    Network network(3);
    network.connect(0, 1);
    network.connect(1, 2);
    network.input(0, provideBy(network[0], false));
    network.input(0, FindProviders{kPayload});
    network.input(2, FindProviders{kPayload});
    network.run(1min);
    QVERIFY(network[0].found.empty());
    QVERIFY(foundBy(network[2]) == std::set{network[0].id});
    // Nobody knows anything but what the asker said itself: silence is the answer.
    QVERIFY(network[1].found.empty());
}

void TestOverlayProviders::ignoresHearsayNobodyAskedFor()
{
    Network network(2);
    const NeighborId neighbor = network.connect(0, 1);
    ProvidersMessage hearsay{kPayload, {{true, 0, descriptorOf(nodeId(50))}}};
    network.inject(0, neighbor, hearsay);
    QCOMPARE(network[0].mediator.descriptorsExamined, 0u);
    network.input(0, FindProviders{kPayload});
    QVERIFY(network[0].found.empty());
    hearsay.providers[0].ageSeconds = 600;
    network.inject(0, neighbor, hearsay); // a lifetime old
    QVERIFY(network[0].found.empty());
    hearsay.providers[0].ageSeconds = 599;
    network.inject(0, neighbor, hearsay);
    QVERIFY(foundBy(network[0]) == std::set{nodeId(50)});
}

void TestOverlayProviders::refusesAHaveInAnothersName()
{
    Network network(2);
    const NeighborId neighbor = network.connect(0, 1);
    network.input(0, FindProviders{kPayload});
    network.inject(0, neighbor, HaveMessage{kPayload, true, descriptorOf(nodeId(50))});
    QVERIFY(network[0].found.empty());
    QCOMPARE(network[0].refused.size(), 1u);
    QCOMPARE(network[0].overlay->neighbors().at(neighbor).refused, 1u);
}

void TestOverlayProviders::refusesABadDescriptorButNotADeniedDevice()
{
    Network network(2);
    const NeighborId neighbor = network.connect(0, 1);
    network.input(0, FindProviders{kPayload});
    const Bytes forged = descriptorOf(network[1].id, 1, Seal::Forged);
    const Bytes denied = descriptorOf(network[1].id, 1, Seal::Denied);
    network.inject(0, neighbor, HaveMessage{kPayload, true, denied});
    network.inject(0, neighbor, ProvidersMessage{kPayload, {{true, 0, denied}}});
    QVERIFY(network[0].refused.empty());
    network.inject(0, neighbor, HaveMessage{kPayload, true, forged});
    network.inject(0, neighbor, ProvidersMessage{kPayload, {{true, 0, forged}, {true, 0, forged}}});
    QCOMPARE(network[0].refused.size(), 2u);
    QCOMPARE(network[0].refused[0].error.code, Errc::BadSignature);
    QVERIFY(network[0].found.empty());
}

void TestOverlayProviders::boundsItsAnswersToAFloodOfQuestions()
{
    Network network(2);
    const NeighborId hostile = network.connect(0, 1);
    network.isLost = [](std::size_t, std::size_t) { return true; };
    network.input(0, provideBy(network[0]));
    network.traffic = {};
    for (int i = 0; i < 100'000; ++i)
        network.inject(0, hostile, WhoHasMessage{kPayload});
    QVERIFY(network.traffic.bytes > 100'000);
    QVERIFY2(network.traffic.bytes < 2'200'000, std::to_string(network.traffic.bytes).c_str());
    network.run(1min);
    const auto told = answerIn(network[0].overlay->handle(
        MessageReceived{hostile, serialize(WhoHasMessage{kPayload})}, network.now));
    QCOMPARE(told.size(), 1u);
}

void TestOverlayProviders::boundsWhatItPassesOn()
{
    Network network(3);
    const NeighborId hostile = network.connect(0, 1);
    network.connect(0, 2);
    network.input(2, FindProviders{kPayload});
    network.run(1s);
    network.traffic = {};
    for (int i = 0; i < 1'000; ++i)
        network.inject(0, hostile, HaveMessage{kPayload, i % 2 == 0, descriptorOf(network[1].id)});
    QCOMPARE(network.sent(kIndexOf<ProvidersMessage>), 32u);
}

void TestOverlayProviders::tableTakesTheNewestDescriptor()
{
    using Source = ProviderTable::Source;
    ProviderTable table{Config()};
    const NodeId node = nodeId(1);
    QVERIFY(table.put(kPayload, node, recordOf(1, 5, false), Source::Hearsay));
    QVERIFY(!table.put(kPayload, node, recordOf(1, 5, false, 1s), Source::Itself));
    QVERIFY(!table.put(kPayload, node, recordOf(1, 4, true, 2s), Source::Hearsay)); // old hearsay
    QVERIFY(!table.of(kPayload).at(node).isComplete);
    QVERIFY(table.put(kPayload, node, recordOf(1, 4, true, 3s), Source::Itself)); // its own word counts
    QCOMPARE(table.of(kPayload).at(node).sequence, 5u);
    QVERIFY(!table.put(kPayload, node, recordOf(1, 5, false, 4s), Source::Hearsay)); // takes nothing away
    QVERIFY(table.of(kPayload).at(node).isComplete);
    QVERIFY(table.put(kPayload, node, recordOf(1, 6, true, 5s), Source::Hearsay));
    QVERIFY(table.of(kPayload).at(node).descriptor == descriptorOf(node, 6));
    table.expire(Instant(5s + Config().providerLifetime - 1ns));
    QVERIFY(!table.isEmpty());
    table.expire(Instant(5s + Config().providerLifetime));
    QVERIFY(table.isEmpty());
}

void TestOverlayProviders::tableMakesAGreedyNodeDisplaceItself()
{
    using Source = ProviderTable::Source;
    Config config;
    config.maxPayloads = 20;
    ProviderTable table(config);
    for (std::uint64_t i = 0; i < 5; ++i)
        QVERIFY(table.put(payloadId(i), nodeId(10 + i), recordOf(10 + i, 1, true), Source::Itself));
    for (std::uint64_t i = 100; i < 1'100; ++i)
        QVERIFY(table.put(payloadId(i), nodeId(1), recordOf(1, 1, true, Duration(i)), Source::Itself));
    QCOMPARE(table.payloads(), 20u);
    for (std::uint64_t i = 0; i < 5; ++i)
        QCOMPARE(table.of(payloadId(i)).size(), 1u);
    QVERIFY(table.of(payloadId(100)).empty());
    QCOMPARE(table.of(payloadId(1'099)).size(), 1u);
}

void TestOverlayProviders::tableKeepsWhatIsPinned()
{
    using Source = ProviderTable::Source;
    Config config;
    config.maxPayloads = 2;
    ProviderTable table(config);
    for (std::uint64_t i = 0; i < 2; ++i) {
        table.pin(payloadId(i));
        QVERIFY(table.put(payloadId(i), nodeId(1), recordOf(1, 1, true), Source::Itself));
    }
    QVERIFY(!table.put(payloadId(2), nodeId(2), recordOf(2, 1, true), Source::Itself));
    table.unpin(payloadId(0));
    QVERIFY(table.put(payloadId(2), nodeId(2), recordOf(2, 1, true), Source::Itself));
    QVERIFY(table.of(payloadId(0)).empty());
    QVERIFY(!table.of(payloadId(1)).empty());
}

void TestOverlayProviders::tableBoundsTheProvidersOfAPayload()
{
    using Source = ProviderTable::Source;
    ProviderTable table{Config()};
    for (std::uint64_t i = 0; i < 1'000; ++i)
        QVERIFY(table.put(kPayload, nodeId(i), recordOf(i, 1, true, Duration(1'000 + i)), Source::Hearsay));
    QCOMPARE(table.of(kPayload).size(), Config().maxProvidersPerPayload);
    QVERIFY(table.of(kPayload).contains(nodeId(999)));
    QVERIFY(!table.put(kPayload, nodeId(5'000), recordOf(5'000, 1, true, Duration(1)), Source::Hearsay));
}

QTEST_GUILESS_MAIN(TestOverlayProviders)
#include "tst_overlay_providers.moc"
