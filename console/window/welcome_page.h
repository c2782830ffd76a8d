// SPDX-License-Identifier: Apache-2.0
/// First run: try the demo fleet, begin a fleet, or join one. What it starts is what the command line would:
/// `fleet init`, an agent with a token, `./demo`.
#pragma once

#include "admin/founding.h"
#include "job.h"
#include "local_agent.h"
#include "page.h"
#include "profile.h"
#include "sim/demo_fleet.h"

class QCheckBox;
class QComboBox;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QRadioButton;
class QStackedWidget;

namespace starling::window {

class ErrorCard;
class PassphraseField;

class WelcomePage : public Page
{
    Q_OBJECT
public:
    explicit WelcomePage(QWidget* parent = nullptr);
    /// An agent answers: the one that was started, if one was.
    void show(const SnapshotPtr& snapshot) override;
    using Page::show;
    /// It does not, or not as one of a fleet yet.
    void showLost(const QString& why);
    /// Instead of the usual one: what guessing a passphrase costs.
    void setCost(crypto::KdfCost cost) { m_cost = cost; }
    qint64 agentPid() const { return m_pid; } ///< of the agent that was started here; 0: none was

Q_SIGNALS:
    /// There is a fleet, and an agent to ask.
    void settled(const starling::window::Profile& profile);
    void publishWanted();
    void overviewWanted();
    void quitWanted();
    /// A fleet that is simulated in this window.
    void simulationWanted(const starling::sim::DemoConfig& config);

private:
    enum Step { Choose, Found, Join, Demo, Wait };
    QWidget* makeChoice();
    QWidget* offer(const QString& heading, const QString& text, const QString& button, Step step);
    QWidget* makeFound();
    QWidget* makeJoin();
    QWidget* makeDemo();
    QWidget* makeWait();
    QHBoxLayout* makeButtons(QPushButton* go);
    void goTo(Step step);
    void found();
    void founded(const Result<console::NewFleet>& fleet, const QString& directory);
    void join();
    void begin(const LocalAgentPlan& plan, const QString& directory);
    void await(const QString& text);
    void giveUp();
    void startDemo();
    void say(QLabel* label, const QString& text);

    Job m_founding;
    QTimer m_poll, m_limit;
    LocalAgent m_agent;
    qint64 m_pid = 0;
    std::optional<crypto::KdfCost> m_cost;
    bool m_isAwaited = false, m_isThere = false;
    ErrorCard* m_error;
    QStackedWidget* m_stack;
    QCheckBox* m_isConsole;
    QLineEdit *m_directory, *m_scope, *m_joinDirectory, *m_token, *m_name;
    PassphraseField *m_passphrase, *m_again;
    QRadioButton *m_simple, *m_production;
    QPushButton *m_create, *m_joinButton, *m_demoButton, *m_publish, *m_look;
    QComboBox *m_devices, *m_story;
    QProgressBar* m_sealing;
    QLabel *m_headline, *m_explained, *m_demoText;
};

} // namespace starling::window
