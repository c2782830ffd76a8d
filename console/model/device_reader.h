// SPDX-License-Identifier: Apache-2.0
/// Devices as an agent tells of them, page by page: all of them first, and then what has come since. Blocks.
#pragma once

#include "control/client.h"
#include "fleetview/fleet.h"

#include <functional>

namespace starling::console {

/// Goes on where it was, also with another connection to the same agent.
class DeviceReader
{
public:
    struct Page
    {
        control::DevicesReply reply;
        bool begins = false; ///< everything is told anew, beginning with this
        bool ends = false; ///< with this page everything has been told once
    };
    /// Client::ask's codes.
    Result<Page> next(control::Client& agent, Duration patience);
    /// Whether everything has been told once.
    bool isWhole() const { return m_isWhole; }
    /// And that there was no more, as of the last page.
    bool isUpToDate() const { return m_isWhole && m_isLast; }

    /// Devices in a page. Guess: about 40 ms of an agent's event loop where it has to verify them, 5 ms where
    /// it has done that before.
    static constexpr std::uint32_t kPage = 256;

private:
    control::DevicesMark m_mark;
    bool m_isWhole = false, m_isLast = false;
};

/// The newest of each device that one agent tells of, at most fleetview::Fleet::kMaxDevices.
class DeviceBook
{
public:
    /// Told between pages how many devices are here, of how many; ends the reading if it fails.
    using Watch = std::function<Status(std::uint64_t read, std::uint64_t total)>;
    /// Everything that the agent tells now, within `patience` for each page. Client::ask's codes and
    /// `watch`'s.
    Status update(control::Client& agent, Duration patience, const Watch& watch);
    const std::map<NodeId, control::DeviceLine>& devices() const { return m_devices; }
    /// All of them, which are not here any more then.
    std::vector<control::DeviceLine> release();
    bool isObserver() const { return m_isObserver; }
    /// How many of those that the agent tells of are not here, since there is no room; about.
    std::uint64_t leftOut() const;

private:
    void take(DeviceReader::Page page);
    DeviceReader m_reader;
    std::map<NodeId, control::DeviceLine> m_devices;
    std::uint64_t m_total = 0;
    bool m_isObserver = false, m_isFull = false;
};

} // namespace starling::console
