// SPDX-License-Identifier: Apache-2.0
/// Another key in place of one: what that means for the fleet, the key that follows, and the root that is
/// drafted of it. Signing and pushing that root is RequestDialog's, as of every request.
#pragma once

#include "admin/fleet_keys.h"
#include "admin/key_change.h"
#include "job.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace starling::window {

class ErrorCard;
class PassphraseField;

enum class KeyStep : std::uint8_t {
    Rotate, ///< another key joins
    Retire, ///< this one leaves, once devices know those that stay
    Revoke, ///< this one leaves at once
};

class KeyChangeDialog : public QDialog
{
    Q_OBJECT
public:
    /// Of `key`. `strangers` are key files here that may follow it, `devices` the roots that all devices
    /// which are known hold.
    KeyChangeDialog(KeyStep step, const KeyId& key, const QString& directory,
                    const std::vector<console::KeyFile>& strangers, std::vector<std::uint64_t> devices,
                    QWidget* parent = nullptr);
    ~KeyChangeDialog() override;

Q_SIGNALS:
    void drafted(const QString& request); ///< the file that wants to be signed

private:
    enum Successor { None, Make, File, Elsewhere };
    QWidget* makeSuccessor(const std::vector<console::KeyFile>& strangers);
    QWidget* makeConfirmation();
    void read();
    void showImpact();
    void showSuccessor();
    QString confirmationText() const;
    void showConfirmation();
    void draft();
    Result<std::optional<KeyId>> successor() const;
    std::filesystem::path freeKeyFile() const;
    void write(std::optional<KeyId> successor);
    void tell(const QString& what, const Error& error);

    struct Known
    {
        trust::TrustSet trust;
        console::KeyImpact impact;
    };
    KeyStep m_step;
    KeyId m_key;
    QString m_directory;
    std::vector<std::uint64_t> m_devices;
    std::shared_ptr<const Known> m_known;
    Job m_reading, m_sealing;
    QLabel *m_impact, *m_ask;
    QComboBox* m_successor;
    QLineEdit *m_id, *m_typed;
    PassphraseField *m_passphrase, *m_again;
    QCheckBox* m_raise;
    ErrorCard* m_error;
    QPushButton *m_cancel, *m_draft;
};

} // namespace starling::window
