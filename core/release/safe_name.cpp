// SPDX-License-Identifier: Apache-2.0
#include "release/paths.h"

#include <algorithm>
#include <array>

namespace starling::release {

namespace {

struct Range
{
    char32_t first;
    char32_t last;
};

/// Code points without a shape of their own, which make two names look alike or turn one around: soft hyphen,
/// combining marks (a composed and a decomposed form are two names here and one on macOS), marks of
/// direction, joiners, separators, variation selectors, byte-order mark, tags, private use and
/// non-characters.
constexpr std::array kHiding = {
    Range{0x00AD, 0x00AD},    Range{0x0300, 0x036F}, Range{0x061C, 0x061C}, Range{0x115F, 0x1160},
    Range{0x17B4, 0x17B5},    Range{0x180B, 0x180F}, Range{0x200B, 0x200F}, Range{0x2028, 0x202E},
    Range{0x2060, 0x206F},    Range{0x3164, 0x3164}, Range{0xE000, 0xF8FF}, Range{0xFDD0, 0xFDEF},
    Range{0xFE00, 0xFE0F},    Range{0xFEFF, 0xFEFF}, Range{0xFFA0, 0xFFA0}, Range{0xFFF0, 0xFFFF},
    Range{0xE0000, 0x10FFFF},
};

/// Next code point of well-formed UTF-8; `at` moves behind it.
char32_t nextCodePoint(std::string_view text, std::size_t& at)
{
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80)
        return lead;
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    char32_t point = static_cast<char32_t>(lead & (0x3F >> more));
    for (int i = 0; i < more && at < text.size(); ++i)
        point = (point << 6) | (static_cast<unsigned char>(text[at++]) & 0x3Fu);
    return point;
}

void appendUtf8(std::string& to, char32_t point)
{
    if (point < 0x80) {
        to += static_cast<char>(point);
    } else if (point < 0x800) {
        to += static_cast<char>(0xC0 | (point >> 6));
        to += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        to += static_cast<char>(0xE0 | (point >> 12));
        to += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
        to += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        to += static_cast<char>(0xF0 | (point >> 18));
        to += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
        to += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
        to += static_cast<char>(0x80 | (point & 0x3F));
    }
}

char32_t lowered(char32_t point)
{
    const auto within = [point](char32_t first, char32_t last) { return first <= point && point <= last; };
    if (within('A', 'Z') || within(0xC0, 0xD6) || within(0xD8, 0xDE) || within(0x391, 0x3A9)
        || within(0x410, 0x42F))
        return point + 0x20;
    if (within(0x400, 0x40F))
        return point + 0x50;
    if (point == 0x3C2) // final sigma
        return 0x3C3;
    // Latin Extended-A and the rest of Cyrillic come in pairs, in three runs with the upper case odd.
    if (within(0x139, 0x148) || within(0x179, 0x17E) || within(0x4C1, 0x4CE))
        return point % 2 == 1 ? point + 1 : point;
    if (within(0x100, 0x137) || within(0x14A, 0x177) || within(0x460, 0x481) || within(0x48A, 0x4BF)
        || within(0x4D0, 0x52F) || within(0x1E00, 0x1E95) || within(0x1EA0, 0x1EFF))
        return point % 2 == 0 ? point + 1 : point;
    return point;
}

/// CON, COM1, LPT9, CONIN$ …, also with an extension: Windows opens the device.
bool isDeviceName(std::string_view component)
{
    static constexpr std::array kDevices = {"con", "prn", "aux", "nul", "clock$", "conin$", "conout$"};
    std::string stem = foldedName(component.substr(0, component.find('.')));
    while (!stem.empty() && stem.back() == ' ')
        stem.pop_back();
    if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end())
        return true;
    if (!stem.starts_with("com") && !stem.starts_with("lpt"))
        return false;
    const std::string_view port = std::string_view(stem).substr(3);
    const bool isDigit = port.size() == 1 && port[0] >= '0' && port[0] <= '9';
    // Superscript one, two and three count as digits there, too.
    return isDigit || port == "\xC2\xB9" || port == "\xC2\xB2" || port == "\xC2\xB3";
}

tl::unexpected<Error> unsafe(std::string_view component, std::string_view reason)
{
    return fail(Errc::UnsafeName, quoted(component) + ": " + std::string(reason));
}

} // namespace

