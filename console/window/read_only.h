// SPDX-License-Identifier: Apache-2.0
/// A console that only shows: `starling-console --read-only`, for a wall, a guest, or somebody who is to make
/// no mistake. It is for the person at it; what keys may do is decided by the fleet's root.
#pragma once

class QWidget;

namespace starling::window {

/// For the whole program, before a window is made.
void setReadOnly(bool isReadOnly);
bool isReadOnly();
/// Whether something that signs, sends or changes anything may begin. If not, says so over `window`.
bool mayChange(QWidget* window);

} // namespace starling::window
