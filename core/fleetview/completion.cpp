// SPDX-License-Identifier: Apache-2.0
#include "fleetview/completion.h"

#include "fleetview/query.h"

#include <algorithm>
#include <array>

namespace starling::fleetview {

namespace {

constexpr std::array<std::string_view, 7> kFields{"name", "id", "state", "uri", "version", "phase", "code"};
constexpr std::string_view kOperators = "=!~<>";

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool beginsWith(std::string_view text, std::string_view begin)
{
    return text.size() >= begin.size()
        && std::equal(begin.begin(), begin.end(), text.begin(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

/// Where the last word begins: after a space or a parenthesis that is in no quotes.
std::size_t lastWord(std::string_view typed)
{
    std::size_t begin = 0;
    bool isQuoted = false;
    for (std::size_t i = 0; i < typed.size(); ++i) {
        const char c = typed[i];
        if (isQuoted && c == '\\')
            ++i;
        else if (c == '"')
            isQuoted = !isQuoted;
        else if (!isQuoted && (c == ' ' || c == '(' || c == ')'))
            begin = i + 1;
    }
    return begin;
}

std::vector<std::string> fieldsOf(const std::vector<Facet>& facets)
{
    std::vector<std::string> fields(kFields.begin(), kFields.end());
    for (const Facet& facet : facets)
        if (std::find(fields.begin(), fields.end(), facet.field) == fields.end())
            fields.push_back(facet.field);
    return fields;
}

std::vector<std::string> valuesOf(const std::vector<Facet>& facets, std::string_view field)
{
    std::vector<std::string> values;
    if (field == "phase") {
        for (auto phase = trust::Phase::Announced; phase <= trust::Phase::RolledBack;
             phase = static_cast<trust::Phase>(static_cast<int>(phase) + 1))
            values.emplace_back(trust::phaseName(phase));
        return values;
    }
    for (const Facet& facet : facets)
        if (facet.field == field)
            for (const FacetValue& each : facet.values)
                if (!each.value.empty())
                    values.push_back(each.value);
    return values;
}

} // namespace

std::vector<std::string> completionsOf(const std::vector<Facet>& facets, std::string_view typed)
{
    const std::size_t begin = lastWord(typed);
    const std::string head(typed.substr(0, begin));
    const std::string_view word = typed.substr(begin);
    const std::size_t op = word.find_first_of(kOperators);
    std::vector<std::string> completions;
    const auto add = [&](std::string text) {
        if (completions.size() < kMaxCompletions && text != typed)
            completions.push_back(std::move(text));
    };
    if (op == std::string_view::npos) {
        if (word.empty())
            return completions; // a list of everything helps nobody
        for (const std::string& field : fieldsOf(facets))
            if (beginsWith(field, word))
                add(head + field + "=");
        return completions;
    }
    const std::size_t value = std::min(word.find_first_not_of(kOperators, op), word.size());
    std::string_view begun = word.substr(value);
    if (!begun.empty() && begun.front() == '"')
        begun.remove_prefix(1);
    for (const std::string& each : valuesOf(facets, word.substr(0, op)))
        if (beginsWith(each, begun))
            add(head + std::string(word.substr(0, value)) + quoted(each));
    return completions;
}

} // namespace starling::fleetview
