// SPDX-License-Identifier: Apache-2.0
#include "map_spread.h"

#include "base/size.h"
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

using fleetview::SpreadNode;
using fleetview::SpreadPlan;

namespace {

constexpr double kGlyphFrom = 5; ///< px of radius: below it shapes vanish
constexpr double kTextFrom = 17; ///< px of radius: a number fits
constexpr int kNameHeight = 15;

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

QString bytes(std::uint64_t value)
{
    return QString::fromStdString(toString(ByteCount{value}));
}

QString timeOf(UtcTime at)
{
    return QLocale().toString(QDateTime::fromSecsSinceEpoch(at.time_since_epoch().count()),
                              QStringLiteral("HH:mm:ss"));
}

/// A line from edge to edge, with a head where payload went to.
void paintArrow(QPainter& painter, QPointF from, QPointF to, double width, const QColor& colour)
{
    const QPointF way = to - from;
    const double length = std::hypot(way.x(), way.y());
    if (length < 1)
        return;
    const QPointF unit = way / length, side(-unit.y(), unit.x());
    const double head = 4 + 2 * width;
    painter.setPen(QPen(colour, width, Qt::SolidLine, Qt::FlatCap));
    painter.drawLine(from, to - unit * head * 0.8);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    const QPointF back = to - unit * head;
    painter.drawPolygon(QPolygonF({to, back + side * head * 0.5, back - side * head * 0.5}));
}

} // namespace

void paintDonut(QPainter& painter, const Theme& theme, QPointF centre, double radius,
                const std::array<std::size_t, fleetview::kStandings>& standings, const QString& text)
{
    std::size_t all = 0;
    for (const std::size_t count : standings)
        all += count;
    const QRectF box(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius);
    const double ring = std::max(4.0, radius * 0.3);
    constexpr int kWhole = 360 * 16;
    int begin = 90 * 16;
    std::size_t before = 0;
    for (const fleetview::Standing standing : fleetview::kAllStandings) {
        const std::size_t count = standings[static_cast<std::size_t>(standing)];
        if (count == 0)
            continue;
        before += count;
        const int end = 90 * 16
            - static_cast<int>(std::lround(kWhole * static_cast<double>(before) / static_cast<double>(all)));
        painter.setPen(QPen(theme.isHighContrast ? theme.text : theme.outline(standing), 1));
        painter.setBrush(theme.isHighContrast && standing != fleetview::Standing::Healthy
                             ? theme.surface
                             : theme.fill(standing));
        if (before == count && count == all) // one piece: no line through it
            painter.drawEllipse(box);
        else
            painter.drawPie(box, end, begin - end);
        if (fleetview::isTrouble(standing)) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(QBrush(theme.text, Qt::BDiagPattern));
            painter.drawPie(box, end, begin - end);
        }
        begin = end;
    }
    painter.setPen(QPen(theme.line, 1));
    painter.setBrush(theme.surface);
    painter.drawEllipse(centre, radius - ring, radius - ring);
    if (radius < kTextFrom)
        return;
    QFont font = painter.font();
    font.setPointSizeF(radius < 26 ? 8 : 10);
    font.setBold(true);
    painter.setFont(font);
    painter.setPen(theme.text);
    painter.drawText(box, Qt::AlignCenter, text);
}

SpreadView::SpreadView(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Spread: who holds the latest release"));
    setFocusPolicy(Qt::StrongFocus);
}

void SpreadView::setTheme(const Theme& theme)
{
    m_theme = theme;
    update();
}

void SpreadView::setFrozen(bool isFrozen)
{
    if (std::exchange(m_isFrozen, isFrozen) != isFrozen)
        update();
}

void SpreadView::show(fleetview::PicturePtr picture, const std::string& field, fleetview::Vantage vantage)
{
    m_counting.drop();
    m_picture = std::move(picture);
    m_field = field;
    m_vantage = std::move(vantage);
    planAgain();
}

void SpreadView::showSoon(fleetview::PicturePtr picture, const std::string& field, fleetview::Vantage vantage)
{
    const std::size_t devices = picture->devices.size();
    if (devices <= Aside::kFew)
        return show(std::move(picture), field, std::move(vantage));
    m_counting.run<fleetview::SpreadPlan>(
        devices,
        [picture, field, vantage, size = size()] {
            return fleetview::planSpread(*picture, field, vantage, size.width(), size.height());
        },
        [this, picture, field, vantage](fleetview::SpreadPlan plan) {
            m_picture = picture;
            m_field = field;
            m_vantage = vantage;
            fleetview::resize(plan, width(), height());
            take(std::move(plan));
        });
}

