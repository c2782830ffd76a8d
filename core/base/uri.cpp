// SPDX-License-Identifier: Apache-2.0
#include "base/uri.h"

namespace starling {

namespace {

bool startsSegment(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool continuesSegment(char c)
{
    return startsSegment(c) || c == '.' || c == '_' || c == '-';
}

} // namespace

Result<ResourceUri> ResourceUri::parse(std::string_view text)
{
    if (text.empty())
        return fail(Errc::InvalidUri, "empty resource URI");
    if (text.size() > kMaxBytes)
        return fail(Errc::InvalidUri, "resource URI longer than 200 bytes");
    // A segment starts with a letter or digit, so `..` cannot be one.
    bool atStart = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '/' && !atStart) {
            atStart = true;
        } else if (atStart ? startsSegment(c) : continuesSegment(c)) {
            atStart = false;
        } else {
            return fail(Errc::InvalidUri,
                        "resource URI: byte " + std::to_string(i)
                            + " breaks the grammar (segments [a-z0-9][a-z0-9._-]* joined by /)");
        }
    }
    if (atStart)
        return fail(Errc::InvalidUri, "resource URI ends with /");
    return ResourceUri(text);
}

bool ResourceUri::isWithin(const ResourceUri& prefix) const
{
    return m_text.starts_with(prefix.m_text)
        && (m_text.size() == prefix.m_text.size() || m_text[prefix.m_text.size()] == '/');
}

} // namespace starling
