// SPDX-License-Identifier: Apache-2.0
/// What the window can be told to do from anywhere: shortcuts, the palette, files that are dropped, dialogs
/// that belong to no screen.
#include "main_window.h"

#include "command_palette.h"
#include "devices_page.h"
#include "diagnostics_page.h"
#include "fetch_dialog.h"
#include "idle_lock.h"
#include "keys_page.h"
#include "map_page.h"
#include "membership_dialogs.h"
#include "network_page.h"
#include "observe_dialog.h"
#include "overview_page.h"
#include "profile.h"
#include "publish_page.h"
#include "read_only.h"
#include "release_dialog.h"
#include "releases_page.h"
#include "request_dialog.h"
#include "welcome_page.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QMessageBox>
#include <QMimeData>
#include <QStackedWidget>
#include <QStatusBar>

namespace starling::window {

QAction* MainWindow::add(const QString& text, const QKeySequence& keys, std::function<void()> run)
{
    auto* const action = new QAction(text, this);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, std::move(run));
    addAction(action);
    return action;
}

bool MainWindow::mayAct()
{
    if (!m_demo->isActive())
        return mayChange(this);
    DemoBar::explainNoPush(this);
    return false;
}

void MainWindow::makeActions()
{
    add(tr("Filter devices"), Qt::CTRL | Qt::Key_F, [this] {
        goTo(m_devices);
        m_devices->focusQuery();
    });
    add(tr("New release: make, sign and push"), Qt::CTRL | Qt::Key_N, [this] { goToPublish({}); });
    add(tr("Open a signing request: sign for others"), Qt::CTRL | Qt::Key_O, [this] { chooseRequest(); });
    add(tr("Look at a release file: what it is, and who signed it"), {}, [this] { chooseRelease(); });
    add(tr("Add a device: make a join token"), {}, [this] { addDevice(); });
    m_askAction =
        add(tr("Ask for signed receipts of a fleet that is told in sums"), {}, [this] { askForReceipts(); });
    m_askAction->setEnabled(false);
    add(tr("Collect receipts here: name an observer"), {}, [this] { nameObserver(); });
    add(tr("Check the network: how others reach this agent"), {}, [this] { checkNetwork(); });
    add(tr("First steps: new fleet, join, demo"), {}, [this] { goTo(m_welcome); });
    add(tr("Diagnostics: versions, paths, state, to copy or save"), {}, [this] { goTo(m_diagnostics); });
    add(tr("Commands"), Qt::CTRL | Qt::Key_K, [this] { openPalette(); });
    add(tr("Help"), Qt::Key_F1, [this] { showHelp(); });
    add(tr("Ask the agent again, now"), Qt::Key_F5, [this] { Q_EMIT refreshWanted(); });
    add(tr("Next part of the window"), Qt::Key_F6, [this] { goToNextPart(1); });
    add(tr("Part of the window before"), Qt::SHIFT | Qt::Key_F6, [this] { goToNextPart(-1); });
    add(tr("Keyboard shortcuts"), Qt::CTRL | Qt::Key_Slash, [this] { showShortcuts(); });
    add(tr("Full screen"), Qt::Key_F11, [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
    add(tr("Look as the system does"), {}, [this] { setLook(Look::System); });
    add(tr("Light theme"), {}, [this] { setLook(Look::Light); });
    add(tr("Dark theme"), {}, [this] { setLook(Look::Dark); });
    add(tr("High contrast theme"), {}, [this] { setLook(Look::HighContrast); });
    add(tr("Lock: wipe typed passphrases"), Qt::CTRL | Qt::Key_L, [this] { m_lock->lock(); });
    add(tr("Quit"), QKeySequence::Quit, [this] { close(); });
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    const auto urls = event->mimeData()->urls();
    if (urls.size() == 1 && urls[0].isLocalFile())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    const auto urls = event->mimeData()->urls();
    if (urls.size() != 1 || !urls[0].isLocalFile())
        return;
    event->acceptProposedAction();
    const QString file = urls[0].toLocalFile();
    if (RequestDialog::isRequest(file))
        return openRequest(file);
    return ReleaseDialog::isRelease(file) ? lookAtRelease(file) : goToPublish(file);
}

void MainWindow::chooseRelease()
{
    auto* const dialog = new QFileDialog(this, tr("Look at a release file"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Release files (*.torrent)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::lookAtRelease);
    dialog->open();
}

void MainWindow::lookAtRelease(const QString& file)
{
    if (m_demo->isActive())
        return DemoBar::explainNoPush(this);
    auto* const dialog = new ReleaseDialog(file, Profile::load().directory, m_snapshot, m_theme, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::chooseRequest()
{
    auto* const dialog = new QFileDialog(this, tr("Open a signing request"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Signing requests (*.request)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openRequest);
    dialog->open();
}

void MainWindow::openRequest(const QString& file)
{
    if (!mayAct())
        return;
    auto* const dialog = new RequestDialog(file, Profile::load().directory, m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &RequestDialog::rootPushed, m_keys, &KeysPage::reload);
    connect(dialog, &RequestDialog::completed, this, [this](const release::SigningRequest& request) {
        goTo(m_publish);
        m_publish->resume(request);
    });
    dialog->open();
}

void MainWindow::openPalette()
{
    auto* const palette = new CommandPalette(actions(), m_snapshot ? m_snapshot->picture : nullptr, this);
    palette->setAttribute(Qt::WA_DeleteOnClose);
    connect(palette, &CommandPalette::deviceChosen, this, [this](const NodeId& node) {
        goTo(m_devices);
        m_devices->choose(node);
    });
    palette->open();
}

void MainWindow::showShortcuts()
{
    QString rows;
    for (const QAction* action : actions())
        if (!action->shortcut().isEmpty())
            rows += QStringLiteral("<tr><td style='padding:3px 24px 3px 0'><b>%1</b></td><td>%2</td></tr>")
                        .arg(action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped(),
                             action->text().toHtmlEscaped());
    auto* const box =
        new QMessageBox(QMessageBox::NoIcon, tr("Keyboard shortcuts"),
                        QStringLiteral("<table>%1</table>").arg(rows), QMessageBox::Close, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setAccessibleName(tr("Keyboard shortcuts"));
    box->open();
}

void MainWindow::showHelp()
{
    const std::pair<QString, QString> rooms[] = {
        {tr("Overview"), tr("how it goes in one sentence, and what needs you")},
        {tr("Devices"), tr("every device, and why it stands where it does")},
        {tr("Releases"), tr("what was published; a new one is made, signed and pushed here")},
        {tr("Rollouts"), tr("how far each release is, and when it ends")},
        {tr("Map"), tr("how it spreads, in four lenses, now and before")},
        {tr("Keys"), tr("who may sign what; keys join and leave here")},
        {tr("Log"), tr("what was done from here, and what the agent told")},
        {tr("Network"), tr("who the agent is linked to, how, and why not better")},
    };
    QString rows;
    for (const auto& [room, about] : rooms)
        rows += QStringLiteral("<tr><td style='padding:3px 24px 3px 0'><b>%1</b></td><td>%2</td></tr>")
                    .arg(room.toHtmlEscaped(), about.toHtmlEscaped());
    const QString end = tr("Green is what a device signed itself. Every number has its age, in the status "
                           "bar. Drop a file or folder on the window to publish it. Ctrl+K finds every "
                           "command, Ctrl+/ shows the keys. More: man starling-console, man starling.");
    auto* const box =
        new QMessageBox(QMessageBox::NoIcon, tr("Help"),
                        QStringLiteral("<table>%1</table><p>%2</p>").arg(rows, end.toHtmlEscaped()),
                        QMessageBox::Close, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setAccessibleName(tr("Help"));
    box->open();
}

/// Rail, screen and status bar, in a circle: to the first widget there that takes the keyboard.
void MainWindow::goToNextPart(int step)
{
    QWidget* const parts[] = {m_rail, m_pages->currentWidget(), statusBar()};
    constexpr int kParts = static_cast<int>(std::size(parts));
    const QWidget* const now = QApplication::focusWidget();
    int at = 0;
    for (int i = 0; i < kParts; ++i)
        if (now != nullptr && parts[i]->isAncestorOf(now))
            at = i;
    for (int tried = 1; tried < kParts; ++tried) {
        QWidget* const part = parts[((at + tried * step) % kParts + kParts) % kParts];
        for (QWidget* const widget : part->findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) != 0)
                return widget->setFocus(Qt::ShortcutFocusReason);
    }
}

void MainWindow::askForReceipts()
{
    if (m_demo->isActive() || !m_snapshot || !m_snapshot->hints)
        return;
    auto* const dialog = new FetchDialog(*m_snapshot->hints, m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::nameObserver()
{
    if (!mayAct())
        return;
    auto* const dialog = new ObserveDialog(m_snapshot, Profile::load().directory, m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::checkNetwork()
{
    goTo(m_network);
    m_network->check();
}

void MainWindow::admit(const Applicant& applicant)
{
    if (!mayAct())
        return;
    auto* const dialog = new AdmitDialog(applicant, Profile::load().directory, m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::deny(const fleetview::DevicePtr& device)
{
    if (!mayAct())
        return;
    auto* const dialog = new DenyDialog(*device, Profile::load().directory, m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::addDevice()
{
    if (!mayAct())
        return;
    auto* const dialog = new TokenDialog(m_socket, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

} // namespace starling::window
