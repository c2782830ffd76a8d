// SPDX-License-Identifier: Apache-2.0
#include "model/hints_text.h"

#include "model/why_text.h"
#include "model/words.h"

#include <QJsonArray>
#include <QStringList>

namespace starling::console {

namespace {

QString about(std::uint64_t devices)
{
    return QString::number(fleetview::aboutSo(devices));
}

} // namespace

QString hintHeadline(const fleetview::Hints& hints)
{
    return Words::tr("hint, not verified: about %1 devices").arg(about(hints.devices));
}

QString hintedPhasesText(const fleetview::HintedPhases& phases)
{
    QStringList parts;
    for (const auto& [phase, devices] : phases)
        parts.append(Words::tr("about %1 %2").arg(about(devices), phaseText(phase)));
    return parts.isEmpty() ? Words::tr("none") : parts.join(QStringLiteral(", "));
}

QJsonObject jsonOf(const fleetview::Hints& hints)
{
    QJsonArray sums;
    for (const fleetview::Hint& hint : hints.hints)
        sums.append(
            QJsonObject{{QStringLiteral("uri"), text(hint.uri.text())},
                        {QStringLiteral("epoch"), number(hint.revision.epoch)},
                        {QStringLiteral("version"), number(hint.revision.version)},
                        {QStringLiteral("phase"), text(trust::phaseName(hint.phase))},
                        {QStringLiteral("site"), hint.site ? QJsonValue(text(*hint.site)) : QJsonValue()},
                        {QStringLiteral("devices"), number(hint.devices)}});
    return {{QStringLiteral("verified"), false},
            {QStringLiteral("devices"), number(hints.devices)},
            {QStringLiteral("not_told"), number(hints.folded)},
            {QStringLiteral("age_s"), number(hints.ageSeconds)},
            {QStringLiteral("sums"), sums}};
}

} // namespace starling::console
