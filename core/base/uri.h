// SPDX-License-Identifier: Apache-2.0
/// Resource URIs: what a release updates, e.g. `fw/gateway/rootfs`.
/// Grammar: segments `[a-z0-9][a-z0-9._-]*` joined by `/`, at most 200 bytes, no segment `..`.
#pragma once

#include "base/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace starling {

class ResourceUri
{
public:
    static constexpr std::size_t kMaxBytes = 200;

    /// Fails with InvalidUri and says which rule is broken.
    static Result<ResourceUri> parse(std::string_view text);

    const std::string& text() const { return m_text; }
    /// Whether this URI is `prefix` or lies below it, by whole segments: `fw` covers `fw/a`, not `fwx/a`.
    bool isWithin(const ResourceUri& prefix) const;

    auto operator<=>(const ResourceUri&) const = default;

private:
    explicit ResourceUri(std::string_view text)
        : m_text(text)
    {
    }
    std::string m_text;
};

} // namespace starling
