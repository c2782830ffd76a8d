// SPDX-License-Identifier: Apache-2.0
#include "map_places.h"

#include "map_spread.h"
#include "words.h"

#include <QFile>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QSvgRenderer>
#include <QToolTip>

namespace starling::window {

using fleetview::Bubble;
using fleetview::PlacesPlan;

namespace {

constexpr int kNameHeight = 15, kNameWidth = 130;

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

/// Natural Earth's land (resources/map), in that colour.
QByteArray landIn(const QColor& colour)
{
    QFile file(QStringLiteral(":/map/land.svg"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return file.readAll().replace("#000", colour.name().toLatin1());
}

} // namespace

PlacesView::PlacesView(QWidget* parent)
    : QWidget(parent)
    , m_land(new QSvgRenderer(this))
{
    setAccessibleName(tr("Places: where in the world devices are"));
    setFocusPolicy(Qt::StrongFocus);
}

void PlacesView::setTheme(const Theme& theme)
{
    m_theme = theme;
    m_land->load(landIn(theme.isHighContrast ? theme.window.lighter(160) : theme.line));
    update();
}

void PlacesView::setFrozen(bool isFrozen)
{
    if (std::exchange(m_isFrozen, isFrozen) != isFrozen)
        update();
}

void PlacesView::show(fleetview::PicturePtr picture, const std::string& field)
{
    m_picture = std::move(picture);
    m_field = field;
    planAgain();
}

void PlacesView::planAgain()
{
    if (!m_picture)
        return;
    m_plan = fleetview::planPlaces(*m_picture, m_field, width(), height());
    if (m_chosen && *m_chosen >= m_plan.bubbles.size())
        m_chosen.reset();
    QString text = caption();
    if (m_chosen)
        text += QLatin1Char(' ') + wordsOf(m_plan.bubbles[*m_chosen]);
    setAccessibleDescription(text);
    update();
}

QString PlacesView::caption() const
{
    if (m_plan.placed == 0)
        return tr("No device has a place: its certificate's labels lat and lon, in degrees, give it one.");
    QString text =
        tr("%1 devices in %2 bubbles, by the labels lat and lon of their certificates. Places that would "
           "cover each other are one. Land: Natural Earth.")
            .arg(number(m_plan.placed), number(m_plan.bubbles.size()));
    if (m_plan.unplaced > 0)
        text += QLatin1Char(' ') + tr("%1 devices have no place.").arg(number(m_plan.unplaced));
    return text;
}

QString PlacesView::nameOf(const Bubble& bubble) const
{
    const QString name = bubble.name.empty() ? (m_field.empty() ? QString() : withoutValue(m_field))
        : m_field == "state"                 ? standingWord(*fleetview::standingNamed(bubble.name))
                                             : plain(bubble.name, 40);
    return bubble.others == 0 ? name : tr("%1 +%2").arg(name, number(bubble.others));
}

QString PlacesView::wordsOf(const Bubble& bubble) const
{
    QStringList names, counts;
    if (!m_field.empty())
        for (const std::string& group : bubble.groups)
            names += group.empty() ? withoutValue(m_field) : plain(group, 40);
    for (const fleetview::Standing standing : fleetview::kAllStandings)
        if (const std::size_t count = bubble.standings[static_cast<std::size_t>(standing)]; count > 0)
            counts += tr("%1 %2").arg(standingWord(standing), number(count));
    QStringList lines;
    if (!names.isEmpty())
        lines += names.join(QStringLiteral(", "));
    lines += tr("%1 devices").arg(number(bubble.devices));
    lines += counts.join(QStringLiteral(", "));
    return lines.join(QStringLiteral(". "));
}

void PlacesView::paint(QPainter& painter, QSize size) const
{
    painter.fillRect(QRect(QPoint(), size), m_theme.surface);
    if (!m_picture)
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    const PlacesPlan plan = fleetview::planPlaces(*m_picture, m_field, size.width(), size.height());
    const QRectF world(plan.left, plan.top, plan.width, plan.height);
    painter.save();
    painter.setClipRect(world);
    m_land->render(&painter, world);
    painter.restore();
    for (const Bubble& bubble : plan.bubbles)
        paintDonut(painter, m_theme, {bubble.x, bubble.y}, bubble.radius, bubble.standings,
                   number(bubble.devices));
    QFont font = painter.font();
    font.setPointSizeF(9);
    font.setBold(false);
    painter.setFont(font);
    const QFontMetrics metrics(font);
    std::vector<QRectF> taken;
    for (const Bubble& bubble : plan.bubbles)
        taken.emplace_back(bubble.x - bubble.radius, bubble.y - bubble.radius, 2 * bubble.radius,
                           2 * bubble.radius);
    for (const Bubble& bubble : plan.bubbles) {
        const QString text = metrics.elidedText(nameOf(bubble), Qt::ElideRight, kNameWidth);
        QRectF area(0, 0, metrics.horizontalAdvance(text) + 6.0, kNameHeight);
        area.moveCenter({bubble.x, bubble.y + bubble.radius + 9});
        // The larger ones come first: what would lie on something else stays in the tooltip.
        if (std::any_of(taken.begin(), taken.end(),
                        [&](const QRectF& each) { return each.intersects(area); }))
            continue;
        taken.push_back(area);
        QColor behind = m_theme.surface;
        behind.setAlpha(200);
        painter.setPen(Qt::NoPen);
        painter.setBrush(behind);
        painter.drawRoundedRect(area, 3, 3);
        painter.setPen(m_theme.text);
        painter.drawText(area, Qt::AlignCenter, text);
    }
    if (plan.unplaced == 0)
        return;
    const QString tray = tr("%1 devices without a place").arg(number(plan.unplaced));
    QRectF area(10, size.height() - 30.0, metrics.horizontalAdvance(tray) + 20.0, 22);
    painter.setPen(QPen(m_theme.line, 1));
    painter.setBrush(m_theme.window);
    painter.drawRoundedRect(area, 6, 6);
    painter.setPen(m_theme.text);
    painter.drawText(area, Qt::AlignCenter, tray);
}

void PlacesView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    paint(painter, size());
    if (m_isFrozen) {
        QColor frost = m_theme.window;
        frost.setAlpha(130);
        painter.fillRect(rect(), frost);
    }
    if (!m_chosen)
        return;
    const Bubble& bubble = m_plan.bubbles[*m_chosen];
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.text, 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(QPointF(bubble.x, bubble.y), bubble.radius + 4, bubble.radius + 4);
}

void PlacesView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    planAgain();
}

void PlacesView::choose(std::size_t bubble)
{
    m_chosen = bubble;
    setAccessibleDescription(caption() + QLatin1Char(' ') + wordsOf(m_plan.bubbles[bubble]));
    update();
}

void PlacesView::open(std::size_t bubble)
{
    if (m_plan.bubbles[bubble].others == 0)
        Q_EMIT groupOpened(QString::fromStdString(m_plan.bubbles[bubble].name));
}

void PlacesView::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    if (const auto bubble = m_plan.bubbleAt(event->position().x(), event->position().y()))
        choose(*bubble);
}

