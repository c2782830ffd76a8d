// SPDX-License-Identifier: Apache-2.0
#include "preferences.h"

#include <QSettings>

namespace starling::window {

namespace {

/// What is kept as true or false; every item has its line here.
template <class Self, class Visit> void eachFlag(Self& preferences, Visit visit)
{
    visit("notifications/applicants", preferences.tellsApplicants);
    visit("notifications/failures", preferences.tellsFailures);
    visit("notifications/done", preferences.tellsDone);
    visit("safety/keychain", preferences.offersKeychain);
    visit("safety/always-type", preferences.alwaysTypesCount);
}

} // namespace

Preferences Preferences::load()
{
    const QSettings settings;
    Preferences kept;
    eachFlag(kept, [&](const char* name, bool& flag) {
        flag = settings.value(QLatin1String(name), flag).toBool();
    });
    bool isNumber = false;
    const int minutes = settings.value(QStringLiteral("safety/lock-after-minutes")).toInt(&isNumber);
    if (isNumber && minutes >= 0 && minutes <= kMaxLockAfter.count())
        kept.lockAfter = std::chrono::minutes(minutes);
    if (settings.value(QStringLiteral("appearance/density")).toString() == QStringLiteral("compact"))
        kept.density = Density::Compact;
    if (settings.value(QStringLiteral("general/opening")).toString() == QStringLiteral("overview"))
        kept.opening = Opening::Overview;
    return kept;
}

void Preferences::save() const
{
    QSettings settings;
    eachFlag(*this,
             [&](const char* name, const bool& flag) { settings.setValue(QLatin1String(name), flag); });
    settings.setValue(QStringLiteral("safety/lock-after-minutes"), static_cast<int>(lockAfter.count()));
    settings.setValue(QStringLiteral("appearance/density"),
                      density == Density::Compact ? QStringLiteral("compact")
                                                  : QStringLiteral("comfortable"));
    settings.setValue(QStringLiteral("general/opening"),
                      opening == Opening::Overview ? QStringLiteral("overview") : QStringLiteral("last"));
}

} // namespace starling::window
