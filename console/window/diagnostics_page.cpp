// SPDX-License-Identifier: Apache-2.0
#include "diagnostics_page.h"

#include "admin/audit_log.h"
#include "admin/keys.h"
#include "base/size.h"
#include "crypto/library_versions.h"
#include "error_card.h"
#include "node/disk.h"
#include "store/library_versions.h"
#include "swarm/library_versions.h"
#include "words.h"

#include <QClipboard>
#include <QDateTime>
#include <QDir>
#include <QFileDialog>
#include <QGuiApplication>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSysInfo>

namespace starling::window {

namespace {

QString textOf(const std::vector<console::DiagnosticFile>& files)
{
    QString text;
    for (const console::DiagnosticFile& file : files)
        text += QStringLiteral("== %1\n%2\n").arg(file.name, QString::fromUtf8(file.contents));
    return text;
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

} // namespace

DiagnosticsPage::DiagnosticsPage(QString socket)
    : m_socket(std::move(socket))
{
    QVBoxLayout* const layout = column(this, 24, 12);
    auto* const row = new QHBoxLayout;
    auto* const words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(label(tr("All that a bundle holds is here"), "heading"));
    words->addWidget(m_list = label({}, "muted"));
    m_list->setWordWrap(true); // the window may be narrow
    row->addLayout(words, 1);
    m_refresh = named(new QPushButton(tr("Look again")), tr("Make the diagnostics anew"));
    m_copy = named(new QPushButton(tr("Copy")), tr("Copy the diagnostics"));
    m_save = named(new QPushButton(tr("Save redacted bundle…")), tr("Save the diagnostics into a new folder"),
                   "primary");
    for (QPushButton* const button : {m_refresh, m_copy, m_save})
        row->addWidget(button, 0, Qt::AlignTop);
    layout->addLayout(row);
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(m_done = label({}));
    m_done->hide();
    m_contents = verbatim(tr("Diagnostics"));
    m_contents->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    layout->addWidget(m_contents, 1);
    connect(m_refresh, &QPushButton::clicked, this, &DiagnosticsPage::refresh);
    connect(m_save, &QPushButton::clicked, this, &DiagnosticsPage::askWhere);
    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(textOf(m_files)); });
}

void DiagnosticsPage::setFleet(const QString& socket, const QString& directory)
{
    m_socket = socket;
    m_directory = directory;
    m_snapshot.reset();
}

void DiagnosticsPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot; // what somebody reads does not change under the eyes
    m_trouble.clear();
}

void DiagnosticsPage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    refresh();
}

console::DiagnosticSurroundings DiagnosticsPage::surroundings() const
{
    const console::AuditLog log;
    const auto trail = log.read();
    console::DiagnosticSurroundings here;
    here.version = QStringLiteral(STARLING_VERSION);
    here.qtVersion = QString::fromLatin1(qVersion());
    here.qtBuiltWith = QStringLiteral(QT_VERSION_STR);
    for (const auto& versions :
         {crypto::libraryVersions(), store::libraryVersions(), swarm::libraryVersions()})
        for (const std::string& version : versions)
            here.libraries += plain(version);
    here.system = QStringLiteral("%1, %2 %3, %4")
                      .arg(QSysInfo::prettyProductName(), QSysInfo::kernelType(), QSysInfo::kernelVersion(),
                           QSysInfo::currentCpuArchitecture());
    here.platform = QGuiApplication::platformName();
    here.home = QDir::homePath();
    here.socket = m_socket;
    here.fleetDirectory = m_directory;
    here.auditLog = QString::fromStdString(log.file().string());
    here.auditVerdict = trail ? QString::fromStdString(console::verdictOf(*trail))
                              : QString::fromStdString(codeName(trail.error().code));
    here.now = UtcTime(std::chrono::seconds(QDateTime::currentSecsSinceEpoch()));
    if (!m_directory.isEmpty())
        if (const auto files = console::listKeyFiles((m_directory + QStringLiteral("/keys")).toStdString()))
            for (const auto& [file, key] : *files)
                if (key)
                    here.keys.push_back(key->header.id);
    return here;
}

void DiagnosticsPage::refresh()
{
    m_files = console::diagnosticsOf(surroundings(), m_snapshot ? &m_snapshot->status : nullptr,
                                     m_snapshot ? m_snapshot->picture.get() : nullptr, m_trouble);
    QStringList list;
    for (const console::DiagnosticFile& file : m_files)
        list += tr("%1 (%2)").arg(
            file.name,
            QString::fromStdString(toString(ByteCount{static_cast<std::uint64_t>(file.contents.size())})));
    setText(
        m_list,
        tr("No names, labels or addresses of devices, no secrets: %1").arg(list.join(QStringLiteral(", "))));
    m_contents->setPlainText(textOf(m_files));
    m_done->hide();
    m_error->hide();
}

void DiagnosticsPage::askWhere()
{
    auto* const dialog = new QFileDialog(this, tr("Save the diagnostics into a new folder"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setOption(QFileDialog::DontConfirmOverwrite); // nothing is overwritten
    dialog->selectFile(QStringLiteral("starling-diagnostics"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const auto saved = saveTo(path); !saved)
            return m_error->tell(tr("The diagnostics were not saved."), saved.error());
        setText(m_done, tr("Saved in %1").arg(plain(path.toStdString(), 500)));
        m_done->show();
    });
    dialog->open();
}

Status DiagnosticsPage::saveTo(const QString& folder) const
{
    const std::filesystem::path directory = folder.toStdString();
    std::error_code error;
    if (!std::filesystem::create_directory(directory, error))
        return error ? Status(tl::unexpected<Error>(node::diskError(error.value(), directory)))
                     : Status(fail(Errc::AlreadyExists, directory.string()));
    for (const console::DiagnosticFile& file : m_files)
        if (auto written = node::writeFile(
                directory / file.name.toStdString(),
                viewOf({file.contents.constData(), static_cast<std::size_t>(file.contents.size())}),
                node::FileMode::Private, node::Existing::Keep);
            !written)
            return written;
    return {};
}

} // namespace starling::window
