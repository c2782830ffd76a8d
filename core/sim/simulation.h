// SPDX-License-Identifier: Apache-2.0
/// A fleet in virtual time: the shipped protocol classes over a network that is a table of numbers. The same
/// scenario and seed give the same run, event by event. Pure: the caller decides how many events at a time.
#pragma once

#include "sim/node.h"
#include "sim/trace.h"

namespace starling::sim {

/// What became of an expectation.
struct Judgement
{
    std::string expectation;
    bool holds = false;
    std::string found; ///< what there was instead, or what was measured
};

/// How a release spread, until the next one.
struct Spread
{
    Duration at{}; ///< published
    std::size_t reached = 0; ///< of nodes that could be reached all that time
    std::optional<Duration> median, p99, last; ///< from publication to their boards
    double redundancy = 0; ///< superfluous copies of notices for each that was taken
};

/// The figures of a run.
struct Outcome
{
    std::uint64_t events = 0;
    Duration virtualTime{};
    std::size_t nodes = 0;
    std::uint64_t datagrams = 0, datagramBytes = 0, lostDatagrams = 0, retransmissions = 0;
    std::uint64_t messages = 0, messageBytes = 0;
    double honestBytesPerNode = 0;
    /// Honest nodes that are up and have the newest release, of those that are up; 1 without a release.
    double delivered = 1;
    /// From publication to the boards of nodes that could be reached all that time.
    std::optional<Duration> medianDelivery, p99Delivery, lastDelivery;
    std::uint64_t taken = 0, known = 0, refused = 0; ///< notices from neighbours, by what boards said
    double redundancy = 0; ///< known ÷ taken
    std::vector<Spread> releases;
    Digest trace;
    std::vector<Judgement> judgements;
    std::vector<std::string> mishaps; ///< actions that could not be carried out

    bool holds() const;
};

class Simulation
{
public:
    /// In steps: nothing but addSome() until that says that everybody is there.
    enum class Making : std::uint8_t { AtOnce, InSteps };
    /// `scenario` must be valid; `cast` outlives the simulation.
    Simulation(const Scenario& scenario, std::uint64_t seed, const Cast* cast = nullptr,
               Making making = Making::AtOnce);
    ~Simulation();

    /// Makes up to `most` more of the scenario's nodes, their keys and certificates; false once all are
    /// there.
    bool addSome(std::size_t most);

    /// Lets at most `events` happen; false when the scenario is over.
    bool run(std::uint64_t events);
    /// Lets at most `events` of those happen that are due at `end` or before, even beyond the scenario's end;
    /// false when there is none left.
    bool runUntil(Instant end, std::uint64_t events);
    /// Lets everything happen that is due within `time` from now, even beyond the scenario's end.
    void runFor(Duration time);
    void runToEnd();
    Duration now() const { return m_world->now.time_since_epoch(); }
    std::uint64_t events() const { return m_trace.events(); }
    Outcome outcome() const;

    /// For tests, which look closer and do what no timeline can.
    World& world() { return *m_world; }
    const World& world() const { return *m_world; }
    /// Whether all boards of honest nodes that are up say the same.
    bool areBoardsEqual() const;

private:
    NodeIndex addNode(Behaviour behaviour, std::vector<NodeIndex> neighbors, Instant start);
    std::vector<NodeIndex> bootstrapOf(std::size_t node);
    void begin();
    void step();
    void handle(Event&& event);
    std::vector<NodeIndex> nodesThat(bool areUp) const;

    // simulation.cpp: the timeline
    void perform(const Action& action);
    void publish(const Action& action);
    void join(std::uint32_t count);
    void setChurn(Duration interval);
    void churn(std::uint64_t what, std::uint32_t generation);

    // expectations.cpp
    void scheduleEvaluations();
    void schedulePublished();
    void evaluate(const Event& event);
    void judge(std::size_t expectation, bool holds, const std::string& found);
    bool isReached(Expectation::What what, NodeIndex index, const Publication& publication) const;
    Judgement judgeHints(const Expectation& expectation, const Publication& publication) const;
    Judgement judgeReach(const Expectation& expectation, const Publication& publication) const;
    void judgeAtEnd(Outcome& outcome) const;
    Replica::Counts noticesOfNeighbors() const;
    void describeReleases(Outcome& outcome, const Replica::Counts& notices) const;
    std::string strangeNotice() const;

    std::unique_ptr<World> m_world;
    std::vector<std::vector<NodeIndex>> m_graph; ///< of nodes that are still to be made
    Trace m_trace;
    Duration m_churn{}; ///< 0: off
    std::uint32_t m_churnLife = 0;
    std::vector<NodeIndex> m_churned; ///< down because of it
    std::size_t m_evaluated = 0; ///< publications whose evaluation is scheduled
    std::map<std::size_t, Judgement> m_judgements; ///< by expectation; the first failure stays
    std::vector<std::string> m_mishaps;
};

} // namespace starling::sim
