// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include "main_window.h"
#include "preferences.h"

namespace starling::window {

Sources::Sources(MainWindow& main, QString socket)
    : m_main(main)
    , m_socket(std::move(socket))
{
    connect(&main, &MainWindow::agentChosen, this, [this](const QString& chosen) {
        m_socket = chosen;
        if (auto* const feed = qobject_cast<Feed*>(m_source.get()))
            return feed->ask(chosen);
        beginAgent();
    });
    connect(&main, &MainWindow::demoWanted, this, &Sources::beginDemo);
    connect(&main, &MainWindow::demoLeft, this, &Sources::beginAgent);
    connect(&main, &MainWindow::refreshWanted, this, [this] {
        if (auto* const feed = qobject_cast<Feed*>(m_source.get()))
            feed->refresh();
    });
    connect(&main, &MainWindow::paceWanted, this, [this](std::chrono::milliseconds pace) {
        if (auto* const feed = qobject_cast<Feed*>(m_source.get()))
            feed->setPace(pace);
    });
    connect(&main, &MainWindow::speedWanted, this, [this](int speed) {
        if (auto* const demo = qobject_cast<DemoFeed*>(m_source.get()))
            demo->setSpeed(speed);
    });
}

Sources::~Sources() = default;

void Sources::use(std::unique_ptr<Source> source)
{
    if (m_source) {
        m_source->disconnect(&m_main); // what it was about to tell is told no more
        m_source.release()->leave();
    }
    m_source = std::move(source);
    connect(m_source.get(), &Source::snapshotTaken, &m_main,
            [this](const SnapshotPtr& snapshot) { m_main.show(snapshot); });
    connect(m_source.get(), &Source::lost, &m_main, &MainWindow::showLost);
    m_source->begin();
}

void Sources::beginAgent()
{
    m_main.leaveDemo();
    auto feed = std::make_unique<Feed>(m_socket);
    feed->setPace(paceOf(Preferences::load().pace));
    use(std::move(feed));
}

void Sources::beginDemo(const sim::DemoConfig& config)
{
    m_main.beginDemo(config);
    use(std::make_unique<DemoFeed>(config));
}

} // namespace starling::window
