// SPDX-License-Identifier: Apache-2.0
#include "feed.h"

#include "enrol/fingerprint.h"
#include "model/intake.h"
#include "trust/join.h"
#include "words.h"

#include <QDateTime>

#include <algorithm>

namespace starling::window {

using namespace std::chrono_literals;

namespace {

constexpr qint64 kStatusEvery = 1'000; ///< ms: rates and links change without events
constexpr qint64 kDevicesEvery = 10'000; ///< ms: should an event be lost
constexpr qint64 kRetryAfter = 1'000; ///< ms; guess: an agent that starts is there within it
constexpr std::size_t kEventsAtOnce = 4'096; ///< control::Client keeps no more
constexpr auto kPatience = 3s; ///< guess: a local agent answers in milliseconds

UtcTime secondOf(qint64 milliseconds)
{
    return UtcTime(std::chrono::seconds(milliseconds / 1'000));
}

QString gateName(const NodeId& gate, const std::vector<control::DeviceLine>& devices)
{
    if (gate.isZero())
        return {};
    const auto known = std::ranges::find(devices, gate, &control::DeviceLine::node);
    return known == devices.end() || known->name.empty() ? plain(gate.shortHex()) : plain(known->name);
}

std::vector<Applicant> applicantsOf(const control::PendingReply& pending,
                                    const std::vector<control::DeviceLine>& devices)
{
    std::vector<Applicant> applicants;
    for (const control::PendingLine& line : pending.devices)
        if (const auto request = trust::openJoinRequest(line.request, pending.fleet))
            applicants.push_back({plain(request->name), plain(enrol::fingerprintOf(request->node)),
                                  gateName(line.gate, devices), line.ageSeconds, request->renews, *request});
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

Status FeedWorker::askDevices()
{
    auto devices = m_agent->ask<control::DevicesReply>(control::DevicesRequest{}, kPatience);
    if (!devices)
        return fail(std::move(devices.error()), "devices");
    auto updates = m_agent->ask<control::UpdatesReply>(control::UpdatesRequest{}, kPatience);
    if (!updates)
        return fail(std::move(updates.error()), "updates");
    auto pending = m_agent->ask<control::PendingReply>(control::PendingRequest{}, kPatience);
    if (!pending)
        return fail(std::move(pending.error()), "applicants");
    m_applicants = applicantsOf(*pending, devices->devices);
    auto hints = m_status.isObserver ? m_agent->ask<control::HintsReply>(control::HintsRequest{}, kPatience)
                                     : Result<control::HintsReply>(control::HintsReply());
    if (!hints)
        return fail(std::move(hints.error()), "sums");
    m_hints = console::hintsOf(*hints);
    const UtcTime now = secondOf(QDateTime::currentMSecsSinceEpoch());
    if (!m_fleet)
        m_fleet.emplace(now);
    m_fleet->take(console::reportsOf(std::move(devices->devices)), console::releasesOf(updates->updates),
                  now);
    return {};
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
        m_isDirty = false;
        m_devicesAt = now;
        if (auto asked = askDevices(); !asked)
            return asked;
    }
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->takenAt = QDateTime::currentMSecsSinceEpoch();
    snapshot->picture = m_fleet->picture(secondOf(snapshot->takenAt));
    snapshot->status = m_status;
    snapshot->applicants = m_applicants;
    snapshot->hints = m_hints;
    snapshot->events = m_events;
    Q_EMIT snapshotTaken(snapshot);
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
