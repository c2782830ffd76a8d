// SPDX-License-Identifier: Apache-2.0
/// The small process between the agent and a step, which makes sure that no part of a step outlives its end.
///
///     agent ──socket──> warden (child subreaper) ──> leader (own session and group) ──> whatever it forks
///
/// Why a process of its own: a parent-death signal in the leader would reach the leader alone when the agent
/// is killed, and a package manager that the script called would go on next to the restarted agent's own run.
/// The warden sees the agent's end of the socket close, however the agent ended, and every descendant whose
/// parent is gone becomes its child, also one that left the process group, so it can kill and wait until none
/// is left.
///
/// After an ordinary end of the leader it kills what is left of the process group, and leaves alone what has
/// made a session of its own: a service that an init script started. After a time limit, when the agent asks,
/// and when the agent is gone it kills every descendant. Bounded: a process that does not die within a
/// second, because the kernel holds it, is left to init.
#pragma once

#include <cstdint>

namespace starling::deploy {

/// All that the warden needs; made before the fork, because only async-signal-safe calls may follow it.
struct WardenTask
{
    char* const* arguments = nullptr; ///< null-terminated; the first is the absolute path of the program
    char* const* environment = nullptr; ///< null-terminated
    const char* directory = nullptr;
    int control = -1; ///< warden's end of a SOCK_SEQPACKET pair
    int output = -1; ///< becomes stdout and stderr
    int null = -1; ///< /dev/null, becomes stdin
};

/// From the agent, one byte each; the end of the socket means Kill.
enum class Order : char { Terminate = 'T', Kill = 'K' };

/// To the agent: Started, then NotStarted or Ended.
struct Report
{
    enum class Kind : std::int32_t { Started, NotStarted, Ended };
    Kind kind = Kind::Ended;
    std::int32_t value = 0; ///< process group; errno; status as of waitpid()
};

/// File descriptors of the task must be at least this, so that putting them in their places clobbers none.
constexpr int kLowestTaskDescriptor = 10;

/// Called in the child after fork(), with all signals blocked.
[[noreturn]] void runWarden(const WardenTask& task);

} // namespace starling::deploy
