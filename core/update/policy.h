// SPDX-License-Identifier: Apache-2.0
/// Whether a release is for this device: its requirements against the device's labels.
#pragma once

#include "release/release_info.h"

#include <map>
#include <string>

namespace starling::update {

/// Incompatible, naming the label, unless every required label is among `labels` with the same value.
Status requireCompatible(const release::UpdateInfo& update, const std::map<std::string, std::string>& labels);

} // namespace starling::update
