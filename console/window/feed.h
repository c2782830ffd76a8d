// SPDX-License-Identifier: Apache-2.0
/// What an agent tells over its control socket, asked in a thread of its own: the window's one way in.
/// Snapshots come in batches, at most kBatch apart from each other, and are values that nobody changes.
#pragma once

#include "control/client.h"
#include "fleetview/fleet.h"
#include "fleetview/hints.h"
#include "model/device_reader.h"
#include "trust/join.h"

#include <QObject>
#include <QThread>
#include <QTimer>
#include <deque>

namespace starling::window {

/// A device that waits to be let in.
struct Applicant
{
    QString name, words;
    QString gate; ///< the agent where it waits, if that is not the one that is asked
    std::uint64_t waitingSeconds = 0;
    std::optional<std::uint64_t> renews = {}; ///< it was admitted until then, in seconds since 1970
    trust::JoinRequest request = {}; ///< what it asks for, signed by its key
};

/// Of a fleet that is simulated in this console, instead of an agent that is asked.
struct DemoState
{
    std::uint32_t devices = 0;
    std::uint64_t seed = 0;
    std::string story; ///< sim::storyName
    UtcTime clock; ///< the fleet's calendar
    int speed = 1; ///< seconds of it for each second here that were asked for
    double pace = 1; ///< and those that there were
    /// Before anything is shown: first the devices are made, then the observer comes to know of them.
    enum class Stage : std::uint8_t { Making, Opening, Shown };
    Stage stage = Stage::Making;
    double share = 0; ///< of the stage that is done, 0 to 1
    std::optional<std::chrono::seconds> left = {}; ///< of the stage, once that can be guessed
    bool isOpening() const { return stage != Stage::Shown; }
};

/// While an agent is asked for all of its devices for the first time, or anew.
struct Reading
{
    std::uint64_t read = 0, of = 0; ///< devices
};

/// What the agent told, when it came here.
struct SeenEvent
{
    qint64 at = 0; ///< ms since 1970, by this machine's clock; in a demo by the fleet's
    control::Event event;
};
using EventsPtr = std::shared_ptr<const std::deque<SeenEvent>>;

struct Snapshot
{
    fleetview::PicturePtr picture;
    control::StatusReply status;
    std::vector<Applicant> applicants;
    std::optional<fleetview::Hints> hints = {}; ///< while the agent is told in sums
    qint64 takenAt = 0; ///< ms since 1970, by this machine's clock
    std::optional<DemoState> demo;
    std::optional<Reading> reading = {}; ///< the picture is of what has been read so far
    std::uint64_t leftOut =
        0; ///< devices that the agent tells of and that have no room in the picture; about
    EventsPtr events; ///< oldest first, at most FeedWorker::kMaxEvents; null: none yet
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Where snapshots come from. Goes on in a thread of its own from begin() until it is destroyed.
class Source : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;
    virtual void begin() = 0;
    /// Tells nothing any more, and deletes itself, now or when its thread has given back what it holds:
    /// nobody waits for it.
    virtual void leave() { delete this; }

Q_SIGNALS:
    void snapshotTaken(const starling::window::SnapshotPtr& snapshot);
    void lost(const QString& why);
};

/// Lives in the feed's thread.
class FeedWorker : public QObject
{
    Q_OBJECT
public:
    explicit FeedWorker(QString socket);
    void begin();
    /// From now on another agent is asked.
    void ask(const QString& socket);
    /// Asks for everything now, also an agent that did not answer a moment ago.
    void refresh();
    /// How far snapshots are apart at least; kBatch or more.
    void setPace(std::chrono::milliseconds pace);

    static constexpr std::chrono::milliseconds kBatch{250}; ///< 4 Hz (console specification)
    static constexpr std::size_t kMaxEvents = 5'000; ///< guess: what somebody scrolls through

Q_SIGNALS:
    void snapshotTaken(const starling::window::SnapshotPtr& snapshot);
    void lost(const QString& why);

private:
    void tick();
    Status look();
    Status drainEvents();
    Status askDevices();
    Status readDevices(const std::vector<fleetview::KnownRelease>& releases);
    SnapshotPtr snapshot();
    void giveUp(const Error& error);
    QString m_socket;
    std::chrono::milliseconds m_pace = kBatch;
    QTimer* m_timer = nullptr;
    std::optional<control::Client> m_agent;
    std::optional<fleetview::Fleet> m_fleet;
    console::DeviceReader m_reader;
    Reading m_reading;
    control::StatusReply m_status;
    control::PendingReply m_pending;
    std::optional<fleetview::Hints> m_hints;
    EventsPtr m_events;
    bool m_isDirty = true; ///< receipts or updates have come since the devices were asked for
    qint64 m_askedAt = 0, m_devicesAt = 0, m_nextTry = 0; ///< ms since 1970
};

class Feed : public Source
{
    Q_OBJECT
public:
    explicit Feed(const QString& socket, QObject* parent = nullptr);
    ~Feed() override;
    void begin() override;
    /// From now on another agent is asked, and what the one before told is forgotten.
    void ask(const QString& socket);
    void refresh();
    void setPace(std::chrono::milliseconds pace);

private:
    QThread m_thread;
    FeedWorker* m_worker;
};

} // namespace starling::window

Q_DECLARE_METATYPE(starling::window::SnapshotPtr)
