// SPDX-License-Identifier: Apache-2.0
#include "bencode/bencode.h"

#include <algorithm>

namespace starling::bencode {

namespace {

/// Keys come from the document when a caller walks one, so they are shown in a form that is safe in a log.
std::string shownKey(std::string_view key)
{
    static constexpr std::size_t kMost = 64; // longer than any key that a document of ours defines
    if (key.size() <= kMost && isPlainText(key))
        return std::string(key);
    return "0x" + toHex(viewOf(key.substr(0, kMost)));
}

/// A field's path and what is wrong with it.
std::string told(const std::string& dictionary, std::string_view key, std::string_view problem)
{
    return dictionary + "." + shownKey(key) + ": " + std::string(problem);
}

/// How many bytes follow a lead byte, and the range of the first of them (RFC 3629 section 4); the narrowed
/// ranges exclude overlong forms, surrogates and what lies above U+10FFFF.
struct Utf8Form
{
    std::size_t followers;
    unsigned least;
    unsigned most;
};

/// For a lead byte of a sequence of several; `followers` is 0 if the byte cannot be one.
Utf8Form formOf(unsigned lead)
{
    if (lead == 0xc2)
        return {1, 0xa0, 0xbf}; // from U+00A0: below are the C1 control characters
    if (lead > 0xc2 && lead <= 0xdf)
        return {1, 0x80, 0xbf};
    if (lead == 0xe0)
        return {2, 0xa0, 0xbf};
    if (lead == 0xed)
        return {2, 0x80, 0x9f};
    if (lead > 0xe0 && lead <= 0xef)
        return {2, 0x80, 0xbf};
    if (lead == 0xf0)
        return {3, 0x90, 0xbf};
    if (lead > 0xf0 && lead <= 0xf3)
        return {3, 0x80, 0xbf};
    if (lead == 0xf4)
        return {3, 0x80, 0x8f};
    return {0, 0, 0};
}

} // namespace

bool isPlainText(std::string_view text)
{
    const auto byteAt = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned lead = byteAt(i++);
        if (lead < 0x80) {
            if (lead < 0x20 || lead == 0x7f)
                return false;
            continue;
        }
        const Utf8Form form = formOf(lead);
        if (form.followers == 0 || text.size() - i < form.followers)
            return false;
        if (byteAt(i) < form.least || byteAt(i) > form.most)
            return false;
        for (std::size_t k = 1; k < form.followers; ++k)
            if ((byteAt(i + k) & 0xc0u) != 0x80)
                return false;
        i += form.followers;
    }
    return true;
}

DictReader::DictReader(const Dict& dict, std::string what)
    : m_dict(&dict)
    , m_what(std::move(what))
{
}

Result<DictReader> DictReader::of(const Value& value, std::string what)
{
    const Dict* entries = value.dict();
    if (entries == nullptr)
        return fail(Errc::Malformed, what + ": not a dictionary");
    return DictReader(*entries, std::move(what));
}

bool DictReader::has(std::string_view key) const
{
    return m_dict->find(key) != m_dict->end();
}

Result<const Value*> DictReader::field(std::string_view key) const
{
    const auto entry = m_dict->find(key);
    if (entry == m_dict->end())
        return fail(Errc::Malformed, told(m_what, key, "missing"));
    return &entry->second;
}

Result<const String*> DictReader::string(std::string_view key, std::size_t maxBytes) const
{
    auto value = field(key);
    if (!value)
        return tl::unexpected<Error>(std::move(value.error()));
    const String* string = (*value)->string();
    if (string == nullptr)
        return fail(Errc::Malformed, told(m_what, key, "not a string"));
    if (string->size() > maxBytes)
        return fail(Errc::TooLarge,
                    told(m_what, key,
                         std::to_string(string->size()) + " bytes, at most " + std::to_string(maxBytes)));
    return string;
}

Result<Integer> DictReader::integer(std::string_view key, Integer least, Integer most) const
{
    auto value = field(key);
    if (!value)
        return tl::unexpected<Error>(std::move(value.error()));
    const Integer* number = (*value)->integer();
    if (number == nullptr)
        return fail(Errc::Malformed, told(m_what, key, "not an integer"));
    if (*number < least || *number > most)
        return fail(Errc::Malformed,
                    told(m_what, key,
                         std::to_string(*number) + " is not within " + std::to_string(least) + " to "
                             + std::to_string(most)));
    return *number;
}

Result<std::string> DictReader::text(std::string_view key, std::size_t maxBytes) const
{
    auto bytes = string(key, maxBytes);
    if (!bytes)
        return tl::unexpected<Error>(std::move(bytes.error()));
    std::string text = toText(**bytes);
    if (!isPlainText(text))
        return fail(Errc::Malformed, told(m_what, key, "not UTF-8 text without control characters"));
    return text;
}

Result<Bytes> DictReader::bytes(std::string_view key, std::size_t maxBytes) const
{
    auto bytes = string(key, maxBytes);
    if (!bytes)
        return tl::unexpected<Error>(std::move(bytes.error()));
    return **bytes;
}

Result<const List*> DictReader::list(std::string_view key, std::size_t maxItems) const
{
    auto value = field(key);
    if (!value)
        return tl::unexpected<Error>(std::move(value.error()));
    const List* list = (*value)->list();
    if (list == nullptr)
        return fail(Errc::Malformed, told(m_what, key, "not a list"));
    if (list->size() > maxItems)
        return fail(
            Errc::TooLarge,
            told(m_what, key, std::to_string(list->size()) + " items, at most " + std::to_string(maxItems)));
    return list;
}

Result<DictReader> DictReader::dict(std::string_view key) const
{
    auto value = field(key);
    if (!value)
        return tl::unexpected<Error>(std::move(value.error()));
    return of(**value, m_what + "." + shownKey(key));
}

Status DictReader::requireFormat(Integer known, std::span<const std::string_view> knownKeys) const
{
    auto value = field("format");
    if (!value)
        return tl::unexpected<Error>(std::move(value.error()));
    const Integer* format = (*value)->integer();
    if (format == nullptr)
        return fail(Errc::Malformed, told(m_what, "format", "not an integer"));
    if (*format != known)
        return fail(Errc::UnsupportedFormat,
                    told(m_what, "format",
                         std::to_string(*format) + ", this version knows " + std::to_string(known)));
    if (!has("critical"))
        return {};
    auto critical = list("critical", Limits().values);
    if (!critical)
        return tl::unexpected<Error>(std::move(critical.error()));
    for (const Value& item : **critical) {
        const String* name = item.string();
        if (name == nullptr)
            return fail(Errc::Malformed, told(m_what, "critical", "not a list of strings"));
        const std::string key = toText(*name);
        if (std::find(knownKeys.begin(), knownKeys.end(), key) == knownKeys.end())
            return fail(Errc::UnsupportedFormat,
                        told(m_what, "critical", "'" + shownKey(key) + "' is not known to this version"));
    }
    return {};
}

} // namespace starling::bencode
