// SPDX-License-Identifier: Apache-2.0
/// Who the devices of a simulation are, and how long they take: for fleets that are looked at. Pure; the same
/// questions get the same answers.
#pragma once

#include "base/time.h"
#include "sim/event_queue.h"
#include "trust/documents.h"

namespace starling::sim {

/// Something that a device says of a release, so long after what it said before.
struct Stage
{
    Duration after{};
    trust::Phase phase = trust::Phase::Verifying;
    std::uint16_t code = 0; ///< Errc as a number, 0 for none
    std::string detail;
};

class Cast
{
public:
    virtual ~Cast() = default;
    /// For the device's certificate.
    virtual std::string name(NodeIndex device) const = 0;
    virtual std::map<std::string, std::string> labels(NodeIndex device) const = 0;
    /// How long it takes the device to fetch the release from whoever serves it.
    virtual Duration payloadTime(NodeIndex device, std::uint64_t version) const = 0;
    /// So many devices are served by one at a time; at least 1.
    virtual unsigned uploadSlots(std::uint64_t version) const = 0;
    /// Devices of the same site prefer each other.
    virtual std::size_t site(NodeIndex device) const = 0;
    /// What follows once the payload is there.
    virtual std::vector<Stage> course(NodeIndex device, std::uint64_t version) const = 0;
};

} // namespace starling::sim
