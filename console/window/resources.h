// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace starling::window {

/// The icons of resources/icons, which a static library does not load by itself.
void loadResources();

} // namespace starling::window