std::string quoted(std::string_view name)
{
    static constexpr std::size_t kShown = 80;
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "\"";
    for (const char c : name.substr(0, kShown)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
            text += c;
            continue;
        }
        text += "\\x";
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text + (name.size() > kShown ? "…\"" : "\"");
}

std::string foldedName(std::string_view name)
{
    std::string folded;
    folded.reserve(name.size());
    for (std::size_t at = 0; at < name.size();)
        appendUtf8(folded, lowered(nextCodePoint(name, at)));
    return folded;
}

Status requireSafeName(std::string_view component)
{
    static constexpr std::string_view kForbidden = "/\\:*?\"<>|";
    if (component.empty())
        return unsafe(component, "empty name");
    if (component == "." || component == "..")
        return unsafe(component, "leads to another directory");
    if (component.size() > InfoLimits::kMaxNameBytes)
        return unsafe(component, "over " + std::to_string(InfoLimits::kMaxNameBytes) + " bytes");
    if (!bencode::isPlainText(component))
        return unsafe(component, "control characters or not UTF-8");
    if (component.find_first_of(kForbidden) != std::string_view::npos)
        return unsafe(component, "one of / \\ : * ? \" < > |");
    if (component.back() == '.' || component.back() == ' ')
        return unsafe(component, "ends with a dot or a space");
    for (std::size_t at = 0; at < component.size();) {
        const char32_t point = nextCodePoint(component, at);
        for (const Range& range : kHiding) {
            if (range.first <= point && point <= range.last)
                return unsafe(component, "invisible, combining or direction-changing characters");
        }
    }
    if (isDeviceName(component))
        return unsafe(component, "names a device on Windows");
    return {};
}

bool isBefore(std::string_view path, std::string_view other)
{
    // The separator ends a component, so it sorts before every character that a name can have.
    const auto weight = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
    return std::lexicographical_compare(path.begin(), path.end(), other.begin(), other.end(),
                                        [&](char a, char b) { return weight(a) < weight(b); });
}

void forEachComponent(std::string_view path, const std::function<void(std::string_view)>& use)
{
    for (;;) {
        const std::size_t slash = path.find('/');
        use(path.substr(0, slash));
        if (slash == std::string_view::npos)
            return;
        path.remove_prefix(slash + 1);
    }
}

Status requireSafePath(std::string_view path)
{
    if (path.size() > InfoLimits::kMaxPathBytes)
        return fail(Errc::TooLarge, "path of " + std::to_string(path.size()) + " bytes: " + quoted(path));
    Status status;
    std::size_t components = 0;
    forEachComponent(path, [&](std::string_view component) {
        ++components;
        if (status)
            status = requireSafeName(component);
    });
    if (!status)
        return fail(std::move(status.error()), "path " + quoted(path));
    if (components > InfoLimits::kMaxPathComponents)
        return fail(Errc::TooDeep,
                    "path of more than " + std::to_string(InfoLimits::kMaxPathComponents)
                        + " components: " + quoted(path));
    return {};
}

const std::string* findClash(const std::vector<PayloadFile>& files)
{
    struct Place
    {
        std::string_view path;
        bool isFile;
    };
    std::map<std::string, Place, std::less<>> places;
    std::string_view lastDirectory;
    for (const PayloadFile& file : files) {
        const std::string_view path = file.path;
        const std::size_t lastSlash = path.rfind('/');
        const std::string_view directory =
            path.substr(0, lastSlash == std::string_view::npos ? 0 : lastSlash);
        // Files of one directory follow each other: its prefixes need to be entered once only.
        const std::size_t from = directory == lastDirectory && !directory.empty() ? lastSlash : 0;
        lastDirectory = directory;
        for (std::size_t at = from; at != std::string_view::npos;) {
            const std::size_t slash = path.find('/', at == 0 ? 0 : at + 1);
            const bool isFile = slash == std::string_view::npos;
            const std::string_view prefix = path.substr(0, slash);
            const auto [place, isFresh] = places.try_emplace(foldedName(prefix), Place{prefix, isFile});
            if (!isFresh && (isFile || place->second.isFile || place->second.path != prefix))
                return &file.path;
            at = slash;
        }
    }
    return nullptr;
}

} // namespace starling::release
