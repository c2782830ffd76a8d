// SPDX-License-Identifier: Apache-2.0
#include "passphrase_field.h"

#include "crypto/secret.h"

namespace starling::window {

PassphraseField::PassphraseField(QWidget* parent)
    : QLineEdit(parent)
{
    setEchoMode(QLineEdit::Password);
    setInputMethodHints(Qt::ImhHiddenText | Qt::ImhSensitiveData | Qt::ImhNoPredictiveText);
    setContextMenuPolicy(Qt::NoContextMenu); // nothing to copy, and undo keeps nothing to bring back
    setMaxLength(1'024); // as long as the command line reads
}

PassphraseField::~PassphraseField()
{
    forget();
}

crypto::SecretText PassphraseField::take()
{
    QByteArray bytes = text().toUtf8();
    crypto::SecretText secret(std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
    crypto::wipe(std::as_writable_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size()))));
    forget();
    return secret;
}

void PassphraseField::forget()
{
    // text() shares the memory of the field's own string: what is overwritten here is gone there, too, and
    // clear() then only drops zeros.
    const QString shared = text();
    auto* const characters = const_cast<QChar*>(shared.constData());
    crypto::wipe(std::as_writable_bytes(std::span(characters, static_cast<std::size_t>(shared.size()))));
    clear();
}

} // namespace starling::window
