// SPDX-License-Identifier: Apache-2.0
/// The last of what a step printed, in bounded memory, and made harmless to show.
#pragma once

#include "base/size.h"

#include <string>
#include <string_view>

namespace starling::deploy {

/// `raw` as valid UTF-8 in which nothing can steer a terminal, reverse the reading direction or hide: control
/// and format characters but line feed and tab, line and paragraph separators and invalid bytes become
/// U+FFFD; CR LF becomes LF. HTML and the like is left as it is: whoever shows it shows it literally
/// (security-cases 33).
std::string cleanText(std::string_view raw);

/// Takes any amount of output and keeps the end of it.
class OutputTail
{
public:
    explicit OutputTail(ByteCount limit)
        : m_limit(static_cast<std::size_t>(limit.value))
    {
    }
    void append(std::string_view raw);
    /// At most `limit` bytes, cleaned, cut between characters.
    std::string text() const;

private:
    std::size_t m_limit;
    std::string m_raw;
    bool m_isCut = false;
};

} // namespace starling::deploy
