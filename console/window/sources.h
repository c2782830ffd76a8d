// SPDX-License-Identifier: Apache-2.0
/// Feeds the window: from an agent, or from a demo fleet while there is one.
#pragma once

#include "demo_feed.h"

namespace starling::window {

class MainWindow;

class Sources : public QObject
{
    Q_OBJECT
public:
    Sources(MainWindow& main, QString socket);
    ~Sources() override;
    /// Asks the agent; no demo is left running.
    void beginAgent();
    /// `config` must be valid. Nobody is asked meanwhile.
    void beginDemo(const sim::DemoConfig& config);

private:
    void use(std::unique_ptr<Source> source);
    MainWindow& m_main;
    QString m_socket;
    std::unique_ptr<Source> m_source;
};

} // namespace starling::window