void PlacesView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (const auto bubble = m_plan.bubbleAt(event->position().x(), event->position().y()))
        open(*bubble);
}

void PlacesView::walk(bool isEast)
{
    if (m_plan.bubbles.empty())
        return;
    std::vector<std::size_t> order(m_plan.bubbles.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
        return m_plan.bubbles[a].x < m_plan.bubbles[b].x;
    });
    if (!m_chosen)
        return choose(order.front());
    const auto at = std::find(order.begin(), order.end(), *m_chosen);
    if (isEast && at + 1 != order.end())
        choose(*(at + 1));
    else if (!isEast && at != order.begin())
        choose(*(at - 1));
}

void PlacesView::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Right:
    case Qt::Key_Down:
        return walk(true);
    case Qt::Key_Left:
    case Qt::Key_Up:
        return walk(false);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_chosen)
            open(*m_chosen);
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

bool PlacesView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !m_picture)
        return QWidget::event(event);
    const auto* const help = static_cast<QHelpEvent*>(event);
    if (const auto bubble = m_plan.bubbleAt(help->pos().x(), help->pos().y()))
        QToolTip::showText(help->globalPos(),
                           wordsOf(m_plan.bubbles[*bubble])
                               .toHtmlEscaped()
                               .replace(QStringLiteral(". "), QStringLiteral("<br>")),
                           this);
    else
        QToolTip::hideText();
    return true;
}

} // namespace starling::window
