// SPDX-License-Identifier: Apache-2.0
#include "main_window.h"

#include "admin/audit_log.h"
#include "devices_page.h"
#include "diagnostics_page.h"
#include "error_card.h"
#include "fitting.h"
#include "idle_lock.h"
#include "key_chooser.h"
#include "keys_page.h"
#include "log_page.h"
#include "map_page.h"
#include "network_page.h"
#include "notices.h"
#include "overview_page.h"
#include "preferences_page.h"
#include "profile.h"
#include "publish_page.h"
#include "read_only.h"
#include "releases_page.h"
#include "rollouts_page.h"
#include "sums_bar.h"
#include "welcome_page.h"
#include "withdraw_dialog.h"
#include "words.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QHeaderView>
#include <QLocale>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTableView>
#include <QToolButton>

namespace starling::window {

namespace {

constexpr std::array kEffects{Qt::UI_AnimateMenu, Qt::UI_AnimateCombo, Qt::UI_AnimateTooltip};
constexpr qint64 kStaleAfter = 5'000; ///< ms; guess: five statuses that did not come
constexpr std::chrono::milliseconds kAgeEvery{1'000};
constexpr std::chrono::minutes kClockEvery{1}; ///< guess: somebody sets it while the window is open

} // namespace

MainWindow::MainWindow(QString socket)
    : m_socket(std::move(socket))
    , m_systemPalette(QApplication::palette())
{
    for (const Qt::UIEffect effect : kEffects)
        if (QApplication::isEffectEnabled(effect))
            m_effects.insert(effect);
    setAccessibleName(tr("Starling console"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/starling-console.svg")));
    auto* const body = named(new QWidget, tr("Console"));
    auto* const across = new QHBoxLayout(body);
    across->setContentsMargins(0, 0, 0, 0);
    across->setSpacing(0);
    across->addWidget(makeRail());
    auto* const right = named(new QWidget, tr("Screen"), "page");
    QVBoxLayout* const layout = column(right, 0, 0);
    m_offline = label({}, "offline");
    m_offline->hide();
    m_offline->setWordWrap(true);
    layout->addWidget(m_offline);
    layout->addWidget(m_clock = new ErrorCard);
    m_clock->hide();
    layout->addWidget(m_locked = label({}, "offline"));
    makeLock();
    layout->addWidget(m_demo = new DemoBar);
    layout->addWidget(m_sums = new SumsBar);
    layout->addWidget(makeTitle());
    layout->addWidget(m_pages = named(new QStackedWidget, tr("Screens")), 1);
    across->addWidget(right, 1);
    setCentralWidget(body);
    addPage(m_overview = new OverviewPage, tr("Overview"), QStringLiteral("overview"), Qt::CTRL | Qt::Key_1);
    addPage(m_devices = new DevicesPage, tr("Devices"), QStringLiteral("devices"), Qt::CTRL | Qt::Key_2);
    addPage(m_releases = new ReleasesPage, tr("Releases"), QStringLiteral("releases"), Qt::CTRL | Qt::Key_3);
    addPage(m_rollouts = new RolloutsPage, tr("Rollouts"), QStringLiteral("rollouts"), Qt::CTRL | Qt::Key_4);
    addPage(m_map = new MapPage, tr("Map"), QStringLiteral("map"), Qt::CTRL | Qt::Key_5);
    addPage(m_keys = new KeysPage(m_socket), tr("Keys"), QStringLiteral("keys"), Qt::CTRL | Qt::Key_6);
    addPage(m_log = new LogPage, tr("Log"), QStringLiteral("log"), Qt::CTRL | Qt::Key_7);
    addPage(m_network = new NetworkPage(m_socket), tr("Network"), QStringLiteral("network"),
            Qt::CTRL | Qt::Key_8);
    m_railLayout->addStretch();
    makePreferences();
    m_pages->addWidget(m_publish = named(new PublishPage(m_socket), tr("New release")));
    m_pages->addWidget(m_welcome = named(new WelcomePage, tr("First steps")));
    m_pages->addWidget(m_diagnostics = named(new DiagnosticsPage(m_socket), tr("Diagnostics")));
    m_publish->setFleetDirectory(Profile::load().directory);
    m_diagnostics->setFleet(m_socket, Profile::load().directory);
    m_keys->setFleet(m_socket, Profile::load().directory);
    makeStatusBar();
    makeActions();
    connectPages();
    setAcceptDrops(true);
    connect(&m_ageTimer, &QTimer::timeout, this, &MainWindow::showAge);
    m_ageTimer.start(kAgeEvery);
    connect(&m_clockTimer, &QTimer::timeout, this, &MainWindow::checkClock);
    m_clockTimer.start(kClockEvery);
    checkClock();
    goTo(m_overview);
    restore();
    applyTheme();
    showAge();
}

void MainWindow::connectPages()
{
    connect(m_overview, &OverviewPage::devicesWanted, this, &MainWindow::goToDevices);
    connect(m_overview, &OverviewPage::applicantChosen, this, &MainWindow::admit);
    connect(m_overview, &OverviewPage::observerWanted, this, &MainWindow::nameObserver);
    connect(m_overview, &OverviewPage::checkWanted, this, &MainWindow::checkNetwork);
    connect(m_devices, &DevicesPage::addWanted, this, &MainWindow::addDevice);
    connect(m_devices, &DevicesPage::denyWanted, this, &MainWindow::deny);
    connect(m_releases, &ReleasesPage::devicesWanted, this, &MainWindow::goToDevices);
    connect(m_releases, &ReleasesPage::publishWanted, this, [this] { goToPublish({}); });
    connect(m_releases, &ReleasesPage::lookWanted, this, &MainWindow::chooseRelease);
    connect(m_releases, &ReleasesPage::withdrawWanted, this, [this](const fleetview::Release& release) {
        if (!mayAct())
            return;
        auto* const dialog = new WithdrawDialog(release, Profile::load().directory, m_socket, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    connect(m_rollouts, &RolloutsPage::devicesWanted, this, &MainWindow::goToDevices);
    connect(m_rollouts, &RolloutsPage::publishWanted, this, [this] { goToPublish({}); });
    connect(m_publish, &PublishPage::devicesWanted, this, &MainWindow::goToDevices);
    connect(m_map, &MapPage::devicesWanted, this, &MainWindow::goToDevices);
    connect(m_keys, &KeysPage::requestWanted, this, &MainWindow::openRequest);
    connect(m_keys, &KeysPage::choiceWanted, this, &MainWindow::chooseRequest);
    connect(m_keys, &KeysPage::firstStepsWanted, this, [this] { goTo(m_welcome); });
    connect(m_sums, &SumsBar::receiptsWanted, this, &MainWindow::askForReceipts);
    connect(m_demo, &DemoBar::demoWanted, this, &MainWindow::demoWanted);
    connect(m_demo, &DemoBar::speedWanted, this, &MainWindow::speedWanted);
    connect(m_demo, &DemoBar::leaveWanted, this, &MainWindow::demoLeft);
    connect(m_welcome, &WelcomePage::simulationWanted, this, &MainWindow::demoWanted);
    connect(m_welcome, &WelcomePage::settled, this, &MainWindow::settle);
    connect(m_welcome, &WelcomePage::publishWanted, this, [this] { goToPublish({}); });
    connect(m_welcome, &WelcomePage::overviewWanted, this, [this] { goTo(m_overview); });
    connect(m_map, &MapPage::deviceWanted, this, [this](const NodeId& node) {
        goTo(m_devices);
        m_devices->choose(node);
    });
}

void MainWindow::makeLock()
{
    m_lock = new IdleLock(this);
    m_lock->setPatience(Preferences::load().lockAfter);
    m_locked->setText(
        tr("Locked: what was typed of passphrases is wiped, and the keychain is not asked until one is "
           "typed again."));
    m_locked->setAccessibleName(m_locked->text());
    m_locked->setWordWrap(true);
    m_locked->hide();
    connect(m_lock, &IdleLock::changed, m_locked, &QWidget::setVisible);
}

void MainWindow::makePreferences()
{
    addPage(m_preferences = new PreferencesPage, tr("Preferences"), QStringLiteral("preferences"),
            Qt::CTRL | Qt::Key_Comma);
    m_preferences->setProfile(Profile::load());
    connect(m_preferences, &PreferencesPage::changed, this, &MainWindow::take);
    connect(m_preferences, &PreferencesPage::lookChosen, this, &MainWindow::setLook);
    connect(m_preferences, &PreferencesPage::profileChosen, this, &MainWindow::settle);
}

void MainWindow::take(const Preferences& preferences)
{
    m_lock->setPatience(preferences.lockAfter);
    m_map->setReducedMotion(preferences.reducesMotion);
    for (const Qt::UIEffect effect : kEffects)
        QApplication::setEffectEnabled(effect, !preferences.reducesMotion && m_effects.contains(effect));
    QLocale::setDefault(preferences.numbers == Numbers::English ? QLocale(QLocale::English)
                                                                : QLocale::system());
    Q_EMIT paceWanted(paceOf(preferences.pace));
    for (auto* const chooser : findChildren<KeyChooser*>())
        chooser->followPreferences();
    constexpr int kComfortable = 100,
                  kCompact = 72; ///< percent of a table's line; guess: text and a pixel around
    for (auto* const table : findChildren<QTableView*>()) {
        QHeaderView* const lines = table->verticalHeader();
        if (!lines->property("line").isValid())
            lines->setProperty("line", lines->defaultSectionSize());
        lines->setMinimumSectionSize(1);
        lines->setDefaultSectionSize(lines->property("line").toInt()
                                     * (preferences.density == Density::Compact ? kCompact : kComfortable)
                                     / 100);
    }
}

void MainWindow::tellNews(const SnapshotPtr& snapshot)
{
    constexpr qint64 kEvery = 5'000; ///< ms; guess: nobody reads faster
    if (snapshot->reading || (m_told && snapshot->takenAt - m_told->takenAt < kEvery))
        return; // what is read only now has not happened now
    m_news.run<QStringList>(
        snapshot->picture->devices.size(),
        [before = std::exchange(m_told, snapshot), snapshot, preferences = Preferences::load()] {
            return newsOf(before, *snapshot, preferences);
        },
        [this](const QStringList& news) {
            constexpr int kShown = 30'000; ///< ms; guess
            if (news.isEmpty())
                return;
            statusBar()->showMessage(news.join(QStringLiteral(" · ")), kShown);
            QApplication::alert(this);
        });
}

QWidget* MainWindow::makeRail()
{
    m_rail = named(new QWidget, tr("Screens to choose from"), "rail");
    m_rail->setAttribute(Qt::WA_StyledBackground);
    m_rail->setMinimumWidth(104); // and wider where a language has longer words
    m_rail->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
    m_railLayout = column(m_rail, 8, 4);
    return m_rail;
}

QWidget* MainWindow::makeTitle()
{
    auto* const bar = named(new QWidget, tr("Title"));
    auto* const row = new QHBoxLayout(bar);
    row->setContentsMargins(24, 16, 24, 0);
    row->addWidget(m_title = label({}, "title"));
    row->addSpacing(10);
    row->addWidget(m_subtitle = label({}, "subtitle"), 1, Qt::AlignBottom);
    return bar;
}

void MainWindow::makeStatusBar()
{
    statusBar()->setSizeGripEnabled(false);
    statusBar()->setAccessibleName(tr("Status"));
    m_age = label({});
    m_age->setMinimumWidth(150); // the others do not move as it grows
    m_links = named(new QPushButton, tr("Links"), "link");
    m_links->setToolTip(tr("Show the network: links, and how others reach this agent"));
    m_links->hide(); // until there is something to tell
    connect(m_links, &QPushButton::clicked, this, [this] { goTo(m_network); });
    m_rates = label({});
    m_vantage = label({});
    statusBar()->addWidget(m_age);
    statusBar()->addWidget(m_links);
    statusBar()->addWidget(m_rates);
    statusBar()->addPermanentWidget(m_vantage);
}

void MainWindow::addPage(Page* page, const QString& name, const QString& icon, const QKeySequence& keys)
{
    named(page, name);
    m_pages->addWidget(page);
    auto* const button = named(new QToolButton, name);
    button->setText(name);
    button->setCheckable(true);
    button->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    button->setIconSize({24, 24});
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setProperty("icon-name", icon);
    button->setToolTip(QStringLiteral("%1 (%2)").arg(name, keys.toString(QKeySequence::NativeText)));
    connect(button, &QToolButton::clicked, this, [this, page] { goTo(page); });
    m_railLayout->addWidget(button);
    m_rooms.emplace_back(page, button);
    add(tr("Go to %1").arg(name), keys, [this, page] { goTo(page); });
}

void MainWindow::goTo(Page* page)
{
    m_pages->setCurrentWidget(page);
    for (const auto& [room, button] : m_rooms)
        button->setChecked(room == (page == m_publish ? m_releases : page));
    if (page == m_map && m_snapshot)
        m_map->show(m_snapshot);
    showTitle();
    showAge();
}

void MainWindow::settle(const Profile& profile)
{
    profile.save();
    m_hasTriedOwnAgent = true;
    m_socket = profile.socket;
    m_snapshot.reset();
    m_publish->setSocket(m_socket);
    m_publish->setFleetDirectory(profile.directory);
    m_diagnostics->setFleet(m_socket, profile.directory);
    m_keys->setFleet(m_socket, profile.directory);
    m_network->setAgent(m_socket);
    m_preferences->setProfile(profile);
    m_told.reset();
    Q_EMIT agentChosen(m_socket);
}

void MainWindow::startOwnAgent()
{
    const Profile profile = Profile::load();
    m_hasTriedOwnAgent = true;
    if (profile.agentConfig.isEmpty() || profile.socket != m_socket)
        return;
    const auto started = startAgent(agentOf(profile.agentConfig));
    m_ownAgent = started.value_or(0);
    if (!started)
        m_lost += QLatin1Char('\n') + plain(started.error().context);
}

void MainWindow::goToDevices(const QString& query)
{
    m_devices->setQuery(query);
    goTo(m_devices);
}

void MainWindow::beginDemo(const sim::DemoConfig& config)
{
    m_snapshot.reset();
    m_told.reset();
    m_lost.clear();
    m_demo->begin(config);
    m_keys->setFleet({}, {}); // nobody is asked, and no key of another fleet is shown beside it
    m_network->setAgent({});
    if (m_pages->currentWidget() == m_welcome || m_pages->currentWidget() == m_publish)
        goTo(m_overview);
    showAge();
    showTitle();
}

void MainWindow::leaveDemo()
{
    if (!m_demo->isActive())
        return;
    m_snapshot.reset();
    m_told.reset();
    m_demo->leave();
    m_keys->setFleet(m_socket, Profile::load().directory);
    m_network->setAgent(m_socket);
    if (Profile::load().isEmpty())
        goTo(m_welcome);
    showAge();
    showTitle();
}

void MainWindow::goToPublish(const QString& payload)
{
    if (!mayAct())
        return;
    goTo(m_publish);
    m_publish->enter();
    if (!payload.isEmpty())
        m_publish->setPayload(payload);
}

void MainWindow::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    m_lost.clear();
    for (const auto& [page, button] : m_rooms)
        if (page != m_map || page == m_pages->currentWidget()) // a map that nobody sees is not painted
            page->show(snapshot);
    m_demo->show(*snapshot);
    m_sums->show(*snapshot);
    m_askAction->setEnabled(snapshot->hints.has_value());
    m_publish->show(snapshot);
    m_welcome->show(snapshot);
    m_diagnostics->show(snapshot);
    const control::StatusReply& status = snapshot->status;
    showLinkCount(status);
    BytesPerSecond down, given;
    for (const control::UpdateLine& update : status.updates) {
        down.value += update.downRate.value;
        given.value += update.upRate.value;
    }
    m_rates->setText(
        tr("down %1, up %2")
            .arg(QString::fromStdString(toString(down)), QString::fromStdString(toString(given))));
    m_vantage->setText(tr("as %1 sees it, root %2").arg(plain(status.name, 64)).arg(status.rootNumber));
    for (QLabel* const text : {m_rates, m_vantage})
        text->setAccessibleName(text->text());
    tellNews(snapshot);
    showAge();
    showTitle();
}

void MainWindow::showLinkCount(const control::StatusReply& status)
{
    constexpr int kGlyph = 14;
    const auto up =
        std::count_if(status.links.begin(), status.links.end(), [](const auto& l) { return l.isUp; });
    const bool isAlone = up == 0 && !status.links.empty();
    m_links->setText(tr("%1 of %2 links up").arg(up).arg(status.links.size()));
    m_links->setAccessibleName(m_links->text());
    m_links->setAccessibleDescription(m_links->toolTip());
    m_links->setIcon(m_theme.glyphIcon(isAlone       ? fleetview::Standing::Stalled
                                           : up == 0 ? fleetview::Standing::Unknown
                                                     : fleetview::Standing::Healthy,
                                       kGlyph));
    m_links->show();
}

void MainWindow::showLost(const QString& why)
{
    m_lost = why;
    m_welcome->showLost(why);
    m_diagnostics->showLost(why);
    if (!m_hasTriedOwnAgent) {
        startOwnAgent();
        if (!m_snapshot && Profile::load().isEmpty() && m_pages->currentWidget() != m_publish)
            goTo(m_welcome);
    }
    showAge();
}

void MainWindow::checkClock()
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto checked = console::AuditLog().checkClock(now);
    if (checked)
        m_clock->hide();
    else if (m_clock->isHidden())
        m_clock->tell(tr("Times and ages in this window are wrong."), checked.error());
}

void MainWindow::showAge()
{
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const qint64 age = m_snapshot ? std::max<qint64>(0, now - m_snapshot->takenAt) : 0;
    const bool isFrozen = !m_lost.isEmpty() || (m_snapshot && age > kStaleAfter);
    const QString span = spanOf(std::chrono::seconds(age / 1'000));
    if (!m_snapshot)
        m_age->setText(m_demo->isActive() ? tr("The demo begins")
                           : m_lost.isEmpty()
                           ? tr("Asking the agent at %1").arg(plain(m_socket.toStdString()))
                           : tr("No data"));
    else if (m_snapshot->reading && !isFrozen)
        m_age->setText(readingWords(*m_snapshot->reading));
    else
        m_age->setText(isFrozen ? tr("Frozen %1 ago").arg(span) : tr("Live, %1 old").arg(span));
    m_age->setAccessibleName(m_age->text());
    if (isFrozen) {
        const QString first =
            m_snapshot ? tr("Frozen %1 ago: the agent does not answer.").arg(span) : tr("No agent answers.");
        m_offline->setText(
            tr("%1  Asking again every second.  Start it with: systemctl start starling-agent, or name "
               "its socket: starling-console --agent PATH.\n%2")
                .arg(first, m_lost));
        m_offline->setAccessibleName(m_offline->text());
    }
    // Whoever takes the first steps is told there.
    m_offline->setVisible(isFrozen && (m_snapshot || m_pages->currentWidget() != m_welcome));
    m_map->setFrozen(isFrozen);
}

void MainWindow::showTitle()
{
    const QString name = m_pages->currentWidget()->accessibleName();
    const QString fleet = m_demo->isActive() ? tr("Demo fleet")
        : m_snapshot                         ? tr("Fleet %1").arg(plain(m_snapshot->status.fleet.shortHex()))
                                             : tr("No fleet yet");
    m_title->setText(name);
    m_title->setAccessibleName(name);
    m_subtitle->setText(fleet);
    m_subtitle->setAccessibleName(fleet);
    setWindowTitle((m_demo->isActive() ? tr("%1 · %2 · Starling [DEMO]")
                        : isReadOnly() ? tr("%1 · %2 · Starling [READ-ONLY]")
                                       : tr("%1 · %2 · Starling"))
                       .arg(name, fleet));
}

void MainWindow::setLook(Look look)
{
    m_look = look;
    m_preferences->setLook(look);
    applyTheme();
}

void MainWindow::applyTheme()
{
    m_theme = Theme::of(m_look, m_systemPalette);
    QApplication::setPalette(m_theme.palette());
    setStyleSheet(m_theme.styleSheet());
    for (const auto& [page, button] : m_rooms) {
        button->setIcon(m_theme.icon(button->property("icon-name").toString()));
        page->setTheme(m_theme);
    }
    for (auto* const table : findChildren<QTableView*>())
        fitHeadings(table);
    m_publish->setTheme(m_theme);
    m_welcome->setTheme(m_theme);
    m_diagnostics->setTheme(m_theme);
    if (m_snapshot)
        showLinkCount(m_snapshot->status);
}

void MainWindow::restore()
{
    const QSettings settings;
    resize(1'240, 800);
    restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
    m_look = lookNamed(settings.value(QStringLiteral("window/look")).toString()).value_or(Look::System);
    const int page = settings.value(QStringLiteral("window/page")).toInt();
    m_preferences->setLook(m_look);
    const Preferences preferences = Preferences::load();
    take(preferences);
    if (preferences.opening == Opening::LastScreen && page > 0 && page < static_cast<int>(m_rooms.size()))
        goTo(m_rooms[static_cast<std::size_t>(page)].first);
}

void MainWindow::askToClose()
{
    auto* const box = new QMessageBox(QMessageBox::Question, tr("A push is under way"),
                                      tr("The agent does not have all of the release yet. If this window is "
                                         "closed now, no device gets it."),
                                      QMessageBox::NoButton, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setAccessibleName(box->windowTitle());
    box->setDefaultButton(box->addButton(tr("Keep sending"), QMessageBox::RejectRole));
    const auto* const stop = box->addButton(tr("Stop and close"), QMessageBox::DestructiveRole);
    connect(stop, &QAbstractButton::clicked, this, [this] {
        m_closesAnyway = true;
        close();
    });
    box->open();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_publish->isSending() && !m_closesAnyway) {
        event->ignore();
        return askToClose();
    }
    QSettings settings;
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    settings.setValue(QStringLiteral("window/look"), lookName(m_look));
    settings.setValue(QStringLiteral("window/page"), m_pages->currentIndex());
    event->accept();
}

} // namespace starling::window
