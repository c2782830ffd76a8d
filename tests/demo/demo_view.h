// SPDX-License-Identifier: Apache-2.0
/// What the demo shows while it runs: a live table on a terminal, plain lines elsewhere.
#pragma once

#include "control/messages.h"

#include <QElapsedTimer>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace starling::demo {

class View
{
public:
    enum class Where : std::uint8_t { StandardOutput, StandardError };
    explicit View(Where where);

    /// A step begins or ends.
    void say(const std::string& text);

    struct Row
    {
        std::string name;
        bool isRunning = true;
        std::optional<control::UpdateLine> update; ///< of the release that spreads
    };
    /// Redraws the table in place; on something else than a terminal only changes of phase are printed.
    void show(const std::vector<Row>& rows);
    /// The table is done; what follows stands below it.
    void closeTable();

private:
    static std::string format(const Row& row);
    std::FILE* m_out;
    bool m_isTerminal;
    std::size_t m_drawnRows = 0;
    std::vector<std::string> m_lastPhases;
    QElapsedTimer m_elapsed;
};

} // namespace starling::demo
