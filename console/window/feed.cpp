// SPDX-License-Identifier: Apache-2.0
#include "feed.h"

#include "enrol/fingerprint.h"
#include "model/intake.h"
#include "trust/join.h"
#include "words.h"

#include <QDateTime>
#include <QElapsedTimer>

namespace starling::window {

using namespace std::chrono_literals;

namespace {

constexpr qint64 kStatusEvery = 1'000; ///< ms: rates and links change without events
constexpr qint64 kDevicesEvery = 10'000; ///< ms: should an event be lost
constexpr qint64 kRetryAfter = 1'000; ///< ms; guess: an agent that starts is there within it
constexpr std::size_t kEventsAtOnce = 4'096; ///< control::Client keeps no more
constexpr auto kPatience = 3s; ///< guess: a local agent answers in milliseconds
constexpr qint64 kReadFor =
    200; ///< ms in which devices are read before what has come is shown: most of kBatch

UtcTime secondOf(qint64 milliseconds)
{
    return UtcTime(std::chrono::seconds(milliseconds / 1'000));
}

QString gateName(const NodeId& gate, const fleetview::Picture& picture)
{
    if (gate.isZero())
        return {};
    const fleetview::Device* const known = picture.find(gate);
    return known == nullptr || known->name.empty() ? plain(gate.shortHex()) : plain(known->name);
}

std::vector<Applicant> applicantsOf(const control::PendingReply& pending, const fleetview::Picture& picture)
{
    std::vector<Applicant> applicants;
    for (const control::PendingLine& line : pending.devices)
        if (const auto request = trust::openJoinRequest(line.request, pending.fleet))
            applicants.push_back({plain(request->name), plain(enrol::fingerprintOf(request->node)),
                                  gateName(line.gate, picture), line.ageSeconds, request->renews, *request});
    return applicants;
}

} // namespace

FeedWorker::FeedWorker(QString socket)
    : m_socket(std::move(socket))
{
}

void FeedWorker::begin()
{
    m_timer = new QTimer(this);
    connect(m_timer, &QTimer::timeout, this, &FeedWorker::tick);
    m_timer->start(m_pace);
    tick();
}

void FeedWorker::setPace(std::chrono::milliseconds pace)
{
    m_pace = pace;
    if (m_timer != nullptr)
        m_timer->start(m_pace);
}

void FeedWorker::ask(const QString& socket)
{
    m_socket = socket;
    m_agent.reset();
    m_fleet.reset();
    m_reader = {};
    m_events.reset();
    m_nextTry = 0;
}

void FeedWorker::refresh()
{
    m_isDirty = true;
    m_nextTry = 0;
    tick();
}

void FeedWorker::giveUp(const Error& error)
{
    m_agent.reset();
    m_nextTry = QDateTime::currentMSecsSinceEpoch() + kRetryAfter;
    Q_EMIT lost(QStringLiteral("%1 · %2").arg(plain(error.context, 300),
                                              QString::fromStdString(codeName(error.code))));
}

void FeedWorker::tick()
{
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    if (!m_agent) {
        if (now < m_nextTry)
            return;
        auto agent = control::Client::connect(m_socket, 1s);
        if (!agent)
            return giveUp(agent.error());
        m_agent.emplace(std::move(*agent));
        if (auto watching = m_agent->ask<control::WatchReply>(control::WatchRequest{}, kPatience); !watching)
            return giveUp(watching.error());
        m_isDirty = true;
        m_askedAt = m_devicesAt = 0;
    }
    if (auto looked = look(); !looked)
        giveUp(looked.error());
}

Status FeedWorker::drainEvents()
{
    std::vector<SeenEvent> come;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    for (std::size_t i = 0; i < kEventsAtOnce; ++i) {
        auto event = m_agent->nextEvent(0ms);
        if (!event)
            return fail(std::move(event.error()), "events");
        if (!*event)
            break;
        come.push_back({now, std::move(**event)});
    }
    if (come.empty())
        return {};
    m_isDirty = true;
    // Snapshots keep what they were given.
    auto events = m_events ? std::make_shared<std::deque<SeenEvent>>(*m_events)
                           : std::make_shared<std::deque<SeenEvent>>();
    events->insert(events->end(), std::make_move_iterator(come.begin()), std::make_move_iterator(come.end()));
    while (events->size() > kMaxEvents)
        events->pop_front();
    m_events = std::move(events);
    return {};
}

/// What has changed, or as much of it as comes in a while.
Status FeedWorker::readDevices(const std::vector<fleetview::KnownRelease>& releases)
{
    QElapsedTimer since;
    since.start();
    std::vector<fleetview::Report> come;
    bool isWhole = false;
    Status read;
    do {
        auto page = m_reader.next(*m_agent, kPatience);
        if (!page) {
            read = tl::unexpected<Error>(page.error()); // what came before it counts
            break;
        }
        if (page->begins) {
            come.clear(); // it comes again
            m_fleet->beginReading();
            m_reading = {};
        }
        m_reading.read += page->reply.devices.size();
        m_reading.of = page->reply.total;
        isWhole = isWhole || page->ends;
        for (fleetview::Report& report : console::reportsOf(std::move(page->reply.devices)))
            come.push_back(std::move(report));
    } while (!m_reader.isUpToDate() && since.elapsed() < kReadFor);
    const UtcTime now = secondOf(QDateTime::currentMSecsSinceEpoch());
    m_fleet->hear(std::move(come), releases, now);
    if (isWhole)
        m_fleet->endReading(now);
    return read;
}

Status FeedWorker::askDevices()
{
    auto updates = m_agent->ask<control::UpdatesReply>(control::UpdatesRequest{}, kPatience);
    if (!updates)
        return fail(std::move(updates.error()), "updates");
    auto pending = m_agent->ask<control::PendingReply>(control::PendingRequest{}, kPatience);
    if (!pending)
        return fail(std::move(pending.error()), "applicants");
    m_pending = std::move(*pending);
    auto hints = m_status.isObserver ? m_agent->ask<control::HintsReply>(control::HintsRequest{}, kPatience)
                                     : Result<control::HintsReply>(control::HintsReply());
    if (!hints)
        return fail(std::move(hints.error()), "sums");
    m_hints = console::hintsOf(*hints);
    if (!m_fleet)
        m_fleet.emplace(secondOf(QDateTime::currentMSecsSinceEpoch()));
    return readDevices(console::releasesOf(updates->updates));
}

SnapshotPtr FeedWorker::snapshot()
{
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    snapshot->picture = m_fleet->picture(secondOf(snapshot->takenAt));
    snapshot->status = m_status;
    snapshot->applicants = applicantsOf(m_pending, *snapshot->picture);
    snapshot->hints = m_hints;
    snapshot->events = m_events;
    if (!m_reader.isWhole())
        snapshot->reading = m_reading;
    if (const std::uint64_t shown = m_fleet->devices();
        shown >= fleetview::Fleet::kMaxDevices && m_reading.of > shown)
        snapshot->leftOut = m_reading.of - shown;
    return snapshot;
}

Status FeedWorker::look()
{
    if (auto drained = drainEvents(); !drained)
        return drained;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const bool wantsDevices = m_isDirty || now - m_devicesAt >= kDevicesEvery;
    if (!wantsDevices && now - m_askedAt < kStatusEvery)
        return {};
    auto status = m_agent->ask<control::StatusReply>(control::StatusRequest{}, kPatience);
    if (!status)
        return fail(std::move(status.error()), "status");
    m_status = std::move(*status);
    m_askedAt = now;
    if (wantsDevices) {
        m_devicesAt = now;
        if (auto asked = askDevices(); !asked)
            return asked;
        m_isDirty = !m_reader.isUpToDate();
    }
    Q_EMIT snapshotTaken(snapshot());
    return {};
}

Feed::Feed(const QString& socket, QObject* parent)
    : Source(parent)
    , m_worker(new FeedWorker(socket))
{
    qRegisterMetaType<SnapshotPtr>();
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::started, m_worker, &FeedWorker::begin);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
    connect(m_worker, &FeedWorker::snapshotTaken, this, &Feed::snapshotTaken);
    connect(m_worker, &FeedWorker::lost, this, &Feed::lost);
}

Feed::~Feed()
{
    m_thread.quit();
    m_thread.wait();
}

void Feed::ask(const QString& socket)
{
    QMetaObject::invokeMethod(m_worker, [worker = m_worker, socket] { worker->ask(socket); });
}

void Feed::refresh()
{
    QMetaObject::invokeMethod(m_worker, &FeedWorker::refresh);
}

void Feed::setPace(std::chrono::milliseconds pace)
{
    QMetaObject::invokeMethod(m_worker, [worker = m_worker, pace] { worker->setPace(pace); });
}

void Feed::begin()
{
    m_thread.start();
}

} // namespace starling::window
