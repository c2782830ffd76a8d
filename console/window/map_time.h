// SPDX-License-Identifier: Apache-2.0
/// The map's time: live, or a moment that this console saw before; every lens shows the same one. What is
/// live goes on underneath.
#pragma once

#include "fleetview/fleet.h"

#include <QTimer>
#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;
class QSlider;

namespace starling::window {

class TimeBar : public QWidget
{
    Q_OBJECT
public:
    explicit TimeBar(QWidget* parent = nullptr);
    /// What there is to choose from now.
    void show(const fleetview::PicturePtr& live);
    using QWidget::show;
    /// The moment that is shown; nothing: live.
    std::optional<UtcTime> cursor() const { return m_cursor; }
    bool isPlaying() const { return m_clock.isActive(); }
    void goLive();
    void goTo(UtcTime at);
    /// To the moment before or after in which a device's standing changed.
    void step(int direction);
    void play();
    void pause();
    /// Plays from change to change, one a second, instead of second by second.
    void setReducedMotion(bool isReduced);
    /// "recorded, 40 s before now".
    QString words() const;

Q_SIGNALS:
    void moved();

private:
    void setCursor(std::optional<UtcTime> cursor);
    void tick();
    void refresh();
    fleetview::PicturePtr m_live;
    std::optional<UtcTime> m_cursor;
    bool m_isCalm = false; ///< motion is reduced
    double m_fraction = 0; ///< of a second, while it plays
    QTimer m_clock;
    QPushButton *m_liveButton, *m_back, *m_play, *m_forth;
    QComboBox* m_speed;
    QSlider* m_slider;
    QLabel *m_chip, *m_label;
};

} // namespace starling::window
