// SPDX-License-Identifier: Apache-2.0
#include "demo_view.h"

#include <array>
#include <unistd.h>

namespace starling::demo {

View::View(Where where)
    : m_out(where == Where::StandardOutput ? stdout : stderr)
    , m_isTerminal(::isatty(::fileno(m_out)) == 1)
{
    m_elapsed.start();
}

void View::say(const std::string& text)
{
    closeTable();
    std::fprintf(m_out, "%6.1f s  %s\n", static_cast<double>(m_elapsed.elapsed()) / 1000, text.c_str());
    std::fflush(m_out);
}

std::string View::format(const Row& row)
{
    std::array<char, 160> text{};
    if (!row.isRunning) {
        std::snprintf(text.data(), text.size(), "%-10s stopped", row.name.c_str());
        return text.data();
    }
    if (!row.update) {
        std::snprintf(text.data(), text.size(), "%-10s waiting", row.name.c_str());
        return text.data();
    }
    const control::UpdateLine& update = *row.update;
    const double share = update.totalBytes == 0
        ? 0
        : static_cast<double>(update.doneBytes) / static_cast<double>(update.totalBytes);
    std::string bar(24, '.');
    bar.replace(0, static_cast<std::size_t>(share * 24), static_cast<std::size_t>(share * 24), '#');
    std::string rest;
    if (update.phase == trust::Phase::Downloading && update.downRate.value > 0)
        rest = toString(update.downRate) + "  "
            + std::to_string((update.totalBytes - update.doneBytes) / update.downRate.value + 1) + " s left";
    else if (update.upRate.value > 0)
        rest = "gives " + toString(update.upRate);
    std::snprintf(text.data(), text.size(), "%-10s v%-3llu %-12s [%s] %3d %%  %s", row.name.c_str(),
                  static_cast<unsigned long long>(update.revision.version),
                  std::string(trust::phaseName(update.phase)).c_str(), bar.c_str(),
                  static_cast<int>(share * 100), rest.c_str());
    return text.data();
}

void View::show(const std::vector<Row>& rows)
{
    if (m_isTerminal) {
        if (m_drawnRows > 0)
            std::fprintf(m_out, "\033[%zuA", m_drawnRows);
        for (const Row& row : rows)
            std::fprintf(m_out, "\033[K          %s\n", format(row).c_str());
        m_drawnRows = rows.size();
        std::fflush(m_out);
        return;
    }
    m_lastPhases.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string phase = !rows[i].isRunning ? "stopped"
            : rows[i].update ? "v" + std::to_string(rows[i].update->revision.version) + " "
                + std::string(trust::phaseName(rows[i].update->phase))
                             : "waiting";
        if (phase == std::exchange(m_lastPhases[i], phase) || phase == "waiting")
            continue;
        std::fprintf(m_out, "%6.1f s  %s %s\n", static_cast<double>(m_elapsed.elapsed()) / 1000,
                     rows[i].name.c_str(), phase.c_str());
    }
    std::fflush(m_out);
}

void View::closeTable()
{
    m_drawnRows = 0;
}

} // namespace starling::demo
