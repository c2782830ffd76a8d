// SPDX-License-Identifier: Apache-2.0
/// Bencoding (BEP 3), strict: exactly one accepted form for each value, so encode(decode(x)) == x for all
/// that is accepted (shared by every signed document; trust.md, "Strict decoder"). Pure: no I/O.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace starling::bencode {

class Value;
using Integer = std::int64_t;
using String = Bytes;
using List = std::vector<Value>;
/// Keys in bytewise order, as canonical bencoding wants them.
using Dict = std::map<std::string, Value, std::less<>>;

/// What a decoder accepts at most.
struct Limits
{
    std::size_t bytes = 1024 * 1024; ///< of the whole input: a message on a link (architecture.md)
    std::size_t depth = 10; ///< lists and dictionaries within one another; trust.md, "Strict decoder"
    /// Keys included. Guess: bounds memory to some 35 MiB; the file tree of 16,384 files has about
    /// 150,000.
    std::size_t values = 1u << 18;
};

/// One bencoded value: integer, byte string, list or dictionary.
class Value
{
public:
    Value() = default; ///< the integer 0
    Value(Integer integer);
    Value(String string);
    Value(std::string_view text);
    Value(const char* text);
    Value(List list);
    Value(Dict dict);

    /// nullptr if the value is of another type.
    const Integer* integer() const;
    const String* string() const;
    const List* list() const;
    const Dict* dict() const;
    Dict* dict();

    /// The entry `key` if this is a dictionary that has it, else nullptr.
    const Value* find(std::string_view key) const;

    bool operator==(const Value&) const = default;

private:
    std::variant<Integer, String, List, Dict> m_value;
};

/// Decodes the whole of `input`. Fails with NotBencode, NotCanonical (leading zero, -0, unsorted or duplicate
/// keys, trailing bytes), TooLarge, TooDeep or Truncated; the context names the offset.
Result<Value> decode(ByteView input, const Limits& limits = {});
Bytes encode(const Value& value);

/// Reads the fields of a dictionary one by one, with an error that names the field ("info.update.uri").
/// A missing or ill-typed required field is Malformed.
class DictReader
{
public:
    /// `what` names the dictionary in errors. Fails with Malformed if `value` is not a dictionary.
    static Result<DictReader> of(const Value& value, std::string what);

    Result<Integer> integer(std::string_view key, Integer least, Integer most) const;
    /// Valid UTF-8 without control characters.
    Result<std::string> text(std::string_view key, std::size_t maxBytes) const;
    Result<Bytes> bytes(std::string_view key, std::size_t maxBytes) const;
    Result<const List*> list(std::string_view key, std::size_t maxItems) const;
    Result<DictReader> dict(std::string_view key) const;
    bool has(std::string_view key) const;
    const Dict& entries() const { return *m_dict; }
    const std::string& name() const { return m_what; }
    /// UnsupportedFormat if the dictionary's `format` is not `known`, or its `critical` list names a key that
    /// is not in `knownKeys` (trust.md, "Room to grow").
    Status requireFormat(Integer known, std::span<const std::string_view> knownKeys) const;

private:
    DictReader(const Dict& dict, std::string what);
    Result<const Value*> field(std::string_view key) const;
    Result<const String*> string(std::string_view key, std::size_t maxBytes) const;
    const Dict* m_dict;
    std::string m_what;
};

/// Whether `text` is well-formed UTF-8 (RFC 3629) without control characters (C0, DEL, C1).
bool isPlainText(std::string_view text);

} // namespace starling::bencode
