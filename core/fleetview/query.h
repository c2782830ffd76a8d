// SPDX-License-Identifier: Apache-2.0
/// The language of the console's query box and of `device list --where`:
///
///     query := either { "or" either }           either := item { ["and"] item }
///     item  := "not" item | "(" query ")" | field op value | value
///     op    := "=" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
///
/// A field is name, id, state, uri, version, phase, code, or else a label of the device's certificate (also
/// label.NAME). A value is a word, or any text in double quotes with \" and \\ for the two. `=` takes `*` for
/// any text; `~` finds a part, whatever the case (ASCII); the others compare numbers, versions as "2" or
/// "1:2". uri, version, phase and code hold if one of the device's resources has them. A value alone finds a
/// part of name or id. Pure.
#pragma once

#include "fleetview/fleet.h"

namespace starling::fleetview {

class Query
{
public:
    static constexpr std::size_t kMaxBytes = 2'048; ///< guess: what people type, many times over
    static constexpr std::size_t kMaxDepth = 32; ///< parentheses and nots
    static constexpr std::size_t kMaxItems = 256;

    Query() = default; ///< matches all
    /// Nothing but spaces matches all. Fails with Usage, saying at which byte, counted from 1.
    static Result<Query> parse(std::string_view text);

    bool matches(const Device& device) const;
    bool matchesAll() const { return m_items.empty(); }
    /// The same query, written in one way.
    std::string text() const;
    bool operator==(const Query&) const = default;

    enum class Kind : std::uint8_t { Test, Not, And, Or };
    enum class Op : std::uint8_t { Equal, NotEqual, Contains, Lacks, Less, AtMost, More, AtLeast };
    struct Item
    {
        Kind kind = Kind::Test;
        Op op = Op::Contains;
        std::string field; ///< empty: name or id
        std::string value;
        std::size_t left = 0, right = 0; ///< operands, by index; `left` alone of Not
        bool operator==(const Item&) const = default;
    };

private:
    friend class QueryParser;
    bool matches(const Device& device, std::size_t item) const;
    std::string text(std::size_t item) const;
    std::vector<Item> m_items;
    std::size_t m_root = 0;
};

/// `value` as it stands in a query: quoted if it must be.
std::string quoted(std::string_view value);

} // namespace starling::fleetview
