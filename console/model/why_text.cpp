// SPDX-License-Identifier: Apache-2.0
#include "model/why_text.h"

#include "base/size.h"
#include "model/words.h"

namespace starling::console {

using fleetview::Cause;
using fleetview::Reason;
using fleetview::Standing;
using fleetview::Why;

namespace {

QString version(const trust::Revision& revision)
{
    return text(trust::toString(revision));
}

QString ageText(Duration age)
{
    return spanText(std::chrono::duration_cast<std::chrono::seconds>(age));
}

QString phaseOf(const Reason& reason)
{
    return phaseText(reason.entry->phase);
}

/// The device's own reason, if it gives one.
QString troubleOf(const trust::ReceiptEntry& entry)
{
    QString words;
    if (const auto code = errcOf(entry.code))
        words = QStringLiteral(": %1 (%2)").arg(codeText(*code), text(codeName(*code)));
    if (!entry.detail.empty())
        words += QStringLiteral(": ") + text(entry.detail);
    return words;
}

QString becauseOf(const Reason& reason, const Why& why)
{
    const QString newest = version(reason.newest);
    switch (reason.cause) {
    case Cause::Newest:
        return (reason.known && reason.known->isWithdrawn
                    ? Words::tr(
                        "it says “healthy” of version %1, which was withdrawn; nothing newer is known")
                    : Words::tr("it says “healthy” of version %1, and nothing newer is known"))
            .arg(newest);
    case Cause::NotForIt:
        return Words::tr("version %1 is not for this device").arg(newest) + troubleOf(*reason.entry);
    case Cause::Console:
        return Words::
            tr("it says “%1” of version %2, and is the agent of somebody's console, which installs nothing")
                .arg(phaseOf(reason), newest);
    case Cause::Withdrawn:
        return Words::tr("version %1 was withdrawn before it was in place").arg(newest)
            + troubleOf(*reason.entry);
    case Cause::Silent:
        return Words::tr("version %1 is out, and its receipt says nothing of this resource; whether the "
                         "release is for it is unknown here")
            .arg(newest);
    case Cause::Older:
        return Words::tr("it says “%1” of version %2%3; version %4 is out, and it says nothing of that yet")
            .arg(phaseOf(reason), version(reason.entry->revision), troubleOf(*reason.entry), newest);
    case Cause::NotBegun:
        return Words::tr("it says “%1” of version %2: it knows of it, and has not begun to fetch it")
                   .arg(phaseOf(reason), newest)
            + troubleOf(*reason.entry);
    case Cause::UnderWay:
        return Words::tr("it says “%1” of version %2").arg(phaseOf(reason), newest)
            + troubleOf(*reason.entry);
    case Cause::Quiet:
        return (why.age
                    ? Words::tr("it says “%1” of version %2, and has said nothing for %3")
                          .arg(phaseOf(reason), newest, ageText(*why.age))
                    : Words::tr("it says “%1” of version %2, and has said nothing since this console began")
                          .arg(phaseOf(reason), newest))
            + troubleOf(*reason.entry);
    case Cause::RolledBack:
        return Words::tr("version %1 was undone").arg(newest) + troubleOf(*reason.entry);
    case Cause::Failed:
        return Words::tr("version %1 failed").arg(newest) + troubleOf(*reason.entry);
    }
    return {};
}

QString proofOf(const Reason& reason, const Why& why, UtcTime now)
{
    QString words =
        Words::tr("receipt %1, signed by the device and verified by the agent; ").arg(why.sequence)
        + (why.age ? Words::tr("it came %1 ago").arg(ageText(*why.age))
                   : Words::tr("when it came is unknown: the agent held it before it was asked"));
    if (reason.since)
        words += Words::tr("; it has said so for %1").arg(ageText(now - *reason.since));
    if (reason.cause == Cause::Newest)
        return words;
    if (!reason.known)
        return words
            + Words::tr("; version %1 is known by receipts of devices alone").arg(version(reason.newest));
    return words
        + (reason.known->knownSince
               ? Words::tr("; the agent verified the notice of version %1 %2 ago")
                     .arg(version(reason.newest), ageText(now - *reason.known->knownSince))
               : Words::tr("; the agent verified the notice of version %1 before its start")
                     .arg(version(reason.newest)));
}

QString nextOf(const Reason& reason)
{
    switch (reason.cause) {
    case Cause::Newest:
        return reason.known && reason.known->isWithdrawn
            ? Words::tr("it keeps it until a later version is pushed, and serves it to nobody")
            : Words::tr("nothing: it goes on serving the release to others");
    case Cause::Withdrawn:
        return Words::tr("it keeps what it has until a later version is pushed");
    case Cause::Console:
        return Words::tr("nothing: it gives the release to others");
    case Cause::NotForIt:
        return Words::tr(
            "compare what the release requires with the labels of the device; it goes by those of its "
            "own agent.conf");
    case Cause::Silent:
    case Cause::Older:
        return Words::tr(
            "it names the release in its receipt once the notice has reached it; if it stays so, look "
            "whether it is linked (starling status on the device)");
    case Cause::NotBegun:
        return Words::tr(
            "it reports again when it begins to fetch; starling status on the device says what it "
            "waits for");
    case Cause::UnderWay:
        return Words::tr(
            "it reports again at the next phase; how far it is in between, it alone knows (starling "
            "status on the device)");
    case Cause::Quiet:
        return Words::tr("look at the device itself: starling status there shows rates, peers and links");
    case Cause::RolledBack:
        return Words::tr("it runs what it ran before; mend the release, and push it with a higher version");
    case Cause::Failed:
        return Words::tr("mend the cause, and push the release again with a higher version");
    }
    return {};
}

} // namespace

QString phaseText(trust::Phase phase)
{
    switch (phase) {
    case trust::Phase::Announced:
        return Words::tr("announced");
    case trust::Phase::Accepted:
        return Words::tr("accepted");
    case trust::Phase::Downloading:
        return Words::tr("downloading");
    case trust::Phase::Verifying:
        return Words::tr("verifying");
    case trust::Phase::Staged:
        return Words::tr("staged");
    case trust::Phase::Deploying:
        return Words::tr("deploying");
    case trust::Phase::Checking:
        return Words::tr("checking");
    case trust::Phase::RollingBack:
        return Words::tr("rolling back");
    case trust::Phase::Healthy:
        return Words::tr("healthy");
    case trust::Phase::Failed:
        return Words::tr("failed");
    case trust::Phase::RolledBack:
        return Words::tr("rolled back");
    }
    return {};
}

QString codeText(Errc code)
{
    // Found by their English text, which base/result.cpp has: it knows nothing of translations.
    return Words::tr(std::string(describe(code)).c_str());
}

QString stateWord(Standing standing)
{
    switch (standing) {
    case Standing::Healthy:
        return Words::tr("Healthy");
    case Standing::Unknown:
        return Words::tr("No release");
    case Standing::Held:
        return Words::tr("Held");
    case Standing::Waiting:
        return Words::tr("Waiting");
    case Standing::Downloading:
        return Words::tr("Downloading");
    case Standing::Installing:
        return Words::tr("Installing");
    case Standing::Stalled:
        return Words::tr("Stalled");
    case Standing::RolledBack:
        return Words::tr("Rolled back");
    case Standing::Failed:
        return Words::tr("Failed");
    }
    return {};
}

std::vector<WhyText> whyTextOf(const Why& why, UtcTime now)
{
    std::vector<WhyText> texts;
    for (const Reason& reason : why.reasons)
        texts.push_back({text(reason.uri.text()),
                         reason.cause == Cause::Silent ? Words::tr("Unknown") : stateWord(reason.standing),
                         becauseOf(reason, why), proofOf(reason, why, now), nextOf(reason)});
    if (texts.empty())
        texts.push_back(
            {Words::tr("no resource"), stateWord(Standing::Unknown),
             Words::tr("its receipt tells of no release, and the agent knows of none"),
             Words::tr("receipt %1, signed by the device and verified by the agent").arg(why.sequence),
             Words::tr("push a release to any agent of the fleet; the device takes what is for it")});
    return texts;
}

QStringList whyRemarksOf(const Why& why)
{
    QStringList remarks;
    if (why.rootNumber < why.newestRoot)
        remarks += Words::tr("it holds root %1, and others hold root %2: what wants that root waits there")
                       .arg(why.rootNumber)
                       .arg(why.newestRoot);
    for (const auto& [name, count] : why.alarms)
        remarks += Words::tr("it has refused since its start: %1, %2 time(s)").arg(text(name)).arg(count);
    QStringList ways;
    for (const auto& [kind, bytes] : why.paths)
        ways += Words::tr("%1 %2").arg(text(toString(ByteCount{bytes})), text(kind));
    if (!ways.isEmpty())
        remarks += Words::tr("payload came to it since its start: %1").arg(ways.join(QStringLiteral(", ")));
    return remarks;
}

QString spanText(std::chrono::seconds span)
{
    const auto seconds = std::max<std::int64_t>(0, span.count());
    if (seconds < 60)
        return Words::tr("%1 s").arg(seconds);
    if (seconds < 3'600)
        return Words::tr("%1 min").arg(seconds / 60);
    if (seconds < 48 * 3'600)
        return Words::tr("%1 h").arg(seconds / 3'600);
    return Words::tr("%1 d").arg(seconds / 86'400);
}

} // namespace starling::console
