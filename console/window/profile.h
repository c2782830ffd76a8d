// SPDX-License-Identifier: Apache-2.0
/// What this console remembers of its fleet: where its keys are, which agent it asks.
#pragma once

#include <QString>

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

} // namespace starling::window
