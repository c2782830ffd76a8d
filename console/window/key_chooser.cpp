// SPDX-License-Identifier: Apache-2.0
#include "key_chooser.h"

#include "page.h"
#include "passphrase_field.h"
#include "words.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QPushButton>

namespace starling::window {

KeyChooser::KeyChooser(QWidget* parent)
    : QWidget(parent)
{
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    m_keys = named(new QComboBox, tr("Key"));
    auto* const other = named(new QPushButton(tr("Another key…")), tr("Choose another key file"));
    m_passphrase = named(new PassphraseField, tr("Passphrase of the key"));
    m_passphrase->setPlaceholderText(tr("Passphrase of the key"));
    row->addWidget(m_keys, 3);
    row->addWidget(other);
    row->addWidget(m_passphrase, 3);
    connect(other, &QPushButton::clicked, this, &KeyChooser::browse);
    connect(m_passphrase, &QLineEdit::returnPressed, this, &KeyChooser::entered);
}

KeyChooser::~KeyChooser() = default;

void KeyChooser::offer(const QString& directory, const std::set<KeyId>& keys)
{
    m_keys->clear();
    if (directory.isEmpty())
        return;
    for (const QString& place : {directory + QStringLiteral("/keys"), directory})
        if (const auto files = console::listKeyFiles(place.toStdString()))
            for (const auto& [file, key] : *files)
                if (key && key->header.isSealed && keys.contains(key->header.id))
                    add(*key);
}

void KeyChooser::forget()
{
    m_passphrase->forget();
}

void KeyChooser::focusPassphrase()
{
    m_passphrase->setFocus();
}

void KeyChooser::dropCurrent()
{
    m_keys->removeItem(m_keys->currentIndex());
}

void KeyChooser::add(const console::KeyFile& key)
{
    const QString file = QString::fromStdString(key.file.string());
    if (m_keys->findData(file) >= 0)
        return;
    m_keys->addItem(tr("%1  (%2)").arg(plain(key.file.filename().string()), plain(key.header.id.shortHex())),
                    file);
    m_keys->setItemData(m_keys->count() - 1, file, Qt::ToolTipRole);
}

void KeyChooser::browse()
{
    auto* const dialog = new QFileDialog(this, tr("Choose a key file"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Keys (*.key)"), tr("All files (*)")});
    if (m_keys->currentIndex() >= 0)
        dialog->setDirectory(QFileInfo(m_keys->currentData().toString()).path());
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        const auto key = console::inspectKeyFile(path.toStdString());
        if (!key)
            return Q_EMIT failed(tr("This key cannot be used."), key.error());
        add(*key);
        m_keys->setCurrentIndex(m_keys->findData(path));
        m_passphrase->setFocus();
    });
    dialog->open();
}

void KeyChooser::open(std::function<void(Result<OpenedKey>)> then)
{
    if (m_opening.isRunning())
        return;
    if (m_keys->currentIndex() < 0)
        return Q_EMIT failed(
            tr("There is no key to sign with."),
            Error{Errc::KeyUnreadable,
                  "no key file that may sign this was found; choose one with 'Another key…'"});
    const std::filesystem::path file = m_keys->currentData().toString().toStdString();
    // Shared, because what is copied with the work must not copy the secret.
    const auto secret = std::make_shared<crypto::SecretText>(m_passphrase->take());
    m_opening.start<OpenedKey>(
        [file, secret](Job::Ticket&) -> Result<OpenedKey> {
            auto key = console::openSealedKey(file, *secret);
            if (!key)
                return tl::unexpected<Error>(key.error());
            return std::make_shared<crypto::SecretKey>(std::move(*key));
        },
        std::move(then));
}

} // namespace starling::window
