// SPDX-License-Identifier: Apache-2.0
/// Strict INI: sections, `key = value`, whole-line comments with `#` or `;`. No continuation lines, no
/// quotes: a value is the rest of its line, trimmed. What each key means is config.cpp's. Pure: no file, no
/// Qt.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace starling {

/// One `key = value` with where it stands, so that later errors can name it.
struct IniEntry
{
    std::string section, key, value;
    std::string file;
    unsigned line = 0;
    bool operator==(const IniEntry&) const = default;
};

class IniFile
{
public:
    static constexpr std::size_t kMaxBytes = 64 * 1024;

    /// Sorted by section and key.
    const std::vector<IniEntry>& entries() const { return m_entries; }
    /// Entries of `other` take the place of ours with the same section and key.
    void merge(const IniFile& other);

private:
    friend Result<IniFile> parseIni(std::string_view text, std::string fileName);
    std::vector<IniEntry> m_entries;
};

/// Sections are named with `[A-Za-z0-9 ._/:-]`, keys with `[A-Za-z0-9._-]`, both case-sensitive; lines end
/// with LF or CR LF. Fails with ConfigInvalid, "FILE:LINE: reason": no `=`, a key outside a section, a
/// duplicate key or section, a broken section header, a control character, bytes that are not UTF-8, over 64
/// KiB.
Result<IniFile> parseIni(std::string_view text, std::string fileName);

} // namespace starling
