// SPDX-License-Identifier: Apache-2.0
#include "demo_feed.h"

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
constexpr qint64 kPaceEvery = 2'000; ///< ms

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
    const bool isOpening = m_demo->now() < sim::DemoFleet::kOpening;
    if (isOpening) // as quickly as it goes: nobody is shown it
        m_target = sim::DemoFleet::kOpening;
    else
        m_target += std::chrono::milliseconds(std::min(now - m_lastTick, kLongestStep)) * m_speed;
    m_lastTick = now;
    while (m_demo->advance(m_target, kEventsAtOnce) && m_clock.elapsed() - now < kWorkAtOnce) { }
    takeReceipts();
    if (!isOpening && m_target - m_demo->now() > kMostBehind)
        m_target = m_demo->now();
    if (m_clock.elapsed() - m_lastTold >= FeedWorker::kBatch.count())
        tell();
}

void DemoWorker::takeReceipts()
{
    for (board::DeviceReceipt& kept : m_demo->collect()) {
        const NodeId node = kept.receipt.node;
        m_reports[node] = {node, std::move(kept.certificate.name), std::move(kept.certificate.labels),
                           std::move(kept.receipt)};
    }
}

void DemoWorker::tell()
{
    const qint64 now = m_clock.elapsed();
    m_lastTold = now;
    if (now - m_paceSince >= kPaceEvery) {
        m_pace = std::chrono::duration<double, std::milli>(m_demo->now() - m_paceFrom).count()
            / static_cast<double>(now - m_paceSince);
        m_paceSince = now;
        m_paceFrom = m_demo->now();
    }
    if (m_demo->now() >= sim::DemoFleet::kOpening) {
        std::vector<fleetview::Report> reports;
        reports.reserve(m_reports.size());
        for (const auto& [node, report] : m_reports)
            reports.push_back(report);
        std::vector<fleetview::KnownRelease> releases;
        for (const sim::DemoRelease& release : m_demo->releases())
            releases.push_back({release.uri,
                                release.revision,
                                release.payload,
                                {},
                                sim::DemoFleet::kPayloadBytes,
                                release.since});
        if (!m_fleet)
            m_fleet.emplace(m_demo->clock());
        m_fleet->take(std::move(reports), std::move(releases), m_demo->clock());
    }
    Q_EMIT snapshotTaken(snapshot());
}

SnapshotPtr DemoWorker::snapshot()
{
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    snapshot->demo = {m_config.devices, m_config.seed, std::string(sim::storyName(m_config.story)),
                      UtcTime(),        m_speed,       m_pace,
                      !m_fleet};
    control::StatusReply& status = snapshot->status;
    status.version = STARLING_VERSION;
    status.isObserver = true;
    if (!m_fleet) {
        auto empty = std::make_shared<fleetview::Picture>();
        empty->steps = std::make_shared<std::vector<fleetview::Step>>();
        snapshot->picture = std::move(empty);
    } else {
        snapshot->picture = m_fleet->picture(m_demo->clock());
    }
    if (!m_demo)
        return snapshot;
    snapshot->demo->clock = m_demo->clock();
    status.node = m_demo->observer();
    status.name = m_demo->observerName();
    status.fleet = m_demo->fleet();
    status.rootNumber = m_demo->rootNumber();
    status.uptimeSeconds = static_cast<std::uint64_t>(m_demo->now() / 1s);
    status.devices = m_reports.size();
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

void DemoFeed::begin()
{
    m_thread.start();
}

void DemoFeed::setSpeed(int speed)
{
    QMetaObject::invokeMethod(m_worker, [worker = m_worker, speed] { worker->setSpeed(speed); });
}

} // namespace starling::window
