// SPDX-License-Identifier: Apache-2.0
#include "key_change_dialog.h"

#include "error_card.h"
#include "fleetview/forecast.h"
#include "page.h"
#include "passphrase_field.h"
#include "words.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>

namespace starling::window {

using fleetview::Confirmation;

namespace {

constexpr int kKindRole = Qt::UserRole, kKeyRole = Qt::UserRole + 1; ///< of an item of the successors

QString titleOf(KeyStep step, const QString& key)
{
    switch (step) {
    case KeyStep::Rotate:
        return KeyChangeDialog::tr("Rotate key %1").arg(key);
    case KeyStep::Retire:
        return KeyChangeDialog::tr("Retire key %1").arg(key);
    case KeyStep::Revoke:
        return KeyChangeDialog::tr("Revoke key %1").arg(key);
    }
    return {};
}

QString courseOf(KeyStep step)
{
    switch (step) {
    case KeyStep::Rotate:
        return KeyChangeDialog::tr(
            "First step of two: another key joins, and both may sign. Once every device holds "
            "that root, retire this one.");
    case KeyStep::Retire:
        return KeyChangeDialog::tr(
            "Second step of a rotation: this key leaves, and its successor goes on. Devices that "
            "do not hold the newest root yet get it first.");
    case KeyStep::Revoke:
        return KeyChangeDialog::tr(
            "This key leaves at once: what it signed, and what then lacks signatures, leaves all "
            "boards. For a key that is lost or stolen.");
    }
    return {};
}

} // namespace

KeyChangeDialog::KeyChangeDialog(KeyStep step, const KeyId& key, const QString& directory,
                                 const std::vector<console::KeyFile>& strangers,
                                 std::vector<std::uint64_t> devices, QWidget* parent)
    : QDialog(parent)
    , m_step(step)
    , m_key(key)
    , m_directory(directory)
    , m_devices(std::move(devices))
{
    setWindowTitle(titleOf(step, plain(key.shortHex())));
    setAccessibleName(windowTitle());
    QVBoxLayout* const layout = column(this, 20, 14);
    layout->addWidget(label(windowTitle(), "title"));
    auto* const course = label(courseOf(step));
    course->setWordWrap(true);
    layout->addWidget(course);
    layout->addWidget(m_impact = label({}));
    m_impact->setWordWrap(true);
    m_impact->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(makeSuccessor(strangers));
    layout->addWidget(
        m_raise = named(new QCheckBox(tr("Versions of its scopes begin anew: it may have signed a high one")),
                        tr("Raise the epoch of its scopes")));
    m_raise->setVisible(step == KeyStep::Revoke);
    layout->addWidget(makeConfirmation());
    layout->addWidget(m_error = new ErrorCard);
    m_error->hide();
    auto* const buttons = new QHBoxLayout;
    m_cancel = named(new QPushButton(tr("Cancel")), tr("Close without changing a key"));
    m_draft = named(new QPushButton(tr("Go on to signing")), tr("Draft the root and go on to signing it"),
                    "primary");
    m_draft->setAutoDefault(false);
    m_draft->setEnabled(false);
    m_cancel->setDefault(true);
    buttons->addStretch();
    buttons->addWidget(m_cancel);
    buttons->addWidget(m_draft);
    layout->addLayout(buttons);
    connect(m_cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_draft, &QPushButton::clicked, this, &KeyChangeDialog::draft);
    setMinimumWidth(680);
    showSuccessor();
    read();
}

KeyChangeDialog::~KeyChangeDialog() = default;

QWidget* KeyChangeDialog::makeSuccessor(const std::vector<console::KeyFile>& strangers)
{
    auto* const part = named(new QWidget, tr("The key that follows"));
    QVBoxLayout* const layout = column(part, 0, 6);
    layout->addWidget(label(tr("The key that follows"), "heading"));
    m_successor = named(new QComboBox, tr("Successor"));
    const auto add = [this](const QString& text, Successor kind) {
        m_successor->addItem(text);
        m_successor->setItemData(m_successor->count() - 1, kind, kKindRole);
    };
    if (m_step != KeyStep::Rotate)
        add(tr("None"), None);
    if (m_step != KeyStep::Retire) {
        for (const console::KeyFile& stranger : strangers) {
            add(tr("%1 (%2), which is here")
                    .arg(plain(stranger.file.filename().string()), plain(stranger.header.id.shortHex())),
                File);
            m_successor->setItemData(m_successor->count() - 1,
                                     QByteArray::fromStdString(stranger.header.id.hex()), kKeyRole);
        }
        add(tr("Make a key here"), Make);
        add(tr("One that is elsewhere, by its id"), Elsewhere);
    }
    layout->addWidget(m_successor);
    layout->addWidget(m_id = named(new QLineEdit, tr("Id of the successor")));
    m_id->setPlaceholderText(tr("64 hexadecimal digits, as 'Export public' writes them"));
    auto* const row = new QHBoxLayout;
    row->addWidget(m_passphrase = named(new PassphraseField, tr("Passphrase for the new key")));
    row->addWidget(m_again = named(new PassphraseField, tr("Passphrase again")));
    m_passphrase->setPlaceholderText(m_passphrase->accessibleName());
    m_again->setPlaceholderText(m_again->accessibleName());
    layout->addLayout(row);
    part->setVisible(m_step != KeyStep::Retire);
    connect(m_successor, &QComboBox::currentIndexChanged, this, &KeyChangeDialog::showSuccessor);
    return part;
}

QWidget* KeyChangeDialog::makeConfirmation()
{
    auto* const part = named(new QWidget, tr("Confirmation"));
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_ask = label({}), 1);
    row->addWidget(m_typed = named(new QLineEdit, tr("Type to confirm")));
    m_typed->setFixedWidth(260);
    connect(m_typed, &QLineEdit::textChanged, this, &KeyChangeDialog::showConfirmation);
    return part;
}

