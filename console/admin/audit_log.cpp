// SPDX-License-Identifier: Apache-2.0
#include "admin/audit_log.h"

#include "node/disk.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QStandardPaths>
#include <QSysInfo>

#include <array>
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace starling::console {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 11> kActs{
    "fleet-created",  "key-made",    "release-signed", "release-pushed", "device-admitted",  "devices-denied",
    "observer-named", "root-signed", "root-pushed",    "token-issued",   "release-withdrawn"};
constexpr std::size_t kTail = 4 * kMaxAuditLine; ///< enough for the last line, a torn one behind it or not
constexpr std::size_t kUserBytes = 4'096; ///< guess: an entry of passwd(5)

/// A file that is open, and locked, as long as this lives.
class LockedFile
{
public:
    explicit LockedFile(const fs::path& file)
        : m_descriptor(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600))
    {
        if (m_descriptor >= 0 && ::flock(m_descriptor, LOCK_EX) != 0) {
            ::close(m_descriptor);
            m_descriptor = -1;
        }
    }
    ~LockedFile()
    {
        if (m_descriptor >= 0)
            ::close(m_descriptor);
    }
    LockedFile(const LockedFile&) = delete;
    LockedFile& operator=(const LockedFile&) = delete;
    bool isOpen() const { return m_descriptor >= 0; }

    std::optional<std::size_t> size() const
    {
        struct stat info = {};
        return ::fstat(m_descriptor, &info) == 0 ? std::optional(static_cast<std::size_t>(info.st_size))
                                                 : std::nullopt;
    }
    std::optional<std::string> readFrom(std::size_t at, std::size_t most) const
    {
        std::string text(most, '\0');
        std::size_t got = 0;
        while (got < most) {
            const ssize_t read =
                ::pread(m_descriptor, text.data() + got, most - got, static_cast<off_t>(at + got));
            if (read < 0)
                return std::nullopt;
            if (read == 0)
                break;
            got += static_cast<std::size_t>(read);
        }
        text.resize(got);
        return text;
    }
    bool append(std::string_view text) const
    {
        while (!text.empty()) {
            const ssize_t written = ::write(m_descriptor, text.data(), text.size());
            if (written < 0)
                return false;
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        return ::fsync(m_descriptor) == 0;
    }

private:
    int m_descriptor;
};

std::string userName()
{
    std::array<char, kUserBytes> buffer{};
    struct passwd entry = {};
    struct passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        return found->pw_name;
    return "uid " + std::to_string(::geteuid());
}

/// What the next line follows.
struct Place
{
    std::uint64_t number = 1;
    Digest previous;
    std::optional<UtcTime> after; ///< when the line before was written
    bool isTorn = false; ///< the last line has no end
};

Result<Place> placeAfter(const LockedFile& file, std::size_t size)
{
    const auto head = file.readFrom(0, auditHeader().size());
    const std::size_t from = size > kTail ? size - kTail : 0;
    const auto tail = file.readFrom(from, size - from);
    if (!head || !tail)
        return fail(Errc::Io, "it cannot be read");
    if (auto known = readAuditTrail(*head); !known)
        return tl::unexpected<Error>(known.error());
    Place place;
    place.isTorn = tail->empty() || tail->back() != '\n';
    place.previous = auditStart();
    if (from == 0 && tail->find('\n') + 1 == tail->size())
        return place; // the header alone
    std::size_t end = tail->rfind('\n');
    while (end != tail->npos && end > 0) {
        const std::size_t before = tail->rfind('\n', end - 1);
        const std::size_t begin = before == tail->npos ? 0 : before + 1;
        if (const auto line = parseAuditLine(std::string_view(*tail).substr(begin, end - begin))) {
            place.number = line->entry.number + 1;
            place.previous = line->hash;
            place.after = line->entry.at;
            return place;
        }
        if (from == 0 && begin == 0)
            return place; // only lines that cannot be read behind the header
        end = before;
    }
    return fail(Errc::StateCorrupt, "no line near its end can be read");
}

} // namespace

std::string_view actName(Act act)
{
    return kActs[static_cast<std::size_t>(act)];
}

AuditLog::AuditLog()
    : m_file(fs::path(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation).toStdString())
             / "starling" / "audit.log")
{
}

