// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include "base/assert.h"
#include "sim/topology.h"

#include <algorithm>

namespace starling::sim {

namespace {

/// With membership, between two joins at one bootstrap. Guess: a quick roll-out.
constexpr Duration kJoinPause = std::chrono::milliseconds(5);
/// So many events before it happens, an event, its node, and its node's state are fetched into the cache.
/// Measured: more gain nothing.
constexpr std::size_t kFetchEvent = 12, kFetchNode = 9, kFetchState = 6, kFetchMessage = 3;
/// Of a node: what most events look at.
constexpr std::size_t kNodeBytes = 256;
/// What an Action event is about: one of the timeline, or churn's own.
constexpr std::uint64_t kChurnTick = ~std::uint64_t{0};
constexpr std::uint64_t kChurnReturn = kChurnTick - 1;

/// Hostile nodes come last.
Behaviour behaviourOf(const Scenario& scenario, std::size_t node)
{
    std::size_t from = scenario.nodes - scenario.hostile();
    if (node < from)
        return Behaviour::Honest;
    for (const auto& [count, behaviour] :
         {std::pair(scenario.forgers, Behaviour::Forger), std::pair(scenario.liars, Behaviour::Liar),
          std::pair(scenario.replayers, Behaviour::Replayer),
          std::pair(scenario.flooders, Behaviour::Flooder)}) {
        from += count;
        if (node < from)
            return behaviour;
    }
    return Behaviour::Swallower;
}

bool isOfNode(const Event& event)
{
    return event.what != Event::What::Action && event.what != Event::What::Evaluation;
}

/// Of model links: whether what happens to one side looks at the other.
bool concernsSender(const Event& event)
{
    return event.what == Event::What::Finish || event.what == Event::What::Confirm;
}

} // namespace

Simulation::Simulation(const Scenario& scenario, std::uint64_t seed, const Cast* cast, Making making)
    : m_world(std::make_unique<World>(scenario, seed, cast))
{
    STARLING_ASSERT(validate(scenario));
    m_world->nodes.reserve(scenario.nodes);
    if (scenario.beginsInstalled)
        m_world->addFirstRelease();
    if (!scenario.hasMembership)
        m_graph = scenario.graph == Scenario::Graph::Nearest
            ? nearestGraph(scenario.nodes, m_world->network, m_world->random)
            : randomGraph(scenario.nodes, scenario.degree, m_world->random);
    if (!m_graph.empty())
        m_graph[kObserver].insert(m_graph[kObserver].end(), scenario.observerKnows.begin(),
                                  scenario.observerKnows.end());
    if (making == Making::AtOnce)
        while (addSome(scenario.nodes)) { }
}

Simulation::~Simulation() = default;

bool Simulation::addSome(std::size_t most)
{
    const Scenario& scenario = m_world->scenario;
    const std::size_t before = m_world->nodes.size();
    if (before == scenario.nodes)
        return false;
    for (std::size_t i = before; i < std::min<std::size_t>(scenario.nodes, before + most); ++i) {
        if (scenario.hasMembership) {
            addNode(behaviourOf(scenario, i), bootstrapOf(i),
                    Instant(static_cast<Duration::rep>(i / scenario.bootstraps) * kJoinPause));
            continue;
        }
        auto delay = static_cast<Duration::rep>(
            m_world->random.below(static_cast<std::uint64_t>(scenario.startSpread.count())));
        // An observer that comes to a fleet finds it there; otherwise ways to it change with each that comes.
        if (scenario.beginsInstalled && i == kObserver)
            delay = scenario.startSpread.count();
        addNode(behaviourOf(scenario, i), std::move(m_graph[i]), Instant(Duration(delay)));
    }
    if (m_world->nodes.size() < scenario.nodes)
        return true;
    begin();
    return false;
}

/// Everybody is there.
void Simulation::begin()
{
    m_graph = {};
    const Scenario& scenario = m_world->scenario;
    for (std::size_t i = 0; i < scenario.timeline.size(); ++i)
        m_world->queue.push(Instant(scenario.timeline[i].at), {Event::What::Action, 0, 0, 0, i, 0, {}});
    scheduleEvaluations();
}

/// Whom a node knows of a fleet with membership.
std::vector<NodeIndex> Simulation::bootstrapOf(std::size_t node)
{
    if (node == 0)
        return {};
    const std::uint64_t earlier = std::min<std::uint64_t>(node, m_world->scenario.bootstraps);
    return {static_cast<NodeIndex>(m_world->random.below(earlier))};
}

NodeIndex Simulation::addNode(Behaviour behaviour, std::vector<NodeIndex> neighbors, Instant start)
{
    const auto index = static_cast<NodeIndex>(m_world->nodes.size());
    m_world->nodes.push_back(std::make_unique<Node>(*m_world, index, behaviour, std::move(neighbors)));
    m_world->nodes.back()->startAt(start);
    return index;
}

bool Simulation::run(std::uint64_t events)
{
    return runUntil(Instant(m_world->scenario.duration), events);
}

bool Simulation::runUntil(Instant end, std::uint64_t events)
{
    for (; events > 0; --events) {
        if (m_world->queue.isEmpty() || m_world->queue.nextAt() > end) {
            m_world->now = std::max(m_world->now, end);
            return false;
        }
        step();
    }
    return true;
}

/// The next event happens.
void Simulation::step()
{
    World& world = *m_world;
    world.now = world.queue.nextAt();
    // Where fleets are large, most of the time would go to waiting for memory: what the events after this one
    // need is fetched meanwhile, in the order in which one thing leads to the next.
    if (const Event* event = world.queue.ahead(kFetchEvent))
        prefetch(event, sizeof *event);
    if (const Event* event = world.queue.ahead(kFetchNode); event != nullptr && isOfNode(*event)) {
        prefetch(world.nodes[event->node].get(), kNodeBytes);
        if (concernsSender(*event))
            prefetch(world.nodes[event->from].get(), kNodeBytes);
    }
    if (const Event* event = world.queue.ahead(kFetchState); event != nullptr && isOfNode(*event)) {
        world.nodes[event->node]->prefetchFor(*event);
        if (concernsSender(*event) && world.nodes[event->from]->modelLinks() != nullptr)
            world.nodes[event->from]->modelLinks()->prefetch(event->node);
    }
    if (const Event* event = world.queue.ahead(kFetchMessage);
        event != nullptr && event->what == Event::What::Message)
        world.nodes[event->node]->prefetchForMessage(event->content.bytes());
    handle(world.queue.pop());
}

void Simulation::runFor(Duration time)
{
    const Instant end = m_world->now + time;
    while (!m_world->queue.isEmpty() && m_world->queue.nextAt() <= end)
        step();
    m_world->now = end;
}

void Simulation::runToEnd()
{
    while (run(UINT64_MAX)) { }
}

void Simulation::handle(Event&& event)
{
    m_trace.add(m_world->now, event);
    if (event.what == Event::What::Evaluation)
        return evaluate(event);
    if (event.what != Event::What::Action) {
        if (event.node < m_world->nodes.size())
            m_world->nodes[event.node]->handle(std::move(event));
        return;
    }
    if (event.first == kChurnTick || event.first == kChurnReturn)
        return churn(event.first, event.life);
    perform(m_world->scenario.timeline[event.first]);
    schedulePublished();
}

std::vector<NodeIndex> Simulation::nodesThat(bool areUp) const
{
    std::vector<NodeIndex> found;
    for (std::size_t i = 0; i < m_world->nodes.size(); ++i)
        if (m_world->nodes[i]->isUp() == areUp)
            found.push_back(static_cast<NodeIndex>(i));
    return found;
}

// --- The timeline

void Simulation::perform(const Action& action)
{
    World& world = *m_world;
    const auto chosen = [&](bool areUp) {
        auto candidates = nodesThat(areUp);
        const std::size_t count = action.share.of(candidates.size());
        return sample(std::move(candidates), count, world.random);
    };
    switch (action.what) {
    case Action::What::Publish:
        return publish(action);
    case Action::What::Partition: {
        world.network.heal();
        std::vector<NodeIndex> all(world.nodes.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = static_cast<NodeIndex>(i);
        const std::size_t count = action.share.of(all.size());
        for (const NodeIndex node : sample(std::move(all), count, world.random))
            world.network.setGroup(node, 1);
        for (const auto& node : world.nodes)
            if (node->modelLinks() != nullptr)
                node->modelLinks()->noteCut();
        return;
    }
    case Action::What::Heal:
        return world.network.heal();
    case Action::What::Crash:
        for (const NodeIndex node : chosen(true))
            world.nodes[node]->crash();
        return;
    case Action::What::Restart:
        for (const NodeIndex node : chosen(false))
            world.nodes[node]->startAt(world.now);
        return;
    case Action::What::Join:
        return join(action.count);
    case Action::What::Clock:
        for (const NodeIndex node : chosen(true))
            world.nodes[node]->shiftClock(action.span);
        return;
    case Action::What::Churn:
        return setChurn(action.span);
    }
}

void Simulation::publish(const Action& action)
{
    std::vector<NodeIndex> candidates;
    for (const NodeIndex node : nodesThat(true))
        if (action.node ? node == *action.node : m_world->nodes[node]->isHonest())
            candidates.push_back(node);
    if (candidates.empty()) {
        m_mishaps.push_back("'" + action.text + "': it is down");
        return;
    }
    const Replica::Counts before = noticesOfNeighbors();
    m_world->nodes[sample(std::move(candidates), 1, m_world->random).front()]->publish();
    Publication& publication = m_world->books.publications.back();
    publication.takenBefore = before.taken;
    publication.knownBefore = before.known;
}

void Simulation::join(std::uint32_t count)
{
    for (std::uint32_t i = 0; i < count; ++i)
        addNode(Behaviour::Honest,
                m_world->scenario.hasMembership
                    ? bootstrapOf(m_world->nodes.size())
                    : sample(nodesThat(true), m_world->scenario.degree, m_world->random),
                m_world->now);
}

void Simulation::setChurn(Duration interval)
{
    ++m_churnLife;
    m_churn = interval;
    if (interval.count() > 0) {
        m_world->queue.push(m_world->now + interval,
                            {Event::What::Action, 0, 0, m_churnLife, kChurnTick, 0, {}});
        return;
    }
    for (const NodeIndex node : m_churned)
        m_world->nodes[node]->startAt(m_world->now);
    m_churned.clear();
}

void Simulation::churn(std::uint64_t what, std::uint32_t generation)
{
    if (generation != m_churnLife)
        return;
    if (what == kChurnReturn) {
        m_world->nodes[m_churned.front()]->startAt(m_world->now);
        m_churned.erase(m_churned.begin());
        return;
    }
    const auto unlucky = sample(nodesThat(true), 1, m_world->random);
    if (!unlucky.empty()) {
        m_world->nodes[unlucky.front()]->crash();
        m_churned.push_back(unlucky.front());
        m_world->queue.push(m_world->now + m_churn,
                            {Event::What::Action, 0, 0, m_churnLife, kChurnReturn, 0, {}});
    }
    m_world->queue.push(m_world->now + m_churn, {Event::What::Action, 0, 0, m_churnLife, kChurnTick, 0, {}});
}

} // namespace starling::sim
