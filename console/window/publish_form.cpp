// SPDX-License-Identifier: Apache-2.0
#include "publish_form.h"

#include "fleetview/forecast.h"
#include "page.h"
#include "words.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>

namespace starling::window {

namespace {

constexpr int kMaxScripts = 1'000; ///< offered; others are typed
constexpr std::array kMethods{release::Method::Script, release::Method::Puppet, release::Method::None};

/// "gateway-2.4.1.tar" is "gateway" and "2.4.1".
std::pair<QString, QString> nameAndLabel(const QString& file)
{
    static const QRegularExpression kVersioned(QStringLiteral("^(.+?)[-_]v?([0-9][0-9a-zA-Z.+~]*)$"));
    static const QRegularExpression kEnding(QStringLiteral("\\.(tar|gz|xz|zst|zip|img|bin|deb|rpm|pp|sh)$"));
    QString stem = file.toLower();
    for (int i = 0; i < 2; ++i)
        stem.remove(kEnding);
    const auto match = kVersioned.match(stem);
    return match.hasMatch() ? std::pair(match.captured(1), match.captured(2)) : std::pair(stem, QString());
}

/// What is left of a name in a resource's URI.
QString segmentOf(QString name)
{
    name.replace(QRegularExpression(QStringLiteral("[^a-z0-9._-]+")), QStringLiteral("-"));
    name.remove(QRegularExpression(QStringLiteral("^[^a-z0-9]+")));
    return name.isEmpty() ? QStringLiteral("release") : name.left(60);
}

void setTo(QComboBox* box, const QStringList& files, const QStringList& wanted)
{
    box->clear();
    box->addItem(QString());
    box->addItems(files);
    for (const QString& name : wanted)
        for (const QString& file : files)
            if (file == name || file.endsWith(QLatin1Char('/') + name)) {
                box->setCurrentText(file);
                return;
            }
    box->setCurrentText({});
}

} // namespace

PublishForm::PublishForm(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("What to publish"));
    QVBoxLayout* const layout = column(this, 0, 14);
    layout->addWidget(makePayload());
    layout->addWidget(makeNames());
    layout->addWidget(makeHandling());
    layout->addStretch();
    auto* const row = new QHBoxLayout;
    row->addStretch();
    m_next =
        named(new QPushButton(tr("Next: hash it  (Ctrl+Enter)")), tr("Next: hash the payload"), "primary");
    connect(m_next, &QPushButton::clicked, this, &PublishForm::ready);
    m_next->setShortcut(Qt::CTRL | Qt::Key_Return);
    row->addWidget(m_next);
    layout->addLayout(row);
    showMethod();
}

void PublishForm::addField(QGridLayout* grid, int row, int column, const QString& name, QWidget* field)
{
    named(field, name);
    QLabel* const title = label(name, "muted");
    title->setBuddy(field);
    grid->addWidget(title, row, column);
    grid->addWidget(field, row, column + 1);
}