void SpreadView::planAgain()
{
    if (m_picture)
        take(fleetview::planSpread(*m_picture, m_field, m_vantage, width(), height()));
}

void SpreadView::take(SpreadPlan plan)
{
    const auto keyOf = [](const SpreadNode& node) { return std::pair(node.what, node.name); };
    const auto held = m_chosen ? std::optional(keyOf(m_plan.nodes[*m_chosen])) : std::nullopt;
    m_plan = std::move(plan);
    m_chosen.reset();
    for (std::size_t i = 0; held && !m_chosen && i < m_plan.nodes.size(); ++i)
        if (keyOf(m_plan.nodes[i]) == *held)
            m_chosen = i;
    QString text = caption();
    if (m_chosen)
        text += QLatin1Char(' ') + wordsOf(m_plan.nodes[*m_chosen]);
    setAccessibleDescription(text);
    update();
}

QString SpreadView::caption() const
{
    if (!m_picture || m_plan.release == nullptr)
        return tr("No release is known yet.");
    QString text =
        tr("%1: %2 of %3 devices have said that they hold it. Lines are what the asked agent knows of "
           "itself: thin, its links; thick, payload it gave or took. Who gave it to the others no "
           "receipt tells.")
            .arg(releaseName(m_plan.release->uri, m_plan.release->revision), number(m_plan.holders),
                 number(m_plan.devices));
    if (m_plan.shownGroups < m_plan.groups)
        text += QLatin1Char(' ')
            + tr("Showing %1 of %2 groups, the largest.")
                  .arg(number(m_plan.shownGroups), number(m_plan.groups));
    if (!m_plan.hasDevices)
        text += QLatin1Char(' ')
            + tr("More than %1 devices: groups alone.").arg(number(SpreadPlan::kMostDevices));
    return text;
}

QStringList SpreadView::cellsOf(const std::string& group) const
{
    const auto none = QStringLiteral("–");
    for (const SpreadNode& node : m_plan.nodes) {
        if (node.what != SpreadNode::What::Group || node.name != group)
            continue;
        return {number(node.holders), node.firstHeld ? timeOf(*node.firstHeld) : none,
                node.dealing.bytesTo == 0 ? none : bytes(node.dealing.bytesTo),
                node.dealing.bytesFrom == 0 ? none : bytes(node.dealing.bytesFrom), number(node.links)};
    }
    return {none, none, none, none, none};
}

int SpreadView::groupCount() const
{
    return static_cast<int>(m_plan.shownGroups);
}

QString SpreadView::groupName(int group) const
{
    return nameOf(m_plan.nodes[static_cast<std::size_t>(group) + 1]);
}

const GroupTable::Counts& SpreadView::groupCounts(int group) const
{
    return m_plan.nodes[static_cast<std::size_t>(group) + 1].standings;
}

QRect SpreadView::groupArea(int group) const
{
    const SpreadNode& node = m_plan.nodes[static_cast<std::size_t>(group) + 1];
    return QRectF(node.x - node.radius, node.y - node.radius, 2 * node.radius, 2 * node.radius).toRect();
}

QString SpreadView::nameOf(const SpreadNode& node) const
{
    if (node.what == SpreadNode::What::Agent)
        return node.name.empty() ? tr("asked agent") : tr("%1, asked").arg(plain(node.name, 40));
    if (node.what == SpreadNode::What::Group)
        return groupWord(m_field, node.name);
    return plain(node.name, 60);
}

/// What a tooltip and a screen reader say of it: plain text, in lines.
QString SpreadView::wordsOf(const SpreadNode& node) const
{
    QStringList lines{nameOf(node)};
    if (node.what == SpreadNode::What::Device)
        lines += standingWord(m_picture->devices[*node.device]->standing)
            + (node.holders > 0 ? tr(", holds it") : tr(", does not hold it yet"));
    else if (node.what == SpreadNode::What::Group)
        lines += tr("%1 of %2 hold it").arg(number(node.holders), number(node.devices));
    if (node.firstHeld)
        lines += tr("first held, as this console saw, at %1").arg(timeOf(*node.firstHeld));
    if (node.dealing.bytesTo > 0)
        lines += tr("took %1 from the asked agent").arg(bytes(node.dealing.bytesTo));
    if (node.dealing.bytesFrom > 0)
        lines += tr("gave the asked agent %1").arg(bytes(node.dealing.bytesFrom));
    if (node.dealing.isNeighbor)
        lines += tr("linked with the asked agent");
    return lines.join(QStringLiteral(". "));
}

