// SPDX-License-Identifier: Apache-2.0
/// Preferences: by group, with a search box, and a way back to the default for each. What is changed here is
/// kept and takes effect at once.
#pragma once

#include "page.h"
#include "preferences.h"
#include "profile.h"

class QCheckBox;
class QComboBox;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace starling::window {

class PreferencesPage : public Page
{
    Q_OBJECT
public:
    PreferencesPage();
    void show(const SnapshotPtr&) override { }
    using Page::show;
    /// As the window has it: it can be chosen elsewhere, too.
    void setLook(Look look);
    void setProfile(const Profile& profile);

Q_SIGNALS:
    void changed(const starling::window::Preferences& preferences);
    void lookChosen(starling::window::Look look);
    void profileChosen(const starling::window::Profile& profile);

private:
    /// A line of a group: what it is, why one would change it, and how to go back.
    struct Item
    {
        QWidget* row;
        QWidget* group;
        QString words; ///< what the search looks at
        QPushButton* reset;
        std::function<bool()> isDefault;
    };
    QWidget* makeGroup(const QString& name);
    void add(QWidget* group, const QString& title, const QString& hint, QWidget* control,
             std::function<void()> reset, std::function<bool()> isDefault);
    void addFlag(QWidget* group, const QString& title, const QString& hint, bool Preferences::*flag);
    QComboBox* addChoice(QWidget* group, const QString& title, const QString& hint,
                         const QStringList& choices);
    void addPath(QWidget* group, const QString& title, const QString& hint, QString Profile::*path);
    void addGeneral();
    void addAppearance();
    void addNetwork();
    void addNotifications();
    void addSafety();
    void addLanguage();
    void addAdvanced();
    void take();
    void takeProfile();
    void search(const QString& text);
    void showResets();

    Preferences m_kept;
    Profile m_profile;
    std::vector<Item> m_items;
    std::vector<std::pair<QCheckBox*, bool Preferences::*>> m_flags;
    std::vector<std::pair<QLineEdit*, QString Profile::*>> m_paths;
    QVBoxLayout* m_groups;
    QLineEdit* m_search;
    QLabel* m_nothing;
    QComboBox *m_look = nullptr, *m_density = nullptr, *m_opening = nullptr, *m_pace = nullptr,
              *m_numbers = nullptr;
    QSpinBox* m_lock = nullptr;
};

} // namespace starling::window
