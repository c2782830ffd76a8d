// SPDX-License-Identifier: Apache-2.0
/// A new release, from a payload to devices that hold it: choose, hash, sign, push. The steps and what is
/// between them; the work is console/admin's.
#pragma once

#include "page.h"
#include "publish_form.h"
#include "release/signing_request.h"

class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace starling::window {

class ErrorCard;
class PublishSend;
class PublishSign;

class PublishPage : public Page
{
    Q_OBJECT
public:
    explicit PublishPage(QString socket, QWidget* parent = nullptr);
    void show(const SnapshotPtr& snapshot) override;
    using Page::show;
    void setSocket(const QString& socket);
    /// Where the keys are that are offered: a fleet's directory.
    void setFleetDirectory(const QString& directory) { m_fleetDirectory = directory; }
    /// Begins with this payload, unless a release is on its way through the steps.
    void setPayload(const QString& path);
    /// Somebody looks at it now.
    void enter();
    /// Others have signed enough by file: goes on to pushing.
    void resume(const release::SigningRequest& request);
    bool isBusy() const;
    bool isSending() const; ///< closing now would end a push
    PublishForm* form() const { return m_form; }

Q_SIGNALS:
    void devicesWanted(const QString& query);

private:
    enum Step { Choose, Hash, Sign, Push };
    QWidget* makeHashing();
    void goTo(Step step);
    void askTrust();
    void hash();
    void keepSigned();
    void keepPartly();
    void begin(const release::TorrentFile& torrent, const QString& place);
    void fail(const QString& what, const Error& error);

    QString m_socket, m_fleetDirectory;
    SnapshotPtr m_snapshot;
    std::shared_ptr<const trust::TrustSet> m_trust;
    Job m_asking, m_hashing;
    QTimer m_poll;
    QLabel* m_steps;
    ErrorCard* m_error;
    QStackedWidget* m_stack;
    PublishForm* m_form;
    PublishSign* m_sign;
    PublishSend* m_send;
    QProgressBar* m_progress;
    QPushButton* m_cancel;
    QString m_payload;
};

} // namespace starling::window