void KeyChangeDialog::read()
{
    using KnownPtr = std::shared_ptr<const Known>;
    m_reading.start<KnownPtr>(
        [directory = m_directory.toStdString(), key = m_key,
         devices = m_devices](Job::Ticket&) -> Result<KnownPtr> {
            auto trust = console::readRoot(console::rootFile(directory, 1));
            if (!trust)
                return tl::unexpected<Error>(trust.error());
            const auto trail = console::AuditLog().read();
            auto impact = console::impactOf(*trust, key, devices, trail ? *trail : console::AuditTrail());
            return KnownPtr(std::make_shared<const Known>(Known{std::move(*trust), std::move(impact)}));
        },
        [this](Result<KnownPtr> known) {
            if (!known)
                return tell(tr("The fleet's root is not here."), known.error());
            m_known = *known;
            showImpact();
            showConfirmation();
        });
}

void KeyChangeDialog::showImpact()
{
    QStringList lines;
    for (const std::string& line : console::textOf(m_known->impact))
        lines += plain(line, 1'200);
    m_impact->setText(lines.join(QLatin1Char('\n')));
    m_impact->setAccessibleName(m_impact->text());
}

void KeyChangeDialog::showSuccessor()
{
    const int kind = m_successor->currentData(kKindRole).toInt();
    m_id->setVisible(kind == Elsewhere);
    m_passphrase->setVisible(kind == Make);
    m_again->setVisible(kind == Make);
}

QString KeyChangeDialog::confirmationText() const
{
    if (m_step == KeyStep::Rotate || !m_known)
        return {};
    const console::KeyImpact& impact = m_known->impact;
    // Retired, it burdens those that do not know its successor; revoked, all that trust it.
    const std::size_t burdened =
        m_step == KeyStep::Retire ? impact.newest.devices - impact.newest.trusting : impact.holders.trusting;
    switch (burdened == 0 ? Confirmation::Press
                          : fleetview::confirmationFor(burdened, impact.holders.devices)) {
    case Confirmation::Press:
        return {};
    case Confirmation::TypeCount:
        return QString::number(burdened);
    case Confirmation::TypeAll:
        return tr("%1 for %2").arg(plain(m_key.shortHex())).arg(burdened);
    }
    return {};
}

void KeyChangeDialog::showConfirmation()
{
    const QString wanted = confirmationText();
    m_typed->setVisible(!wanted.isEmpty());
    m_typed->setPlaceholderText(wanted);
    m_ask->setText(wanted.isEmpty() ? tr("Nothing is changed before the root is signed and pushed.")
                       : m_step == KeyStep::Retire
                       ? tr("Not all devices hold the newest root. To go on, type: %1").arg(wanted)
                       : tr("A large step. To go on, type: %1").arg(wanted));
    m_ask->setAccessibleName(m_ask->text());
    m_draft->setEnabled(m_known && (wanted.isEmpty() || m_typed->text().trimmed() == wanted));
}

Result<std::optional<KeyId>> KeyChangeDialog::successor() const
{
    switch (m_successor->currentData(kKindRole).toInt()) {
    case File: {
        const auto key = KeyId::fromHex(m_successor->currentData(kKeyRole).toByteArray().toStdString());
        return key ? Result<std::optional<KeyId>>(*key) : tl::unexpected<Error>(key.error());
    }
    case Elsewhere: {
        const auto key = KeyId::fromHex(m_id->text().trimmed().toStdString());
        return key ? Result<std::optional<KeyId>>(*key)
                   : fail(Errc::Usage, "the id of a key has 64 hexadecimal digits");
    }
    default:
        return std::optional<KeyId>();
    }
}

std::filesystem::path KeyChangeDialog::freeKeyFile() const
{
    std::string role = m_known->impact.roles.empty() ? "key" : m_known->impact.roles.front();
    if (role.starts_with("scope:"))
        role = "release";
    const std::filesystem::path directory = std::filesystem::path(m_directory.toStdString()) / "keys";
    std::error_code error;
    for (int number = 1;; ++number)
        if (const auto file = directory / (role + "-" + std::to_string(number) + ".key");
            !std::filesystem::exists(std::filesystem::symlink_status(file, error)))
            return file;
}

void KeyChangeDialog::draft()
{
    if (m_sealing.isRunning() || !m_known)
        return;
    m_error->hide();
    if (m_successor->currentData(kKindRole).toInt() != Make) {
        auto key = successor();
        return key ? write(*key) : tell(tr("The successor is not known."), key.error());
    }
    if (m_passphrase->text().isEmpty() || !m_passphrase->isSameAs(*m_again))
        return tell(tr("The new key has no passphrase yet."),
                    Error{Errc::Usage, "type the same passphrase twice"});
    const auto secret = std::make_shared<const crypto::SecretText>(m_passphrase->take());
    m_again->forget();
    const bool isRoot = !m_known->impact.roles.empty() && m_known->impact.roles.front() == "root";
    m_draft->setEnabled(false);
    m_sealing.start<KeyId>(
        [file = freeKeyFile(), secret, isRoot](Job::Ticket&) -> Result<KeyId> {
            const crypto::SecretKey key = crypto::SecretKey::generate();
            // As founding a fleet seals them.
            const auto cost = isRoot ? crypto::KdfCost::Sensitive : crypto::KdfCost::Moderate;
            if (auto written = console::writeSealedKey(file, key, *secret, cost); !written)
                return tl::unexpected<Error>(written.error());
            if (auto noted = console::AuditLog().record(console::Act::KeyMade, key.id().hex(),
                                                        "file " + file.string());
                !noted)
                return tl::unexpected<Error>(noted.error());
            return key.id();
        },
        [this](Result<KeyId> key) {
            showConfirmation();
            return key ? write(*key) : tell(tr("The new key was not made."), key.error());
        });
}

void KeyChangeDialog::write(std::optional<KeyId> successor)
{
    const trust::RootDocument& root = m_known->trust.root();
    const auto change = m_step == KeyStep::Rotate
        ? console::rotation(root, m_key, *successor)
        : console::removal(root, m_key, successor,
                           m_raise->isChecked() ? console::Epochs::Raise : console::Epochs::Keep);
    const auto drafted = change ? console::draftRoot(m_known->trust, *change, m_directory.toStdString())
                                : Result<console::Drafted>(tl::unexpected(change.error()));
    if (!drafted)
        return tell(tr("No root comes of this."), drafted.error());
    Q_EMIT this->drafted(QString::fromStdString(drafted->file.string()));
    accept();
}

void KeyChangeDialog::tell(const QString& what, const Error& error)
{
    m_error->tell(what, error);
    m_error->show();
    adjustSize(); // the card's words wrap, and want their height
}

} // namespace starling::window
