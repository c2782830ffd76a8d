// SPDX-License-Identifier: Apache-2.0
/// A figure beside its named peer: one JSON line on standard output.
#pragma once

#include <optional>
#include <string>

namespace starling::bench {

/// What makes a figure hold.
enum class Holds : std::uint8_t {
    RatioAtLeast, ///< value ÷ peer ≥ goal; without the peer there is nothing to say
    AtMost, ///< value ≤ goal
    AtLeast, ///< value ≥ goal
    WithinTenPercent, ///< of goal
};

struct Figure
{
    std::string name;
    std::string of; ///< which case of it, where it has several; else empty
    double value = 0;
    std::string unit;
    std::string peer; ///< empty: it has none
    std::optional<double> peerValue;
    Holds holds = Holds::AtMost;
    double goal = 0;

    std::optional<double> ratio() const;
    bool isGood() const;
    /// {"figure":…,"value":…,"unit":…,"peer":…,"peer_value":…,"ratio":…,"goal":…,"holds":…}, and "of" where
    /// there is one.
    std::string jsonLine() const;
};

/// Prints figures as they come, and remembers whether all of them held.
class Report
{
public:
    void add(const Figure& figure);
    /// A line that another run of this program printed.
    void relay(const std::string& line);
    /// {"figure":…,"skipped":…}
    void skip(const std::string& name, const std::string& reason);
    bool allHold() const { return m_allHold; }

private:
    bool m_allHold = true;
};

} // namespace starling::bench
