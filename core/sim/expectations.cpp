// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

namespace starling::sim {

namespace {

std::string percentText(std::size_t part, std::size_t whole)
{
    std::array<char, 32> text{};
    const double percent = whole == 0 ? 100 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    std::snprintf(text.data(), text.size(), "%.2f%%", percent);
    return std::string(text.data()) + " (" + std::to_string(part) + " of " + std::to_string(whole) + ")";
}

/// How often, and over what time before their deadline, boards are looked at: now and then a receipt is on
/// its way, and one moment at which all are equal is enough.
constexpr std::uint64_t kLooks = 20;
constexpr Duration kBetweenLooks = std::chrono::milliseconds(100);

/// Of sorted values: the smallest one that `share` of them do not exceed.
Duration percentile(const std::vector<Duration>& sorted, double share)
{
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()) + 0.999999);
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

using Time = std::optional<Duration>;

/// The median, the 99th percentile and the last one; nothing of nothing.
std::tuple<Time, Time, Time> percentiles(std::vector<Duration> times)
{
    if (times.empty())
        return {};
    std::sort(times.begin(), times.end());
    return {percentile(times, 0.5), percentile(times, 0.99), times.back()};
}

double ratio(std::uint64_t part, std::uint64_t whole)
{
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

} // namespace

bool Outcome::holds() const
{
    return mishaps.empty()
        && std::all_of(judgements.begin(), judgements.end(), [](const Judgement& j) { return j.holds; });
}

bool Simulation::areBoardsEqual() const
{
    const Node* first = nullptr;
    for (const auto& node : m_world->nodes) {
        if (!node->isUp() || !node->isHonest())
            continue;
        if (first == nullptr)
            first = node.get();
        else if (node->replica().heads() != first->replica().heads())
            return false;
    }
    return true;
}

/// Boards are looked at so long after the last action; releases are when they are published.
void Simulation::scheduleEvaluations()
{
    const Scenario& scenario = m_world->scenario;
    const Duration last = scenario.timeline.empty() ? Duration{} : scenario.timeline.back().at;
    for (std::size_t i = 0; i < scenario.expectations.size(); ++i) {
        if (scenario.expectations[i].what != Expectation::What::BoardsEqual)
            continue;
        for (std::uint64_t left = 0; left < kLooks; ++left) {
            const Duration at = last + scenario.expectations[i].within - left * kBetweenLooks;
            if (at >= last)
                m_world->queue.push(Instant(at), {Event::What::Evaluation, 0, 0, 0, i, left, {}});
        }
    }
}

void Simulation::schedulePublished()
{
    const auto& expectations = m_world->scenario.expectations;
    for (; m_evaluated < m_world->books.publications.size(); ++m_evaluated)
        for (std::size_t i = 0; i < expectations.size(); ++i)
            if (expectations[i].what == Expectation::What::Delivered
                || expectations[i].what == Expectation::What::Fetched
                || expectations[i].what == Expectation::What::Reported
                || expectations[i].what == Expectation::What::Hinted)
                m_world->queue.push(m_world->now + expectations[i].within,
                                    {Event::What::Evaluation, 0, 0, 0, i, m_evaluated, {}});
}

/// A newer release may have taken the place of this one, and of its payload.
bool Simulation::isReached(Expectation::What what, NodeIndex index, const Publication& publication) const
{
    const Node& node = *m_world->nodes[index];
    if (what == Expectation::What::Delivered)
        return node.version() >= publication.version;
    if (what == Expectation::What::Fetched)
        return node.version() > publication.version || node.holdsPayload(publication.payload);
    const auto reported = m_world->books.reported.find(index);
    return reported != m_world->books.reported.end() && reported->second.version >= publication.version;
}

Judgement Simulation::judgeReach(const Expectation& expectation, const Publication& publication) const
{
    std::size_t addressed = 0, reached = 0;
    for (std::size_t i = 0; i < publication.isAddressed.size(); ++i) {
        const Node& node = *m_world->nodes[i];
        const bool wasReachable = publication.isAddressed[i] && node.isUp()
            && node.upSince() <= publication.at
            && m_world->network.group(static_cast<NodeIndex>(i)) == publication.group;
        if (!wasReachable)
            continue;
        ++addressed;
        reached += isReached(expectation.what, static_cast<NodeIndex>(i), publication) ? 1 : 0;
    }
    const bool holds = static_cast<std::uint64_t>(reached) * Share::kWhole
        >= static_cast<std::uint64_t>(addressed) * expectation.share.millionths;
    return {expectation.text, holds,
            percentText(reached, addressed) + " of release " + std::to_string(publication.version)};
}

Judgement Simulation::judgeHints(const Expectation& expectation, const Publication& publication) const
{
    std::uint64_t truth = 0;
    for (const auto& node : m_world->nodes)
        truth += node->isUp() && node->isHonest() && node->version() == publication.version
                && (m_world->scenario.payload.count() == 0 || node->holdsPayload(publication.payload))
            ? 1
            : 0;
    const Node& observer = *m_world->nodes[kObserver];
    const auto hints = observer.isUp() ? observer.hints() : std::nullopt;
    std::uint64_t told = 0;
    if (hints)
        for (const auto& [key, devices] : hints->tally.counts)
            if (key.version == publication.version
                && key.phase == static_cast<std::uint8_t>(trust::Phase::Healthy))
                told += devices;
    const std::uint64_t error = told > truth ? told - truth : truth - told;
    const bool holds =
        hints && error * Share::kWhole <= truth * (Share::kWhole - expectation.share.millionths);
    return {expectation.text, holds,
            "told of " + std::to_string(told) + ", there are " + std::to_string(truth) + " with release "
                + std::to_string(publication.version)};
}

void Simulation::evaluate(const Event& event)
{
    const Expectation& expectation = m_world->scenario.expectations[event.first];
    if (expectation.what == Expectation::What::BoardsEqual) {
        if (m_judgements.contains(event.first))
            return;
        if (areBoardsEqual())
            judge(event.first, true, "equal");
        else if (event.second == 0)
            judge(event.first, false, "different");
        return;
    }
    const Publication& publication = m_world->books.publications[event.second];
    const Judgement judged = expectation.what == Expectation::What::Hinted
        ? judgeHints(expectation, publication)
        : judgeReach(expectation, publication);
    judge(event.first, judged.holds, judged.found);
}

void Simulation::judge(std::size_t expectation, bool holds, const std::string& found)
{
    Judgement& judgement = m_judgements[expectation];
    const bool isFirst = judgement.expectation.empty();
    if (!isFirst && !judgement.holds)
        return; // the first failure is the one to look at
    judgement = {m_world->scenario.expectations[expectation].text, holds, found};
}

/// A notice on an honest board that nobody issued, or a receipt that another device signed; or empty.
std::string Simulation::strangeNotice() const
{
    if (m_world->books.forgedReceipts > 0)
        return std::to_string(m_world->books.forgedReceipts) + " receipts at the observer";
    for (std::size_t i = 0; i < m_world->nodes.size(); ++i) {
        const Node& node = *m_world->nodes[i];
        if (!node.isHonest())
            continue;
        for (const overlay::Head& head : node.replica().heads())
            if (head.key.kind != static_cast<std::uint8_t>(trust::Kind::Root)
                && !m_world->books.genuine.contains(head.id))
                return "node " + std::to_string(i) + " holds " + head.id.shortHex() + " for " + head.key.name;
    }
    return {};
}

void Simulation::judgeAtEnd(Outcome& outcome) const
{
    const auto& expectations = m_world->scenario.expectations;
    for (std::size_t i = 0; i < expectations.size(); ++i) {
        const Expectation& expectation = expectations[i];
        if (const auto judged = m_judgements.find(i); judged != m_judgements.end()) {
            outcome.judgements.push_back(judged->second);
        } else if (expectation.what == Expectation::What::NoneForged) {
            const std::string strange = strangeNotice();
            outcome.judgements.push_back(
                {expectation.text, strange.empty(), strange.empty() ? "none" : strange});
        } else if (expectation.what == Expectation::What::Bytes) {
            const auto most = static_cast<double>(expectation.most.value);
            const ByteCount sent{static_cast<std::uint64_t>(outcome.honestBytesPerNode)};
            outcome.judgements.push_back(
                {expectation.text, outcome.honestBytesPerNode <= most, toString(sent)});
        } else {
            // Never judged is not held: the scenario ends too early, or publishes nothing.
            outcome.judgements.push_back({expectation.text, false, "never came to be judged"});
        }
    }
}

/// What honest nodes had from neighbours.
Replica::Counts Simulation::noticesOfNeighbors() const
{
    Replica::Counts sum;
    for (const auto& node : m_world->nodes) {
        if (!node->isHonest())
            continue;
        const Replica::Counts& counts = node->replica().counts();
        sum.taken += counts.taken - node->ownNotices();
        sum.known += counts.known;
        sum.refused += counts.refused;
    }
    return sum;
}

void Simulation::describeReleases(Outcome& outcome, const Replica::Counts& notices) const
{
    const auto& publications = m_world->books.publications;
    std::vector<Duration> all;
    for (std::size_t i = 0; i < publications.size(); ++i) {
        const Publication& publication = publications[i];
        const bool isNewest = i + 1 == publications.size();
        const std::uint64_t taken = isNewest ? notices.taken : publications[i + 1].takenBefore;
        const std::uint64_t known = isNewest ? notices.known : publications[i + 1].knownBefore;
        Spread spread;
        spread.at = publication.at.time_since_epoch();
        spread.reached = publication.deliveries.size();
        spread.redundancy = ratio(known - publication.knownBefore, taken - publication.takenBefore);
        std::vector<Duration> times = publication.deliveries;
        all.insert(all.end(), times.begin(), times.end());
        std::tie(spread.median, spread.p99, spread.last) = percentiles(std::move(times));
        outcome.releases.push_back(spread);
    }
    std::tie(outcome.medianDelivery, outcome.p99Delivery, outcome.lastDelivery) = percentiles(std::move(all));
}

Outcome Simulation::outcome() const
{
    const World& world = *m_world;
    const Books& books = world.books;
    Outcome outcome;
    outcome.events = m_trace.events();
    outcome.virtualTime = now();
    outcome.nodes = world.nodes.size();
    outcome.datagrams = books.datagrams;
    outcome.datagramBytes = books.datagramBytes;
    outcome.lostDatagrams = books.lostDatagrams;
    outcome.retransmissions = books.retransmissions;
    outcome.messages = books.messages;
    outcome.messageBytes = books.messageBytes;
    std::uint64_t honest = 0, up = 0, upToDate = 0;
    for (const auto& node : world.nodes) {
        outcome.retransmissions += node->retransmissions();
        if (!node->isHonest())
            continue;
        ++honest;
        up += node->isUp() ? 1 : 0;
        upToDate += node->isUp() && node->version() == books.publications.size() ? 1 : 0;
    }
    const Replica::Counts notices = noticesOfNeighbors();
    outcome.taken = notices.taken;
    outcome.known = notices.known;
    outcome.refused = notices.refused;
    outcome.redundancy = ratio(notices.known, notices.taken);
    if (up > 0)
        outcome.delivered = static_cast<double>(upToDate) / static_cast<double>(up);
    outcome.honestBytesPerNode =
        honest == 0 ? 0 : static_cast<double>(books.honestBytes) / static_cast<double>(honest);
    describeReleases(outcome, notices);
    outcome.trace = m_trace.digest();
    outcome.mishaps = m_mishaps;
    judgeAtEnd(outcome);
    return outcome;
}

} // namespace starling::sim
