// SPDX-License-Identifier: Apache-2.0
/// What somebody likes in this window; kept in its settings. Each does something: there is no item for what
/// the window does not have.
#pragma once

#include <QString>

#include <chrono>

namespace starling::window {

enum class Density : std::uint8_t { Comfortable, Compact };
enum class Opening : std::uint8_t { LastScreen, Overview };
enum class Numbers : std::uint8_t { System, English };
/// How often an agent is asked; FeedWorker::kBatch is the most.
enum class Pace : std::uint8_t { Usual, Second, FiveSeconds };

struct Preferences
{
    // General
    Opening opening = Opening::LastScreen; ///< which screen the window begins with
    // Appearance; the theme is the window's own (Look)
    Density density = Density::Comfortable;
    bool reducesMotion = false; ///< replay goes from change to change, and nothing slides
    Pace pace = Pace::Usual; ///< Network
    Numbers numbers = Numbers::System; ///< Language: how they are written
    // Notifications: in the status bar, and a mark at the window's place in the task bar
    bool tellsApplicants = true; ///< a device asks to join
    bool tellsFailures = true; ///< a device fails or rolls back
    bool tellsDone = true; ///< a release is healthy wherever it is for
    // Safety
    /// PCI DSS 4.0, requirement 8.2.8: a session that is idle for more than 15 minutes asks again.
    std::chrono::minutes lockAfter{15};
    bool offersKeychain = true;
    bool alwaysTypesCount = false; ///< before every push, also a small one

    /// Values that make no sense are taken as the default.
    static Preferences load();
    void save() const;
    bool operator==(const Preferences&) const = default;

    static constexpr std::chrono::minutes kMaxLockAfter{480}; ///< guess: a working day; 0 never locks
};

/// Between two questions.
std::chrono::milliseconds paceOf(Pace pace);

} // namespace starling::window
