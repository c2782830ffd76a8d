// SPDX-License-Identifier: Apache-2.0
/// Says, above every screen, that what is shown is a demo, which one, how far it is before it begins, and how
/// fast its time goes; there another story is chosen, and the demo is left, also before it has begun.
#pragma once

#include "feed.h"
#include "sim/demo_fleet.h"

#include <QFrame>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;

namespace starling::window {

class DemoBar : public QFrame
{
    Q_OBJECT
public:
    explicit DemoBar(QWidget* parent = nullptr);
    void begin(const sim::DemoConfig& config);
    void leave();
    bool isActive() const { return m_config.has_value(); }
    void show(const Snapshot& snapshot);
    using QWidget::show;
    /// What a demo fleet does not do, in a dialog above `window`.
    static void explainNoPush(QWidget* window);

Q_SIGNALS:
    void demoWanted(const starling::sim::DemoConfig& config);
    void speedWanted(int speed);
    void leaveWanted();

private:
    std::optional<sim::DemoConfig> m_config;
    void showProgress(const DemoState& demo);
    QLabel* m_text;
    QProgressBar* m_progress; ///< while nothing is shown yet
    QComboBox *m_story, *m_speed;
    QPushButton* m_leave;
};

/// "A slow site", …
QString storyWord(sim::DemoStory story);

} // namespace starling::window

Q_DECLARE_METATYPE(starling::sim::DemoConfig)
