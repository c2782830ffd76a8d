// SPDX-License-Identifier: Apache-2.0
/// A question that is answered with a key: what is about to be signed, a key and its passphrase, and what
/// became of it. Return types the passphrase in, and signs nothing by itself.
#pragma once

#include "control/client.h"
#include "job.h"
#include "trust/root.h"

#include <QDialog>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace starling::window {

class ErrorCard;
class KeyChooser;

class SigningDialog : public QDialog
{
    Q_OBJECT
public:
    ~SigningDialog() override;

protected:
    /// `verb` names the button, `act` what it does in a sentence. Keys of `role` are looked for in the
    /// fleet's `directory`; the agent at `socket` is told.
    SigningDialog(const QString& title, const QString& verb, const QString& act, const QString& socket,
                  QWidget* parent);
    void offerAdmitKeys(const QString& directory);
    void offerObserveKeys(const QString& directory);
    /// Between the title and the key.
    QVBoxLayout* content() const { return m_content; }
    /// Whether all is there that the question needs.
    void setReady(bool isReady);
    /// What is done with the key, in another thread; returns what is said afterwards.
    using Work = std::function<Result<QString>(control::Client& agent, const crypto::SecretKey& key)>;
    virtual Work work() const = 0;
    void showEvent(QShowEvent* event) override;

private:
    void begin();
    void orderTabs();
    void send(std::shared_ptr<crypto::SecretKey> key);
    void finish(const QString& said);
    void tell(const QString& what, const Error& error);

    QString m_socket;
    Job m_sending;
    bool m_isReady = true;
    QVBoxLayout* m_content;
    QLabel* m_said;
    KeyChooser* m_key;
    ErrorCard* m_error;
    QPushButton *m_sign, *m_close;
};

} // namespace starling::window
