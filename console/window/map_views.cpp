// SPDX-License-Identifier: Apache-2.0
#include "map_views.h"

#include "words.h"

#include <QDateTime>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>

#include <cmath>

namespace starling::window {

using fleetview::Device;

namespace {

constexpr int kNames = 170, kCounts = 130, kAxis = 30, kRow = 46, kLeastRow = 24, kMargin = 14;

/// What is drawn of the past: the picture that stood when the agent fell silent.
void paintFrost(QPainter& painter, const QRect& area, const Theme& theme)
{
    QColor frost = theme.window;
    frost.setAlpha(130);
    painter.fillRect(area, frost);
}

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

} // namespace

GridView::GridView(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Grid: one cell for each device"));
    setFocusPolicy(Qt::StrongFocus);
}

void GridView::setTheme(const Theme& theme)
{
    m_theme = theme;
    m_painter.setTheme(theme);
    update();
}

void GridView::setFrozen(bool isFrozen)
{
    if (std::exchange(m_isFrozen, isFrozen) != isFrozen)
        update();
}

void GridView::show(fleetview::PicturePtr picture, const std::string& field, QSize viewport)
{
    m_picture = std::move(picture);
    m_painter.show(m_picture, field, viewport, devicePixelRatioF());
    setFixedSize(sizeHint().expandedTo(viewport));
    describe();
    update();
}

QSize GridView::sizeHint() const
{
    return m_painter.image().isNull() ? QSize(320, 240)
                                      : m_painter.image().size() / m_painter.image().devicePixelRatio();
}

void GridView::choose(const NodeId& node)
{
    m_chosen = node;
    describe();
    update();
}

void GridView::describe()
{
    if (!m_picture)
        return;
    QString text = verdictOf(*m_picture);
    if (const Device* device = m_chosen ? m_picture->find(*m_chosen) : nullptr)
        text +=
            QLatin1Char(' ') + tr("Chosen: %1, %2.").arg(plain(device->name), standingWord(device->standing));
    setAccessibleDescription(text);
}

void GridView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme.surface);
    if (m_painter.image().isNull())
        return;
    painter.drawImage(0, 0, m_painter.image());
    if (m_isFrozen)
        paintFrost(painter, rect(), m_theme);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.text, 2));
    if (hasFocus())
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
    const auto place = m_chosen ? m_painter.placeOf(*m_chosen) : std::nullopt;
    if (!place)
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.drawRoundedRect(QRectF(m_painter.cell(*place)).adjusted(-1, -1, 1, 1), 4, 4);
}

void GridView::moveTo(std::size_t place)
{
    const Device* device = m_painter.deviceAt(place);
    if (device == nullptr)
        return;
    m_chosen = device->node;
    describe();
    update();
    Q_EMIT deviceChosen(device->node);
}

QString GridView::groupName(int group) const
{
    const std::string& name = m_painter.plan().groups[static_cast<std::size_t>(group)].name;
    return groupWord(m_painter.field(), name);
}

const GroupTable::Counts& GridView::groupCounts(int group) const
{
    return m_painter.plan().groups[static_cast<std::size_t>(group)].standings;
}

QRect GridView::groupArea(int group) const
{
    const fleetview::GridGroup& shown = m_painter.plan().groups[static_cast<std::size_t>(group)];
    return {0, shown.top, width(), shown.height};
}

/// To the first device of a group so many further.
void GridView::moveToGroup(int groups)
{
    const auto held = m_chosen ? m_painter.placeOf(*m_chosen) : std::nullopt;
    int group = 0;
    while (held && group + 1 < groupCount()
           && m_painter.plan().groups[static_cast<std::size_t>(group) + 1].first <= *held)
        ++group;
    group = std::clamp(held ? group + groups : 0, 0, groupCount() - 1);
    moveTo(m_painter.plan().groups[static_cast<std::size_t>(group)].first);
}

