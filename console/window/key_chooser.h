// SPDX-License-Identifier: Apache-2.0
/// Which key signs, and its passphrase: typed, or from the desktop's keychain where it is remembered there
/// and the field is left empty. What was typed is remembered if somebody asks for that, and once it has
/// opened the key.
#pragma once

#include "admin/keychain.h"
#include "admin/keys.h"
#include "job.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QPushButton;

namespace starling::window {

class PassphraseField;

class KeyChooser : public QWidget
{
    Q_OBJECT
public:
    explicit KeyChooser(QWidget* parent = nullptr);
    ~KeyChooser() override;

    /// Offers the sealed keys of `directory` (a fleet's, or one with key files) that are among `keys`.
    void offer(const QString& directory, const std::set<KeyId>& keys);
    /// What was typed is wiped.
    void forget();
    /// Shows what belongs to the keychain if the preferences want it.
    void followPreferences();
    void focusPassphrase();
    /// That key has signed: it is not offered any more.
    void drop(const KeyId& key);
    /// Opens the chosen key in a thread of its own; the passphrase is wiped. Says failed() if none is chosen.
    using OpenedKey = std::shared_ptr<crypto::SecretKey>;
    void open(std::function<void(Result<OpenedKey>)> then);
    bool isOpening() const { return m_isAsking || m_opening.isRunning(); }

Q_SIGNALS:
    void failed(const QString& what, const starling::Error& error);
    void entered(); ///< Return was pressed in the passphrase

private:
    void add(const console::KeyFile& key);
    void browse();
    QWidget* makeKeychain();
    using Then = std::function<void(Result<OpenedKey>)>;
    void openFromKeychain(const console::KeyFile& key, Then then);
    void unseal(const console::KeyFile& key, console::PassphrasePtr secret, Then then);
    void remember(const KeyId& key, const crypto::SecretText& passphrase);
    void forgetRemembered();
    void tell(const QString& text);

    Job m_opening;
    bool m_isAsking = false; ///< the keychain
    QWidget* m_keychain;
    QCheckBox* m_remember;
    QPushButton* m_forget;
    QLabel* m_said; ///< of the keychain
    QComboBox* m_keys;
    PassphraseField* m_passphrase;
};

} // namespace starling::window
