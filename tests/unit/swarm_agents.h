// SPDX-License-Identifier: Apache-2.0
/// Real swarms on loopback for tests: agents that wait for events.
#pragma once

#include "swarm_fleet.h"

#include <condition_variable>
#include <cstdio>
#include <mutex>

namespace starling::test {

/// Far over what any step takes on a loaded machine.
inline constexpr auto kPatience = std::chrono::seconds(90);

/// A swarm with the events it has given so far.
class TestAgent
{
public:
    TestAgent(swarm::Config config, std::shared_ptr<const swarm::MemberProof> proof)
    {
        auto made = swarm::Swarm::create(config, std::move(proof), [this] {
            const std::lock_guard lock(m_mutex);
            m_isAwake = true;
            m_woken.notify_all();
        });
        STARLING_ASSERT(made.has_value());
        m_swarm = std::move(*made);
    }
    explicit TestAgent(std::shared_ptr<const swarm::MemberProof> proof)
        : TestAgent(onLoopback(), std::move(proof))
    {
    }

    static swarm::Config onLoopback()
    {
        swarm::Config config;
        config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
        return config;
    }

    swarm::Swarm* operator->() { return m_swarm.get(); }
    Endpoint endpoint() const { return m_swarm->inner(); }

    /// Collects the events there are.
    void poll()
    {
        for (auto& event : m_swarm->poll())
            m_events.push_back(std::move(event));
    }

    /// Collects events until `isDone` holds; false after kPatience. What has no event, such as progress, is
    /// looked at again every 10 ms.
    bool waitUntil(const std::function<bool()>& isDone)
    {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            poll();
            if (isDone())
                return true;
            if (std::chrono::steady_clock::now() > deadline) {
                explain();
                return false;
            }
            std::unique_lock lock(m_mutex);
            m_woken.wait_for(lock, std::chrono::milliseconds(10), [this] { return m_isAwake; });
            m_isAwake = false;
        }
    }

    template <class E> const E* first() const
    {
        for (const auto& event : m_events) {
            if (const auto* found = std::get_if<E>(&event))
                return found;
        }
        return nullptr;
    }
    template <class E> bool waitFor()
    {
        return waitUntil([this] { return first<E>() != nullptr; });
    }
    bool waitForTrouble(Errc code)
    {
        if (!waitFor<swarm::Trouble>()) {
            qWarning("no trouble came");
            return false;
        }
        const Error& error = first<swarm::Trouble>()->error;
        if (error.code != code)
            qWarning("another trouble: %s", toString(error).c_str());
        return error.code == code;
    }
    bool waitForRefusal(Errc code)
    {
        return waitFor<swarm::PeerRefused>() && first<swarm::PeerRefused>()->error.code == code;
    }
    void forgetEvents() { m_events.clear(); }

    std::uint64_t doneBytes(const InfoHash& payload) const { return m_swarm->progress(payload)->doneBytes; }
    bool isSeeding(const InfoHash& payload) const { return m_swarm->progress(payload)->isSeeding; }
    swarm::PeerTraffic trafficWith(const NodeId& node) const
    {
        for (const auto& line : m_swarm->traffic()) {
            if (line.node == node)
                return line;
        }
        return {};
    }
    /// Waits until so many bytes are on the account of `node` as given: who gives counts them a moment after
    /// who gets them may have all.
    bool hasGiven(const NodeId& node, std::uint64_t bytes)
    {
        return waitUntil([&] { return trafficWith(node).bytesTo == bytes; });
    }
    std::uint64_t sentBytes() const
    {
        std::uint64_t sum = 0;
        for (const auto& line : m_swarm->traffic())
            sum += line.bytesTo;
        return sum;
    }

private:
    /// What a failed wait had seen.
    void explain() const
    {
        for (const auto& event : m_events) {
            if (const auto* trouble = std::get_if<swarm::Trouble>(&event))
                std::fprintf(stderr, "trouble: %s\n", toString(trouble->error).c_str());
            else if (const auto* refused = std::get_if<swarm::PeerRefused>(&event))
                std::fprintf(stderr, "refused %s: %s\n", toString(refused->endpoint).c_str(),
                             toString(refused->error).c_str());
            else
                std::fprintf(stderr, "event %zu\n", event.index());
        }
        for (const auto& line : m_swarm->traffic()) {
            const auto progress = m_swarm->progress(line.payload);
            std::fprintf(stderr, "%s: %llu from, %llu to; %llu bytes done, %zu peers\n",
                         toString(line.endpoint).c_str(), static_cast<unsigned long long>(line.bytesFrom),
                         static_cast<unsigned long long>(line.bytesTo),
                         progress ? static_cast<unsigned long long>(progress->doneBytes) : 0,
                         progress ? progress->peers : 0);
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_woken;
    bool m_isAwake = false;
    std::vector<swarm::Event> m_events;
    std::unique_ptr<swarm::Swarm> m_swarm; ///< last: its threads use the others
};

} // namespace starling::test
