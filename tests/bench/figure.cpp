// SPDX-License-Identifier: Apache-2.0
#include "figure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace starling::bench {

namespace {

/// Four digits that count.
std::string number(double value)
{
    std::array<char, 40> text{};
    if (std::abs(value) >= 1000)
        std::snprintf(text.data(), text.size(), "%.0f", value);
    else
        std::snprintf(text.data(), text.size(), "%.4g", value);
    return text.data();
}

/// Names and reasons are ours or a program's one-line complaint.
std::string quoted(const std::string& text)
{
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return result + '"';
}

std::string orNull(const std::optional<double>& value)
{
    return value ? number(*value) : "null";
}

void print(const std::string& line)
{
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

} // namespace

std::optional<double> Figure::ratio() const
{
    if (!peerValue || *peerValue <= 0)
        return std::nullopt;
    return value / *peerValue;
}

bool Figure::isGood() const
{
    switch (holds) {
    case Holds::RatioAtLeast:
        return ratio().value_or(0) >= goal;
    case Holds::AtMost:
        return value <= goal;
    case Holds::AtLeast:
        return value >= goal;
    case Holds::WithinTenPercent:
        return std::abs(value - goal) <= goal / 10;
    }
    return false;
}

std::string Figure::jsonLine() const
{
    return "{\"figure\":" + quoted(name) + (of.empty() ? "" : ",\"of\":" + quoted(of)) + ",\"value\":"
        + number(value) + ",\"unit\":" + quoted(unit) + ",\"peer\":" + (peer.empty() ? "null" : quoted(peer))
        + ",\"peer_value\":" + orNull(peerValue) + ",\"ratio\":" + orNull(ratio())
        + ",\"goal\":" + number(goal) + ",\"holds\":" + (isGood() ? "true" : "false") + "}";
}

void Report::add(const Figure& figure)
{
    print(figure.jsonLine());
    m_allHold = m_allHold && figure.isGood();
}

void Report::relay(const std::string& line)
{
    print(line);
    m_allHold = m_allHold && line.find("\"holds\":false") == line.npos;
}

void Report::skip(const std::string& name, const std::string& reason)
{
    print("{\"figure\":" + quoted(name) + ",\"skipped\":" + quoted(reason) + "}");
}

} // namespace starling::bench
