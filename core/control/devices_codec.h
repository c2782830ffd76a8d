// SPDX-License-Identifier: Apache-2.0
/// The bytes of devices_messages.h; part of codec.cpp.
#pragma once

#include "control/fields.h"

namespace starling::control {

bencode::Dict fieldsOf(const DevicesRequest& request);
bencode::Dict fieldsOf(const DevicesReply& reply);

/// Programs of before there were pages send neither mark nor limit, and know nothing of marks: all of a
/// mark's fields may be missing.
Result<Request> readDevicesRequest(Fields& in);
Result<Reply> readDevicesReply(Fields& in);

} // namespace starling::control
