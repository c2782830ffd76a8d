// SPDX-License-Identifier: Apache-2.0
/// A progress line on the terminal: percent, rate and the time that is left.
#pragma once

#include "command_line.h"

#include <QElapsedTimer>

namespace starling::cli {

class Progress
{
public:
    Progress(const CommandLine& line, std::string what, std::uint64_t total);
    ~Progress(); ///< clears the line
    /// Redraws at most ten times a second.
    void update(std::uint64_t done);
    void update(std::uint64_t done, const std::string& remark);

private:
    bool m_shown;
    std::string m_what;
    std::uint64_t m_total;
    QElapsedTimer m_elapsed;
    qint64 m_lastDrawn = -1'000;
};

/// "4 s", "2 min 05 s", "1 h 12 min".
std::string durationText(double seconds);

} // namespace starling::cli
