// SPDX-License-Identifier: Apache-2.0
#include "fleetview/query.h"

#include <algorithm>
#include <charconv>

namespace starling::fleetview {

namespace {

constexpr std::array<std::string_view, 8> kOps{"=", "!=", "~", "!~", "<", "<=", ">", ">="};

bool isSpace(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool isWordEnd(char c)
{
    return isSpace(c) || c == '(' || c == ')' || c == '"' || c == '=' || c == '!' || c == '~' || c == '<'
        || c == '>';
}

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool hasPart(std::string_view text, std::string_view part)
{
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [](char a, char b) { return lower(a) == lower(b); })
        != text.end();
}

/// `pattern` with `*` for any text. Goes back to the latest star only: linear for each star.
bool matchesPattern(std::string_view text, std::string_view pattern)
{
    std::size_t t = 0, p = 0, star = pattern.npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                       [](char c) { return c == '*'; });
}

std::optional<std::uint64_t> numberOf(std::string_view text)
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::optional<trust::Revision> revisionOf(std::string_view text)
{
    const std::size_t colon = text.find(':');
    const auto epoch = colon == text.npos ? 0 : numberOf(text.substr(0, colon));
    const auto version = numberOf(colon == text.npos ? text : text.substr(colon + 1));
    if (!epoch || !version)
        return std::nullopt;
    return trust::Revision{*epoch, *version};
}

bool isOrdering(Query::Op op)
{
    return op >= Query::Op::Less;
}

template <class T> bool compares(Query::Op op, const T& left, const T& right)
{
    switch (op) {
    case Query::Op::Less:
        return left < right;
    case Query::Op::AtMost:
        return left <= right;
    case Query::Op::More:
        return left > right;
    case Query::Op::AtLeast:
        return left >= right;
    case Query::Op::Equal:
    case Query::Op::NotEqual:
    case Query::Op::Contains:
    case Query::Op::Lacks:
        break;
    }
    return false;
}

bool holds(Query::Op op, std::string_view text, std::string_view value)
{
    if (op == Query::Op::Equal || op == Query::Op::NotEqual)
        return matchesPattern(text, value);
    if (op == Query::Op::Contains || op == Query::Op::Lacks)
        return hasPart(text, value);
    const auto left = revisionOf(text), right = revisionOf(value);
    return left && right && compares(op, *left, *right);
}

std::string entryText(const trust::ReceiptEntry& entry, std::string_view field)
{
    if (field == "uri")
        return entry.uri.text();
    if (field == "version")
        return trust::toString(entry.revision);
    if (field == "phase")
        return std::string(trust::phaseName(entry.phase));
    const auto code = errcOf(entry.code);
    return code ? codeName(*code) : std::string();
}

bool isOfEntry(std::string_view field)
{
    return field == "uri" || field == "version" || field == "phase" || field == "code";
}

/// Without the negation of != and !~.
bool holdsOf(const Device& device, const Query::Item& item)
{
    if (item.field.empty())
        return hasPart(device.name, item.value) || hasPart(device.node.hex(), item.value);
    if (item.field == "name")
        return holds(item.op, device.name, item.value);
    if (item.field == "id")
        return holds(item.op, device.node.hex(), item.value);
    if (item.field == "state")
        return holds(item.op, standingName(device.standing), item.value);
    if (isOfEntry(item.field))
        return std::any_of(
            device.receipt.entries.begin(), device.receipt.entries.end(),
            [&](const auto& entry) { return holds(item.op, entryText(entry, item.field), item.value); });
    const bool isSaid = item.field.starts_with("label.");
    return holds(item.op, isSaid ? device.label(item.field.substr(6)) : device.label(item.field), item.value);
}

} // namespace

/// Recursive descent; depth and number of items are limited.
class QueryParser
{
public:
    explicit QueryParser(std::string_view text)
        : m_text(text)
    {
    }

