// SPDX-License-Identifier: Apache-2.0
/// What a lens of the map is as a table: its groups, and how many devices of each stand where. For screen
/// readers (map_accessible.h), to whom it is that table.
#pragma once

#include "fleetview/standing.h"

#include <QRect>
#include <QString>

namespace starling::window {

class GroupTable
{
public:
    using Counts = std::array<std::size_t, fleetview::kStandings>;

    virtual int groupCount() const = 0;
    /// Of a group below groupCount().
    virtual QString groupName(int group) const = 0;
    virtual const Counts& groupCounts(int group) const = 0;
    /// Where it is drawn, in the view.
    virtual QRect groupArea(int group) const = 0;

protected:
    ~GroupTable() = default;
};

} // namespace starling::window