QWidget* PublishForm::makePayload()
{
    QWidget* const box = card(tr("Payload"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(label(tr("Payload"), "heading"));
    auto* const row = new QHBoxLayout;
    m_payload = named(new QLineEdit, tr("File or folder"));
    m_payload->setPlaceholderText(
        tr("A file or a folder: type its path, choose it, or drop it on this window"));
    auto* const file = named(new QPushButton(tr("File…")), tr("Choose a file"));
    auto* const folder = named(new QPushButton(tr("Folder…")), tr("Choose a folder"));
    row->addWidget(m_payload, 1);
    row->addWidget(file);
    row->addWidget(folder);
    layout->addLayout(row);
    layout->addWidget(m_found = label(tr("Nothing chosen yet"), "muted"));
    connect(file, &QPushButton::clicked, this, [this] { choose(false); });
    connect(folder, &QPushButton::clicked, this, [this] { choose(true); });
    connect(m_payload, &QLineEdit::editingFinished, this, [this] {
        if (m_payload->text() != m_listed)
            setPayload(m_payload->text());
    });
    return box;
}

QWidget* PublishForm::makeNames()
{
    QWidget* const box = card(tr("Name and version"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(label(tr("Name and version"), "heading"));
    auto* const grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    addField(grid, 0, 0, tr("Resource"), m_uri = new QLineEdit);
    addField(grid, 0, 2, tr("Version"), m_version = new QLineEdit);
    addField(grid, 1, 0, tr("Label for people"), m_label = new QLineEdit);
    grid->addWidget(m_newest = label({}, "muted"), 1, 2, 1, 2);
    m_uri->setPlaceholderText(QStringLiteral("fw/gateway"));
    m_label->setPlaceholderText(QStringLiteral("2.4.1"));
    m_label->setMaxLength(64);
    m_version->setMaxLength(16);
    grid->setColumnStretch(1, 3);
    grid->setColumnStretch(3, 2);
    layout->addLayout(grid);
    connect(m_uri, &QLineEdit::textChanged, this, &PublishForm::showNewest);
    connect(m_uri, &QLineEdit::editingFinished, this, &PublishForm::fillVersion);
    connect(m_version, &QLineEdit::textEdited, this, [this] { m_hasOwnVersion = true; });
    connect(m_version, &QLineEdit::textChanged, this, &PublishForm::showNewest);
    return box;
}

QWidget* PublishForm::makeHandling()
{
    QWidget* const box = card(tr("On each device"));
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(label(tr("On each device"), "heading"));
    auto* const grid = new QGridLayout;
    grid->setHorizontalSpacing(12);
    m_method = new QComboBox;
    m_method->addItems({tr("Run a script of the payload"), tr("Apply a Puppet manifest of the payload"),
                        tr("Only hold and pass on")});
    for (QComboBox** const script : {&m_run, &m_check, &m_undo}) {
        *script = new QComboBox;
        (*script)->setEditable(true);
        (*script)->setInsertPolicy(QComboBox::NoInsert);
    }
    m_limit = new QSpinBox;
    m_limit->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_limit->setRange(1, 86'400);
    m_limit->setSuffix(tr(" s"));
    m_limit->setValue(static_cast<int>(release::DeployPlan{}.timeoutSeconds));
    addField(grid, 0, 0, tr("Deploy"), m_method);
    addField(grid, 0, 2, tr("Run"), m_run);
    addField(grid, 1, 0, tr("Then check with"), m_check);
    addField(grid, 1, 2, tr("Undo with"), m_undo);
    addField(grid, 2, 0, tr("Only devices with"), m_requires = new QLineEdit);
    addField(grid, 2, 2, tr("Time limit"), m_limit);
    m_requires->setPlaceholderText(tr("labels, such as model=gw2, site=berlin; empty: all"));
    m_undo->lineEdit()->setPlaceholderText(tr("the release before is deployed again"));
    grid->setColumnStretch(1, 3);
    grid->setColumnStretch(3, 3);
    layout->addLayout(grid);
    connect(m_method, &QComboBox::currentIndexChanged, this, &PublishForm::showMethod);
    return box;
}

void PublishForm::choose(bool isDirectory)
{
    auto* const dialog = new QFileDialog(this, isDirectory ? tr("Choose a folder") : tr("Choose a file"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(isDirectory ? QFileDialog::Directory : QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &PublishForm::setPayload);
    dialog->open();
}

void PublishForm::setPayload(const QString& path)
{
    m_listed = path;
    m_payload->setText(path);
    if (path.isEmpty() || m_look.isRunning())
        return;
    const std::filesystem::path payload = path.toStdString();
    m_next->setEnabled(false); // what follows from the payload is filled in first
    m_look.start<node::PayloadListing>([payload](Job::Ticket&) { return node::listPayload(payload); },
                                       [this, path](Result<node::PayloadListing> listing) {
                                           m_next->setEnabled(true);
                                           if (path != m_listed) // another one was chosen meanwhile
                                               return setPayload(m_listed);
                                           if (listing)
                                               return take(*listing);
                                           m_found->setText(tr("Cannot be used"));
                                           Q_EMIT failed(tr("The payload cannot be read."), listing.error());
                                       });
}

void PublishForm::take(const node::PayloadListing& listing)
{
    std::uint64_t bytes = 0;
    for (const release::SourceFile& file : listing.files)
        bytes += file.size;
    m_found->setText(tr("Files: %1, together %2")
                         .arg(listing.files.size())
                         .arg(QString::fromStdString(toString(ByteCount{bytes}))));
    m_found->setAccessibleName(m_found->text());
    fillScripts(listing);
    fillNames();
}

void PublishForm::fillScripts(const node::PayloadListing& listing)
{
    QStringList files;
    for (const release::SourceFile& file : listing.files)
        if (files.size() < kMaxScripts)
            files += QString::fromStdString(file.path);
    const QStringList manifests = files.filter(QRegularExpression(QStringLiteral("\\.pp$")));
    const QStringList installers{QStringLiteral("install.sh"), QStringLiteral("deploy.sh"),
                                 QStringLiteral("run.sh"), QStringLiteral("site.pp")};
    setTo(m_run, files, installers + manifests.mid(0, 1));
    setTo(m_check, files, {QStringLiteral("check.sh"), QStringLiteral("health.sh")});
    setTo(m_undo, files, {QStringLiteral("rollback.sh"), QStringLiteral("undo.sh")});
    if (m_run->currentText().isEmpty() && files.size() == 1 && files[0].endsWith(QLatin1String(".sh")))
        m_run->setCurrentText(files[0]);
    const bool isManifest = m_run->currentText().endsWith(QLatin1String(".pp"));
    m_method->setCurrentIndex(m_run->currentText().isEmpty() ? 2 : isManifest ? 1 : 0);
}

void PublishForm::fillNames()
{
    const auto [name, labelText] = nameAndLabel(QFileInfo(m_listed).fileName());
    const QString segment = segmentOf(name);
    QString uri;
    if (m_picture) // another version of what is out already?
        for (const fleetview::Release& release : m_picture->releases)
            if (QString::fromStdString(release.uri.text()).section(QLatin1Char('/'), -1) == segment)
                uri = QString::fromStdString(release.uri.text());
    if (uri.isEmpty() && m_trust && !m_trust->root().scopes.empty())
        uri =
            QString::fromStdString(m_trust->root().scopes.front().prefix.text()) + QLatin1Char('/') + segment;
    if (!uri.isEmpty())
        m_uri->setText(uri);
    m_label->setText(labelText.left(64));
    m_hasOwnVersion = false;
    fillVersion();
}

void PublishForm::fillVersion()
{
    if (!m_hasOwnVersion && !m_uri->text().isEmpty())
        m_version->setText(QString::number(newest() ? newest()->version + 1 : 1));
}

void PublishForm::setPicture(fleetview::PicturePtr picture)
{
    m_picture = std::move(picture);
    fillVersion();
    showNewest();
}

void PublishForm::setTrust(std::shared_ptr<const trust::TrustSet> trust)
{
    m_trust = std::move(trust);
    if (m_uri->text().isEmpty() && !m_listed.isEmpty() && !m_look.isRunning())
        fillNames();
    showNewest();
}

void PublishForm::startAnew()
{
    for (QLineEdit* const field : {m_payload, m_uri, m_version, m_label, m_requires})
        field->clear();
    for (QComboBox* const script : {m_run, m_check, m_undo})
        script->clear();
    m_listed.clear();
    m_hasOwnVersion = false;
    m_found->setText(tr("Nothing chosen yet"));
    m_payload->setFocus();
}

std::optional<trust::Revision> PublishForm::newest() const
{
    const auto uri = ResourceUri::parse(m_uri->text().toStdString());
    return uri && m_picture ? fleetview::newestOf(*m_picture, *uri) : std::nullopt;
}

void PublishForm::showNewest()
{
    QString text;
    if (!m_uri->text().isEmpty() && m_picture) {
        const auto held = newest();
        text = held ? tr("The newest that is known is %1").arg(plain(trust::toString(*held)))
                    : tr("None of it is known yet");
        if (held && !m_version->text().isEmpty() && m_version->text().toULongLong() <= held->version)
            text += tr(": take a higher one");
    }
    m_newest->setText(text);
    m_newest->setAccessibleName(text);
}

void PublishForm::showMethod()
{
    const bool runs = kMethods[static_cast<std::size_t>(m_method->currentIndex())] != release::Method::None;
    for (QWidget* const field : std::initializer_list<QWidget*>{m_run, m_check, m_undo, m_limit})
        field->setEnabled(runs);
}

Status PublishForm::requireVersion(const ResourceUri& uri, std::uint64_t version) const
{
    const auto held = m_picture ? fleetview::newestOf(*m_picture, uri) : std::nullopt;
    const trust::Scope* const scope = m_trust ? m_trust->root().scopeFor(uri) : nullptr;
    if (m_trust && scope == nullptr)
        return fail(Errc::WrongScope, "the fleet's root lets nobody sign " + uri.text());
    const trust::Revision revision{scope != nullptr ? scope->epoch : 0, version};
    if (held && !(*held < revision))
        return fail(Errc::Rollback,
                    uri.text() + " version " + trust::toString(revision) + " is not above "
                        + trust::toString(*held) + ", the newest in the fleet");
    return {};
}

Result<release::UpdateInfo> PublishForm::update() const
{
    const auto uri = ResourceUri::parse(m_uri->text().trimmed().toStdString());
    if (!uri)
        return fail(Error(uri.error()), "Resource");
    bool isNumber = false;
    const qulonglong version = m_version->text().trimmed().toULongLong(&isNumber);
    if (!isNumber || version == 0 || version > trust::Revision::kMaxVersion)
        return fail(Errc::Usage, "Version is a number from 1 on; it counts the releases of this resource");
    if (auto above = requireVersion(*uri, version); !above)
        return tl::unexpected<Error>(above.error());
    const trust::Scope* const scope = m_trust ? m_trust->root().scopeFor(*uri) : nullptr;
    release::UpdateInfo update{
        *uri, {scope != nullptr ? scope->epoch : 0, version}, m_label->text().toStdString(), {}, {}, {}};
    update.deploy.method = kMethods[static_cast<std::size_t>(m_method->currentIndex())];
    if (update.deploy.method != release::Method::None) {
        update.deploy.run = m_run->currentText().toStdString();
        update.deploy.check = m_check->currentText().toStdString();
        update.deploy.rollback = m_undo->currentText().toStdString();
        if (update.deploy.run.empty())
            return fail(Errc::Usage, "Run names the script or manifest; or choose to only hold and pass on");
    }
    update.deploy.timeoutSeconds = static_cast<std::uint32_t>(m_limit->value());
    for (const QString& item : m_requires->text().split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        const QString name = item.section(QLatin1Char('='), 0, 0).trimmed();
        if (name.isEmpty() || !item.contains(QLatin1Char('=')))
            return fail(Errc::Usage, "Only devices with: name=value, with commas between");
        update.requirements[name.toStdString()] = item.section(QLatin1Char('='), 1).trimmed().toStdString();
    }
    return update;
}

Result<Draft> PublishForm::draft() const
{
    if (m_payload->text().isEmpty())
        return fail(Errc::PayloadMissing, "no file or folder is chosen");
    auto made = update();
    if (!made)
        return tl::unexpected<Error>(made.error());
    return Draft{m_payload->text().toStdString(), std::move(*made)};
}

} // namespace starling::window
