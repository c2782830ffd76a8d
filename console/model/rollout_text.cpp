// SPDX-License-Identifier: Apache-2.0
#include "model/rollout_text.h"

#include "base/size.h"
#include "model/csv_cell.h"
#include "model/why_text.h"
#include "model/words.h"

#include <QDateTime>
#include <QJsonArray>

namespace starling::console {

using fleetview::Course;
using fleetview::Rollout;
using fleetview::RolloutReason;
using fleetview::RolloutReport;
using fleetview::Straggler;

namespace {

QJsonObject jsonOf(const RolloutReason& reason)
{
    QJsonObject object{{QStringLiteral("state"), text(fleetview::standingName(reason.standing))},
                       {QStringLiteral("devices"), number(reason.devices)}};
    if (reason.phase)
        object.insert(QStringLiteral("phase"), text(trust::phaseName(*reason.phase)));
    if (const auto code = errcOf(reason.code))
        object.insert(QStringLiteral("code"), text(codeName(*code)));
    if (!reason.detail.empty())
        object.insert(QStringLiteral("detail"), text(reason.detail));
    return object;
}

QJsonObject jsonOf(const Straggler& straggler)
{
    QJsonObject object{{QStringLiteral("node"), text(straggler.device->node.hex())},
                       {QStringLiteral("name"), text(straggler.device->name)},
                       {QStringLiteral("state"), text(fleetview::standingName(straggler.standing))}};
    if (const auto& entry = straggler.entry) {
        object.insert(QStringLiteral("epoch"), number(entry->revision.epoch));
        object.insert(QStringLiteral("version"), number(entry->revision.version));
        object.insert(QStringLiteral("phase"), text(trust::phaseName(entry->phase)));
        if (const auto code = errcOf(entry->code))
            object.insert(QStringLiteral("code"), text(codeName(*code)));
        if (!entry->detail.empty())
            object.insert(QStringLiteral("detail"), text(entry->detail));
    }
    return object;
}

} // namespace

QString courseWord(Course course)
{
    switch (course) {
    case Course::Unknown:
        return Words::tr("Not heard of yet");
    case Course::Running:
        return Words::tr("On track");
    case Course::Slow:
        return Words::tr("Slow");
    case Course::Failing:
        return Words::tr("Failing");
    case Course::Done:
        return Words::tr("All healthy");
    case Course::Passed:
        return Words::tr("Passed by a newer one");
    case Course::Withdrawn:
        return Words::tr("Withdrawn");
    }
    return {};
}

QString remainingText(const Rollout& rollout)
{
    if (!rollout.remaining)
        return {};
    const QString low = spanText(rollout.remaining->low), high = spanText(rollout.remaining->high);
    return low == high ? low : Words::tr("%1 to %2").arg(low, high);
}

QString reasonText(const RolloutReason& reason)
{
    if (!reason.phase)
        return Words::tr("has said nothing of this release yet");
    QString words = phaseText(*reason.phase);
    if (const auto code = errcOf(reason.code))
        words += QStringLiteral(" · %1 · %2").arg(codeText(*code), text(codeName(*code)));
    if (!reason.detail.empty())
        words += QStringLiteral(" · ") + text(reason.detail);
    return words;
}

QString pathsText(const RolloutReport& report)
{
    QStringList ways;
    for (const auto& [kind, bytes] : report.paths)
        ways += Words::tr("%1 %2").arg(text(toString(ByteCount{bytes})), text(kind));
    if (ways.isEmpty())
        return {};
    return Words::tr("payload came to %n device(s) since their start: %1", nullptr,
                     static_cast<int>(report.pathsOf))
        .arg(ways.join(QStringLiteral(", ")));
}

QJsonObject jsonOf(const Rollout& rollout)
{
    QJsonObject object{{QStringLiteral("uri"), text(rollout.uri.text())},
                       {QStringLiteral("epoch"), number(rollout.revision.epoch)},
                       {QStringLiteral("version"), number(rollout.revision.version)},
                       {QStringLiteral("info_hash"), text(rollout.infoHash.hex())},
                       {QStringLiteral("course"), text(fleetview::courseName(rollout.course))},
                       {QStringLiteral("eligible"), number(rollout.eligible)},
                       {QStringLiteral("healthy"), number(rollout.healthy)},
                       {QStringLiteral("under_way"), number(rollout.underWay)},
                       {QStringLiteral("failed"), number(rollout.trouble)},
                       {QStringLiteral("held"), number(rollout.held)},
                       {QStringLiteral("silent"), number(rollout.silent)},
                       {QStringLiteral("eta_s"), QJsonValue()}};
    if (rollout.known)
        object.insert(QStringLiteral("label"), text(rollout.known->label));
    if (rollout.remaining)
        object.insert(
            QStringLiteral("eta_s"),
            QJsonObject{{QStringLiteral("low"), static_cast<qint64>(rollout.remaining->low.count())},
                        {QStringLiteral("high"), static_cast<qint64>(rollout.remaining->high.count())}});
    return object;
}

QJsonObject jsonOf(const RolloutReport& report, UtcTime at)
{
    QJsonObject object = jsonOf(report.rollout);
    QJsonArray reasons, stragglers;
    for (const RolloutReason& reason : report.reasons)
        reasons.append(jsonOf(reason));
    for (const Straggler& straggler : report.stragglers)
        stragglers.append(jsonOf(straggler));
    object.insert(
        QStringLiteral("as_of"),
        QDateTime::fromSecsSinceEpoch(at.time_since_epoch().count(), Qt::UTC).toString(Qt::ISODate));
    QJsonObject paths;
    for (const auto& [kind, bytes] : report.paths)
        paths.insert(text(kind), number(bytes));
    object.insert(QStringLiteral("payload_in"), paths);
    object.insert(QStringLiteral("payload_devices"), number(report.pathsOf));
    object.insert(QStringLiteral("reasons"), reasons);
    object.insert(QStringLiteral("stragglers"), stragglers);
    return object;
}

QByteArray csvOf(const RolloutReport& report)
{
    QByteArray csv("node,name,state,version,phase,code,detail\r\n");
    for (const Straggler& straggler : report.stragglers) {
        const auto& entry = straggler.entry;
        const auto code = entry ? errcOf(entry->code) : std::nullopt;
        const QByteArrayList cells{csvCell(text(straggler.device->node.hex())),
                                   csvCell(text(straggler.device->name)),
                                   csvCell(text(fleetview::standingName(straggler.standing))),
                                   csvCell(entry ? text(trust::toString(entry->revision)) : QString()),
                                   csvCell(entry ? text(trust::phaseName(entry->phase)) : QString()),
                                   csvCell(code ? text(codeName(*code)) : QString()),
                                   csvCell(entry ? text(entry->detail) : QString())};
        csv += cells.join(',') + "\r\n";
    }
    return csv;
}

} // namespace starling::console
