// SPDX-License-Identifier: Apache-2.0
/// The property of payloads that ignore unknown keys: what a parser understood, written again, is what it was
/// given apart from keys that it does not know.
#pragma once

#include "bencode/bencode.h"

/// Whether `whole` is `part`, or `part` with more entries in its dictionaries.
inline bool covers(const starling::bencode::Value& whole, const starling::bencode::Value& part)
{
    if (const auto* dict = part.dict()) {
        for (const auto& [key, value] : *dict) {
            const auto* given = whole.find(key);
            if (!given || !covers(*given, value))
                return false;
        }
        return whole.dict() != nullptr;
    }
    if (const auto* list = part.list()) {
        if (!whole.list() || whole.list()->size() != list->size())
            return false;
        for (std::size_t i = 0; i < list->size(); ++i)
            if (!covers((*whole.list())[i], (*list)[i]))
                return false;
        return true;
    }
    return whole == part;
}
