// SPDX-License-Identifier: Apache-2.0
/// How an agent tells of the devices whose receipts it holds, page by page; part of messages.h.
#pragma once

#include "trust/documents.h"

namespace starling::control {

/// A device as its newest verified receipt tells.
struct DeviceLine
{
    NodeId node;
    std::string name; ///< from its certificate
    std::map<std::string, std::string> labels; ///< from its certificate
    trust::Receipt receipt;
};

constexpr std::uint32_t kMaxDevicesTold = 4'096; ///< a page; guess: usual receipts of so many fit a frame

/// How far somebody has been told, as the agent said. Means nothing to others.
struct DevicesMark
{
    std::uint64_t era = 0; ///< 0: told nothing, or by an agent that has no marks
    std::uint64_t change = 0;
};

/// What has come since `since` was told?
struct DevicesRequest
{
    DevicesMark since;
    std::uint32_t most = kMaxDevicesTold; ///< devices in the answer, from 1 on; it may be fewer
};

/// In the order in which receipts came; a device is told of again once it has said something else. Whoever is
/// answered in another era than that of the mark that was shown is told everything anew, beginning with this
/// page: devices that are not told of up to the last page have gone.
struct DevicesReply
{
    std::vector<DeviceLine> devices; ///< of an agent that is no observer: itself
    bool isObserver = false;
    DevicesMark mark; ///< to be shown with the next question; of an agent that is no observer: none
    bool isLast = true; ///< nothing has come after these yet
    std::uint64_t total = 0; ///< how many devices there are receipts of, those that do not verify included
};

} // namespace starling::control