void GridView::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    if (const auto place = m_painter.plan().placeAt(event->pos().x(), event->pos().y()))
        moveTo(*place);
}

void GridView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (const auto place = m_painter.plan().placeAt(event->pos().x(), event->pos().y()))
        Q_EMIT deviceOpened(m_painter.deviceAt(*place)->node);
}

void GridView::keyPressEvent(QKeyEvent* event)
{
    const std::size_t count = m_painter.plan().order.size();
    if (count == 0)
        return QWidget::keyPressEvent(event);
    const auto held = m_chosen ? m_painter.placeOf(*m_chosen) : std::nullopt;
    const std::size_t place = held.value_or(0);
    const auto columns = static_cast<std::size_t>(m_painter.plan().columns);
    // With one group there is nowhere to go but along its lines.
    const bool isByLine = event->modifiers().testFlag(Qt::ControlModifier) || groupCount() < 2;
    if (!isByLine && (event->key() == Qt::Key_Down || event->key() == Qt::Key_Up))
        return moveToGroup(event->key() == Qt::Key_Down ? 1 : -1);
    switch (event->key()) {
    case Qt::Key_Right:
        return moveTo(held ? std::min(place + 1, count - 1) : 0);
    case Qt::Key_Left:
        return moveTo(place > 0 ? place - 1 : 0);
    case Qt::Key_Down:
        return moveTo(std::min(place + columns, count - 1));
    case Qt::Key_Up:
        return moveTo(place >= columns ? place - columns : 0);
    case Qt::Key_End:
        return moveTo(count - 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (held)
            Q_EMIT deviceOpened(*m_chosen);
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

bool GridView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !m_picture)
        return QWidget::event(event);
    const auto* const help = static_cast<QHelpEvent*>(event);
    const auto place = m_painter.plan().placeAt(help->pos().x(), help->pos().y());
    if (!place) {
        QToolTip::hideText();
        return true;
    }
    const Device& device = *m_painter.deviceAt(*place);
    QStringList lines{QStringLiteral("<b>%1</b>").arg(plain(device.name).toHtmlEscaped()),
                      standingWord(device.standing)};
    if (const trust::ReceiptEntry* entry = device.decisiveEntry())
        lines += (releaseName(entry->uri, entry->revision) + QStringLiteral(" · ") + saysOf(*entry))
                     .toHtmlEscaped();
    lines += tr("receipt came %1").arg(heardOf(device, m_picture->at));
    QToolTip::showText(help->globalPos(), lines.join(QStringLiteral("<br>")), this);
    return true;
}

WavesView::WavesView(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Waves: how groups became healthy over time"));
    setFocusPolicy(Qt::StrongFocus);
}

void WavesView::setTheme(const Theme& theme)
{
    m_theme = theme;
    update();
}

void WavesView::setFrozen(bool isFrozen)
{
    if (std::exchange(m_isFrozen, isFrozen) != isFrozen)
        update();
}

void WavesView::show(const fleetview::Picture& picture, const std::string& field)
{
    m_counting.drop();
    take(fleetview::wavesOf(picture, field), field);
}

void WavesView::showSoon(const fleetview::PicturePtr& picture, const std::string& field)
{
    m_counting.run<fleetview::Waves>(
        picture->devices.size(), [picture, field] { return fleetview::wavesOf(*picture, field); },
        [this, field](fleetview::Waves waves) { take(std::move(waves), field); });
}

void WavesView::take(fleetview::Waves waves, const std::string& field)
{
    m_waves = std::move(waves);
    if (std::exchange(m_field, field) != field)
        m_chosen.reset();
    describe();
    updateGeometry();
    update();
}

void WavesView::describe()
{
    QStringList rows;
    for (const fleetview::Wave& wave : m_waves.rows)
        rows += tr("%1: %2 of %3 healthy")
                    .arg(nameOf(wave), number(wave.points.empty() ? 0 : wave.points.back().healthy),
                         number(wave.devices));
    QString text = rows.join(QStringLiteral("; "));
    for (int row = 0; row < groupCount(); ++row)
        if (m_chosen == m_waves.rows[static_cast<std::size_t>(row)].name)
            text = tr("Chosen: %1. %2").arg(groupName(row), text);
    setAccessibleDescription(text);
}

QString WavesView::groupName(int group) const
{
    return nameOf(m_waves.rows[static_cast<std::size_t>(group)]);
}

const GroupTable::Counts& WavesView::groupCounts(int group) const
{
    return m_waves.rows[static_cast<std::size_t>(group)].standings;
}

int WavesView::rowHeight(QSize size) const
{
    return std::clamp((size.height() - kAxis - 2 * kMargin) / std::max(1, groupCount()), kLeastRow, kRow);
}

QRect WavesView::groupArea(int group) const
{
    return {0, kMargin + group * rowHeight(size()), width(), rowHeight(size())};
}

void WavesView::choose(int row)
{
    if (row < 0 || row >= groupCount())
        return;
    m_chosen = m_waves.rows[static_cast<std::size_t>(row)].name;
    describe();
    update();
}

/// The group that is chosen; of those without a name or merged into one row there is nothing to open.
void WavesView::open()
{
    if (m_chosen && !m_chosen->empty())
        Q_EMIT groupOpened(QString::fromStdString(*m_chosen));
}

void WavesView::mousePressEvent(QMouseEvent* event)
{
    if (focusPolicy() == Qt::NoFocus)
        return QWidget::mousePressEvent(event); // to be looked at alone
    setFocus(Qt::MouseFocusReason);
    choose((event->pos().y() - kMargin) / rowHeight(size()));
}

void WavesView::mouseDoubleClickEvent(QMouseEvent* /*event*/)
{
    open();
}

void WavesView::keyPressEvent(QKeyEvent* event)
{
    int row = -1;
    for (int i = 0; i < groupCount() && m_chosen; ++i)
        if (m_waves.rows[static_cast<std::size_t>(i)].name == *m_chosen)
            row = i;
    switch (event->key()) {
    case Qt::Key_Down:
        return choose(std::min(row + 1, groupCount() - 1));
    case Qt::Key_Up:
        return choose(std::max(row - 1, 0));
    case Qt::Key_Return:
    case Qt::Key_Enter:
        return open();
    default:
        QWidget::keyPressEvent(event);
    }
}

QSize WavesView::minimumSizeHint() const
{
    return {kNames + kCounts + 200, static_cast<int>(m_waves.rows.size()) * kLeastRow + kAxis + 2 * kMargin};
}

QString WavesView::nameOf(const fleetview::Wave& wave) const
{
    if (wave.name.empty() && m_waves.merged > 0 && &wave == &m_waves.rows.back())
        return tr("%1 others").arg(m_waves.merged);
    return groupWord(m_field, wave.name);
}

double WavesView::xAt(UtcTime at, const QRect& area) const
{
    const auto span = std::max<std::int64_t>(1, (m_waves.to - m_waves.from).count());
    return area.left()
        + static_cast<double>(area.width()) * static_cast<double>((at - m_waves.from).count())
        / static_cast<double>(span);
}

void WavesView::paintRow(QPainter& painter, const fleetview::Wave& wave, const QRect& area) const
{
    painter.setPen(Qt::NoPen);
    painter.fillRect(area, m_theme.window);
    const auto fill = [&](std::size_t fleetview::WavePoint::*count, const QBrush& brush, bool isFromTop) {
        for (std::size_t i = 0; i < wave.points.size(); ++i) {
            const double left = xAt(wave.points[i].at, area);
            // Of points on one pixel the last stands for all: days of them take no longer than minutes.
            while (i + 1 < wave.points.size()
                   && std::floor(xAt(wave.points[i + 1].at, area)) <= std::floor(left))
                ++i;
            const fleetview::WavePoint& point = wave.points[i];
            if (point.*count == 0 || wave.devices == 0)
                continue;
            const double right =
                i + 1 < wave.points.size() ? xAt(wave.points[i + 1].at, area) : area.right() + 1.0;
            const double high = area.height()
                * std::min(1.0, static_cast<double>(point.*count) / static_cast<double>(wave.devices));
            painter.fillRect(
                QRectF(left, isFromTop ? area.top() : area.bottom() + 1 - high, right - left, high), brush);
        }
    };
    using fleetview::Standing;
    const QColor healthy = m_theme.isHighContrast ? m_theme.text : m_theme.fill(Standing::Healthy);
    fill(&fleetview::WavePoint::healthy, healthy, false);
    fill(&fleetview::WavePoint::trouble, m_theme.fill(Standing::Failed), true);
    fill(&fleetview::WavePoint::trouble, QBrush(m_theme.surface, Qt::BDiagPattern), true);
}

void WavesView::paintAxis(QPainter& painter, const QRect& area) const
{
    painter.setPen(m_theme.muted);
    const auto begin = QDateTime::fromSecsSinceEpoch(m_waves.from.time_since_epoch().count());
    const auto end = QDateTime::fromSecsSinceEpoch(m_waves.to.time_since_epoch().count());
    painter.drawText(
        area, Qt::AlignLeft | Qt::AlignVCenter,
        tr("%1, when this console began").arg(QLocale().toString(begin, QStringLiteral("HH:mm:ss"))));
    painter.drawText(area, Qt::AlignRight | Qt::AlignVCenter,
                     QLocale().toString(end, QStringLiteral("HH:mm:ss")));
}

void WavesView::paint(QPainter& painter, QSize size) const
{
    painter.fillRect(QRect(QPoint(), size), m_theme.surface);
    QFont font = painter.font();
    font.setPointSizeF(10);
    painter.setFont(font);
    const QFontMetrics metrics(font);
    const auto countsOf = [](const fleetview::Wave& wave) {
        return tr("%1 of %2 healthy")
            .arg(number(wave.points.empty() ? 0 : wave.points.back().healthy), number(wave.devices));
    };
    int counts = kCounts; // more in languages with longer words
    for (const fleetview::Wave& wave : m_waves.rows)
        counts = std::max(counts, metrics.horizontalAdvance(countsOf(wave)) + 8);
    const int wide = std::max(40, size.width() - kNames - counts - 32);
    if (m_waves.rows.empty()) {
        painter.setPen(m_theme.muted);
        return painter.drawText(QRect(QPoint(), size).adjusted(4, kMargin, 0, 0),
                                Qt::AlignLeft | Qt::AlignTop,
                                tr("Nothing to show yet: no device has reported."));
    }
    const int row = rowHeight(size);
    const int bar = row - row / 5;
    int top = kMargin;
    for (const fleetview::Wave& wave : m_waves.rows) {
        painter.setPen(m_theme.text);
        painter.drawText(QRect(4, top, kNames - 4, bar), Qt::AlignVCenter,
                         metrics.elidedText(nameOf(wave), Qt::ElideRight, kNames - 12));
        paintRow(painter, wave, QRect(kNames + 8, top, wide, bar));
        painter.setPen(m_theme.muted);
        painter.drawText(QRect(kNames + 8 + wide + 12, top, counts, bar), Qt::AlignVCenter, countsOf(wave));
        top += row;
    }
    paintAxis(painter, QRect(kNames + 8, top, wide, kAxis));
}

void WavesView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    paint(painter, size());
    if (m_isFrozen)
        paintFrost(painter, rect(), m_theme);
    painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.text, 2));
    for (int row = 0; row < groupCount(); ++row)
        if (m_chosen == m_waves.rows[static_cast<std::size_t>(row)].name)
            painter.drawRect(groupArea(row).adjusted(1, -2, -1, -4));
    if (hasFocus())
        painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

} // namespace starling::window
