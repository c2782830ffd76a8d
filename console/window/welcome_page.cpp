// SPDX-License-Identifier: Apache-2.0
#include "welcome_page.h"

#include "admin/audit_log.h"
#include "demo_bar.h"
#include "error_card.h"
#include "passphrase_field.h"
#include "read_only.h"
#include "words.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QLineEdit>
#include <QLocale>
#include <QProcess>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QSysInfo>

namespace starling::window {

namespace {

constexpr std::chrono::milliseconds kPollEvery{100};
constexpr std::chrono::milliseconds kStartLimit{
    20'000}; ///< guess: an agent on a busy machine is there in one
constexpr int kWide = 760;

/// The first free name in the person's own folder.
QString proposedDirectory(const QString& name)
{
    const QString home = QDir::homePath() + QStringLiteral("/starling/");
    QString directory = home + name;
    for (int i = 2; QFileInfo::exists(directory); ++i)
        directory = home + name + QStringLiteral("-%1").arg(i);
    return directory;
}

QLineEdit* addField(QVBoxLayout* layout, const QString& name, QLineEdit* field)
{
    QLabel* const title = label(name, "muted");
    title->setBuddy(field);
    layout->addWidget(title);
    layout->addWidget(named(field, name));
    return field;
}

/// The sources' own script, if this program was built there.
QString demoScript()
{
    QDir directory(QCoreApplication::applicationDirPath());
    for (int i = 0; i < 4 && directory.cdUp(); ++i)
        if (directory.exists(QStringLiteral("demo")) && directory.exists(QStringLiteral("core/base")))
            return directory.filePath(QStringLiteral("demo"));
    return {};
}

} // namespace

WelcomePage::WelcomePage(QWidget* parent)
    : Page(parent)
    , m_cost()
{
    QVBoxLayout* const layout = column(this, 24, 14);
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(m_stack = named(new QStackedWidget, tr("First steps")), 1);
    for (QWidget* const step : {makeChoice(), makeFound(), makeJoin(), makeDemo(), makeWait()})
        m_stack->addWidget(step);
    connect(&m_poll, &QTimer::timeout, this, [this] {
        m_sealing->setMaximum(static_cast<int>(std::max<std::uint64_t>(1, m_founding.total())));
        m_sealing->setValue(static_cast<int>(m_founding.done()));
    });
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, &WelcomePage::giveUp);
}

void WelcomePage::say(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

QWidget* WelcomePage::offer(const QString& heading, const QString& text, const QString& button, Step step)
{
    QWidget* const box = card(heading);
    auto* const layout = static_cast<QVBoxLayout*>(box->layout());
    layout->addWidget(label(heading, "verdict"));
    QLabel* const words = label(text, "subtitle");
    words->setWordWrap(true);
    words->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    layout->addWidget(words, 1);
    auto* const go = named(new QPushButton(button), button, step == Found ? "primary" : nullptr);
    connect(go, &QPushButton::clicked, this, [this, step] {
        if (step == Demo || mayChange(this))
            goTo(step);
    });
    layout->addWidget(go, 0, Qt::AlignLeft);
    box->setMinimumWidth(220);
    box->setMaximumHeight(200);
    return box;
}

QWidget* WelcomePage::makeChoice()
{
    QWidget* const page = named(new QWidget, tr("How to begin"));
    QVBoxLayout* const layout = column(page, 0, 14);
    layout->addWidget(label(
        tr("Starling brings signed updates to many devices, which pass them on to each other."), "heading"));
    layout->addWidget(label(tr("There is no agent to ask yet. How would you like to begin?"), "subtitle"));
    auto* const row = new QHBoxLayout;
    row->setSpacing(16);
    row->addWidget(
        offer(tr("A new fleet"),
              tr("Makes its keys, sealed with your passphrase, and starts an agent on this machine: "
                 "the first device. The others follow."),
              tr("New fleet"), Found));
    row->addWidget(
        offer(tr("Join a fleet"),
              tr("With a token, one line that an agent of that fleet gives out. This machine becomes "
                 "one of its devices."),
              tr("Join"), Join));
    row->addWidget(
        offer(tr("Try the demo"),
              tr("A fleet to look at: simulated in this window, or real agents on this machine. It leaves "
                 "nothing behind."),
              tr("Demo fleet"), Demo));
    layout->addLayout(row);
    layout->addStretch();
    return page;
}

QHBoxLayout* WelcomePage::makeButtons(QPushButton* go)
{
    auto* const row = new QHBoxLayout;
    auto* const back = named(new QPushButton(tr("Back")), tr("Back to how to begin"));
    connect(back, &QPushButton::clicked, this, [this] {
        m_founding.cancel();
        goTo(Choose);
    });
    row->addStretch();
    row->addWidget(back);
    row->addWidget(go);
    return row;
}

QWidget* WelcomePage::makeFound()
{
    QWidget* const page = named(new QWidget, tr("A new fleet"));
    page->setMaximumWidth(kWide);
    QVBoxLayout* const layout = column(page, 0, 14);
    QWidget* const box = card(tr("A new fleet"));
    auto* const inner = static_cast<QVBoxLayout*>(box->layout());
    inner->addWidget(label(tr("A new fleet"), "verdict"));
    m_passphrase =
        static_cast<PassphraseField*>(addField(inner, tr("Passphrase for its keys"), new PassphraseField));
    m_again = static_cast<PassphraseField*>(addField(inner, tr("The same again"), new PassphraseField));
    m_directory = addField(inner, tr("Folder for keys and devices"), new QLineEdit);
    m_scope = addField(inner, tr("First part of its releases' names"), new QLineEdit(QStringLiteral("fw")));
    m_simple = named(new QRadioButton(tr("To begin with: one key for each role")),
                     tr("To begin with: one key for each role"));
    m_production =
        named(new QRadioButton(tr("For production: root 2 of 3 keys, release 2 of 3, admit 1 of 2")),
              tr("For production: root 2 of 3 keys, release 2 of 3, admit 1 of 2"));
    m_simple->setChecked(true);
    inner->addWidget(m_simple);
    inner->addWidget(m_production);
    QLabel* const note =
        label(tr("Whoever has the keys and the passphrase decides what all devices run. Keep a copy "
                 "of the folder 'keys' elsewhere, and the root key offline."),
              "muted");
    note->setWordWrap(true);
    inner->addWidget(note);
    inner->addWidget(m_sealing = named(new QProgressBar, tr("Keys that are sealed")));
    m_sealing->setFormat(tr("sealing key %v of %m"));
    m_sealing->hide();
    layout->addWidget(box);
    m_create = named(new QPushButton(tr("Create the fleet")), tr("Create the fleet"), "primary");
    layout->addLayout(makeButtons(m_create));
    layout->addStretch();
    connect(m_create, &QPushButton::clicked, this, &WelcomePage::found);
    connect(m_again, &QLineEdit::returnPressed, this, &WelcomePage::found);
    connect(m_passphrase, &QLineEdit::returnPressed, m_again, qOverload<>(&QWidget::setFocus));
    return page;
}

QWidget* WelcomePage::makeJoin()
{
    QWidget* const page = named(new QWidget, tr("Join a fleet"));
    page->setMaximumWidth(kWide);
    QVBoxLayout* const layout = column(page, 0, 14);
    QWidget* const box = card(tr("Join a fleet"));
    auto* const inner = static_cast<QVBoxLayout*>(box->layout());
    inner->addWidget(label(tr("Join a fleet"), "verdict"));
    QLabel* const how =
        label(tr("Ask whoever runs the fleet for a token: starling token create. It says where to ask, "
                 "which fleet it is, and is good for one device."),
              "subtitle");
    how->setWordWrap(true);
    inner->addWidget(how);
    m_token = addField(inner, tr("Token"), new QLineEdit);
    m_token->setPlaceholderText(tr("one line"));
    m_name = addField(inner, tr("Name of this device"), new QLineEdit(QSysInfo::machineHostName()));
    m_joinDirectory = addField(inner, tr("Folder for this device"), new QLineEdit);
    m_isConsole = named(new QCheckBox(tr("Only administer from here; install nothing")),
                        tr("Only administer the fleet from here"));
    m_isConsole->setToolTip(tr(
        "Its agent holds releases and gives them to others. It is not counted among the devices to update. "
        "Ask for a token for a console (token create --console): with another it waits to be let in."));
    inner->addWidget(m_isConsole);
    layout->addWidget(box);
    m_joinButton = named(new QPushButton(tr("Ask to join")), tr("Ask to join"), "primary");
    layout->addLayout(makeButtons(m_joinButton));
    layout->addStretch();
    connect(m_joinButton, &QPushButton::clicked, this, &WelcomePage::join);
    connect(m_token, &QLineEdit::returnPressed, this, &WelcomePage::join);
    return page;
}

QWidget* WelcomePage::makeDemo()
{
    QWidget* const page = named(new QWidget, tr("The demo fleet"));
    page->setMaximumWidth(kWide);
    QVBoxLayout* const layout = column(page, 0, 14);
    const auto section = [&](const QString& heading, QLabel* text) {
        QWidget* const box = card(heading);
        auto* const inner = static_cast<QVBoxLayout*>(box->layout());
        inner->addWidget(label(heading, "verdict"));
        inner->addWidget(text);
        text->setWordWrap(true);
        layout->addWidget(box);
        return inner;
    };
    QVBoxLayout* const simulated = section(
        tr("Simulated in this window"),
        label(tr("Up to %1 devices run the protocol's own code with keys of their own; network and transfers "
                 "are a model. Nothing leaves this window. The largest takes minutes to begin and 2.5 GB.")
                  .arg(QLocale().toString(sim::DemoConfig::kMaxDevices)),
              "subtitle"));
    auto* const row = new QHBoxLayout;
    row->addWidget(m_devices = named(new QComboBox, tr("Devices of the demo")));
    for (const unsigned devices : {10U, 1'000U, sim::DemoConfig::kMaxDevices})
        m_devices->addItem(tr("%1 devices").arg(QLocale().toString(devices)), devices);
    m_devices->setCurrentIndex(1);
    row->addWidget(m_story = named(new QComboBox, tr("Story of the demo")));
    for (const sim::DemoStory story : sim::kDemoStories)
        m_story->addItem(storyWord(story));
    row->addStretch();
    auto* const simulate = named(new QPushButton(tr("Simulate")), tr("Simulate a fleet"), "primary");
    row->addWidget(simulate);
    simulated->addLayout(row);
    QVBoxLayout* const real = section(tr("Agents on this machine"), m_demoText = label({}, "subtitle"));
    m_demoText->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_demoButton = named(new QPushButton(tr("Start the demo")), tr("Start the demo"));
    real->addWidget(m_demoButton, 0, Qt::AlignRight);
    auto* const back = named(new QPushButton(tr("Back")), tr("Back to how to begin"));
    layout->addWidget(back, 0, Qt::AlignRight);
    layout->addStretch();
    connect(back, &QPushButton::clicked, this, [this] { goTo(Choose); });
    connect(m_demoButton, &QPushButton::clicked, this, &WelcomePage::startDemo);
    connect(simulate, &QPushButton::clicked, this, [this] {
        Q_EMIT simulationWanted({m_devices->currentData().toUInt(), sim::DemoConfig().seed,
                                 sim::kDemoStories[static_cast<std::size_t>(m_story->currentIndex())]});
    });
    return page;
}

QWidget* WelcomePage::makeWait()
{
    QWidget* const page = named(new QWidget, tr("The agent"));
    page->setMaximumWidth(kWide);
    QVBoxLayout* const layout = column(page, 0, 14);
    QWidget* const box = card(tr("The agent"));
    auto* const inner = static_cast<QVBoxLayout*>(box->layout());
    inner->addWidget(m_headline = label({}, "verdict"));
    inner->addWidget(m_explained = label({}, "subtitle"));
    m_explained->setWordWrap(true);
    m_explained->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(box);
    auto* const row = new QHBoxLayout;
    m_look = named(new QPushButton(tr("Look around")), tr("Go to the overview"));
    m_publish =
        named(new QPushButton(tr("Publish a first release")), tr("Publish a first release"), "primary");
    row->addStretch();
    row->addWidget(m_look);
    row->addWidget(m_publish);
    layout->addLayout(row);
    layout->addStretch();
    connect(m_look, &QPushButton::clicked, this, &WelcomePage::overviewWanted);
    connect(m_publish, &QPushButton::clicked, this, &WelcomePage::publishWanted);
    return page;
}

void WelcomePage::goTo(Step step)
{
    m_error->hide();
    m_stack->setCurrentIndex(step);
    if (step != Found) {
        m_passphrase->forget();
        m_again->forget();
    }
    if (step == Found) {
        if (m_directory->text().isEmpty())
            m_directory->setText(proposedDirectory(tr("my-fleet")));
        m_passphrase->setFocus();
    } else if (step == Join) {
        if (m_joinDirectory->text().isEmpty())
            m_joinDirectory->setText(proposedDirectory(tr("this-device")));
        m_token->setFocus();
    } else if (step == Demo) {
        const QString program = programNamed(QStringLiteral("starling-demo"));
        const bool isThere = !program.isEmpty() || !demoScript().isEmpty();
        say(m_demoText,
            isThere ? tr("Agents start on this machine, and the console opens on them in a window of its "
                         "own. The fleet, "
                         "its keys and its files go when that window is closed.")
                    : tr("The demo comes with the sources, and is not on this machine. There, run:\n\n./demo "
                         "--console"));
        m_demoButton->setEnabled(isThere);
    }
}

void WelcomePage::found()
{
    if (m_founding.isRunning())
        return;
    m_error->hide();
    const auto refuse = [this](const Error& error) { m_error->tell(tr("The fleet was not made."), error); };
    if (m_passphrase->text().isEmpty() || !m_passphrase->isSameAs(*m_again))
        return refuse({Errc::Usage,
                       m_passphrase->text().isEmpty() ? "a passphrase is needed: it seals the keys"
                                                      : "the two passphrases differ"});
    console::FleetPlan plan;
    const QString directory = m_directory->text().trimmed();
    plan.directory = directory.toStdString();
    plan.devices = 1;
    plan.isLab = m_simple->isChecked();
    plan.cost = m_cost;
    auto scope = ResourceUri::parse(m_scope->text().trimmed().toStdString());
    if (!scope)
        return refuse(scope.error());
    plan.scopes.push_back(std::move(*scope));
    if (auto sensible = console::requireSensible(plan); !sensible)
        return refuse(sensible.error());
    const auto secret = std::make_shared<crypto::SecretText>(m_passphrase->take());
    m_again->forget();
    m_create->setEnabled(false);
    m_sealing->show();
    m_poll.start(kPollEvery);
    m_founding.start<console::NewFleet>(
        [plan, secret](Job::Ticket& ticket) {
            return console::foundFleet(
                plan,
                [&secret](const std::string&) -> Result<const crypto::SecretText*> { return secret.get(); },
                [&ticket](const std::string&, unsigned done, unsigned total) {
                    ticket.expect(total);
                    return ticket.tell(done + 1);
                });
        },
        [this, directory](Result<console::NewFleet> fleet) { founded(fleet, directory); });
}

void WelcomePage::founded(const Result<console::NewFleet>& fleet, const QString& directory)
{
    m_poll.stop();
    m_sealing->hide();
    m_create->setEnabled(true);
    if (!fleet) {
        if (fleet.error().code != Errc::Cancelled)
            m_error->tell(tr("The fleet was not made."), fleet.error());
        return;
    }
    if (const auto noted = console::AuditLog().record(console::Act::FleetCreated, fleet->fleet.hex(),
                                                      "directory " + directory.toStdString());
        !noted)
        m_error->tell(tr("The fleet is made, and the audit log does not say so."), noted.error());
    const std::filesystem::path home =
        std::filesystem::path(directory.toStdString()) / "devices" / fleet->devices.front().first;
    begin({home, {}, {}}, directory);
}

void WelcomePage::join()
{
    m_error->hide();
    const std::string token = m_token->text().trimmed().toStdString();
    if (token.empty() || token.find('\n') != std::string::npos)
        return m_error->tell(tr("This device does not ask to join yet."),
                             {Errc::Usage, "a token is one line"});
    begin({m_joinDirectory->text().trimmed().toStdString(), token, m_name->text().trimmed().toStdString(),
           m_isConsole->isChecked()},
          {});
}

void WelcomePage::begin(const LocalAgentPlan& plan, const QString& directory)
{
    const auto agent = configureAgent(plan);
    const Result<qint64> started =
        agent ? startAgent(*agent) : Result<qint64>(tl::unexpected<Error>(agent.error()));
    if (!started)
        return m_error->tell(
            directory.isEmpty()
                ? tr("No agent was started on this machine.")
                : tr("The fleet is made, in %1; no agent was started on this machine.").arg(directory),
            started.error());
    m_agent = *agent;
    m_pid = *started;
    m_isAwaited = true;
    m_isThere = false;
    goTo(Wait);
    await(tr("The agent starts"));
    m_limit.start(kStartLimit);
    Q_EMIT settled({directory, m_agent.socket, m_agent.config});
}

void WelcomePage::await(const QString& text)
{
    say(m_headline, text);
    say(m_explained, tr("At %1").arg(plain(m_agent.socket.toStdString(), 300)));
    m_publish->setEnabled(false);
    m_look->setEnabled(false);
}

void WelcomePage::show(const SnapshotPtr& snapshot)
{
    if (!m_isAwaited || m_isThere)
        return;
    m_isThere = true;
    m_limit.stop();
    m_error->hide();
    say(m_headline, tr("%1 runs, and is of the fleet").arg(plain(snapshot->status.name, 64)));
    say(m_explained,
        tr("Process %2. It goes on when this window is closed, and is started again with it. Releases are "
           "deployed into "
           "the folder "
           "'root' beside %1.\nMore devices: starling token create here, then Join there.")
            .arg(plain(m_agent.config.toStdString(), 300))
            .arg(m_pid));
    m_publish->setEnabled(true);
    m_look->setEnabled(true);
    m_publish->setFocus();
}

void WelcomePage::showLost(const QString& why)
{
    if (!m_isAwaited || m_isThere || !why.contains(QString::fromStdString(codeName(Errc::NotAdmitted))))
        return;
    m_limit.stop();
    say(m_headline, tr("Waiting to be let in"));
    say(m_explained,
        tr("Whoever runs the fleet sees this device, compares the words, and admits it: starling device "
           "admit.\n\n%1")
            .arg(why));
}

void WelcomePage::giveUp()
{
    m_isAwaited = false;
    goTo(Choose);
    m_error->tell(tr("The agent was started, and does not answer."),
                  {Errc::Unreachable, logTail(m_agent).toStdString()});
}

void WelcomePage::startDemo()
{
    const QString program = programNamed(QStringLiteral("starling-demo"));
    const bool isStarted =
        QProcess::startDetached(program.isEmpty() ? demoScript() : program, {QStringLiteral("--console")});
    if (!isStarted)
        return m_error->tell(tr("The demo did not start."), {Errc::Io, program.toStdString()});
    m_demoButton->setEnabled(false);
    say(m_demoText, tr("The demo starts. Its console opens in a few seconds; this window can be closed."));
}

} // namespace starling::window