void SpreadView::paintDealings(QPainter& painter, const SpreadPlan& plan) const
{
    const SpreadNode& agent = plan.nodes.front();
    const QPointF middle(agent.x, agent.y);
    const auto wanted = plan.hasDevices ? SpreadNode::What::Device : SpreadNode::What::Group;
    for (const bool isPayload : {false, true}) // thick lines above thin ones
        for (const SpreadNode& node : plan.nodes) {
            const fleetview::Dealing& dealing = node.dealing;
            const bool hasPayload = dealing.bytesFrom + dealing.bytesTo > 0;
            if (node.what != wanted || hasPayload != isPayload || (!hasPayload && !dealing.isNeighbor))
                continue;
            const QPointF there(node.x, node.y), way = there - middle;
            const double length = std::hypot(way.x(), way.y());
            if (length < agent.radius + node.radius + 4)
                continue;
            const QPointF from = middle + way / length * agent.radius,
                          to = there - way / length * node.radius;
            if (!hasPayload) {
                painter.setPen(QPen(m_theme.muted, 1, Qt::DashLine));
                painter.drawLine(from, to);
                continue;
            }
            const double width =
                std::clamp(1.5 + std::log2(1.0 + static_cast<double>(node.partners)) * 0.6, 1.5, 5.0);
            if (dealing.bytesTo > 0)
                paintArrow(painter, from, to, width, m_theme.accent);
            if (dealing.bytesFrom > 0)
                paintArrow(painter, to, from, width, m_theme.accent);
        }
}

void SpreadView::paintNode(QPainter& painter, const SpreadPlan& plan, const SpreadNode& node) const
{
    const QPointF centre(node.x, node.y);
    if (node.what == SpreadNode::What::Agent) {
        painter.setPen(QPen(m_theme.accent, 2));
        painter.setBrush(m_theme.surface);
        painter.drawRoundedRect(
            QRectF(centre.x() - node.radius, centre.y() - node.radius, 2 * node.radius, 2 * node.radius), 7,
            7);
        const fleetview::Standing standing =
            node.device ? m_picture->devices[*node.device]->standing : fleetview::Standing::Unknown;
        const double glyph = node.radius * 0.6;
        return m_theme.paintGlyph(painter, standing,
                                  QRectF(centre.x() - glyph, centre.y() - glyph, 2 * glyph, 2 * glyph));
    }
    if (node.what == SpreadNode::What::Group) {
        if (!plan.hasDevices)
            return paintDonut(
                painter, m_theme, centre, node.radius, node.standings,
                QStringLiteral("%1%").arg(node.devices == 0 ? 0 : node.holders * 100 / node.devices));
        painter.setPen(QPen(m_theme.line, 1));
        painter.setBrush(m_theme.window);
        return painter.drawEllipse(centre, node.radius + 3, node.radius + 3);
    }
    const fleetview::Standing standing = m_picture->devices[*node.device]->standing;
    const QRectF box(centre.x() - node.radius, centre.y() - node.radius, 2 * node.radius, 2 * node.radius);
    if (node.radius >= kGlyphFrom)
        return m_theme.paintGlyph(painter, standing, box);
    painter.setPen(QPen(m_theme.outline(standing), 1));
    painter.setBrush(standing == fleetview::Standing::Waiting ? m_theme.surface : m_theme.fill(standing));
    painter.drawEllipse(box);
}

void SpreadView::paintNames(QPainter& painter, const SpreadPlan& plan) const
{
    QFont font = painter.font();
    font.setPointSizeF(9);
    font.setBold(false);
    painter.setFont(font);
    const QFontMetrics metrics(font);
    for (const SpreadNode& node : plan.nodes) {
        if (node.what == SpreadNode::What::Device)
            continue;
        QString text = nameOf(node);
        if (node.what == SpreadNode::What::Group)
            text += QStringLiteral(" %1/%2").arg(number(node.holders), number(node.devices));
        const double wide = 150;
        const QRectF area(node.x - wide / 2, node.y + node.radius + 5, wide, kNameHeight);
        text = metrics.elidedText(text, Qt::ElideRight, static_cast<int>(wide));
        QRectF behind(0, 0, metrics.horizontalAdvance(text) + 6.0, kNameHeight);
        behind.moveCenter(area.center());
        painter.setPen(Qt::NoPen);
        painter.setBrush(m_theme.surface); // above lines
        painter.drawRoundedRect(behind, 3, 3);
        painter.setPen(m_theme.text);
        painter.drawText(area, Qt::AlignCenter, text);
    }
}

