// SPDX-License-Identifier: Apache-2.0
#include "base/ini_file.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>

namespace starling {

namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

bool isNameOf(std::string_view text, std::string_view others)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
            || others.find(c) != std::string_view::npos;
    });
}

bool isControl(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

/// Bytes of the well-formed UTF-8 sequence that `text` starts with (Unicode 15, table 3-7), 0 if it is none.
std::size_t sequenceLength(std::string_view text)
{
    struct Range
    {
        unsigned char first, last, secondFirst, secondLast;
        std::size_t length;
    };
    static constexpr std::array<Range, 9> kRanges{{{0x00, 0x7f, 0, 0, 1},
                                                   {0xc2, 0xdf, 0x80, 0xbf, 2},
                                                   {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                                   {0xe1, 0xec, 0x80, 0xbf, 3},
                                                   {0xed, 0xed, 0x80, 0x9f, 3},
                                                   {0xee, 0xef, 0x80, 0xbf, 3},
                                                   {0xf0, 0xf0, 0x90, 0xbf, 4},
                                                   {0xf1, 0xf3, 0x80, 0xbf, 4},
                                                   {0xf4, 0xf4, 0x80, 0x8f, 4}}};
    const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (const Range& range : kRanges) {
        if (at(0) < range.first || at(0) > range.last)
            continue;
        if (text.size() < range.length)
            return 0;
        for (std::size_t i = 1; i < range.length; ++i)
            if (at(i) < (i == 1 ? range.secondFirst : 0x80) || at(i) > (i == 1 ? range.secondLast : 0xbf))
                return 0;
        return range.length;
    }
    return 0;
}

bool isUtf8(std::string_view text)
{
    while (!text.empty()) {
        const std::size_t length = sequenceLength(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

bool isBefore(const IniEntry& a, const IniEntry& b)
{
    return std::tie(a.section, a.key) < std::tie(b.section, b.key);
}

class Parser
{
public:
    explicit Parser(std::string fileName)
        : m_file(std::move(fileName))
    {
    }

    /// The entries in the order of the file.
    Result<std::vector<IniEntry>> parse(std::string_view text)
    {
        if (text.size() > IniFile::kMaxBytes)
            return fail(Errc::ConfigInvalid,
                        m_file + ": larger than " + std::to_string(IniFile::kMaxBytes / 1024) + " KiB");
        if (text.starts_with(kByteOrderMark))
            return fail(Errc::ConfigInvalid, m_file + ":1: starts with a byte order mark; save it without");
        while (!text.empty()) {
            ++m_line;
            const std::size_t end = std::min(text.find('\n'), text.size());
            std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r'))
                line.remove_suffix(1);
            Status status = takeLine(line);
            if (!status)
                return tl::unexpected(std::move(status.error()));
        }
        return std::move(m_entries);
    }

private:
    Status takeLine(std::string_view line)
    {
        if (std::any_of(line.begin(), line.end(), isControl))
            return refuse("control character");
        if (!isUtf8(line))
            return refuse("not UTF-8");
        line = trimmed(line);
        if (line.empty() || line.front() == '#' || line.front() == ';')
            return {};
        return line.front() == '[' ? takeSection(line) : takeKey(line);
    }

    Status takeSection(std::string_view line)
    {
        if (line.size() < 2 || line.back() != ']')
            return refuse("section without ']'");
        const std::string name(trimmed(line.substr(1, line.size() - 2)));
        if (!isNameOf(name, " ._/:-"))
            return refuse("impossible section name '" + name + "'");
        const auto [place, isNew] = m_sections.emplace(name, m_line);
        if (!isNew)
            return refuse("section [" + name + "] is there twice, first in line "
                          + std::to_string(place->second));
        m_section = name;
        m_keys.clear();
        return {};
    }

    Status takeKey(std::string_view line)
    {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos)
            return refuse("expected 'key = value' or '[section]', not '" + std::string(line) + "'");
        const std::string key(trimmed(line.substr(0, equals)));
        if (!isNameOf(key, "._-"))
            return refuse("impossible key '" + key + "'");
        if (m_section.empty())
            return refuse("key '" + key + "' stands before the first [section]");
        const auto [place, isNew] = m_keys.emplace(key, m_line);
        if (!isNew)
            return refuse("key '" + key + "' is there twice, first in line " + std::to_string(place->second));
        m_entries.push_back({m_section, key, std::string(trimmed(line.substr(equals + 1))), m_file, m_line});
        return {};
    }

    tl::unexpected<Error> refuse(const std::string& reason) const
    {
        return fail(Errc::ConfigInvalid, m_file + ":" + std::to_string(m_line) + ": " + reason);
    }

    const std::string m_file;
    unsigned m_line = 0;
    std::string m_section; ///< empty before the first
    std::map<std::string, unsigned> m_sections; ///< with their lines
    std::map<std::string, unsigned> m_keys; ///< of the present section
    std::vector<IniEntry> m_entries;
};

} // namespace

void IniFile::merge(const IniFile& other)
{
    std::vector<IniEntry> merged;
    // Of equal entries a union takes those of the first range.
    std::set_union(other.m_entries.begin(), other.m_entries.end(), m_entries.begin(), m_entries.end(),
                   std::back_inserter(merged), isBefore);
    m_entries = std::move(merged);
}

Result<IniFile> parseIni(std::string_view text, std::string fileName)
{
    auto entries = Parser(std::move(fileName)).parse(text);
    if (!entries)
        return tl::unexpected(std::move(entries.error()));
    IniFile file;
    file.m_entries = std::move(*entries);
    std::sort(file.m_entries.begin(), file.m_entries.end(), isBefore);
    return file;
}

} // namespace starling
