// SPDX-License-Identifier: Apache-2.0
/// SIGTERM, SIGINT and SIGHUP as calls from the event loop (signalfd: nothing runs in a signal handler).
#pragma once

#include "base/result.h"

#include <QObject>

class QSocketNotifier;

namespace starling::agent {

class UnixSignals : public QObject
{
    Q_OBJECT

public:
    explicit UnixSignals(QObject* parent = nullptr);
    ~UnixSignals() override;
    /// Blocks the signals for this thread, so call it before any other thread starts. Fails with Io.
    Status open();

Q_SIGNALS:
    void terminate();
    void reload();

private:
    void read();
    int m_fd = -1;
    QSocketNotifier* m_notifier = nullptr;
};

} // namespace starling::agent
