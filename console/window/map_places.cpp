// SPDX-License-Identifier: Apache-2.0
#include "map_places.h"

#include "map_spread.h"
#include "words.h"

#include <QFile>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSvgRenderer>
#include <QToolTip>
#include <QWheelEvent>

#include <cmath>

namespace starling::window {

using fleetview::Bubble;
using fleetview::PlacesPlan;

namespace {

constexpr int kNameHeight = 15, kNameWidth = 130;
constexpr int kEdge = 10; ///< px between buttons and the picture's edge
constexpr double kStep = 1.5; ///< a press on + or -; guess: a place does not leave the picture in one
constexpr double kMove = 0.125; ///< of the picture, a press on Shift with an arrow; guess

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
    m_tray = makeButton({}, tr("Devices without a place: say where sites are"));
    m_closer = makeButton(QStringLiteral("+"), tr("Zoom in"));
    m_farther = makeButton(QStringLiteral("−"), tr("Zoom out"));
    m_fit = makeButton(QStringLiteral("0"), tr("Show the whole world"));
    const auto middle = [this] { return QPointF(width() / 2.0, height() / 2.0); };
    auto* const menu = new QMenu(m_tray);
    menu->setAccessibleName(m_tray->accessibleName());
    menu->addAction(tr("Choose a sites file…"), this, &PlacesView::sitesWanted);
    m_forget = menu->addAction(tr("Use no sites file"), this, &PlacesView::sitesUnwanted);
    m_tray->setMenu(menu);
    connect(m_closer, &QPushButton::clicked, this, [this, middle] { zoom(kStep, middle()); });
    connect(m_farther, &QPushButton::clicked, this, [this, middle] { zoom(1 / kStep, middle()); });
    connect(m_fit, &QPushButton::clicked, this, [this] { look({}); });
    for (QPushButton* const button : {m_tray, m_closer, m_farther, m_fit})
        button->hide(); // until there is something to see
}

QPushButton* PlacesView::makeButton(const QString& text, const QString& name)
{
    auto* const button = new QPushButton(text, this);
    button->setAccessibleName(name);
    button->setToolTip(name);
    return button;
}

void PlacesView::setTheme(const Theme& theme)
{
    m_theme = theme;
    m_land->load(landIn(theme.isHighContrast ? theme.window.lighter(160) : theme.line));
    m_drawnLand = {};
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
    count();
}

void PlacesView::showSoon(const fleetview::PicturePtr& picture, const std::string& field)
{
    m_counting.run<fleetview::Spots>(
        picture->devices.size(),
        [picture, field, sites = m_sites] { return fleetview::spotsOf(*picture, field, sites); },
        [this, picture, field](fleetview::Spots spots) {
            m_picture = picture;
            m_field = field;
            m_spots = std::move(spots);
            planAgain();
        });
}

void PlacesView::setSites(fleetview::Sites sites)
{
    m_sites = std::move(sites);
    count();
}

void PlacesView::count()
{
    m_counting.drop();
    if (!m_picture)
        return;
    m_spots = fleetview::spotsOf(*m_picture, m_field, m_sites);
    planAgain();
}

void PlacesView::planAgain()
{
    if (!m_picture)
        return;
    const auto held = m_chosen ? std::optional(m_plan.bubbles[*m_chosen].at) : std::nullopt;
    m_plan = fleetview::planPlaces(m_spots, width(), height(), m_frame);
    m_chosen.reset(); // another order, or one bubble where two were
    for (std::size_t i = 0; held && i < m_plan.bubbles.size(); ++i)
        if (m_plan.bubbles[i].at == *held)
            m_chosen = i;
    m_tray->setVisible(m_plan.unplaced > 0 || !m_sites.empty());
    m_forget->setEnabled(!m_sites.empty());
    m_tray->setText(trayText());
    QStringList missing;
    for (const std::string& site : m_plan.sitesMissing)
        missing += plain(site, 64).toHtmlEscaped();
    m_tray->setToolTip(tr("Say where sites are, by a file.") + QStringLiteral("<br>")
                       + missing.join(QStringLiteral("<br>")));
    m_tray->adjustSize();
    m_tray->move(kEdge, height() - m_tray->height() - kEdge);
    int right = width() - kEdge;
    for (QPushButton* const button : {m_fit, m_farther, m_closer}) {
        button->show();
        button->adjustSize();
        right -= button->width() + 4;
        button->move(right, height() - button->height() - kEdge);
    }
    m_farther->setEnabled(m_frame.zoom > 1);
    m_fit->setEnabled(m_frame.zoom > 1);
    m_closer->setEnabled(m_frame.zoom < fleetview::PlacesFrame::kMaxZoom);
    setCursor(m_frame.zoom > 1 ? Qt::OpenHandCursor : Qt::ArrowCursor);
    describe();
    update();
}

void PlacesView::describe()
{
    QString text = caption();
    if (m_chosen)
        text += QLatin1Char(' ') + wordsOf(m_plan.bubbles[*m_chosen]);
    setAccessibleDescription(text);
}

/// From now on that part of the world.
void PlacesView::look(const fleetview::PlacesFrame& frame)
{
    m_frame = fleetview::within(frame, width(), height());
    planAgain();
}

void PlacesView::zoom(double factor, QPointF at)
{
    look(fleetview::zoomed(m_frame, factor, at.x(), at.y(), width(), height()));
}

QString PlacesView::trayText() const
{
    if (m_plan.unplaced == 0)
        return tr("All devices have a place");
    if (m_plan.sitesMissing.empty())
        return tr("%1 devices without a place").arg(number(m_plan.unplaced));
    return tr("%1 devices without a place, as of site %2")
        .arg(number(m_plan.unplaced), plain(*m_plan.sitesMissing.begin(), 40));
}

QString PlacesView::caption() const
{
    if (m_plan.placed == 0)
        return tr(
            "No device has a place: its certificate's labels lat and lon, in degrees, give it one, or a "
            "sites file that says where its site is.");
    QString text =
        (m_sites.empty() ? tr(
             "%1 devices in %2 bubbles, by the labels lat and lon of their certificates. Places that would "
             "cover each other are one. Land: Natural Earth.")
                         : tr("%1 devices in %2 bubbles, by the labels lat and lon of their certificates, "
                              "else by the sites "
                              "file. Places that would cover each other are one. Land: Natural Earth."))
            .arg(number(m_plan.placed), number(m_plan.bubbles.size()));
    if (m_plan.unplaced > 0)
        text += QLatin1Char(' ') + tr("%1 devices have no place.").arg(number(m_plan.unplaced));
    return text;
}

int PlacesView::groupCount() const
{
    return static_cast<int>(m_plan.bubbles.size());
}

QString PlacesView::groupName(int group) const
{
    return nameOf(m_plan.bubbles[static_cast<std::size_t>(group)]);
}

const GroupTable::Counts& PlacesView::groupCounts(int group) const
{
    return m_plan.bubbles[static_cast<std::size_t>(group)].standings;
}

QRect PlacesView::groupArea(int group) const
{
    const Bubble& bubble = m_plan.bubbles[static_cast<std::size_t>(group)];
    return QRectF(bubble.x - bubble.radius, bubble.y - bubble.radius, 2 * bubble.radius, 2 * bubble.radius)
        .toRect();
}

QString PlacesView::nameOf(const Bubble& bubble) const
{
    const QString name = m_field.empty() ? QString() : groupWord(m_field, bubble.name);
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

/// As large as the picture; painted anew only where the world lies elsewhere.
QImage PlacesView::land(const PlacesPlan& plan, QSize size, qreal ratio) const
{
    const QRectF world(plan.left, plan.top, plan.width, plan.height);
    const QSize pixels = size * ratio;
    if (m_drawnLand.size() == pixels && m_drawnWorld == world)
        return m_drawnLand;
    QImage image(pixels, QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    image.fill(m_theme.surface);
    QPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    m_land->render(&painter, world);
    painter.end();
    m_drawnLand = image;
    m_drawnWorld = world;
    return image;
}

void PlacesView::paintBubbles(QPainter& painter, const PlacesPlan& plan, QSize size) const
{
    constexpr double kReach = 50; ///< px: more than the radius of the largest
    const QRectF seen = QRectF(QPointF(), size).adjusted(-kReach, -kReach, kReach, kReach);
    for (const Bubble& bubble : plan.bubbles)
        if (seen.contains(bubble.x, bubble.y))
            paintDonut(painter, m_theme, {bubble.x, bubble.y}, bubble.radius, bubble.standings,
                       number(bubble.devices));
}

void PlacesView::paintNames(QPainter& painter, const PlacesPlan& plan, QSize size) const
{
    QFont font = painter.font();
    font.setPointSizeF(9);
    font.setBold(false);
    painter.setFont(font);
    const QFontMetrics metrics(font);
    const QRectF seen(QPointF(), size);
    std::vector<QRectF> taken;
    for (const Bubble& bubble : plan.bubbles)
        if (seen.contains(bubble.x, bubble.y))
            taken.emplace_back(bubble.x - bubble.radius, bubble.y - bubble.radius, 2 * bubble.radius,
                               2 * bubble.radius);
    for (const Bubble& bubble : plan.bubbles) {
        if (!seen.contains(bubble.x, bubble.y))
            continue;
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
}

/// For an export: the land as a drawing, and what the buttons say.
void PlacesView::paint(QPainter& painter, QSize size) const
{
    painter.fillRect(QRect(QPoint(), size), m_theme.surface);
    if (!m_picture)
        return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipRect(QRect(QPoint(), size));
    const PlacesPlan plan = fleetview::planPlaces(m_spots, size.width(), size.height(), m_frame);
    m_land->render(&painter, QRectF(plan.left, plan.top, plan.width, plan.height));
    paintBubbles(painter, plan, size);
    paintNames(painter, plan, size);
    if (plan.unplaced == 0)
        return;
    const QString tray = trayText();
    QRectF area(10, size.height() - 30.0, QFontMetrics(painter.font()).horizontalAdvance(tray) + 20.0, 22);
    painter.setPen(QPen(m_theme.line, 1));
    painter.setBrush(m_theme.window);
    painter.drawRoundedRect(area, 6, 6);
    painter.setPen(m_theme.text);
    painter.drawText(area, Qt::AlignCenter, tray);
}

void PlacesView::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    if (!m_picture)
        return painter.fillRect(rect(), m_theme.surface);
    painter.drawImage(0, 0, land(m_plan, size(), devicePixelRatioF()));
    painter.setRenderHint(QPainter::Antialiasing);
    paintBubbles(painter, m_plan, size());
    paintNames(painter, m_plan, size());
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
    look(m_frame);
}

void PlacesView::choose(std::size_t bubble)
{
    m_chosen = bubble;
    describe();
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
    m_dragged = event->position();
}

void PlacesView::mouseMoveEvent(QMouseEvent* event)
{
    if (!m_dragged || !event->buttons().testFlag(Qt::LeftButton) || m_frame.zoom <= 1)
        return;
    const QPointF way = event->position() - *m_dragged;
    m_dragged = event->position();
    look(fleetview::dragged(m_frame, way.x(), way.y(), width(), height()));
}

void PlacesView::mouseReleaseEvent(QMouseEvent* /*event*/)
{
    m_dragged.reset();
}

void PlacesView::wheelEvent(QWheelEvent* event)
{
    constexpr double kDoubled = 240; ///< eighths of a degree: two notches of a usual wheel; guess
    zoom(std::exp2(event->angleDelta().y() / kDoubled), event->position());
    event->accept(); // the area around does not scroll
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
    auto at = m_chosen ? std::find(order.begin(), order.end(), *m_chosen) : order.begin();
    if (m_chosen && isEast && at + 1 != order.end())
        ++at;
    else if (m_chosen && !isEast && at != order.begin())
        --at;
    choose(*at);
    const Bubble& bubble = m_plan.bubbles[*at];
    if (rect().contains(QPointF(bubble.x, bubble.y).toPoint()))
        return;
    look({m_frame.zoom, bubble.at});
}

/// Whether the key is one that moves the picture.
bool PlacesView::pan(int key)
{
    const double right = key == Qt::Key_Left ? kMove : key == Qt::Key_Right ? -kMove : 0;
    const double down = key == Qt::Key_Up ? kMove : key == Qt::Key_Down ? -kMove : 0;
    if (right == 0 && down == 0)
        return false;
    look(fleetview::dragged(m_frame, right * width(), down * height(), width(), height()));
    return true;
}

void PlacesView::keyPressEvent(QKeyEvent* event)
{
    if (event->modifiers().testFlag(Qt::ShiftModifier) && pan(event->key()))
        return;
    const QPointF middle(width() / 2.0, height() / 2.0);
    switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal: // + without Shift
        return zoom(kStep, middle);
    case Qt::Key_Minus:
        return zoom(1 / kStep, middle);
    case Qt::Key_0:
    case Qt::Key_Home:
        return look({});
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
