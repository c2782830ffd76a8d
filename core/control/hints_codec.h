// SPDX-License-Identifier: Apache-2.0
/// The bytes of hints_messages.h; part of codec.cpp.
#pragma once

#include "control/fields.h"

namespace starling::control {

bencode::Dict fieldsOf(const FetchRequest& request);
bencode::Dict fieldsOf(const HintsReply& reply);
bencode::Dict fieldsOf(const FetchReply& reply);

/// Of the types from HintsRequest's and HintsReply's on. UnsupportedFormat of those that are none.
Result<Request> readLaterRequest(unsigned type, Fields& in);
Result<Reply> readLaterReply(unsigned type, Fields& in);

} // namespace starling::control
