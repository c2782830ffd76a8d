// SPDX-License-Identifier: Apache-2.0
#include "map_time.h"

#include "fleetview/replay.h"
#include "page.h"
#include "words.h"

#include <QComboBox>
#include <QDateTime>
#include <QHBoxLayout>
#include <QLocale>
#include <QPushButton>
#include <QSlider>

namespace starling::window {

namespace {

constexpr std::array kSpeeds{1, 10, 60}; ///< console specification
constexpr std::chrono::milliseconds kFrame{250}; ///< 4 Hz, as what is live
constexpr std::chrono::milliseconds kCalmFrame{1'000}; ///< guess: one is looked at before the next
constexpr int kPage = 60; ///< s: a step of the slider by Page Up

} // namespace

TimeBar::TimeBar(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Time that the map shows"));
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    const auto button = [&](const QString& text, const QString& name, auto run) {
        auto* const made = named(new QPushButton(text), name);
        made->setToolTip(name);
        connect(made, &QPushButton::clicked, this, run);
        row->addWidget(made);
        return made;
    };
    m_liveButton = button(tr("Live"), tr("Show what is live (End)"), [this] { goLive(); });
    m_liveButton->setCheckable(true);
    m_back = button(QStringLiteral("‹"), tr("To the change before (,)"), [this] { step(-1); });
    m_play = button(tr("Play"), tr("Play what was recorded (P)"), [this] { isPlaying() ? pause() : play(); });
    m_forth = button(QStringLiteral("›"), tr("To the change after (.)"), [this] { step(1); });
    row->addWidget(m_speed = named(new QComboBox, tr("Speed of playing")));
    for (const int speed : kSpeeds)
        m_speed->addItem(tr("%1×").arg(speed), speed);
    m_speed->setCurrentIndex(1);
    row->addWidget(m_slider = named(new QSlider(Qt::Horizontal), tr("Moment that the map shows")), 1);
    m_slider->setPageStep(kPage);
    m_slider->setMinimumHeight(24);
    row->addWidget(m_chip = label(tr("RECORDED"), "offline"));
    row->addWidget(m_label = label({}, "muted"));
    m_label->setMinimumWidth(230);
    connect(m_slider, &QSlider::valueChanged, this, [this](int value) {
        if (!m_live)
            return;
        pause();
        setCursor(value >= m_slider->maximum() ? std::nullopt
                                               : std::optional(m_live->since + std::chrono::seconds(value)));
    });
    connect(&m_clock, &QTimer::timeout, this, &TimeBar::tick);
    refresh();
}

void TimeBar::show(const fleetview::PicturePtr& live)
{
    // Another source has another beginning: nothing of the one before is recorded.
    if (m_live && m_live->since != live->since) {
        m_clock.stop();
        m_live = live;
        return setCursor(std::nullopt);
    }
    m_live = live;
    refresh();
}

void TimeBar::refresh()
{
    const auto span = m_live ? (m_live->at - m_live->since).count() : 0;
    const bool hasPast = span > 0;
    const QSignalBlocker blocker(m_slider);
    m_slider->setRange(0, static_cast<int>(std::max<std::int64_t>(1, span)));
    m_slider->setValue(m_cursor ? static_cast<int>((*m_cursor - m_live->since).count())
                                : m_slider->maximum());
    m_liveButton->setChecked(!m_cursor);
    m_play->setText(isPlaying() ? tr("Pause") : tr("Play"));
    for (QWidget* const each : std::initializer_list<QWidget*>{m_back, m_play, m_forth, m_slider})
        each->setEnabled(hasPast);
    m_chip->setVisible(m_cursor.has_value());
    m_label->setText(words());
    m_label->setAccessibleName(m_label->text());
    m_slider->setAccessibleDescription(m_label->text());
}

QString TimeBar::words() const
{
    if (!m_cursor || !m_live)
        return tr("live");
    const auto at = QDateTime::fromSecsSinceEpoch(m_cursor->time_since_epoch().count());
    return tr("recorded %1, %2 before now")
        .arg(QLocale().toString(at, QStringLiteral("HH:mm:ss")), spanOf(m_live->at - *m_cursor));
}

void TimeBar::setCursor(std::optional<UtcTime> cursor)
{
    const bool isNew = cursor != m_cursor;
    m_cursor = cursor;
    refresh();
    if (isNew)
        Q_EMIT moved();
}

void TimeBar::goLive()
{
    m_clock.stop();
    setCursor(std::nullopt);
}

void TimeBar::goTo(UtcTime at)
{
    if (!m_live)
        return;
    if (at >= m_live->at)
        return goLive();
    setCursor(std::max(at, m_live->since));
}

void TimeBar::step(int direction)
{
    if (!m_live)
        return;
    pause();
    const UtcTime from = m_cursor.value_or(m_live->at);
    const auto to =
        direction < 0 ? fleetview::changeBefore(*m_live, from) : fleetview::changeAfter(*m_live, from);
    if (to)
        return goTo(*to);
    if (direction > 0)
        goLive();
    else
        goTo(m_live->since);
}

/// From the beginning, if live was shown.
void TimeBar::play()
{
    if (!m_live || m_live->at <= m_live->since)
        return;
    m_fraction = 0;
    m_clock.start(m_isCalm ? kCalmFrame : kFrame);
    setCursor(m_cursor.value_or(m_live->since));
}

void TimeBar::pause()
{
    if (!isPlaying())
        return;
    m_clock.stop();
    refresh();
}

void TimeBar::setReducedMotion(bool isReduced)
{
    m_isCalm = isReduced;
    m_speed->setEnabled(!m_isCalm);
    if (isPlaying())
        m_clock.start(m_isCalm ? kCalmFrame : kFrame);
}

void TimeBar::tick()
{
    if (m_isCalm) {
        const auto next =
            m_cursor && m_live ? fleetview::changeAfter(*m_live, *m_cursor) : std::optional<UtcTime>();
        return next ? goTo(*next) : goLive();
    }
    m_fraction += std::chrono::duration<double>(kFrame).count() * m_speed->currentData().toInt();
    const auto whole = static_cast<std::int64_t>(m_fraction);
    m_fraction -= static_cast<double>(whole);
    if (m_cursor && whole > 0)
        goTo(*m_cursor + std::chrono::seconds(whole));
}

} // namespace starling::window
