// SPDX-License-Identifier: Apache-2.0
#include "demo_events.h"

namespace starling::window {

using What = control::Event::What;

void DemoEvents::add(qint64 at, control::Event event)
{
    m_new.push_back({at, std::move(event)});
    if (m_new.size() > FeedWorker::kMaxEvents)
        m_new.pop_front();
}

void DemoEvents::take(const std::vector<board::DeviceReceipt>& receipts, const NodeId& observer, qint64 at)
{
    // Of more than are kept, only the last are looked at.
    const std::size_t skipped =
        receipts.size() - std::min<std::size_t>(receipts.size(), FeedWorker::kMaxEvents);
    for (std::size_t i = skipped; i < receipts.size(); ++i)
        for (const trust::ReceiptEntry& entry : receipts[i].receipt.entries) {
            const NodeId& node = receipts[i].receipt.node;
            control::Event event;
            event.what = node == observer ? What::Update : What::Receipt;
            event.uri = entry.uri.text();
            event.revision = entry.revision;
            event.phase = entry.phase;
            event.code = entry.code;
            event.text = entry.detail;
            if (event.what == What::Receipt)
                event.node = node;
            add(at, std::move(event));
        }
}

void DemoEvents::look(sim::DemoFleet& fleet, qint64 at)
{
    for (const Error& error : fleet.collectRefusals()) {
        control::Event event;
        event.what = What::Refused;
        event.code = static_cast<std::uint16_t>(error.code);
        event.text = error.context;
        add(at, std::move(event));
    }
    std::set<NodeId> links;
    for (const sim::DemoLink& link : fleet.links())
        links.insert(link.node);
    const auto tell = [&](const NodeId& node, const char* what) {
        control::Event event;
        event.what = What::Link;
        event.node = node;
        event.text = what;
        add(at, std::move(event));
    };
    for (const NodeId& node : links)
        if (!m_links.contains(node))
            tell(node, "up");
    for (const NodeId& node : m_links)
        if (!links.contains(node))
            tell(node, "down");
    m_links = std::move(links);
}

EventsPtr DemoEvents::events()
{
    if (m_new.empty())
        return m_told;
    // Snapshots keep what they were given.
    auto events =
        m_told ? std::make_shared<std::deque<SeenEvent>>(*m_told) : std::make_shared<std::deque<SeenEvent>>();
    events->insert(events->end(), std::make_move_iterator(m_new.begin()),
                   std::make_move_iterator(m_new.end()));
    m_new.clear();
    while (events->size() > FeedWorker::kMaxEvents)
        events->pop_front();
    m_told = std::move(events);
    return m_told;
}

} // namespace starling::window
