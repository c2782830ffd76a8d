// SPDX-License-Identifier: Apache-2.0
#include "preferences_page.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSpinBox>

namespace starling::window {

namespace {

const QString kUsualSocket = QStringLiteral("/run/starling/agent.sock"); ///< node::AgentConfig::control

} // namespace

PreferencesPage::PreferencesPage()
    : m_kept(Preferences::load())
{
    QVBoxLayout* const layout = column(this, 24, 12);
    m_search = named(new QLineEdit, tr("Search the preferences"));
    m_search->setPlaceholderText(m_search->accessibleName());
    m_search->setClearButtonEnabled(true);
    layout->addWidget(m_search);
    layout->addWidget(m_nothing = label(tr("No preference has these words."), "muted"));
    m_nothing->hide();
    auto* const area = named(new QScrollArea, tr("Preferences by group"));
    area->setWidgetResizable(true);
    area->setFocusPolicy(Qt::NoFocus);
    auto* const body = named(new QWidget, tr("Preferences by group"), "page");
    m_groups = column(body, 0, 12);
    addGeneral();
    addAppearance();
    addNetwork();
    addNotifications();
    addSafety();
    addLanguage();
    addAdvanced();
    m_groups->addStretch();
    area->setWidget(body);
    layout->addWidget(area, 1);
    connect(m_search, &QLineEdit::textChanged, this, &PreferencesPage::search);
    showResets();
}

QWidget* PreferencesPage::makeGroup(const QString& name)
{
    QWidget* const group = card(name);
    group->layout()->addWidget(label(name, "heading"));
    m_groups->addWidget(group);
    return group;
}

void PreferencesPage::add(QWidget* group, const QString& title, const QString& hint, QWidget* control,
                          std::function<void()> reset, std::function<bool()> isDefault)
{
    auto* const part = named(new QWidget, title);
    auto* const row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    auto* const words = new QVBoxLayout;
    words->setSpacing(1);
    words->addWidget(label(title));
    auto* const why = label(hint, "muted");
    why->setWordWrap(true);
    words->addWidget(why);
    row->addLayout(words, 1);
    named(control, title);
    control->setAccessibleDescription(hint);
    row->addWidget(control);
    auto* const back = named(new QPushButton(tr("Reset")), tr("Back to the default: %1").arg(title));
    connect(back, &QPushButton::clicked, this, std::move(reset));
    row->addWidget(back);
    group->layout()->addWidget(part);
    m_items.push_back({part, group,
                       (group->accessibleName() + QLatin1Char(' ') + title + QLatin1Char(' ') + hint), back,
                       std::move(isDefault)});
}

void PreferencesPage::addFlag(QWidget* group, const QString& title, const QString& hint,
                              bool Preferences::*flag)
{
    auto* const box = new QCheckBox;
    box->setChecked(m_kept.*flag);
    m_flags.emplace_back(box, flag);
    connect(box, &QCheckBox::toggled, this, &PreferencesPage::take);
    add(
        group, title, hint, box, [box, flag] { box->setChecked(Preferences().*flag); },
        [box, flag] { return box->isChecked() == Preferences().*flag; });
}

QComboBox* PreferencesPage::addChoice(QWidget* group, const QString& title, const QString& hint,
                                      const QStringList& choices)
{
    auto* const box = new QComboBox;
    box->addItems(choices);
    box->setMinimumWidth(180);
    add(
        group, title, hint, box, [box] { box->setCurrentIndex(0); },
        [box] { return box->currentIndex() == 0; });
    return box;
}

void PreferencesPage::addPath(QWidget* group, const QString& title, const QString& hint,
                              QString Profile::*path)
{
    auto* const line = new QLineEdit;
    line->setMinimumWidth(320);
    m_paths.emplace_back(line, path);
    connect(line, &QLineEdit::editingFinished, this, &PreferencesPage::takeProfile);
    add(
        group, title, hint, line,
        [this, line] {
            line->clear();
            takeProfile();
        },
        [line] { return line->text().isEmpty() || line->text() == kUsualSocket; });
}

void PreferencesPage::addGeneral()
{
    m_opening = addChoice(makeGroup(tr("General")), tr("Screen to begin with"),
                          tr("When the console is opened."), {tr("The last one"), tr("Overview")});
    m_opening->setCurrentIndex(static_cast<int>(m_kept.opening));
    connect(m_opening, &QComboBox::currentIndexChanged, this, &PreferencesPage::take);
}

void PreferencesPage::addAppearance()
{
    QWidget* const group = makeGroup(tr("Appearance"));
    m_look = addChoice(group, tr("Theme"), tr("Light and dark follow the system unless you say otherwise."),
                       {tr("As the system"), tr("Light"), tr("Dark"), tr("High contrast")});
    connect(m_look, &QComboBox::currentIndexChanged, this, [this](int index) {
        showResets();
        Q_EMIT lookChosen(static_cast<Look>(index));
    });
    m_density = addChoice(group, tr("Density"), tr("How many lines of a table fit on the screen."),
                          {tr("Comfortable"), tr("Compact")});
    m_density->setCurrentIndex(static_cast<int>(m_kept.density));
    connect(m_density, &QComboBox::currentIndexChanged, this, &PreferencesPage::take);
    addFlag(group, tr("Reduce motion"),
            tr("What was recorded is played from change to change, one each second, and lists open without "
               "sliding."),
            &Preferences::reducesMotion);
}

void PreferencesPage::addNetwork()
{
    QWidget* const group = makeGroup(tr("Network"));
    addPath(group, tr("Socket of the agent"), tr("Which agent is asked; empty: %1.").arg(kUsualSocket),
            &Profile::socket);
    m_pace = addChoice(
        group, tr("How often the agent is asked"),
        tr("If something has happened. Less often takes less of a battery and of the agent's time."),
        {tr("Four times a second"), tr("Once a second"), tr("Every five seconds")});
    m_pace->setCurrentIndex(static_cast<int>(m_kept.pace));
    connect(m_pace, &QComboBox::currentIndexChanged, this, &PreferencesPage::take);
}

void PreferencesPage::addLanguage()
{
    m_numbers = addChoice(makeGroup(tr("Language")), tr("Numbers"),
                          tr("How large numbers and fractions are written. Words are English; there is no "
                             "translation yet."),
                          {tr("As the system"), tr("English: 1,234.5")});
    m_numbers->setCurrentIndex(static_cast<int>(m_kept.numbers));
    connect(m_numbers, &QComboBox::currentIndexChanged, this, &PreferencesPage::take);
}

void PreferencesPage::addNotifications()
{
    QWidget* const group = makeGroup(tr("Notifications"));
    addFlag(group, tr("A device asks to join"), tr("In the status bar, and a mark in the task bar."),
            &Preferences::tellsApplicants);
    addFlag(group, tr("A device fails"), tr("Also one that went back to the version before."),
            &Preferences::tellsFailures);
    addFlag(group, tr("A release is healthy everywhere"), tr("On all devices that it is for."),
            &Preferences::tellsDone);
}

void PreferencesPage::addSafety()
{
    QWidget* const group = makeGroup(tr("Safety"));
    m_lock = new QSpinBox;
    m_lock->setRange(0, static_cast<int>(Preferences::kMaxLockAfter.count()));
    m_lock->setSuffix(tr(" min"));
    m_lock->setSpecialValueText(tr("Never"));
    m_lock->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_lock->setMinimumWidth(120);
    m_lock->setValue(static_cast<int>(m_kept.lockAfter.count()));
    connect(m_lock, &QSpinBox::valueChanged, this, &PreferencesPage::take);
    const int usual = static_cast<int>(Preferences().lockAfter.count());
    add(
        group, tr("Lock after"),
        tr("Without a key or a click for so long, typed passphrases are wiped, and the keychain is not asked "
           "until "
           "one is typed again."),
        m_lock, [this, usual] { m_lock->setValue(usual); },
        [this, usual] { return m_lock->value() == usual; });
    addFlag(group, tr("Offer the keychain"),
            tr("Passphrases can be remembered in the desktop's keychain; none is unless you say so."),
            &Preferences::offersKeychain);
    addFlag(group, tr("Always type the number of devices"),
            tr("Before every push; otherwise above 3 devices, or above 20 where those are 5 % of the fleet "
               "at most."),
            &Preferences::alwaysTypesCount);
}

void PreferencesPage::addAdvanced()
{
    QWidget* const group = makeGroup(tr("Advanced"));
    addPath(group, tr("Directory of the fleet"), tr("With keys/, root.envelope and the roots after it."),
            &Profile::directory);
}

void PreferencesPage::setLook(Look look)
{
    const QSignalBlocker blocker(m_look);
    m_look->setCurrentIndex(static_cast<int>(look));
    showResets();
}

void PreferencesPage::setProfile(const Profile& profile)
{
    m_profile = profile;
    for (const auto& [line, path] : m_paths) {
        line->setText(profile.*path);
        line->setToolTip(profile.*path);
    }
    showResets();
}

void PreferencesPage::take()
{
    Preferences wanted = m_kept;
    for (const auto& [box, flag] : m_flags)
        wanted.*flag = box->isChecked();
    wanted.opening = static_cast<Opening>(m_opening->currentIndex());
    wanted.density = static_cast<Density>(m_density->currentIndex());
    wanted.pace = static_cast<Pace>(m_pace->currentIndex());
    wanted.numbers = static_cast<Numbers>(m_numbers->currentIndex());
    wanted.lockAfter = std::chrono::minutes(m_lock->value());
    showResets();
    if (wanted == m_kept)
        return;
    m_kept = wanted;
    m_kept.save();
    Q_EMIT changed(m_kept);
}

void PreferencesPage::takeProfile()
{
    Profile wanted = m_profile;
    for (const auto& [line, path] : m_paths)
        wanted.*path = line->text().trimmed();
    showResets();
    if (wanted.socket == m_profile.socket && wanted.directory == m_profile.directory)
        return;
    if (wanted.socket != m_profile.socket)
        wanted.agentConfig.clear(); // of the agent at the other socket
    m_profile = wanted;
    if (wanted.socket.isEmpty())
        wanted.socket = kUsualSocket;
    Q_EMIT profileChosen(wanted);
}

void PreferencesPage::search(const QString& text)
{
    const QStringList words = text.simplified().split(QLatin1Char(' '), Qt::SkipEmptyParts);
    std::set<QWidget*> groups, shown;
    for (const Item& item : m_items) {
        const bool isFound = std::all_of(words.begin(), words.end(), [&](const QString& word) {
            return item.words.contains(word, Qt::CaseInsensitive);
        });
        item.row->setVisible(isFound);
        groups.insert(item.group);
        if (isFound)
            shown.insert(item.group);
    }
    for (QWidget* const group : groups)
        group->setVisible(shown.contains(group));
    m_nothing->setVisible(shown.empty());
}

void PreferencesPage::showResets()
{
    for (const Item& item : m_items)
        item.reset->setEnabled(!item.isDefault());
}

} // namespace starling::window
