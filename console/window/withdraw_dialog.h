// SPDX-License-Identifier: Apache-2.0
/// Taking a release back: what that does to whom, and the key that signs it.
#pragma once

#include "fleetview/fleet.h"
#include "job.h"

#include <QDialog>

class QLabel;
class QPushButton;

namespace starling::window {

class ErrorCard;
class KeyChooser;

class WithdrawDialog : public QDialog
{
    Q_OBJECT
public:
    /// Of `release`, as the agent at `socket` will spread it. Keys are looked for in the fleet's `directory`.
    WithdrawDialog(const fleetview::Release& release, const QString& directory, const QString& socket,
                   QWidget* parent = nullptr);
    ~WithdrawDialog() override;

private:
    QString consequences() const;
    void offerKeys(const QString& directory);
    void withdraw();
    void send(std::shared_ptr<crypto::SecretKey> key);
    void finish(bool isNew);
    void tell(const QString& what, const Error& error);

    fleetview::Release m_release;
    QString m_socket;
    Job m_sending;
    KeyChooser* m_key;
    QLabel* m_said;
    ErrorCard* m_error;
    QPushButton *m_withdraw, *m_close;
};

} // namespace starling::window
