// SPDX-License-Identifier: Apache-2.0
/// Where a passphrase is typed: never shown, and wiped when it is taken.
#pragma once

#include "crypto/key_file.h"

#include <QLineEdit>

namespace starling::window {

class PassphraseField : public QLineEdit
{
    Q_OBJECT
public:
    explicit PassphraseField(QWidget* parent = nullptr);
    ~PassphraseField() override;

    /// What was typed, which the field then no longer holds: its memory is overwritten.
    crypto::SecretText take();
    void forget();
    bool isSameAs(const PassphraseField& other) const { return text() == other.text(); }
};

} // namespace starling::window
