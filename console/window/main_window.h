// SPDX-License-Identifier: Apache-2.0
/// The frame: rail, title, pages, status bar, themes, shortcuts. Shows the snapshots of a feed, and says how
/// old what it shows is.
#pragma once

#include "aside.h"
#include "demo_bar.h"
#include "theme.h"

#include <QElapsedTimer>
#include <QMainWindow>

class QLabel;
class QPushButton;
class QStackedWidget;
class QToolButton;
class QVBoxLayout;

namespace starling::window {

class DevicesPage;
class DiagnosticsPage;
class IdleLock;
class ErrorCard;
class KeysPage;
class LogPage;
class MapPage;
class NetworkPage;
class OverviewPage;
class Page;
class PreferencesPage;
class PublishPage;
class ReleasesPage;
class RolloutsPage;
class SumsBar;
class WelcomePage;
struct Preferences;
struct Profile;

class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    explicit MainWindow(QString socket);
    void setLook(Look look);
    /// As the feed says.
    void show(const SnapshotPtr& snapshot);
    void showLost(const QString& why);
    using QWidget::show;
    /// What is shown from now on is of a demo, or of the agent.
    void beginDemo(const sim::DemoConfig& config);
    void leaveDemo();
    WelcomePage* welcome() const { return m_welcome; }
    qint64 ownAgentPid() const { return m_ownAgent; } ///< of the agent that was started again; 0: none was

Q_SIGNALS:
    /// Another agent is to be asked from now on.
    void agentChosen(const QString& socket);
    void demoWanted(const starling::sim::DemoConfig& config);
    void demoLeft();
    void speedWanted(int speed); ///< of the demo's time
    void refreshWanted(); ///< now, whatever the pace is
    void paceWanted(std::chrono::milliseconds pace); ///< of asking the agent

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void addPage(Page* page, const QString& name, const QString& icon, const QKeySequence& keys);
    QWidget* makeRail();
    QWidget* makeTitle();
    void makeStatusBar();
    void makeActions();
    void connectPages();
    void makeLock();
    void makePreferences();
    void take(const Preferences& preferences);
    void tellNews(const SnapshotPtr& snapshot);
    QAction* add(const QString& text, const QKeySequence& keys, std::function<void()> run);
    void goTo(Page* page);
    void goToDevices(const QString& query);
    void goToPublish(const QString& payload);
    void openRequest(const QString& file);
    void chooseRequest();
    void lookAtRelease(const QString& file);
    void chooseRelease();
    void settle(const Profile& profile);
    void startOwnAgent();
    void askToClose();
    void openPalette();
    void showShortcuts();
    void showHelp();
    void goToNextPart(int step);
    bool mayAct();
    void askForReceipts();
    void nameObserver();
    void checkNetwork();
    void showLinkCount(const control::StatusReply& status);
    void admit(const Applicant& applicant);
    void deny(const fleetview::DevicePtr& device);
    void addDevice();
    void showAge();
    void checkClock();
    void showTitle();
    void applyTheme();
    void restore();

    QString m_socket;
    Look m_look = Look::System;
    QPalette m_systemPalette;
    std::set<Qt::UIEffect> m_effects; ///< of the system
    Theme m_theme;
    SnapshotPtr m_snapshot;
    QString m_lost; ///< why there is nothing newer; empty: live
    QTimer m_ageTimer, m_clockTimer;
    ErrorCard* m_clock = nullptr;
    SumsBar* m_sums = nullptr;
    QAction* m_askAction = nullptr; ///< for signed receipts
    DemoBar* m_demo = nullptr;
    QWidget* m_rail = nullptr;
    QVBoxLayout* m_railLayout = nullptr;
    QStackedWidget* m_pages = nullptr;
    std::vector<std::pair<Page*, QToolButton*>> m_rooms;
    QLabel *m_title = nullptr, *m_subtitle = nullptr, *m_offline = nullptr;
    QLabel *m_age = nullptr, *m_rates = nullptr, *m_vantage = nullptr;
    QPushButton* m_links = nullptr; ///< opens the network's screen
    OverviewPage* m_overview = nullptr;
    DevicesPage* m_devices = nullptr;
    ReleasesPage* m_releases = nullptr;
    MapPage* m_map = nullptr;
    DiagnosticsPage* m_diagnostics = nullptr; ///< no room of its own on the rail
    KeysPage* m_keys = nullptr;
    LogPage* m_log = nullptr;
    NetworkPage* m_network = nullptr;
    RolloutsPage* m_rollouts = nullptr;
    PreferencesPage* m_preferences = nullptr;
    SnapshotPtr m_told; ///< whose news were told
    Aside m_news; ///< what they are
    IdleLock* m_lock = nullptr;
    QLabel* m_locked = nullptr; ///< says so while it is
    WelcomePage* m_welcome = nullptr; ///< shown while there is nobody to ask
    bool m_hasTriedOwnAgent = false;
    bool m_closesAnyway = false; ///< somebody said so, though a push is under way
    qint64 m_ownAgent = 0;
    PublishPage* m_publish = nullptr; ///< no room of its own on the rail: it is of the releases
};

} // namespace starling::window
