// SPDX-License-Identifier: Apache-2.0
#include "preferences.h"

#include <QSettings>
#include <QStringList>

namespace starling::window {

namespace {

/// What is kept as true or false; every item has its line here.
template <class Self, class Visit> void eachFlag(Self& preferences, Visit visit)
{
    visit("appearance/reduce-motion", preferences.reducesMotion);
    visit("notifications/applicants", preferences.tellsApplicants);
    visit("notifications/failures", preferences.tellsFailures);
    visit("notifications/done", preferences.tellsDone);
    visit("safety/keychain", preferences.offersKeychain);
    visit("safety/always-type", preferences.alwaysTypesCount);
}

/// What is kept by a word of a list; every choice has its line here.
template <class Self, class Visit> void eachChoice(Self& preferences, Visit visit)
{
    visit("general/opening", preferences.opening,
          QStringList{QStringLiteral("last"), QStringLiteral("overview")});
    visit("appearance/density", preferences.density,
          QStringList{QStringLiteral("comfortable"), QStringLiteral("compact")});
    visit("network/pace", preferences.pace,
          QStringList{QStringLiteral("usual"), QStringLiteral("1s"), QStringLiteral("5s")});
    visit("language/numbers", preferences.numbers,
          QStringList{QStringLiteral("system"), QStringLiteral("english")});
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
    eachChoice(kept, [&](const char* name, auto& choice, const QStringList& words) {
        if (const auto at = words.indexOf(settings.value(QLatin1String(name)).toString()); at >= 0)
            choice = static_cast<std::remove_reference_t<decltype(choice)>>(at);
    });
    return kept;
}

void Preferences::save() const
{
    QSettings settings;
    eachFlag(*this,
             [&](const char* name, const bool& flag) { settings.setValue(QLatin1String(name), flag); });
    settings.setValue(QStringLiteral("safety/lock-after-minutes"), static_cast<int>(lockAfter.count()));
    eachChoice(*this, [&](const char* name, const auto& choice, const QStringList& words) {
        settings.setValue(QLatin1String(name), words[static_cast<int>(choice)]);
    });
}

std::chrono::milliseconds paceOf(Pace pace)
{
    using namespace std::chrono_literals;
    static constexpr std::array kPaces{250ms, 1'000ms, 5'000ms}; // the first: console specification
    return kPaces[static_cast<std::size_t>(pace)];
}

} // namespace starling::window
