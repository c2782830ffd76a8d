// SPDX-License-Identifier: Apache-2.0
#include "demo_feed.h"

#include <QCoreApplication>
#include <QDateTime>

namespace starling::window {

using namespace std::chrono_literals;

namespace {

constexpr auto kTick = 50ms; ///< guess: time that goes on in steps nobody sees
constexpr qint64 kWorkAtOnce =
    150; ///< ms of simulating between two snapshots: others want the processor, too
constexpr std::uint64_t kEventsAtOnce = 500; ///< guess: a few milliseconds of a large fleet
constexpr Duration kMostBehind = 1s; ///< what the machine cannot keep up with is let go, and said
constexpr qint64 kLongestStep = 500; ///< ms: a computer that slept does not make up for it
/// A picture of more devices takes a tenth of a second, which is the simulation's, too.
constexpr std::uint32_t kManyDevices = 10'000;
constexpr std::chrono::milliseconds kSeldom{1'000};
constexpr qint64 kPaceEvery = 2'000; ///< ms
constexpr double kSettled = 1; ///< s; guess: before, a rate is noise
constexpr double kToldOf = 0.02; ///< of a stage; guess: the same

qint64 milliseconds(UtcTime time)
{
    return time.time_since_epoch() / 1ms;
}

} // namespace

DemoWorker::DemoWorker(const sim::DemoConfig& config)
    : m_config(config)
{
}

DemoWorker::~DemoWorker() = default;

void DemoWorker::begin()
{
    m_clock.start();
    m_timer = new QTimer(this);
    connect(m_timer, &QTimer::timeout, this, &DemoWorker::tick);
    m_timer->start(kTick);
    Q_EMIT snapshotTaken(snapshot()); // it may take a while until there is more
    m_demo = std::make_unique<sim::DemoFleet>(m_config);
    m_lastTick = m_clock.elapsed();
}

void DemoWorker::tick()
{
    const qint64 now = m_clock.elapsed();
    const bool isOpening = !m_demo->isMade() || m_demo->now() < m_demo->opening();
    if (isOpening) // as quickly as it goes: nobody is shown it
        m_target = m_demo->opening();
    else
        m_target += std::chrono::milliseconds(std::min(now - m_lastTick, kLongestStep)) * m_speed;
    m_lastTick = now;
    while (m_demo->advance(m_target, kEventsAtOnce) && m_clock.elapsed() - now < kWorkAtOnce) { }
    takeReceipts();
    if (!isOpening && m_target - m_demo->now() > kMostBehind)
        m_target = m_demo->now();
    if (m_clock.elapsed() - m_lastTold
        >= (m_config.devices > kManyDevices ? kSeldom : FeedWorker::kBatch).count())
        tell();
}

void DemoWorker::takeReceipts()
{
    std::vector<board::DeviceReceipt> receipts = m_demo->collect();
    if (receipts.empty())
        return;
    m_events.take(receipts, m_demo->observer(), milliseconds(m_demo->clock()));
    for (board::DeviceReceipt& kept : receipts) {
        const NodeId node = kept.receipt.node;
        if (!m_fleet && !kept.receipt.entries.empty()
            && kept.receipt.entries.front().phase == trust::Phase::Healthy)
            m_opened.insert(node);
        m_reports[node] = {node, std::move(kept.certificate.name), std::move(kept.certificate.labels),
                           std::move(kept.receipt)};
    }
}

/// How fast time goes, and which stage it is.
void DemoWorker::measure(qint64 now)
{
    if (now - m_paceSince >= kPaceEvery) {
        m_pace = std::chrono::duration<double, std::milli>(m_demo->now() - m_paceFrom).count()
            / static_cast<double>(now - m_paceSince);
        m_paceSince = now;
        m_paceFrom = m_demo->now();
    }
    const auto stage = !m_demo->isMade()    ? DemoState::Stage::Making
        : m_demo->now() < m_demo->opening() ? DemoState::Stage::Opening
                                            : DemoState::Stage::Shown;
    if (stage != m_stage)
        m_stageSince = now;
    m_stage = stage;
}

void DemoWorker::tell()
{
    const qint64 now = m_clock.elapsed();
    m_lastTold = now;
    measure(now);
    if (m_stage == DemoState::Stage::Shown)
        updateFleet();
    Q_EMIT snapshotTaken(snapshot());
}

void DemoWorker::updateFleet()
{
    m_events.look(*m_demo, milliseconds(m_demo->clock()));
    std::vector<fleetview::Report> reports;
    reports.reserve(m_reports.size());
    for (auto& [node, report] : m_reports)
        reports.push_back(std::move(report));
    m_reports.clear();
    std::vector<fleetview::KnownRelease> releases;
    for (const sim::DemoRelease& release : m_demo->releases())
        releases.push_back({release.uri,
                            release.revision,
                            release.payload,
                            {},
                            sim::DemoFleet::kPayloadBytes,
                            release.since});
    if (m_fleet)
        return m_fleet->hear(std::move(reports), std::move(releases), m_demo->clock());
    m_opened.clear();
    m_fleet.emplace(m_demo->clock());
    m_fleet->take(std::move(reports), std::move(releases), m_demo->clock());
}

DemoState DemoWorker::state() const
{
    DemoState state{m_config.devices, m_config.seed, std::string(sim::storyName(m_config.story)),
                    UtcTime(),        m_speed,       m_pace,
                    m_stage};
    if (!m_demo)
        return state;
    if (m_demo->isMade())
        state.clock = m_demo->clock();
    if (m_stage == DemoState::Stage::Shown)
        return state;
    const auto shareOf = [](auto part, auto whole) {
        return static_cast<double>(part) / static_cast<double>(whole);
    };
    // Nobody has told of itself for a while: links come up meanwhile, which only time tells.
    state.share = m_stage == DemoState::Stage::Making
        ? shareOf(m_demo->made(), m_config.devices)
        : std::max(shareOf(m_opened.size(), m_config.devices),
                   shareOf(m_demo->now().count(), m_demo->opening().count()));
    // A guess after a tenth of a second, or of a little, says nothing.
    const double seconds = static_cast<double>(m_clock.elapsed() - m_stageSince) / 1'000;
    if (seconds >= kSettled && state.share >= kToldOf)
        state.left = std::chrono::seconds(static_cast<long>(seconds * (1 - state.share) / state.share + 0.5));
    return state;
}

SnapshotPtr DemoWorker::snapshot()
{
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    snapshot->demo = state();
    control::StatusReply& status = snapshot->status;
    status.version = STARLING_VERSION;
    status.isObserver = true;
    if (!m_fleet) {
        auto empty = std::make_shared<fleetview::Picture>();
        empty->steps = std::make_shared<std::vector<fleetview::Step>>();
        snapshot->picture = std::move(empty);
    } else {
        snapshot->picture = m_fleet->picture(m_demo->clock());
        snapshot->events = m_events.events();
    }
    if (!m_demo || !m_demo->isMade())
        return snapshot;
    status.node = m_demo->observer();
    status.name = m_demo->observerName();
    status.fleet = m_demo->fleet();
    status.rootNumber = m_demo->rootNumber();
    status.uptimeSeconds = static_cast<std::uint64_t>(m_demo->now() / 1s);
    status.devices = snapshot->picture->devices.size();
    if (m_demo->refused() > 0)
        status.refused["refused"] = m_demo->refused();
    for (const sim::DemoLink& link : m_demo->links())
        status.links.push_back(
            {link.node, Endpoint(), true, static_cast<std::uint64_t>(link.roundTrip / 1us)});
    for (const sim::DemoTraffic& line : m_demo->traffic())
        status.traffic.push_back({line.payload, line.node, line.bytesFrom, line.bytesTo});
    return snapshot;
}

DemoFeed::DemoFeed(const sim::DemoConfig& config, QObject* parent)
    : Source(parent)
    , m_worker(new DemoWorker(config))
{
    qRegisterMetaType<SnapshotPtr>();
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::started, m_worker, &DemoWorker::begin);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
    connect(m_worker, &DemoWorker::snapshotTaken, this, &DemoFeed::snapshotTaken);
}

DemoFeed::~DemoFeed()
{
    m_thread.quit();
    m_thread.wait();
}

/// What a large fleet holds takes seconds to give back.
void DemoFeed::leave()
{
    disconnect(m_worker, nullptr, this, nullptr);
    connect(m_worker, &QObject::destroyed, this, &QObject::deleteLater);
    // Nothing of it may go on once the program's own things are gone.
    connect(QCoreApplication::instance(), &QCoreApplication::aboutToQuit, this, [this] { m_thread.wait(); });
    m_thread.quit();
}

void DemoFeed::begin()
{
    m_thread.start();
}

void DemoFeed::setSpeed(int speed)
{
    QMetaObject::invokeMethod(m_worker, [worker = m_worker, speed] { worker->setSpeed(speed); });
}

} // namespace starling::window