void SpreadView::paint(QPainter& painter, QSize size) const
{
    painter.fillRect(QRect(QPoint(), size), m_theme.surface);
    painter.setRenderHint(QPainter::Antialiasing);
    if (!m_picture)
        return;
    SpreadPlan other;
    if (size != this->size())
        other = fleetview::planSpread(*m_picture, m_field, m_vantage, size.width(), size.height());
    const SpreadPlan& plan = size == this->size() ? m_plan : other;
    if (plan.devices == 0) {
        painter.setPen(m_theme.muted);
        return painter.drawText(QRect(QPoint(), size), Qt::AlignCenter,
                                tr("Nothing to show yet: no device has reported."));
    }
    for (const SpreadNode& node : plan.nodes)
        if (node.what == SpreadNode::What::Group && plan.hasDevices)
            paintNode(painter, plan, node);
    paintDealings(painter, plan);
    for (const SpreadNode& node : plan.nodes)
        if (node.what != SpreadNode::What::Group || !plan.hasDevices)
            paintNode(painter, plan, node);
    paintNames(painter, plan);
}

void SpreadView::paintEvent(QPaintEvent* /*event*/)
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
    const SpreadNode& node = m_plan.nodes[*m_chosen];
    painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.text, 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(QPointF(node.x, node.y), node.radius + 5, node.radius + 5);
}

void SpreadView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    if (m_plan.nodes.empty() || m_plan.hasDevices)
        return planAgain();
    fleetview::resize(m_plan, width(), height());
    update();
}

void SpreadView::choose(std::size_t node)
{
    if (node >= m_plan.nodes.size())
        return;
    m_chosen = node;
    setAccessibleDescription(caption() + QLatin1Char(' ') + wordsOf(m_plan.nodes[node]));
    update();
    if (m_plan.nodes[node].device)
        Q_EMIT deviceChosen(m_picture->devices[*m_plan.nodes[node].device]->node);
}

void SpreadView::open(std::size_t node)
{
    const SpreadNode& opened = m_plan.nodes[node];
    if (opened.device)
        Q_EMIT deviceOpened(m_picture->devices[*opened.device]->node);
    else if (opened.what == SpreadNode::What::Group)
        Q_EMIT groupOpened(QString::fromStdString(opened.name));
}

void SpreadView::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    if (const auto node = m_plan.nodeAt(event->position().x(), event->position().y()))
        choose(*node);
}

void SpreadView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (const auto node = m_plan.nodeAt(event->position().x(), event->position().y()))
        open(*node);
}

/// To the next node of the same kind.
void SpreadView::walk(int steps)
{
    if (m_plan.nodes.empty())
        return;
    const auto count = static_cast<std::ptrdiff_t>(m_plan.nodes.size());
    if (!m_chosen)
        return choose(0);
    const auto what = m_plan.nodes[*m_chosen].what;
    for (auto at = static_cast<std::ptrdiff_t>(*m_chosen) + steps; at >= 0 && at < count; at += steps) {
        const bool isAgent = what == SpreadNode::What::Agent
            || m_plan.nodes[static_cast<std::size_t>(at)].what == SpreadNode::What::Agent;
        if (isAgent || m_plan.nodes[static_cast<std::size_t>(at)].what == what)
            return choose(static_cast<std::size_t>(at));
    }
}

void SpreadView::keyPressEvent(QKeyEvent* event)
{
    const auto firstOf = [&](SpreadNode::What what) {
        for (std::size_t i = 0; i < m_plan.nodes.size(); ++i)
            if (m_plan.nodes[i].what == what)
                return choose(i);
    };
    switch (event->key()) {
    case Qt::Key_Right:
        return walk(1);
    case Qt::Key_Left:
        return walk(-1);
    case Qt::Key_Down: // into a group: to the devices
        return firstOf(m_plan.hasDevices ? SpreadNode::What::Device : SpreadNode::What::Group);
    case Qt::Key_Up:
        return firstOf(SpreadNode::What::Group);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_chosen)
            open(*m_chosen);
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

bool SpreadView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip || !m_picture)
        return QWidget::event(event);
    const auto* const help = static_cast<QHelpEvent*>(event);
    if (const auto node = m_plan.nodeAt(help->pos().x(), help->pos().y()))
        QToolTip::showText(help->globalPos(),
                           wordsOf(m_plan.nodes[*node])
                               .toHtmlEscaped()
                               .replace(QStringLiteral(". "), QStringLiteral("<br>")),
                           this);
    else
        QToolTip::hideText();
    return true;
}

} // namespace starling::window
