// SPDX-License-Identifier: Apache-2.0
#include "bencode/bencode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace starling::bencode {

namespace {

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

std::string keyText(ByteView key)
{
    return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

/// Above any input, and so far below SIZE_MAX that a length may be multiplied by ten before it is compared.
constexpr std::size_t kMostBytes = std::numeric_limits<std::size_t>::max() / 16;

/// Descends into lists and dictionaries by recursion, which the depth limit bounds.
class Decoder
{
public:
    Decoder(ByteView input, const Limits& limits)
        : m_input(input)
        , m_limits(limits)
    {
        m_limits.bytes = std::min(m_limits.bytes, kMostBytes);
    }

    Result<Value> whole()
    {
        if (m_input.size() > m_limits.bytes)
            return fail(Errc::TooLarge,
                        std::to_string(m_input.size()) + " bytes, at most " + std::to_string(m_limits.bytes));
        Value result;
        if (auto status = count(); !status)
            return tl::unexpected<Error>(std::move(status.error()));
        if (auto status = value(result, 0); !status)
            return tl::unexpected<Error>(std::move(status.error()));
        if (m_at != m_input.size())
            return broken(Errc::NotCanonical, "bytes after the value");
        return result;
    }

private:
    /// Before memory is taken for one more value.
    Status count()
    {
        if (++m_values > m_limits.values)
            return broken(Errc::TooLarge, "more than " + std::to_string(m_limits.values) + " values");
        return {};
    }

    Status value(Value& out, std::size_t depth)
    {
        if (isAtEnd())
            return broken(Errc::Truncated, "a value is missing");
        const char c = peek();
        if (isDigit(c)) {
            ByteView bytes;
            if (auto status = string(bytes); !status)
                return status;
            out = toBytes(bytes);
            return {};
        }
        if (c == 'i')
            return integer(out);
        if (c != 'l' && c != 'd')
            return broken(Errc::NotBencode, "no value starts like this");
        if (depth == m_limits.depth)
            return broken(Errc::TooDeep, "more than " + std::to_string(m_limits.depth) + " levels");
        ++m_at;
        return c == 'l' ? list(out, depth + 1) : dict(out, depth + 1);
    }

    Status integer(Value& out)
    {
        ++m_at;
        const bool isNegative = !isAtEnd() && peek() == '-';
        if (isNegative)
            ++m_at;
        // Negative numbers are counted downwards, because -2^63 has no positive counterpart.
        static constexpr Integer kLeast = std::numeric_limits<Integer>::min();
        static constexpr Integer kMost = std::numeric_limits<Integer>::max();
        const std::size_t start = m_at;
        Integer number = 0;
        for (; !isAtEnd() && isDigit(peek()); ++m_at) {
            const Integer digit = peek() - '0';
            if (m_at != start && number == 0)
                return broken(Errc::NotCanonical, "an integer with a leading zero");
            if (isNegative ? number < (kLeast + digit) / 10 : number > (kMost - digit) / 10)
                return broken(Errc::TooLarge, "an integer of more than 64 bits");
            number = number * 10 + (isNegative ? -digit : digit);
        }
        if (isAtEnd())
            return broken(Errc::Truncated, "an integer without its end");
        if (m_at == start || peek() != 'e')
            return broken(Errc::NotBencode, "no digit of an integer");
        if (isNegative && number == 0)
            return broken(Errc::NotCanonical, "minus zero");
        ++m_at;
        out = number;
        return {};
    }

    /// The content of a byte string as a view of the input: its length is verified before anything is
    /// allocated.
    Status string(ByteView& out)
    {
        const std::size_t start = m_at;
        std::size_t length = 0;
        for (; !isAtEnd() && isDigit(peek()); ++m_at) {
            if (m_at != start && length == 0)
                return broken(Errc::NotCanonical, "a length with a leading zero");
            length = length * 10 + static_cast<std::size_t>(peek() - '0');
            if (length > m_limits.bytes)
                return broken(Errc::TooLarge, "a string longer than the limit of the whole");
        }
        if (isAtEnd())
            return broken(Errc::Truncated, "a length without its end");
        if (m_at == start || peek() != ':')
            return broken(Errc::NotBencode, "no digit of a length");
        ++m_at;
        if (length > m_input.size() - m_at)
            return broken(Errc::Truncated, "a string of " + std::to_string(length) + " bytes");
        out = m_input.subspan(m_at, length);
        m_at += length;
        return {};
    }

    Status list(Value& out, std::size_t depth)
    {
        List items;
        while (!isAtEnd() && peek() != 'e') {
            if (auto status = count(); !status)
                return status;
            if (auto status = value(items.emplace_back(), depth); !status)
                return status;
        }
        if (isAtEnd())
            return broken(Errc::Truncated, "a list without its end");
        ++m_at;
        out = std::move(items);
        return {};
    }

    Status dict(Value& out, std::size_t depth)
    {
        Dict entries;
        while (!isAtEnd() && peek() != 'e') {
            const std::size_t start = m_at;
            ByteView key;
            if (!isDigit(peek()))
                return broken(Errc::NotBencode, "a key that is no string");
            if (auto status = count(); !status)
                return status;
            if (auto status = string(key); !status)
                return status;
            std::string text = keyText(key);
            // std::string compares as unsigned bytes, which is the order that bencoding wants.
            if (!entries.empty() && text <= entries.rbegin()->first) {
                m_at = start;
                return broken(Errc::NotCanonical, "a key that is not above the one before");
            }
            if (auto status = count(); !status)
                return status;
            const auto entry = entries.emplace_hint(entries.end(), std::move(text), Value());
            if (auto status = value(entry->second, depth); !status)
                return status;
        }
        if (isAtEnd())
            return broken(Errc::Truncated, "a dictionary without its end");
        ++m_at;
        out = std::move(entries);
        return {};
    }

    bool isAtEnd() const { return m_at == m_input.size(); }
    char peek() const { return static_cast<char>(m_input[m_at]); }

    tl::unexpected<Error> broken(Errc code, const std::string& what) const
    {
        return fail(code, "byte " + std::to_string(m_at) + ": " + what);
    }

    ByteView m_input;
    Limits m_limits;
    std::size_t m_at = 0;
    std::size_t m_values = 0;
};

void putNumber(Bytes& out, auto number)
{
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    append(out, std::as_bytes(std::span(text.data(), end)));
}

void put(Bytes& out, char c)
{
    out.push_back(static_cast<std::byte>(c));
}

void putString(Bytes& out, ByteView bytes)
{
    putNumber(out, bytes.size());
    put(out, ':');
    append(out, bytes);
}

void putValue(Bytes& out, const Value& value)
{
    if (const Integer* number = value.integer()) {
        put(out, 'i');
        putNumber(out, *number);
        put(out, 'e');
    } else if (const String* string = value.string()) {
        putString(out, *string);
    } else if (const List* list = value.list()) {
        put(out, 'l');
        for (const Value& item : *list)
            putValue(out, item);
        put(out, 'e');
    } else if (const Dict* dict = value.dict()) {
        put(out, 'd');
        for (const auto& [key, entry] : *dict) {
            putString(out, viewOf(key));
            putValue(out, entry);
        }
        put(out, 'e');
    }
}

} // namespace

Value::Value(Integer integer)
    : m_value(integer)
{
}

Value::Value(String string)
    : m_value(std::move(string))
{
}

Value::Value(std::string_view text)
    : m_value(toBytes(text))
{
}

Value::Value(const char* text)
    : Value(std::string_view(text))
{
}

Value::Value(List list)
    : m_value(std::move(list))
{
}

Value::Value(Dict dict)
    : m_value(std::move(dict))
{
}

const Integer* Value::integer() const
{
    return std::get_if<Integer>(&m_value);
}

const String* Value::string() const
{
    return std::get_if<String>(&m_value);
}

const List* Value::list() const
{
    return std::get_if<List>(&m_value);
}

const Dict* Value::dict() const
{
    return std::get_if<Dict>(&m_value);
}

Dict* Value::dict()
{
    return std::get_if<Dict>(&m_value);
}

const Value* Value::find(std::string_view key) const
{
    const Dict* entries = dict();
    if (entries == nullptr)
        return nullptr;
    const auto entry = entries->find(key);
    return entry == entries->end() ? nullptr : &entry->second;
}

Result<Value> decode(ByteView input, const Limits& limits)
{
    return Decoder(input, limits).whole();
}

Bytes encode(const Value& value)
{
    Bytes out;
    putValue(out, value);
    return out;
}

} // namespace starling::bencode
