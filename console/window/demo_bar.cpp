// SPDX-License-Identifier: Apache-2.0
#include "demo_bar.h"

#include "page.h"
#include "words.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLocale>
#include <QMessageBox>
#include <QProgressBar>
#include <QPushButton>
#include <QTimeZone>

namespace starling::window {

namespace {

constexpr std::array kSpeeds{1, 10};
constexpr int kProgressWidth = 160;
constexpr int kPermille = 1'000;
constexpr double kLags = 0.8; ///< of the speed that was asked for: less is said

} // namespace

QString storyWord(sim::DemoStory story)
{
    switch (story) {
    case sim::DemoStory::Happy:
        return DemoBar::tr("All goes well");
    case sim::DemoStory::SlowSite:
        return DemoBar::tr("A slow site");
    case sim::DemoStory::FailingVersion:
        return DemoBar::tr("A version that fails on one model");
    case sim::DemoStory::Partition:
        return DemoBar::tr("Sites are cut off, and come back");
    case sim::DemoStory::Forged:
        return DemoBar::tr("Forged updates are refused");
    }
    return {};
}

DemoBar::DemoBar(QWidget* parent)
    : QFrame(parent)
{
    named(this, tr("Demo"), "offline");
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(24, 6, 24, 6);
    row->setSpacing(10);
    row->addWidget(m_text = label({}), 1);
    m_text->setWordWrap(true);
    row->addWidget(m_progress = named(new QProgressBar, tr("How far the demo is before it begins")));
    m_progress->setFixedWidth(kProgressWidth);
    m_progress->hide();
    row->addWidget(m_story = named(new QComboBox, tr("Story of the demo")));
    for (const sim::DemoStory story : sim::kDemoStories)
        m_story->addItem(storyWord(story));
    row->addWidget(m_speed = named(new QComboBox, tr("Speed of the demo's time")));
    for (const int speed : kSpeeds)
        m_speed->addItem(tr("%1×").arg(speed), speed);
    m_leave = named(new QPushButton(tr("Leave")), tr("Leave the demo"));
    row->addWidget(m_leave);
    connect(m_story, &QComboBox::activated, this, [this](int index) {
        if (!m_config || index < 0)
            return;
        sim::DemoConfig config = *m_config;
        config.story = sim::kDemoStories[static_cast<std::size_t>(index)];
        Q_EMIT demoWanted(config);
    });
    connect(m_speed, &QComboBox::activated, this,
            [this] { Q_EMIT speedWanted(m_speed->currentData().toInt()); });
    connect(m_leave, &QPushButton::clicked, this, &DemoBar::leaveWanted);
    hide();
}

void DemoBar::begin(const sim::DemoConfig& config)
{
    m_config = config;
    m_story->setCurrentIndex(static_cast<int>(config.story));
    m_speed->setCurrentIndex(0);
    m_text->setText(tr("DEMO – the fleet begins"));
    m_text->setAccessibleName(m_text->text());
    show();
}

void DemoBar::leave()
{
    m_config.reset();
    hide();
}

/// How far it is before anything is shown; a small fleet is there before anybody could read it.
void DemoBar::showProgress(const DemoState& demo)
{
    const bool isMaking = demo.stage == DemoState::Stage::Making;
    m_progress->setVisible(demo.isOpening());
    m_progress->setRange(0, kPermille);
    m_progress->setValue(static_cast<int>(demo.share * kPermille));
    m_leave->setText(demo.isOpening() ? tr("Cancel") : tr("Leave"));
    m_leave->setAccessibleName(demo.isOpening() ? tr("Cancel the demo") : tr("Leave the demo"));
    if (!demo.isOpening())
        return;
    const QString devices = QLocale().toString(demo.devices);
    QString text = isMaking ? tr("DEMO – %1 simulated devices get their keys and certificates").arg(devices)
                            : tr("DEMO – %1 simulated devices begin, and tell of themselves").arg(devices);
    if (demo.left)
        text += tr(", about %1 left").arg(spanOf(*demo.left));
    m_text->setText(text);
    m_text->setAccessibleName(text);
}

void DemoBar::show(const Snapshot& snapshot)
{
    if (!snapshot.demo || !m_config)
        return;
    const DemoState& demo = *snapshot.demo;
    showProgress(demo);
    if (demo.isOpening())
        return;
    const QString first =
        tr("DEMO – %1 simulated devices, seed %2. The protocol, keys, signatures and receipts are real; the "
           "network and the swarm are a model of rates and peers.")
            .arg(QLocale().toString(demo.devices), QString::number(demo.seed));
    const auto clock = QDateTime::fromSecsSinceEpoch(demo.clock.time_since_epoch().count(), Qt::UTC);
    QString then = tr("Its clock: %1").arg(clock.toString(QStringLiteral("HH:mm:ss")));
    if (demo.pace < kLags * demo.speed)
        then += tr(", at %1×: this machine is no faster").arg(QLocale().toString(demo.pace, 'f', 1));
    m_text->setText(first + QLatin1Char(' ') + then);
    m_text->setAccessibleName(m_text->text());
}

void DemoBar::explainNoPush(QWidget* window)
{
    auto* const box = new QMessageBox(QMessageBox::Information, tr("This is the demo"),
                                      tr("The demo fleet signs and publishes releases of its own, every four "
                                         "minutes of its time. To sign and push "
                                         "your own, leave the demo."),
                                      QMessageBox::Close, window);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setAccessibleName(box->windowTitle());
    box->open();
}

} // namespace starling::window
