// SPDX-License-Identifier: Apache-2.0
/// starling-console: the fleet in a window, as one agent tells of it.
#include "error_card.h"
#include "export_mode.h"
#include "main_window.h"
#include "map_accessible.h"
#include "profile.h"
#include "read_only.h"
#include "resources.h"
#include "sources.h"

#include "crypto/signing.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QDialog>
#include <QDialogButtonBox>
#include <QRegularExpression>
#include <QStyleFactory>
#include <QVBoxLayout>

#include <cstdio>

namespace {

/// As the options say. Fails with Usage.
starling::Result<starling::sim::DemoConfig> demoOf(const QString& devices, const QString& seed,
                                                   const QString& scenario)
{
    using namespace starling;
    bool isCount = false, isSeed = false;
    const unsigned count = devices.toUInt(&isCount);
    const auto story = sim::storyNamed(scenario.toStdString());
    const sim::DemoConfig config{count, seed.toULongLong(&isSeed), story.value_or(sim::DemoStory::Happy)};
    if (!isCount)
        return fail(Errc::Usage, "--demo is a number of devices");
    if (!isSeed)
        return fail(Errc::Usage, "--seed is a number");
    if (!story)
        return fail(Errc::Usage, "--scenario is happy, slow-site, failing-version, partition or forged");
    if (auto possible = sim::validate(config); !possible)
        return tl::unexpected<Error>(possible.error());
    return config;
}

/// Why there is no window, in one.
void tell(const QString& what, const starling::Error& error)
{
    QDialog dialog;
    dialog.setWindowTitle(QStringLiteral("Starling"));
    auto* const layout = new QVBoxLayout(&dialog);
    auto* const card = new starling::window::ErrorCard;
    card->tell(what, error);
    auto* const buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    layout->addWidget(card);
    layout->addWidget(buttons);
    dialog.exec();
}

} // namespace

int main(int argc, char** argv)
{
    using namespace starling;
    const bool isExport = window::wantsExport(argc, argv);
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("starling-console"));
    QApplication::setOrganizationName(QStringLiteral("starling"));
    QApplication::setApplicationVersion(QStringLiteral(STARLING_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("starling-console"));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    window::loadResources();
    window::installMapAccessibility();
    if (isExport)
        return window::runExport(QApplication::arguments());
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Shows a fleet as one agent tells of it."));
    const QCommandLineOption agent(QStringLiteral("agent"), QStringLiteral("Control socket of the agent."),
                                   QStringLiteral("PATH"), QStringLiteral("/run/starling/agent.sock"));
    const QCommandLineOption theme(
        QStringLiteral("theme"), QStringLiteral("system, light, dark or contrast."), QStringLiteral("NAME"));
    const QCommandLineOption demo(
        QStringLiteral("demo"),
        QStringLiteral(
            "Shows a simulated fleet of N devices, 1000 if no number is given, and asks no agent: --demo=N."),
        QStringLiteral("N"));
    const QCommandLineOption seed(QStringLiteral("seed"),
                                  QStringLiteral("Of the demo: the same one, the same fleet."),
                                  QStringLiteral("S"), QStringLiteral("7"));
    const QCommandLineOption scenario(
        QStringLiteral("scenario"),
        QStringLiteral("Of the demo: happy, slow-site, failing-version, partition or forged."),
        QStringLiteral("NAME"), QStringLiteral("happy"));
    const QCommandLineOption profile(
        QStringLiteral("profile"),
        QStringLiteral("Settings and fleet of their own, for a second console or another fleet."),
        QStringLiteral("NAME"));
    const QCommandLineOption readOnly(
        QStringLiteral("read-only"),
        QStringLiteral("Only shows: nothing is signed, sent, admitted or changed from there."));
    // What it takes besides is read in export_mode.cpp.
    const QCommandLineOption toFile(
        QStringLiteral("export"),
        QStringLiteral("Draws the map into FILE (.png, .svg), without a window: see starling map export."),
        QStringLiteral("FILE"));
    parser.addOptions({agent, theme, profile, readOnly, demo, seed, scenario, toFile});
    parser.addHelpOption();
    parser.addVersionOption();
    QStringList arguments = QApplication::arguments();
    arguments.replaceInStrings(QRegularExpression(QStringLiteral("^--demo$")), QStringLiteral("--demo=1000"));
    parser.process(arguments);
    const auto look = window::lookNamed(parser.value(theme));
    if (parser.isSet(theme) && !look) {
        std::fputs("starling-console: --theme is system, light, dark or contrast\n", stderr);
        return 2;
    }
    if (parser.isSet(profile)) {
        if (!window::isProfileName(parser.value(profile))) {
            std::fputs("starling-console: --profile is 1 to 32 letters, digits, '.', '_' or '-'\n", stderr);
            return 2;
        }
        QApplication::setApplicationName(QStringLiteral("starling-console-") + parser.value(profile));
    }
    std::optional<sim::DemoConfig> config;
    if (parser.isSet(demo)) {
        auto wanted = demoOf(parser.value(demo), parser.value(seed), parser.value(scenario));
        if (!wanted) {
            std::fprintf(stderr, "starling-console: %s\n", wanted.error().context.c_str());
            return 2;
        }
        config = *wanted;
    }
    if (const auto ready = crypto::initialize(); !ready) {
        std::fprintf(stderr, "starling-console: %s\n", toString(ready.error()).c_str());
        return 1;
    }
    const auto lock = window::ProfileLock::take();
    if (!lock && !config) { // a demo keeps nothing of a fleet
        std::fprintf(stderr, "starling-console: %s\n", toString(lock.error()).c_str());
        tell(QCoreApplication::translate("main", "This console does not open."), lock.error());
        return 1;
    }
    window::setReadOnly(parser.isSet(readOnly));
    const QString known = window::Profile::load().socket;
    const QString socket = parser.isSet(agent) || known.isEmpty() ? parser.value(agent) : known;
    window::MainWindow main(socket);
    if (look)
        main.setLook(*look);
    window::Sources sources(main, socket);
    if (config)
        sources.beginDemo(*config);
    else
        sources.beginAgent();
    main.show();
    return QApplication::exec();
}
