// SPDX-License-Identifier: Apache-2.0
/// What this console remembers of its fleet: where its keys are, which agent it asks.
#pragma once

#include "base/result.h"

#include <QLockFile>
#include <QString>

#include <memory>

namespace starling::window {

struct Profile
{
    QString directory; ///< of `fleet init`: keys/ and root.envelope; empty: none known
    QString socket; ///< of the agent; empty: the usual one
    QString agentConfig; ///< of an agent that this console started, and starts again; empty: none

    static Profile load();
    void save() const;
    bool isEmpty() const { return directory.isEmpty() && socket.isEmpty(); }
};

/// One console at a time uses a profile: two would overwrite each other's settings, and start one agent
/// twice.
class ProfileLock
{
public:
    /// Fails with StateLocked, naming the process that has it, and Io. Held as long as this object; what a
    /// console left behind that was killed is taken over.
    static Result<ProfileLock> take();

private:
    explicit ProfileLock(std::unique_ptr<QLockFile> file)
        : m_file(std::move(file))
    {
    }
    std::unique_ptr<QLockFile> m_file;
};

/// Letters, digits, '.', '_' and '-', 1 to 32 of them: it becomes part of file names.
bool isProfileName(const QString& name);

} // namespace starling::window
