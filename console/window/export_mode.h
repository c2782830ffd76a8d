// SPDX-License-Identifier: Apache-2.0
/// `starling-console --export FILE`: a picture of the map without a window, for scripts and for
/// `starling map export`.
#pragma once

#include <QStringList>

namespace starling::window {

/// Whether the program was started for that. To be asked, and obeyed, before there is a QApplication: then
/// Qt draws without a screen.
bool wantsExport(int argc, char** argv);
/// Asks the agent, draws, writes; what fails is told on standard error. The exit status: 0, 1 failure,
/// 2 usage, 7 the agent does not answer.
int runExport(const QStringList& arguments);

} // namespace starling::window
