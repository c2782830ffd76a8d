// SPDX-License-Identifier: Apache-2.0
#include "notices.h"

#include "fleetview/rollout.h"
#include "words.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>

namespace starling::window {

using fleetview::Standing;

namespace {

constexpr qsizetype kMostLines = 3; ///< guess: a status bar has one line

QString tr(const char* text)
{
    return QCoreApplication::translate("Notices", text);
}

std::set<NodeId> troubledOf(const fleetview::Picture& picture)
{
    std::set<NodeId> nodes;
    for (const fleetview::DevicePtr& device : picture.devices)
        if (device->standing == Standing::Failed || device->standing == Standing::RolledBack)
            nodes.insert(device->node);
    return nodes;
}

void addFailures(QStringList& lines, const fleetview::Picture& before, const fleetview::Picture& now)
{
    const auto known = troubledOf(before);
    QString first;
    qsizetype count = 0;
    for (const fleetview::DevicePtr& device : now.devices)
        if ((device->standing == Standing::Failed || device->standing == Standing::RolledBack)
            && !known.contains(device->node) && count++ == 0)
            first = plain(device->name, 64);
    if (count == 1)
        lines += tr("%1 has failed").arg(first);
    else if (count > 1)
        lines += tr("%1 devices have failed, %2 first").arg(QLocale().toString(count), first);
}

void addApplicants(QStringList& lines, const Snapshot& before, const Snapshot& now)
{
    for (const Applicant& applicant : now.applicants)
        if (std::none_of(before.applicants.begin(), before.applicants.end(),
                         [&](const Applicant& each) { return each.words == applicant.words; }))
            lines += applicant.renews ? tr("%1 wants a new certificate").arg(applicant.name)
                                      : tr("%1 asks to join").arg(applicant.name);
}

void addDone(QStringList& lines, const fleetview::Picture& before, const fleetview::Picture& now)
{
    const auto earlier = fleetview::rolloutsOf(before);
    for (const fleetview::Rollout& rollout : fleetview::rolloutsOf(now)) {
        const auto was = std::find_if(earlier.begin(), earlier.end(), [&](const fleetview::Rollout& each) {
            return each.uri == rollout.uri && each.revision == rollout.revision;
        });
        if (rollout.course == fleetview::Course::Done && was != earlier.end()
            && was->course != fleetview::Course::Done)
            lines += tr("%1 is healthy on all %2 devices")
                         .arg(releaseName(rollout.uri, rollout.revision),
                              QLocale().toString(static_cast<qulonglong>(rollout.eligible)));
    }
}

} // namespace

QStringList newsOf(const SnapshotPtr& before, const Snapshot& now, const Preferences& preferences)
{
    if (!before)
        return {};
    const bool isSamePicture = before->picture == now.picture;
    QStringList lines;
    if (preferences.tellsFailures && !isSamePicture)
        addFailures(lines, *before->picture, *now.picture);
    if (preferences.tellsApplicants)
        addApplicants(lines, *before, now);
    if (preferences.tellsDone && !isSamePicture)
        addDone(lines, *before->picture, *now.picture);
    return lines.mid(0, kMostLines);
}

} // namespace starling::window