AuditLog::AuditLog(fs::path file)
    : m_file(std::move(file))
{
}

Status AuditLog::record(Act act, std::string scope, std::string detail, std::optional<Errc> failure) const
{
    const std::string what = "audit log " + m_file.string();
    std::error_code error;
    fs::create_directories(m_file.parent_path(), error);
    const LockedFile file(m_file);
    const auto size = file.isOpen() ? file.size() : std::nullopt;
    if (!size)
        return tl::unexpected<Error>(node::diskError(errno, m_file));
    if (*size >= kMaxBytes)
        return fail(Errc::TooLarge, what + " is full: keep it elsewhere under another name");
    Place place{1, auditStart(), {}, false};
    std::string text;
    if (*size == 0) {
        text = auditHeader();
    } else {
        auto found = placeAfter(file, *size);
        if (!found)
            return fail(std::move(found.error()), what);
        place = *found;
    }
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    AuditEntry entry{place.number,
                     now,
                     userName() + "@" + QSysInfo::machineHostName().toStdString(),
                     QCoreApplication::applicationName().toStdString(),
                     std::string(actName(act)),
                     failure ? codeName(*failure) : "ok",
                     std::move(scope),
                     std::move(detail)};
    if (place.isTorn)
        text += '\n';
    text += auditLineOf(std::move(entry), place.previous);
    if (!file.append(text))
        return tl::unexpected<Error>(node::diskError(errno, m_file));
    return {};
}

Status AuditLog::checkClock(UtcTime now) const
{
    std::error_code error;
    if (!fs::exists(m_file, error))
        return {};
    const LockedFile file(m_file);
    const auto size = file.isOpen() ? file.size() : std::nullopt;
    if (!size || *size == 0)
        return {};
    const auto place = placeAfter(file, *size);
    if (!place || !place->after || *place->after <= now + kClockTolerance)
        return {};
    const auto text = [](UtcTime time) {
        return QDateTime::fromSecsSinceEpoch(time.time_since_epoch().count(), Qt::UTC)
            .toString(Qt::ISODate)
            .toStdString();
    };
    return fail(Errc::ClockWrong,
                "it says " + text(now) + ", and the last line of the audit log is of " + text(*place->after));
}

Result<AuditTrail> AuditLog::read() const
{
    std::error_code error;
    if (!fs::exists(m_file, error))
        return AuditTrail{{}, {}, 0, auditStart()};
    const auto bytes = node::readFile(m_file, kMaxBytes + kMaxAuditLine);
    if (!bytes)
        return fail(Error(bytes.error()), "audit log");
    auto trail =
        readAuditTrail(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
    if (!trail)
        return fail(std::move(trail.error()), "audit log " + m_file.string());
    return trail;
}

QJsonObject jsonOf(const AuditLine& line)
{
    const auto text = [](const std::string& utf8) { return QString::fromStdString(utf8); };
    const AuditEntry& entry = line.entry;
    return {
        {QStringLiteral("number"), static_cast<qint64>(entry.number)},
        {QStringLiteral("at"),
         QDateTime::fromSecsSinceEpoch(entry.at.time_since_epoch().count(), Qt::UTC).toString(Qt::ISODate)},
        {QStringLiteral("who"), text(entry.who)},
        {QStringLiteral("program"), text(entry.program)},
        {QStringLiteral("act"), text(entry.act)},
        {QStringLiteral("outcome"), text(entry.outcome)},
        {QStringLiteral("scope"), text(entry.scope)},
        {QStringLiteral("detail"), text(entry.detail)},
        {QStringLiteral("hash"), text(line.hash.hex())}};
}

std::string verdictOf(const AuditTrail& trail)
{
    const std::string entries =
        std::to_string(trail.lines.size()) + (trail.lines.size() == 1 ? " entry" : " entries");
    if (trail.isGood())
        return trail.lines.empty() ? "no entry yet" : entries + ", each follows the one before";
    const BadAuditLine& first = trail.bad.front();
    return "line " + std::to_string(first.line) + " is bad: " + first.error.context
        + (trail.badLines > 1 ? "; " + std::to_string(trail.badLines) + " bad lines in all" : "") + "; "
        + entries + " can be read";
}

} // namespace starling::console
