// SPDX-License-Identifier: Apache-2.0
/// Which key signs, and its passphrase.
#pragma once

#include "admin/keys.h"
#include "job.h"

#include <QWidget>

class QComboBox;

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
    void focusPassphrase();
    /// The chosen key has signed: it is not offered any more.
    void dropCurrent();
    /// Opens the chosen key in a thread of its own; the passphrase is wiped. Says failed() if none is chosen.
    using OpenedKey = std::shared_ptr<crypto::SecretKey>;
    void open(std::function<void(Result<OpenedKey>)> then);
    bool isOpening() const { return m_opening.isRunning(); }

Q_SIGNALS:
    void failed(const QString& what, const starling::Error& error);
    void entered(); ///< Return was pressed in the passphrase

private:
    void add(const console::KeyFile& key);
    void browse();

    Job m_opening;
    QComboBox* m_keys;
    PassphraseField* m_passphrase;
};

} // namespace starling::window
