// SPDX-License-Identifier: Apache-2.0
/// How messages on the control socket are taken apart; part of codec.cpp.
#pragma once

#include "bencode/bencode.h"
#include "control/messages.h"

namespace starling::control {

constexpr bencode::Integer kMost = INT64_MAX;
constexpr std::size_t kMaxText = 4'096;
constexpr std::size_t kMaxItems = 65'536;
constexpr std::size_t kMaxLabels = 32; ///< trust::Certificate's

/// Reads fields one after the other and remembers the first failure, so that a struct reads as a list of
/// fields.
class Fields
{
public:
    explicit Fields(const bencode::DictReader& reader)
        : m_reader(reader)
    {
    }
    template <class T = std::uint64_t>
    T integer(std::string_view key, std::uint64_t most = static_cast<std::uint64_t>(kMost),
              std::uint64_t least = 0)
    {
        auto value =
            m_reader.integer(key, static_cast<bencode::Integer>(least), static_cast<bencode::Integer>(most));
        return value ? static_cast<T>(*value) : static_cast<T>(note(value.error()));
    }
    /// `fallback` if there is none of that name.
    template <class T = std::uint64_t>
    T integerOr(std::string_view key, std::uint64_t fallback,
                std::uint64_t most = static_cast<std::uint64_t>(kMost), std::uint64_t least = 0)
    {
        return m_reader.has(key) ? integer<T>(key, most, least) : static_cast<T>(fallback);
    }
    std::string text(std::string_view key)
    {
        auto value = m_reader.bytes(key, kMaxText);
        return value ? toText(*value) : (note(value.error()), std::string());
    }
    Bytes bytes(std::string_view key, std::size_t most = kMaxFrameBytes)
    {
        auto value = m_reader.bytes(key, most);
        return value ? std::move(*value) : (note(value.error()), Bytes());
    }
    template <class IdType> IdType id(std::string_view key)
    {
        auto value = IdType::fromBytes(bytes(key, IdType::kSize));
        return value ? *value : (note(value.error()), IdType());
    }
    Endpoint endpoint(std::string_view key)
    {
        const Bytes value = bytes(key, 18);
        ByteReader reader(value);
        const Endpoint endpoint = readEndpoint(reader);
        if (auto good = reader.status(key); !good)
            note(good.error());
        return endpoint;
    }
    ResourceUri uri(std::string_view key)
    {
        auto value = ResourceUri::parse(text(key));
        if (value)
            return *value;
        note(value.error());
        return *ResourceUri::parse("invalid");
    }
    trust::Revision revision() { return {integer("epoch"), integer("version")}; }
    trust::Phase phase()
    {
        const auto value = trust::phaseNamed(text("phase"));
        return value ? *value : (note(Error{Errc::Malformed, "phase"}), trust::Phase::Announced);
    }
    std::map<std::string, std::uint64_t> counters(std::string_view key)
    {
        std::map<std::string, std::uint64_t> counts;
        const auto entries = m_reader.dict(key);
        if (!entries) {
            note(entries.error());
            return counts;
        }
        for (const auto& [name, value] : entries->entries()) {
            const bencode::Integer* count = value.integer();
            if (count == nullptr || *count < 0 || counts.size() == kMaxItems)
                note(Error{Errc::Malformed, std::string(key)});
            else
                counts[name] = static_cast<std::uint64_t>(*count);
        }
        return counts;
    }
    std::map<std::string, std::string> texts(std::string_view key)
    {
        std::map<std::string, std::string> values;
        const auto entries = m_reader.dict(key);
        if (!entries) {
            note(entries.error());
            return values;
        }
        for (const auto& [name, value] : entries->entries()) {
            const bencode::String* text = value.string();
            if (text == nullptr || text->size() > kMaxText || values.size() == kMaxLabels)
                note(Error{Errc::Malformed, std::string(key)});
            else
                values[name] = toText(*text);
        }
        return values;
    }
    template <class Item, class Read> std::vector<Item> items(std::string_view key, Read read)
    {
        std::vector<Item> result;
        const auto list = m_reader.list(key, kMaxItems);
        if (!list) {
            note(list.error());
            return result;
        }
        for (const bencode::Value& value : **list) {
            const auto entry = bencode::DictReader::of(value, std::string(key));
            if (!entry) {
                note(entry.error());
                break;
            }
            Fields fields(*entry);
            result.push_back(read(fields));
            if (fields.m_error)
                note(*fields.m_error);
        }
        return result;
    }
    std::uint64_t note(const Error& error)
    {
        if (!m_error)
            m_error = error;
        return 0;
    }
    template <class Wide, class T> Result<Wide> finish(T value)
    {
        if (m_error)
            return fail(*m_error, "control message");
        return Wide(std::move(value));
    }

private:
    const bencode::DictReader& m_reader;
    std::optional<Error> m_error;
};

} // namespace starling::control
