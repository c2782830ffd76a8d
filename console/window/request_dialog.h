// SPDX-License-Identifier: Apache-2.0
/// A signing request that came by file: exactly what is to be signed, who has, and the key that adds its
/// signature. No network is asked for that. Once there are enough signatures it goes on: a release to be
/// pushed, a root to be handed to the agent.
#pragma once

#include "job.h"
#include "release/signing_request.h"

#include <QDialog>

#include <filesystem>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace starling::window {

class ErrorCard;
class KeyChooser;

class RequestDialog : public QDialog
{
    Q_OBJECT
public:
    /// Of the request in `file`. Root and keys are those of the fleet's `directory`; a root is pushed to the
    /// agent at `socket`.
    RequestDialog(const QString& file, const QString& directory, const QString& socket,
                  QWidget* parent = nullptr);
    ~RequestDialog() override;

    /// Whether `file` is a signing request.
    static bool isRequest(const QString& file);

Q_SIGNALS:
    /// There are enough signatures for this release.
    void completed(const starling::release::SigningRequest& request);
    void rootPushed();

private:
    QWidget* makeButtons();
    void read();
    void offerKeys();
    void showStanding();
    void sign();
    void take(std::shared_ptr<crypto::SecretKey> key);
    void goOn();
    void pushRoot();
    void tell(const QString& what, const Error& error);

    QString m_file, m_directory, m_socket;
    std::optional<release::SigningRequest> m_request;
    std::optional<trust::TrustSet> m_trust;
    Job m_pushing;
    QLabel *m_title, *m_standing;
    QPlainTextEdit* m_content;
    KeyChooser* m_key;
    ErrorCard* m_error;
    QPushButton *m_close, *m_sign, *m_goOn;
};

} // namespace starling::window
