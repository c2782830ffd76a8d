// SPDX-License-Identifier: Apache-2.0
#include "admin/audit_chain.h"

#include "crypto/sha256.h"

#include <array>
#include <charconv>

namespace starling::console {

namespace {

constexpr std::string_view kHeader = "starling-audit 1\n";
constexpr std::string_view kFamily = "starling-audit ";
constexpr std::size_t kFields = 9;
constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::uint64_t kMaxNumber = (1ull << 53) - 1; ///< exact in JSON, too

bool isEscaped(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F || c == '%';
}

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text.substr(0, kMaxAuditField)) {
        if (!isEscaped(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return out;
}

Result<std::string> unescaped(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            if (isEscaped(text[i]))
                return fail(Errc::NotCanonical, "a control character");
            out += text[i];
            continue;
        }
        if (text.size() - i < 3)
            return fail(Errc::Malformed, "an escape that ends early");
        const auto high = kDigits.find(text[i + 1]), low = kDigits.find(text[i + 2]);
        if (high == kDigits.npos || low == kDigits.npos)
            return fail(Errc::Malformed, "an escape without two digits");
        const char c = static_cast<char>(high * 16 + low);
        if (!isEscaped(c))
            return fail(Errc::NotCanonical, "an escape that is none");
        out += c;
        i += 2;
    }
    if (out.size() > kMaxAuditField)
        return fail(Errc::TooLarge, "a field of " + std::to_string(out.size()) + " bytes");
    return out;
}

Result<std::uint64_t> number(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > kMaxNumber)
        return fail(Errc::Malformed, "a number");
    if (std::to_string(value) != text)
        return fail(Errc::NotCanonical, "a number with more digits than it needs");
    return value;
}

/// The part that is hashed.
std::string bodyOf(const AuditEntry& entry)
{
    std::string body =
        std::to_string(entry.number) + '\t' + std::to_string(entry.at.time_since_epoch().count());
    for (const std::string* field :
         {&entry.who, &entry.program, &entry.act, &entry.outcome, &entry.scope, &entry.detail})
        body += '\t' + escaped(*field);
    return body;
}

/// Where the hash begins: behind the last tab.
std::size_t hashAt(std::string_view line)
{
    const std::size_t tab = line.rfind('\t');
    return tab == line.npos ? line.size() : tab + 1;
}

void refuse(AuditTrail& trail, std::size_t line, Error error)
{
    ++trail.badLines;
    if (trail.bad.size() < kMaxBadLines)
        trail.bad.push_back({line, std::move(error)});
}

} // namespace

std::string_view auditHeader()
{
    return kHeader;
}

Digest auditStart()
{
    return crypto::sha256(viewOf(kHeader));
}

Digest auditHash(std::string_view line, const Digest& previous)
{
    const std::size_t end = hashAt(line);
    crypto::Sha256 hash;
    hash.update(previous.bytes());
    hash.update(viewOf(line.substr(0, end == 0 ? 0 : end - 1)));
    return hash.finish();
}

std::string auditLineOf(AuditEntry entry, const Digest& previous)
{
    std::string line = bodyOf(entry) + '\t';
    line += auditHash(line, previous).hex();
    return line + '\n';
}

Result<AuditLine> parseAuditLine(std::string_view line)
{
    if (line.size() > kMaxAuditLine)
        return fail(Errc::TooLarge, "a line of " + std::to_string(line.size()) + " bytes");
    std::array<std::string_view, kFields> fields;
    for (std::size_t i = 0; i < kFields; ++i) {
        const std::size_t tab = line.find('\t');
        if ((tab == line.npos) != (i + 1 == kFields))
            return fail(Errc::Malformed, "not " + std::to_string(kFields) + " fields");
        fields[i] = line.substr(0, tab);
        line.remove_prefix(tab == line.npos ? line.size() : tab + 1);
    }
    const auto count = number(fields[0]), seconds = number(fields[1]);
    if (!count || !seconds)
        return fail(count ? Error(seconds.error()) : Error(count.error()), "number or time");
    AuditLine parsed;
    parsed.entry.number = *count;
    parsed.entry.at = UtcTime(std::chrono::seconds(static_cast<std::int64_t>(*seconds)));
    const std::array<std::string*, 6> texts{&parsed.entry.who,   &parsed.entry.program,
                                            &parsed.entry.act,   &parsed.entry.outcome,
                                            &parsed.entry.scope, &parsed.entry.detail};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto text = unescaped(fields[i + 2]);
        if (!text)
            return tl::unexpected<Error>(text.error());
        *texts[i] = std::move(*text);
    }
    const auto hash = Digest::fromHex(fields[8]);
    if (!hash || hash->hex() != fields[8])
        return fail(Errc::Malformed, "no hash at the end");
    parsed.hash = *hash;
    return parsed;
}

Result<AuditTrail> readAuditTrail(std::string_view text)
{
    if (!text.starts_with(kHeader))
        return text.starts_with(kFamily) && text.find('\n') < 64
            ? fail(Errc::StateNewer, "the audit log was written by a newer version")
            : fail(Errc::StateCorrupt, "line 1 is not that of an audit log");
    AuditTrail trail;
    trail.head = auditStart();
    std::uint64_t next = 1;
    text.remove_prefix(kHeader.size());
    for (std::size_t at = 2; !text.empty(); ++at) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (end == text.npos) {
            refuse(trail, at, {Errc::Truncated, "it was cut off while it was written"});
            break;
        }
        auto parsed = parseAuditLine(line);
        if (!parsed) {
            refuse(trail, at, std::move(parsed.error()));
            continue;
        }
        if (parsed->hash != auditHash(line, trail.head))
            refuse(trail, at, {Errc::StateCorrupt, "it does not follow the line before, or was changed"});
        else if (parsed->entry.number != next)
            refuse(trail, at,
                   {Errc::StateCorrupt,
                    "number " + std::to_string(parsed->entry.number) + " where " + std::to_string(next)
                        + " is due"});
        // What follows is judged by what this line says of itself, so that each fault is named once.
        next = parsed->entry.number + 1;
        trail.head = parsed->hash;
        trail.lines.push_back(std::move(*parsed));
    }
    return trail;
}

} // namespace starling::console