    Result<Query> parse()
    {
        skipSpace();
        if (m_at == m_text.size())
            return Query();
        auto root = parseOr();
        if (!root)
            return tl::unexpected<Error>(root.error());
        if (m_at < m_text.size())
            return refusal(m_text[m_at] == ')' ? "a ')' without its '('" : "a value was expected");
        m_query.m_root = *root;
        return std::move(m_query);
    }

private:
    tl::unexpected<Error> refusal(const std::string& why) const
    {
        return fail(Errc::Usage, "query, at " + std::to_string(m_at + 1) + ": " + why);
    }
    void skipSpace()
    {
        while (m_at < m_text.size() && isSpace(m_text[m_at]))
            ++m_at;
    }
    std::string_view wordAhead() const
    {
        std::size_t end = m_at;
        while (end < m_text.size() && !isWordEnd(m_text[end]))
            ++end;
        return m_text.substr(m_at, end - m_at);
    }
    bool takeWord(std::string_view word)
    {
        if (wordAhead() != word)
            return false;
        m_at += word.size();
        skipSpace();
        return true;
    }
    Result<std::size_t> add(Query::Item item)
    {
        if (m_query.m_items.size() == Query::kMaxItems)
            return refusal("more than " + std::to_string(Query::kMaxItems) + " parts");
        m_query.m_items.push_back(std::move(item));
        return m_query.m_items.size() - 1;
    }
    Result<std::size_t> join(Query::Kind kind, std::size_t left, std::size_t right)
    {
        return add({kind, Query::Op::Contains, {}, {}, left, right});
    }

    Result<std::size_t> parseOr()
    {
        auto left = parseAnd();
        while (left && takeWord("or")) {
            auto right = parseAnd();
            if (!right)
                return right;
            left = join(Query::Kind::Or, *left, *right);
        }
        return left;
    }

    Result<std::size_t> parseAnd()
    {
        auto left = parseItem();
        while (left) {
            const bool isSaid = takeWord("and");
            if (!isSaid && (m_at == m_text.size() || m_text[m_at] == ')' || wordAhead() == "or"))
                return left;
            auto right = parseItem();
            if (!right)
                return right;
            left = join(Query::Kind::And, *left, *right);
        }
        return left;
    }

    Result<std::size_t> parseItem()
    {
        if (m_depth == Query::kMaxDepth)
            return refusal("nested more than " + std::to_string(Query::kMaxDepth) + " deep");
        if (takeWord("not")) {
            ++m_depth;
            auto inner = parseItem();
            --m_depth;
            return inner ? join(Query::Kind::Not, *inner, 0) : inner;
        }
        if (m_at < m_text.size() && m_text[m_at] == '(') {
            ++m_at;
            ++m_depth;
            skipSpace();
            auto inner = parseOr();
            --m_depth;
            if (!inner)
                return inner;
            if (m_at == m_text.size() || m_text[m_at] != ')')
                return refusal("a ')' is missing");
            ++m_at;
            skipSpace();
            return inner;
        }
        return parseTest();
    }

    Result<std::size_t> parseTest()
    {
        const std::size_t begin = m_at;
        const bool isQuoted = m_at < m_text.size() && m_text[m_at] == '"';
        auto first = parseValue();
        if (!first)
            return tl::unexpected<Error>(first.error());
        const auto op = takeOp();
        if (!op)
            return add({Query::Kind::Test, Query::Op::Contains, {}, std::move(*first), 0, 0});
        if (isQuoted || first->empty()) {
            m_at = begin;
            return refusal("the name of a field was expected before the operator");
        }
        const std::size_t place = m_at;
        auto value = parseValue();
        if (!value)
            return tl::unexpected<Error>(value.error());
        m_at = isOrdering(*op) && !revisionOf(*value) ? place : m_at;
        if (m_at == place)
            return refusal("a number was expected, as in version<2");
        if (*first == "state" && !isOrdering(*op) && (*op == Query::Op::Equal || *op == Query::Op::NotEqual)
            && value->find('*') == std::string::npos && !standingNamed(*value)) {
            m_at = place;
            return refusal("there is no state '" + *value + "'");
        }
        return add({Query::Kind::Test, *op, std::move(*first), std::move(*value), 0, 0});
    }

