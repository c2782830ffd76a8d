// SPDX-License-Identifier: Apache-2.0
/// What a fuzz target gives to whoever runs it.
#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>

/// The target: must neither crash nor break an invariant, whatever the bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Inputs from which mutations start: valid ones, made by our own encoders.
std::vector<starling::Bytes> seeds();
