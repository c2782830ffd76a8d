// SPDX-License-Identifier: Apache-2.0
/// The window itself: its lenses, its frames while receipts come, its memory, its start.
#include "console_bench.h"
#include "main_window.h"
#include "map_page.h"

#include <QApplication>
#include <QDateTime>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QToolButton>

#include <array>

namespace starling::bench {

namespace {

using window::MapPage;

constexpr std::array kLenses{std::pair("Waves", MapPage::Lens::Waves), std::pair("Grid", MapPage::Lens::Grid),
                             std::pair("Spread", MapPage::Lens::Spread),
                             std::pair("Places", MapPage::Lens::Places)};

window::SnapshotPtr snapshotOf(fleetview::PicturePtr picture)
{
    auto snapshot = std::make_shared<window::Snapshot>();
    snapshot->picture = std::move(picture);
    snapshot->status.name = "gw-0";
    snapshot->status.node = samples::nodeOf(0);
    snapshot->status.isObserver = true;
    for (std::uint32_t i = 1; i <= 8; ++i)
        snapshot->status.links.push_back({samples::nodeOf(i), Endpoint(), true, 20'000});
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    return snapshot;
}

/// A window as large as it opens, with that fleet in it.
class Opened
{
public:
    explicit Opened(const fleetview::PicturePtr& picture)
        : main(QStringLiteral("agent.sock"))
    {
        main.resize(1'240, 800);
        main.setLook(window::Look::Light);
        main.show();
        show(picture);
    }
    void show(const fleetview::PicturePtr& picture) { main.show(snapshotOf(picture)); }
    void goTo(const QString& page)
    {
        for (QToolButton* const button : main.findChildren<QToolButton*>())
            if (button->accessibleName() == page)
                button->click();
    }
    MapPage& map() { return *main.findChild<MapPage*>(); }
    window::MainWindow main;
};

/// Sees a widget being painted.
class Painted : public QObject
{
public:
    bool isSeen = false;

protected:
    bool eventFilter(QObject* /*object*/, QEvent* event) override
    {
        isSeen = isSeen || event->type() == QEvent::Paint;
        return false;
    }
};

QWidget* viewOf(MapPage& map, MapPage::Lens lens)
{
    switch (lens) {
    case MapPage::Lens::Waves:
        return map.findChild<window::WavesView*>();
    case MapPage::Lens::Grid:
        return map.findChild<window::GridView*>();
    case MapPage::Lens::Spread:
        return map.findChild<window::SpreadView*>();
    default:
        return map.findChild<window::PlacesView*>();
    }
}

/// Until it is painted.
double switchTo(MapPage& map, MapPage::Lens lens)
{
    QCoreApplication::processEvents();
    Painted painted;
    viewOf(map, lens)->installEventFilter(&painted);
    const double begin = threadMilliseconds();
    map.setLens(lens);
    while (!painted.isSeen)
        QCoreApplication::processEvents();
    return threadMilliseconds() - begin;
}

/// A line of /proc/self/status, in MB.
double megabytesOf(const char* line)
{
    QFile status(QStringLiteral("/proc/self/status"));
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray& each : status.readAll().split('\n'))
        if (each.startsWith(line))
            return each.mid(static_cast<qsizetype>(std::strlen(line))).trimmed().split(' ').first().toDouble()
                * 1024 / 1e6;
    return 0;
}

/// Of all of a process's threads.
double processMilliseconds(qint64 pid)
{
    double nanoseconds = 0;
    const QString tasks = QStringLiteral("/proc/%1/task").arg(pid);
    for (const QString& task : QDir(tasks).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile file(tasks + QLatin1Char('/') + task + QStringLiteral("/schedstat"));
        if (file.open(QIODevice::ReadOnly))
            nanoseconds += file.readAll().split(' ').first().toDouble();
    }
    return nanoseconds / 1e6;
}

struct Frames
{
    double longest = 0; ///< of the window's thread without a look at what came
    double feed = 0; ///< taking a batch in, in the middle
};

/// So many batches of `changed` receipts, each a quarter of a second after the one before, with that page
/// shown.
Frames framesOf(Opened& opened, LargeFleet& fleet, std::uint32_t changed, int batches)
{
    Frames frames;
    std::vector<double> feed;
    const auto frame = [&](const auto& work) {
        const double begin = threadMilliseconds();
        work();
        frames.longest = std::max(frames.longest, threadMilliseconds() - begin);
    };
    for (int i = 0; i < batches; ++i) {
        QElapsedTimer batch;
        batch.start();
        const double begin = threadMilliseconds();
        fleetview::PicturePtr picture = fleet.hear(changed);
        feed.push_back(threadMilliseconds() - begin);
        frame([&] { opened.show(picture); });
        picture.reset();
        do
            frame([] { QCoreApplication::processEvents(QEventLoop::AllEvents); });
        while (batch.elapsed() < window::FeedWorker::kBatch.count());
    }
    frames.feed = middleOf(std::move(feed));
    return frames;
}

} // namespace

void measureLens(const ConsoleBench& bench, Report& report)
{
    constexpr double kGoal = 150; ///< the console specification's
    const LargeFleet fleet(bench.devices);
    Opened opened(fleet.picture());
    opened.goTo(QStringLiteral("Map"));
    std::array<std::vector<double>, kLenses.size()> times;
    const int rounds = bench.isQuick ? 1 : 8;
    std::array<double, kLenses.size()> first{};
    for (int round = 0; round <= rounds; ++round)
        for (std::size_t i = 0; i < kLenses.size(); ++i) {
            const double time = switchTo(opened.map(), kLenses[i].second);
            if (round == 0)
                first[i] = time;
            else
                times[i].push_back(time);
        }
    for (std::size_t i = 0; i < kLenses.size(); ++i) {
        addTime(report, "console-lens", std::string(kLenses[i].first) + ", the first time", first[i], kGoal);
        addTime(report, "console-lens", kLenses[i].first, middleOf(times[i]), kGoal);
    }
}

void measureIntake(const ConsoleBench& bench, Report& report)
{
    constexpr double kLongestFrame = 50; ///< guess: what somebody who types does not notice
    constexpr std::uint32_t kReceipts = 10'000; ///< a second
    constexpr auto kBatch = window::FeedWorker::kBatch;
    const auto changed = static_cast<std::uint32_t>(kReceipts * kBatch.count() / 1'000 * bench.devices
                                                    / ConsoleBench().devices);
    LargeFleet fleet(bench.devices);
    Opened opened(fleet.picture());
    std::vector<double> feed;
    for (const char* page : {"Overview", "Devices", "Releases", "Rollouts", "Map"}) {
        opened.goTo(QString::fromLatin1(page));
        if (!bench.isQuick)
            framesOf(opened, fleet, changed, 1); // the page opens
        const Frames frames = framesOf(opened, fleet, changed, bench.isQuick ? 1 : 10);
        addTime(report, "console-intake", std::string("longest frame, ") + page, frames.longest,
                kLongestFrame);
        feed.push_back(frames.feed);
    }
    for (const auto& [name, lens] : kLenses) {
        opened.map().setLens(lens);
        if (!bench.isQuick)
            framesOf(opened, fleet, changed, 1);
        addTime(report, "console-intake", std::string("longest frame, ") + name,
                framesOf(opened, fleet, changed, bench.isQuick ? 1 : 10).longest, kLongestFrame);
    }
    addTime(report, "console-intake", "a batch, in the feed's thread", middleOf(feed),
            static_cast<double>(kBatch.count()));
}

void measureMemory(const ConsoleBench& bench, Report& report)
{
    constexpr double kGoal = 600; ///< MB, the console specification's
    LargeFleet fleet(bench.devices);
    Opened opened(fleet.picture());
    for (const char* page : {"Overview", "Devices", "Releases", "Rollouts", "Map"}) {
        opened.goTo(QString::fromLatin1(page));
        framesOf(opened, fleet, bench.devices / 40, 2);
    }
    for (const auto& [name, lens] : kLenses) {
        switchTo(opened.map(), lens);
        framesOf(opened, fleet, bench.devices / 40, 1);
    }
    report.add({"console-memory", "resident", megabytesOf("VmRSS:"), "MB", "", {}, Holds::AtMost, kGoal});
    report.add(
        {"console-memory", "resident at most", megabytesOf("VmHWM:"), "MB", "", {}, Holds::AtMost, kGoal});
}

/// Qt says when it flushes what was painted, if its category is switched on: nothing of the console's own.
void measureStart(const ConsoleBench& bench, Report& report)
{
    constexpr double kGoal = 1'500; ///< ms, the console specification's
    constexpr int kPatience = 60'000; ///< ms
    const QString program = QCoreApplication::applicationDirPath() + QStringLiteral("/starling-console");
    std::vector<double> wall, processor;
    for (int i = 0; i < (bench.isQuick ? 1 : 7); ++i) {
        const QTemporaryDir home;
        QProcess console;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
        environment.insert(QStringLiteral("QT_LOGGING_RULES"), QStringLiteral("qt.widgets.painting=true"));
        environment.insert(QStringLiteral("QT_FORCE_STDERR_LOGGING"), QStringLiteral("1"));
        for (const char* name : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"})
            environment.insert(QString::fromLatin1(name), home.path());
        console.setProcessEnvironment(environment);
        console.setProcessChannelMode(QProcess::MergedChannels);
        QElapsedTimer clock;
        clock.start();
        console.start(program, {QStringLiteral("--agent"), home.filePath(QStringLiteral("none.sock"))});
        QByteArray said;
        while (!said.contains("Flushing") && console.waitForReadyRead(kPatience))
            said += console.readAll();
        const double after = static_cast<double>(clock.nsecsElapsed()) / 1e6;
        if (!said.contains("Flushing")) {
            console.kill();
            console.waitForFinished();
            return report.skip("console-start",
                               program.toStdString() + " paints nothing, or does not say so");
        }
        wall.push_back(after);
        processor.push_back(processMilliseconds(console.processId()));
        console.kill();
        console.waitForFinished();
    }
    addTime(report, "console-start", "until its first paint, by the wall clock", middleOf(wall), kGoal);
    addTime(report, "console-start", "until its first paint", middleOf(processor), kGoal);
}

} // namespace starling::bench
