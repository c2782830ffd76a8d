// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include "base/size.h"

#include <array>
#include <cstdio>

namespace starling::cli {

namespace {
constexpr qint64 kRedrawMilliseconds = 100;
}

std::string durationText(double seconds)
{
    std::array<char, 48> text{};
    const auto whole = static_cast<long>(seconds + 0.5);
    if (whole < 60)
        std::snprintf(text.data(), text.size(), "%ld s", whole);
    else if (whole < 3600)
        std::snprintf(text.data(), text.size(), "%ld min %02ld s", whole / 60, whole % 60);
    else
        std::snprintf(text.data(), text.size(), "%ld h %02ld min", whole / 3600, whole / 60 % 60);
    return text.data();
}

Progress::Progress(const CommandLine& line, std::string what, std::uint64_t total)
    : m_shown(line.showsProgress())
    , m_what(std::move(what))
    , m_total(total)
{
    m_elapsed.start();
}

Progress::~Progress()
{
    if (m_shown && m_lastDrawn >= 0)
        std::fputs("\r\033[K", stderr);
}

void Progress::update(std::uint64_t done)
{
    update(done, {});
}

void Progress::update(std::uint64_t done, const std::string& remark)
{
    const qint64 now = m_elapsed.elapsed();
    if (!m_shown || now - m_lastDrawn < kRedrawMilliseconds)
        return;
    m_lastDrawn = now;
    const double seconds = static_cast<double>(now) / 1000;
    const double share = m_total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(m_total);
    std::string text = m_what + " " + std::to_string(static_cast<int>(share * 100)) + " %";
    if (!remark.empty()) {
        text += "  " + remark;
    } else if (seconds > 0 && done > 0) {
        text +=
            "  " + toString(BytesPerSecond{static_cast<std::uint64_t>(static_cast<double>(done) / seconds)});
        if (share < 1)
            text += "  " + durationText(seconds / share - seconds) + " left";
    }
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
}

} // namespace starling::cli
