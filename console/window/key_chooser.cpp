// SPDX-License-Identifier: Apache-2.0
#include "key_chooser.h"

#include "idle_lock.h"
#include "page.h"
#include "passphrase_field.h"
#include "preferences.h"
#include "words.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QPushButton>

namespace starling::window {

namespace {

constexpr int kKeyRole = Qt::UserRole + 1; ///< of an item: the key's id

} // namespace

KeyChooser::KeyChooser(QWidget* parent)
    : QWidget(parent)
{
    QVBoxLayout* const rows = column(this, 0, 6);
    auto* const row = new QHBoxLayout;
    row->setSpacing(12);
    m_keys = named(new QComboBox, tr("Key"));
    auto* const other = named(new QPushButton(tr("Another key…")), tr("Choose another key file"));
    m_passphrase = named(new PassphraseField, tr("Passphrase of the key"));
    row->addWidget(m_keys, 3);
    row->addWidget(other);
    row->addWidget(m_passphrase, 3);
    rows->addLayout(row);
    rows->addWidget(m_keychain = makeKeychain());
    followPreferences();
    connect(other, &QPushButton::clicked, this, &KeyChooser::browse);
    connect(m_passphrase, &QLineEdit::returnPressed, this, &KeyChooser::entered);
}

KeyChooser::~KeyChooser() = default;

QWidget* KeyChooser::makeKeychain()
{
    auto* const part = named(new QWidget, tr("Keychain"));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    m_remember = named(new QCheckBox(tr("Remember in the keychain")),
                       tr("Remember the passphrase in the desktop's keychain"));
    m_remember->setToolTip(
        tr("Kept once the passphrase has opened the key. Leave the field empty next time."));
    m_forget = named(new QPushButton(tr("Forget it there")),
                     tr("Take the passphrase of this key out of the desktop's keychain"));
    row->addWidget(m_remember);
    row->addWidget(m_forget);
    row->addWidget(m_said = label({}, "muted"), 1);
    m_said->setWordWrap(true);
    connect(m_forget, &QPushButton::clicked, this, &KeyChooser::forgetRemembered);
    connect(m_keys, &QComboBox::currentIndexChanged, this, [this] { tell({}); });
    return part;
}

void KeyChooser::followPreferences()
{
    const bool isOffered = Preferences::load().offersKeychain;
    m_keychain->setVisible(isOffered);
    m_passphrase->setPlaceholderText(isOffered ? tr("Passphrase; empty: from the keychain")
                                               : tr("Passphrase of the key"));
}

void KeyChooser::tell(const QString& text)
{
    m_said->setText(text);
    m_said->setAccessibleName(text);
}

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

void KeyChooser::drop(const KeyId& key)
{
    for (int i = m_keys->count() - 1; i >= 0; --i)
        if (m_keys->itemData(i, kKeyRole).toByteArray() == QByteArray::fromStdString(key.hex()))
            m_keys->removeItem(i);
}

void KeyChooser::add(const console::KeyFile& key)
{
    const QString file = QString::fromStdString(key.file.string());
    if (m_keys->findData(file) >= 0)
        return;
    m_keys->addItem(tr("%1  (%2)").arg(plain(key.file.filename().string()), plain(key.header.id.shortHex())),
                    file);
    m_keys->setItemData(m_keys->count() - 1, file, Qt::ToolTipRole);
    m_keys->setItemData(m_keys->count() - 1, QByteArray::fromStdString(key.header.id.hex()), kKeyRole);
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
    const auto key = console::inspectKeyFile(m_keys->currentData().toString().toStdString());
    if (!key) {
        forget();
        return then(tl::unexpected<Error>(key.error()));
    }
    if (m_passphrase->text().isEmpty() && Preferences::load().offersKeychain)
        return openFromKeychain(*key, std::move(then));
    const bool isKept = m_remember->isChecked() && Preferences::load().offersKeychain;
    const auto secret = std::make_shared<const crypto::SecretText>(m_passphrase->take());
    unseal(*key, secret, [this, id = key->header.id, secret, isKept, then](Result<OpenedKey> opened) {
        if (opened)
            if (IdleLock* const lock = IdleLock::of(this))
                lock->release();
        if (opened && isKept)
            remember(id, *secret);
        then(std::move(opened));
    });
}

void KeyChooser::unseal(const console::KeyFile& key, console::PassphrasePtr secret, Then then)
{
    m_opening.start<OpenedKey>(
        [file = key.file, secret = std::move(secret)](Job::Ticket&) -> Result<OpenedKey> {
            auto opened = console::openSealedKey(file, *secret);
            if (!opened)
                return tl::unexpected<Error>(opened.error());
            return std::make_shared<crypto::SecretKey>(std::move(*opened));
        },
        std::move(then));
}

void KeyChooser::openFromKeychain(const console::KeyFile& key, Then then)
{
    if (const IdleLock* const lock = IdleLock::of(this); lock != nullptr && lock->isLocked())
        return then(fail(Errc::WrongPassphrase,
                         "this window was locked since nobody used it: type the passphrase once, then the "
                         "keychain is asked again"));
    m_isAsking = true;
    console::readKeychain(key.header.id, this, [this, key, then](Result<console::PassphrasePtr> secret) {
        m_isAsking = false;
        if (!secret)
            return then(fail(secret.error().code, "no passphrase was typed, and " + secret.error().context));
        unseal(key, std::move(*secret), [this, then](Result<OpenedKey> opened) {
            if (!opened && opened.error().code == Errc::WrongPassphrase)
                tell(tr("The keychain's passphrase does not open this key: type it, or have it forgotten."));
            then(std::move(opened));
        });
    });
}

void KeyChooser::remember(const KeyId& key, const crypto::SecretText& passphrase)
{
    m_remember->setChecked(false);
    console::writeKeychain(key, passphrase, this, [this](Status kept) {
        tell(kept ? tr("Remembered: next time leave the field empty.")
                  : tr("Not remembered: %1").arg(plain(toString(kept.error()), 300)));
    });
}

void KeyChooser::forgetRemembered()
{
    const auto key = console::inspectKeyFile(m_keys->currentData().toString().toStdString());
    if (!key)
        return tell(tr("No key is chosen."));
    console::forgetInKeychain(key->header.id, this, [this](Status gone) {
        tell(gone ? tr("The keychain has no passphrase of this key.")
                  : tr("Not forgotten: %1").arg(plain(toString(gone.error()), 300)));
    });
}

} // namespace starling::window
