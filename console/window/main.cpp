// SPDX-License-Identifier: Apache-2.0
/// starling-console: the fleet in a window, as one agent tells of it.
#include "feed.h"
#include "grid_accessible.h"
#include "main_window.h"
#include "profile.h"
#include "resources.h"

#include "crypto/signing.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QStyleFactory>

#include <cstdio>

int main(int argc, char** argv)
{
    using namespace starling;
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("starling-console"));
    QApplication::setOrganizationName(QStringLiteral("starling"));
    QApplication::setApplicationVersion(QStringLiteral(STARLING_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("starling-console"));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    window::loadResources();
    window::installGridAccessibility();
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Shows a fleet as one agent tells of it."));
    const QCommandLineOption agent(QStringLiteral("agent"), QStringLiteral("Control socket of the agent."),
                                   QStringLiteral("PATH"), QStringLiteral("/run/starling/agent.sock"));
    const QCommandLineOption theme(
        QStringLiteral("theme"), QStringLiteral("system, light, dark or contrast."), QStringLiteral("NAME"));
    parser.addOptions({agent, theme});
    parser.addHelpOption();
    parser.addVersionOption();
    parser.process(application);
    const auto look = window::lookNamed(parser.value(theme));
    if (parser.isSet(theme) && !look) {
        std::fputs("starling-console: --theme is system, light, dark or contrast\n", stderr);
        return 2;
    }
    if (const auto ready = crypto::initialize(); !ready) {
        std::fprintf(stderr, "starling-console: %s\n", toString(ready.error()).c_str());
        return 1;
    }
    const QString known = window::Profile::load().socket;
    const QString socket = parser.isSet(agent) || known.isEmpty() ? parser.value(agent) : known;
    window::MainWindow main(socket);
    if (look)
        main.setLook(*look);
    window::Feed feed(socket);
    QObject::connect(&feed, &window::Feed::snapshotTaken, &main,
                     [&main](const window::SnapshotPtr& snapshot) { main.show(snapshot); });
    QObject::connect(&feed, &window::Feed::lost, &main, &window::MainWindow::showLost);
    QObject::connect(&main, &window::MainWindow::agentChosen, &feed, &window::Feed::ask);
    feed.begin();
    main.show();
    return QApplication::exec();
}
