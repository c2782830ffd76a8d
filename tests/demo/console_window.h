// SPDX-License-Identifier: Apache-2.0
/// The window that `--console` opens, as a process of its own. It stays outside the networks that the demo
/// makes: a display may be one that is reached over the machine's network. The agent's control socket is a
/// file, which is seen from everywhere.
#pragma once

#include "base/result.h"

#include <filesystem>

namespace starling::demo {

class ConsoleWindow
{
public:
    ConsoleWindow() = default;
    /// Ends it.
    ~ConsoleWindow();
    ConsoleWindow(const ConsoleWindow&) = delete;
    ConsoleWindow& operator=(const ConsoleWindow&) = delete;

    /// Makes the process, which waits. Before there are threads, and before lab::enterLab(). Fails with Io.
    Status prepare(const std::filesystem::path& program);
    /// It shows what the agent at `socket` knows. Fails with Io if it is gone.
    Status open(const std::filesystem::path& socket) const;
    /// Until somebody closes it; at once if it is not there.
    void wait();

private:
    int m_pid = -1;
    int m_tell = -1; ///< a line here is the socket
    int m_ended = -1; ///< readable when it has ended
};

} // namespace starling::demo
