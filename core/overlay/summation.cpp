// SPDX-License-Identifier: Apache-2.0
#include "overlay/summation.h"

namespace starling::overlay {

namespace {

/// Guess: what a node hears while the tree's branches tell one after the other, from the leaves on.
constexpr int kBurst = 4;
/// Higher than pulses go: what was led in a circle.
constexpr std::uint8_t kMaxHeight = 254; ///< PulseMessage::hops

} // namespace

void Summation::touch(Instant now, const Config& config)
{
    const Instant due = now + config.sumsDelay;
    m_due = m_due ? std::min(*m_due, due) : due;
}

void Summation::setOwn(std::optional<Tally> own, Instant now, const Config& config)
{
    if (m_own == own)
        return;
    m_own = std::move(own);
    touch(now, config);
}

void Summation::setChild(NeighborId child, Tally tally, Instant now, const Config& config)
{
    // A parent that was one a moment ago may still send as a child, or be no honest one.
    if (child == m_parent || tally.height >= kMaxHeight)
        return;
    clamp(tally);
    if (tally.devices == 0) {
        removeNeighbor(child, now, config);
        return;
    }
    ++tally.height;
    Child& known = m_children[child];
    known.heard = now;
    if (known.tally != tally)
        touch(now, config);
    known.tally = std::move(tally);
}

void Summation::removeNeighbor(NeighborId neighbor, Instant now, const Config& config)
{
    if (m_parent == neighbor)
        m_parent.reset();
    else if (m_children.erase(neighbor) == 0)
        return;
    touch(now, config);
}

void Summation::pulsed(Instant now, const Config& config)
{
    touch(now, config);
}

void Summation::clear()
{
    *this = Summation();
}

void Summation::forgetSilent(Instant now, const Config& config)
{
    std::erase_if(m_children, [&](const auto& child) { return now - child.second.heard >= config.sumsAge; });
}

Hints Summation::total(Instant now) const
{
    Hints hints;
    if (m_own)
        hints.tally = *m_own;
    for (const auto& [neighbor, child] : m_children) {
        add(hints.tally, child.tally);
        hints.age = std::max(hints.age, now - child.heard);
    }
    return hints;
}

void Summation::work(const NodeId& observer, std::optional<NeighborId> parent, Instant now,
                     const Config& config, Postbox& postbox)
{
    m_due.reset();
    forgetSilent(now, config);
    const auto wakeAt = [&](Instant when) { m_due = m_due ? std::min(*m_due, when) : when; };
    for (const auto& [neighbor, child] : m_children)
        wakeAt(child.heard + config.sumsAge);
    if (m_parent && m_parent != parent) {
        postbox.send(*m_parent, SumsMessage{observer, {}});
        m_parent.reset();
    }
    if (!parent)
        return;
    m_children.erase(*parent);
    Tally tally = total(now).tally;
    bound(tally);
    const bool isNew = m_parent != parent || tally != m_told;
    if (!isNew && now < m_repeat) {
        wakeAt(m_repeat);
        return;
    }
    const Instant full = std::max(m_full.value_or(now), now);
    if (m_parent == parent && full - now > (kBurst - 1) * config.sumsPace) {
        wakeAt(full - (kBurst - 1) * config.sumsPace);
        return;
    }
    m_full = full + config.sumsPace;
    m_parent = parent;
    m_told = std::move(tally);
    m_repeat = now + config.sumsRepeat;
    wakeAt(m_repeat);
    postbox.send(*parent, SumsMessage{observer, m_told});
}

} // namespace starling::overlay
