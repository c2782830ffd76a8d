// SPDX-License-Identifier: Apache-2.0
/// Asks an agent how others see it, shows what that means, and when it was: `starling net check` as a card.
#pragma once

#include "control/net_messages.h"
#include "job.h"
#include "theme.h"

#include <QFrame>
#include <QTimer>

class QLabel;
class QProgressBar;
class QPushButton;

namespace starling::window {

class ErrorCard;

class NetworkCheck : public QFrame
{
    Q_OBJECT
public:
    explicit NetworkCheck(QWidget* parent = nullptr);
    /// Another agent is asked from now on; what was found is forgotten.
    void setAgent(const QString& socket);
    void setTheme(const Theme& theme);
    /// Asks; nothing happens while it is being asked.
    void begin();
    /// What an agent has found just now.
    void show(const control::NetCheckReply& reply);
    using QWidget::show;

Q_SIGNALS:
    void checked(const starling::control::NetCheckReply& reply);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    QLayout* makeWords();
    void stop();
    void finish(Result<control::NetCheckReply> reply);
    void showGlyph();
    void refresh();
    void showWaiting();
    void showAge();

    QString m_socket;
    Theme m_theme;
    Job m_asking;
    int m_turn = 0; ///< which agent is asked: what another one said is not shown
    QTimer m_tick; ///< while somebody looks: seconds and the age go on
    QElapsedTimer m_waiting;
    std::optional<fleetview::Standing> m_found; ///< how well others reach it
    qint64 m_checkedAt = 0; ///< ms since 1970
    QString m_remark; ///< what else became of it
    QLabel *m_glyph, *m_verdict, *m_meaning, *m_advice, *m_age;
    QProgressBar* m_progress;
    QPushButton *m_check, *m_stop;
    ErrorCard* m_error;
};

} // namespace starling::window
