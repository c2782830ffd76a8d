// SPDX-License-Identifier: Apache-2.0
#include "theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QSvgRenderer>

#include <cmath>

namespace starling::window {

using fleetview::Standing;

namespace {

QPixmap drawn(const QString& name, const QColor& colour, int size)
{
    QSvgRenderer renderer(QStringLiteral(":/icons/%1.svg").arg(name));
    QPixmap pixmap(size, size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    renderer.render(&painter);
    painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
    painter.fillRect(pixmap.rect(), colour);
    return pixmap;
}

double luminance(const QColor& colour)
{
    const auto part = [](double value) {
        return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(colour.redF()) + 0.7152 * part(colour.greenF()) + 0.0722 * part(colour.blueF());
}

void paintTick(QPainter& painter, const QRectF& area)
{
    QPainterPath tick;
    tick.moveTo(area.left() + area.width() * 0.28, area.top() + area.height() * 0.52);
    tick.lineTo(area.left() + area.width() * 0.44, area.top() + area.height() * 0.68);
    tick.lineTo(area.left() + area.width() * 0.74, area.top() + area.height() * 0.34);
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(tick);
}

void paintArrow(QPainter& painter, const QRectF& area)
{
    const double w = area.width(), h = area.height();
    QPainterPath arrow;
    arrow.moveTo(area.center().x(), area.top() + h * 0.24);
    arrow.lineTo(area.center().x(), area.top() + h * 0.72);
    arrow.moveTo(area.left() + w * 0.31, area.top() + h * 0.53);
    arrow.lineTo(area.center().x(), area.top() + h * 0.73);
    arrow.lineTo(area.left() + w * 0.69, area.top() + h * 0.53);
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(arrow);
}

QPolygonF triangle(const QRectF& area)
{
    return {{area.center().x(), area.top()}, area.bottomRight(), area.bottomLeft()};
}

void paintCross(QPainter& painter, const QRectF& area)
{
    const QRectF inner =
        area.adjusted(area.width() * 0.3, area.height() * 0.3, -area.width() * 0.3, -area.height() * 0.3);
    painter.drawLine(inner.topLeft(), inner.bottomRight());
    painter.drawLine(inner.topRight(), inner.bottomLeft());
}

void paintTurn(QPainter& painter, const QRectF& area)
{
    const double w = area.width(), h = area.height();
    QPainterPath turn;
    turn.moveTo(area.left() + w * 0.68, area.top() + h * 0.72);
    turn.lineTo(area.left() + w * 0.68, area.top() + h * 0.46);
    turn.arcTo(QRectF(area.left() + w * 0.34, area.top() + h * 0.28, w * 0.34, h * 0.34), 0, 180);
    turn.lineTo(area.left() + w * 0.34, area.top() + h * 0.70);
    turn.moveTo(area.left() + w * 0.22, area.top() + h * 0.57);
    turn.lineTo(area.left() + w * 0.34, area.top() + h * 0.71);
    turn.lineTo(area.left() + w * 0.46, area.top() + h * 0.57);
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(turn);
}

} // namespace

QString lookName(Look look)
{
    static const std::array kNames{QStringLiteral("system"), QStringLiteral("light"), QStringLiteral("dark"),
                                   QStringLiteral("contrast")};
    return kNames[static_cast<std::size_t>(look)];
}

std::optional<Look> lookNamed(const QString& name)
{
    for (const Look look : {Look::System, Look::Light, Look::Dark, Look::HighContrast})
        if (lookName(look) == name)
            return look;
    return std::nullopt;
}

double contrast(const QColor& one, const QColor& other)
{
    const double a = luminance(one), b = luminance(other);
    return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

Theme Theme::of(Look look, const QPalette& system)
{
    if (look == Look::System)
        look = system.color(QPalette::Window).lightness() < 128 ? Look::Dark : Look::Light;
    const auto c = [](const char* name) { return QColor(QLatin1String(name)); };
    if (look == Look::HighContrast)
        return {true,         true,         c("#000000"), c("#000000"), c("#000000"), c("#ffffff"),
                c("#ffffff"), c("#ffffff"), c("#ffe100"), c("#000000"), c("#303030")};
    if (look == Look::Dark)
        return {true,         false,        c("#14171c"), c("#1b1f26"), c("#232830"), c("#343b46"),
                c("#e8ebf0"), c("#a3adbb"), c("#6cb6ff"), c("#0b1220"), c("#22344a")};
    return {false,        false,        c("#f3f5f8"), c("#ffffff"), c("#ffffff"), c("#d9dee6"),
            c("#1a2230"), c("#566173"), c("#0b62b0"), c("#ffffff"), c("#e3effb")};
}

QPalette Theme::palette() const
{
    QPalette palette;
    palette.setColor(QPalette::Window, window);
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, surface);
    palette.setColor(QPalette::AlternateBase, window);
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::Button, raised);
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::Highlight, isHighContrast ? accent : soft);
    palette.setColor(QPalette::HighlightedText, isHighContrast ? onAccent : text);
    palette.setColor(QPalette::ToolTipBase, raised);
    palette.setColor(QPalette::ToolTipText, text);
    palette.setColor(QPalette::PlaceholderText, muted);
    palette.setColor(QPalette::Link, accent);
    palette.setColor(QPalette::Mid, line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, muted);
    return palette;
}

QString Theme::styleSheet() const
{
    static const QString kSheet = QStringLiteral(R"(
* { font-size: 10pt; }
QMainWindow, QDialog, #page { background: @window; color: @text; }
#rail { background: @surface; border-right: 1px solid @line; }
#rail QToolButton { border: 2px solid transparent; border-radius: 8px; padding: 8px 0; color: @muted; font-size: 9pt; }
#rail QToolButton:hover { background: @window; color: @text; }
#rail QToolButton:checked { background: @soft; color: @text; font-weight: 600; }
#rail QToolButton:focus { border-color: @accent; }
#title { font-size: 17pt; font-weight: 600; color: @text; }
#subtitle, #muted { color: @muted; }
#heading { font-size: 11pt; font-weight: 600; color: @text; }
#card { background: @surface; border: 1px solid @line; border-radius: 10px; }
#card QLabel { background: transparent; }
#figure { font-size: 20pt; font-weight: 600; color: @text; }
#verdict { font-size: 15pt; font-weight: 600; color: @text; }
#error { background: @surface; border: 2px solid @bad; border-radius: 10px; }
#error QLabel { background: transparent; }
QPushButton#primary { background: @accent; color: @onAccent; border-color: @accent; font-weight: 600; padding: 6px 18px; }
QPushButton#primary:focus { border: 2px solid @text; padding: 5px 17px; }
QPushButton#primary:disabled { background: @raised; color: @muted; border-color: @line; }
QProgressBar { background: @window; color: @text; border: 1px solid @line; border-radius: 6px; min-height: 20px; text-align: center; }
QProgressBar::chunk { background: @soft; border-radius: 5px; }
QPlainTextEdit { background: @window; color: @text; border: 1px solid @line; border-radius: 6px; padding: 6px; selection-background-color: @accent; selection-color: @onAccent; }
QPlainTextEdit:focus { border-color: @accent; }
QSpinBox { background: @surface; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px 9px; min-height: 20px; }
QSpinBox:focus { border: 2px solid @accent; padding: 4px 8px; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled { background: @window; color: @muted; }
QRadioButton { color: @text; background: transparent; spacing: 8px; }
QRadioButton:focus { color: @accent; }
QCheckBox { color: @text; background: transparent; spacing: 8px; border: 2px solid transparent; border-radius: 6px; padding: 2px; min-width: 18px; min-height: 18px; }
QCheckBox:focus { border-color: @accent; }
QCheckBox::indicator { width: 12px; height: 12px; border: 2px solid @muted; border-radius: 3px; background: @surface; }
QCheckBox::indicator:checked { border-color: @accent; background: @accent; image: url(:/icons/@tick.svg); }
QCheckBox:disabled { color: @muted; }
QCheckBox::indicator:disabled { border-color: @line; background: @window; }
QCheckBox::indicator:checked:disabled { border-color: @muted; background: @muted; }
QRadioButton::indicator { width: 12px; height: 12px; border: 2px solid @muted; border-radius: 8px; background: @surface; }
QRadioButton::indicator:checked { border: 5px solid @accent; width: 6px; height: 6px; }
QSlider::groove:horizontal { background: @line; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: @accent; border: 2px solid @surface; width: 14px; margin: -7px 0; border-radius: 9px; }
QSlider::handle:horizontal:focus { border: 2px solid @text; }
QSlider::handle:horizontal:disabled { background: @line; }
#offline { background: @soft; color: @text; border-bottom: 1px solid @line; padding: 8px 14px; font-weight: 600; }
QStatusBar { background: @surface; border-top: 1px solid @line; color: @muted; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: @muted; padding: 3px 10px; }
QStatusBar QPushButton { background: transparent; border: 2px solid transparent; border-radius: 6px; color: @muted; padding: 1px 8px; }
QStatusBar QPushButton:hover { color: @text; }
QStatusBar QPushButton:focus { border-color: @accent; padding: 1px 8px; }
QLineEdit, QComboBox { background: @surface; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px 9px; min-height: 20px; selection-background-color: @accent; selection-color: @onAccent; }
QLineEdit:focus, QComboBox:focus { border: 2px solid @accent; padding: 4px 8px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url(:/icons/@chevron.svg); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: @raised; color: @text; border: 1px solid @line; selection-background-color: @soft; selection-color: @text; }
QPushButton { background: @raised; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px 14px; min-height: 20px; }
QPushButton:hover { border-color: @accent; }
QPushButton:focus { border: 2px solid @accent; padding: 4px 13px; }
QPushButton:checked { background: @soft; border-color: @accent; }
QPushButton::menu-indicator { image: url(:/icons/@chevron.svg); width: 12px; subcontrol-position: right center; subcontrol-origin: padding; right: 8px; }
QPushButton#menu { padding-right: 28px; }
QPushButton:disabled { color: @muted; }
QAbstractItemView { background: @surface; color: @text; border: 1px solid @line; border-radius: 8px; alternate-background-color: @surface; outline: none; }
QAbstractItemView:focus { border-color: @accent; }
QListWidget#quiet { border: 2px solid transparent; background: transparent; }
QListWidget#quiet:focus { border-color: @accent; }
QListWidget#quiet::item { padding: 3px 0; }
QTreeView::item, QTableView::item, QListView::item { padding: 5px 8px; border: none; }
QTreeView::item:selected, QTableView::item:selected, QListView::item:selected { background: @soft; color: @text; }
QTreeView::item:hover, QListView::item:hover { background: @window; }
QHeaderView { background: @surface; border: none; border-radius: 8px; }
QHeaderView::section { background: @surface; color: @muted; border: none; border-bottom: 1px solid @line; padding: 7px 11px; font-weight: 600; }
QTabWidget::pane { background: @surface; border: 1px solid @line; border-radius: 8px; top: -1px; }
QTabBar::tab { background: transparent; color: @muted; padding: 7px 16px; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom-color: @accent; font-weight: 600; }
QTabBar::tab:focus { color: @accent; }
QTextBrowser { border: 2px solid transparent; background: @surface; padding: 8px; }
#card QTextBrowser { padding: 0; }
QTextBrowser:focus { border-color: @accent; }
QTabWidget QAbstractItemView { border: none; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 2px; }
QScrollBar::handle:vertical { background: @line; border-radius: 4px; min-height: 32px; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 2px; }
QScrollBar::handle:horizontal { background: @line; border-radius: 4px; min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: transparent; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 5px; }
QMenu { background: @raised; color: @text; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 6px 22px; }
QMenu::item:selected { background: @soft; }
)");
    QString sheet = kSheet;
    sheet.replace(QLatin1String("@chevron"), QLatin1String(isDark ? "chevron-light" : "chevron-dark"));
    sheet.replace(QLatin1String("@tick"),
                  QLatin1String(isDark ? "tick-dark" : "tick-light")); // on the accent
    const std::array<std::pair<const char*, QColor>, 10> roles{{{"@onAccent", onAccent},
                                                                {"@bad", outline(Standing::Failed)},
                                                                {"@window", window},
                                                                {"@surface", surface},
                                                                {"@raised", raised},
                                                                {"@line", line},
                                                                {"@text", text},
                                                                {"@muted", muted},
                                                                {"@accent", accent},
                                                                {"@soft", soft}}};
    for (const auto& [name, colour] : roles)
        sheet.replace(QLatin1String(name), colour.name());
    return sheet;
}

QColor Theme::fill(Standing standing) const
{
    const auto c = [](const char* name) { return QColor(QLatin1String(name)); };
    switch (standing) {
    case Standing::Healthy:
        return c("#009E73");
    case Standing::Installing:
        return isDark ? c("#2d8fd0") : c("#0072B2"); // lighter on dark: 3.2:1 is too little for small cells
    case Standing::Downloading:
        return c("#56B4E9");
    case Standing::Waiting:
    case Standing::Held:
    case Standing::Unknown:
        return isDark ? c("#8b95a3") : c("#767676");
    case Standing::Stalled:
        return c("#E69F00");
    case Standing::RolledBack:
    case Standing::Failed:
        return c("#D55E00");
    }
    return text;
}

QColor Theme::outline(Standing standing) const
{
    if (isHighContrast)
        return text;
    if (standing == Standing::Downloading)
        return isDark ? QColor(0x56, 0xB4, 0xE9) : QColor(0x00, 0x72, 0xB2);
    if (standing == Standing::Stalled)
        return isDark ? fill(standing) : QColor(0x5c, 0x3d, 0x00);
    return fill(standing);
}

void Theme::paintGlyph(QPainter& painter, Standing standing, const QRectF& area) const
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor colour = isHighContrast ? text : fill(standing);
    const double pen = std::max(1.2, area.width() / 10);
    const QRectF box = area.adjusted(pen, pen, -pen, -pen);
    const QColor mark = isHighContrast ? QColor(Qt::black) : QColor(Qt::white);
    painter.setPen(QPen(isHighContrast ? text : outline(standing), pen));
    painter.setBrush(Qt::NoBrush);
    const QPen marking(mark, pen * 1.2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin);
    switch (standing) {
    case Standing::Healthy:
        painter.setBrush(colour);
        painter.drawEllipse(box);
        painter.setPen(marking);
        paintTick(painter, box);
        break;
    case Standing::Installing:
        painter.drawEllipse(box);
        painter.setBrush(colour);
        painter.drawPie(box, 90 * 16, 180 * 16);
        break;
    case Standing::Downloading:
        painter.setBrush(colour);
        painter.drawEllipse(box);
        painter.setPen(QPen(QColor(0x0b, 0x12, 0x20), pen * 1.2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        paintArrow(painter, box);
        break;
    case Standing::Waiting:
        painter.drawEllipse(box);
        break;
    case Standing::Held:
        painter.setBrush(colour);
        painter.drawRect(QRectF(box.left(), box.top(), box.width() * 0.3, box.height()));
        painter.drawRect(QRectF(box.right() - box.width() * 0.3, box.top(), box.width() * 0.3, box.height()));
        break;
    case Standing::Unknown:
        painter.setPen(QPen(colour, pen, Qt::DotLine));
        painter.drawRect(box);
        break;
    case Standing::Stalled:
        painter.setBrush(colour);
        painter.drawPolygon(triangle(box));
        break;
    case Standing::Failed:
        painter.setBrush(colour);
        painter.drawRoundedRect(box, pen, pen);
        painter.setPen(marking);
        paintCross(painter, box);
        break;
    case Standing::RolledBack:
        painter.setBrush(colour);
        painter.drawRoundedRect(box, pen, pen);
        painter.setPen(marking);
        paintTurn(painter, box);
        break;
    }
    painter.restore();
}

QPixmap Theme::glyph(Standing standing, int size, qreal ratio) const
{
    QPixmap pixmap(static_cast<int>(size * ratio), static_cast<int>(size * ratio));
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paintGlyph(painter, standing, QRectF(0, 0, size, size));
    return pixmap;
}

QIcon Theme::glyphIcon(Standing standing, int size) const
{
    const QPixmap pixmap = glyph(standing, size, 2);
    QIcon icon;
    for (const QIcon::Mode mode : {QIcon::Normal, QIcon::Active, QIcon::Selected, QIcon::Disabled})
        icon.addPixmap(pixmap, mode);
    return icon;
}

QIcon Theme::icon(const QString& name) const
{
    QIcon icon;
    for (const int size : {24, 48, 96}) {
        icon.addPixmap(drawn(name, muted, size), QIcon::Normal, QIcon::Off);
        icon.addPixmap(drawn(name, accent, size), QIcon::Normal, QIcon::On);
    }
    return icon;
}

} // namespace starling::window