    std::optional<Query::Op> takeOp()
    {
        // Two characters before one: "<=" before "<".
        for (const std::size_t length : {2u, 1u})
            for (std::size_t i = 0; i < kOps.size(); ++i)
                if (kOps[i].size() == length && m_text.substr(m_at).starts_with(kOps[i])) {
                    m_at += length;
                    skipSpace();
                    return static_cast<Query::Op>(i);
                }
        return std::nullopt;
    }

    Result<std::string> parseValue()
    {
        if (m_at < m_text.size() && m_text[m_at] == '"')
            return parseQuoted();
        const std::string word(wordAhead());
        if (word.empty())
            return refusal(m_at == m_text.size() ? "a value is missing at the end" : "a value was expected");
        m_at += word.size();
        skipSpace();
        return word;
    }

    Result<std::string> parseQuoted()
    {
        std::string value;
        for (std::size_t i = m_at + 1; i < m_text.size(); ++i) {
            if (m_text[i] == '"') {
                m_at = i + 1;
                skipSpace();
                return value;
            }
            if (m_text[i] == '\\' && ++i == m_text.size())
                break;
            value += m_text[i];
        }
        return refusal("the closing \" is missing");
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    std::size_t m_depth = 0;
    Query m_query;
};

Result<Query> Query::parse(std::string_view text)
{
    if (text.size() > kMaxBytes)
        return fail(Errc::Usage, "query: more than " + std::to_string(kMaxBytes) + " bytes");
    return QueryParser(text).parse();
}

bool Query::matches(const Device& device) const
{
    return m_items.empty() || matches(device, m_root);
}

bool Query::matches(const Device& device, std::size_t item) const
{
    const Item& at = m_items[item];
    switch (at.kind) {
    case Kind::Not:
        return !matches(device, at.left);
    case Kind::And:
        return matches(device, at.left) && matches(device, at.right);
    case Kind::Or:
        return matches(device, at.left) || matches(device, at.right);
    case Kind::Test:
        break;
    }
    return holdsOf(device, at) != (at.op == Op::NotEqual || at.op == Op::Lacks);
}

std::string Query::text() const
{
    return m_items.empty() ? std::string() : text(m_root);
}

std::string Query::text(std::size_t item) const
{
    const Item& at = m_items[item];
    // Parentheses only where another tree would be read without them: what is read again nests no deeper.
    const auto inner = [&](std::size_t operand, bool needsParentheses) {
        return needsParentheses ? "(" + text(operand) + ")" : text(operand);
    };
    const auto kindOf = [&](std::size_t operand) { return m_items[operand].kind; };
    switch (at.kind) {
    case Kind::Not:
        return "not " + inner(at.left, kindOf(at.left) >= Kind::And);
    case Kind::And:
        return inner(at.left, kindOf(at.left) == Kind::Or) + " and "
            + inner(at.right, kindOf(at.right) >= Kind::And);
    case Kind::Or:
        return text(at.left) + " or " + inner(at.right, kindOf(at.right) == Kind::Or);
    case Kind::Test:
        break;
    }
    if (at.field.empty())
        return quoted(at.value);
    return at.field + std::string(kOps[static_cast<std::size_t>(at.op)]) + quoted(at.value);
}

std::string quoted(std::string_view value)
{
    const bool isWord = !value.empty() && std::none_of(value.begin(), value.end(), isWordEnd)
        && value != "and" && value != "or" && value != "not";
    if (isWord)
        return std::string(value);
    std::string text = "\"";
    for (const char c : value)
        text.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
    return text + "\"";
}

} // namespace starling::fleetview
