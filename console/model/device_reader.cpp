// SPDX-License-Identifier: Apache-2.0
#include "model/device_reader.h"

namespace starling::console {

Result<DeviceReader::Page> DeviceReader::next(control::Client& agent, Duration patience)
{
    auto reply = agent.ask<control::DevicesReply>(control::DevicesRequest{m_mark, kPage}, patience);
    if (!reply)
        return fail(std::move(reply.error()), "devices");
    Page page;
    // Without an era nothing is remembered there: each answer is everything.
    page.begins = reply->mark.era == 0 || reply->mark.era != m_mark.era;
    const bool wasWhole = m_isWhole && !page.begins;
    m_mark = reply->mark;
    m_isLast = reply->isLast;
    m_isWhole = wasWhole || m_isLast;
    page.ends = m_isWhole && !wasWhole;
    page.reply = std::move(*reply);
    return page;
}

void DeviceBook::take(DeviceReader::Page page)
{
    if (page.begins) {
        m_devices.clear();
        m_isFull = false;
    }
    m_isObserver = page.reply.isObserver;
    m_total = page.reply.total;
    for (control::DeviceLine& line : page.reply.devices) {
        const NodeId node = line.node;
        if (m_devices.size() < fleetview::Fleet::kMaxDevices || m_devices.contains(node))
            m_devices.insert_or_assign(node, std::move(line));
        else
            m_isFull = true;
    }
}

Status DeviceBook::update(control::Client& agent, Duration patience, const Watch& watch)
{
    for (;;) {
        auto page = m_reader.next(agent, patience);
        if (!page)
            return tl::unexpected<Error>(page.error());
        take(std::move(*page));
        if (m_reader.isUpToDate())
            return {};
        if (auto goesOn = watch(m_devices.size(), m_total); !goesOn)
            return goesOn;
    }
}

std::vector<control::DeviceLine> DeviceBook::release()
{
    std::vector<control::DeviceLine> lines;
    lines.reserve(m_devices.size());
    for (auto& [node, line] : m_devices)
        lines.push_back(std::move(line));
    *this = {};
    return lines;
}

std::uint64_t DeviceBook::leftOut() const
{
    return m_isFull ? m_total - std::min<std::uint64_t>(m_total, m_devices.size()) : 0;
}

} // namespace starling::console
