// SPDX-License-Identifier: Apache-2.0
/// Who is of the fleet: letting a device in that waits, giving out a token to join with, and taking devices
/// out.
#pragma once

#include "feed.h"
#include "signing_dialog.h"

class QCheckBox;
class QLineEdit;
class QSpinBox;

namespace starling::window {

class AdmitDialog final : public SigningDialog
{
    Q_OBJECT
public:
    AdmitDialog(const Applicant& applicant, const QString& directory, const QString& socket,
                QWidget* parent = nullptr);

private:
    Work work() const override;
    Applicant m_applicant;
    QCheckBox* m_compared;
    QSpinBox* m_days;
};

class DenyDialog final : public SigningDialog
{
    Q_OBJECT
public:
    DenyDialog(const fleetview::Device& device, const QString& directory, const QString& socket,
               QWidget* parent = nullptr);

private:
    Work work() const override;
    NodeId m_node;
    QString m_name;
    QLineEdit* m_typed;
};

class TokenDialog final : public QDialog
{
    Q_OBJECT
public:
    explicit TokenDialog(const QString& socket, QWidget* parent = nullptr);
    ~TokenDialog() override;

private:
    void make();
    QString m_socket;
    Job m_asking;
    QSpinBox* m_hours;
    QLineEdit *m_address, *m_token;
    QCheckBox* m_isForConsole;
    QLabel* m_said;
    ErrorCard* m_error;
    QPushButton *m_make, *m_copy, *m_close;
};

} // namespace starling::window
