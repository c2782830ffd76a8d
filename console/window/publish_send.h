// SPDX-License-Identifier: Apache-2.0
/// Third step of a release: who will take it and who will not, the confirmation, and how it spreads until
/// this window may be closed.
#pragma once

#include "feed.h"
#include "fleetview/forecast.h"
#include "job.h"
#include "release/torrent_file.h"
#include "theme.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTextBrowser;

namespace starling::console {
struct Pushed;
}

namespace starling::window {

class PublishSend : public QWidget
{
    Q_OBJECT
public:
    explicit PublishSend(QWidget* parent = nullptr);

    void begin(std::shared_ptr<const release::TorrentFile> torrent, const QString& payload,
               const QString& socket, const QString& keptAs);
    void show(const SnapshotPtr& snapshot);
    using QWidget::show;
    /// The agent does not have all of it yet.
    bool isSending() const { return m_sending.isRunning(); }

Q_SIGNALS:
    void failed(const QString& what, const starling::Error& error);
    void pushed();
    void anotherWanted();
    void devicesWanted(const QString& query);

private:
    QWidget* makePreview();
    QWidget* makeSpread();
    void foresee();
    void showConfirmation();
    QString confirmationText() const;
    void push();
    void note(const Result<console::Pushed>& pushed); ///< in the audit log
    void showSpread();

    std::shared_ptr<const release::TorrentFile> m_torrent;
    QString m_payload, m_socket;
    SnapshotPtr m_snapshot;
    fleetview::Forecast m_forecast;
    Job m_sending;
    QTimer m_poll;
    bool m_isPushed = false;
    QLabel *m_what, *m_verified, *m_ask, *m_vantage, *m_safe, *m_counts;
    QTextBrowser* m_outlook;
    QLineEdit* m_typed;
    QProgressBar *m_sent, *m_holders;
    QPushButton *m_push, *m_cancel, *m_devices, *m_another;
    QWidget *m_preview, *m_spread;
};

} // namespace starling::window
