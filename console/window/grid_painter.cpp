// SPDX-License-Identifier: Apache-2.0
#include "grid_painter.h"

#include "words.h"

#include <QLocale>
#include <QPainter>

namespace starling::window {

using fleetview::Device;
using fleetview::GridPlan;
using fleetview::Standing;

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(starling::window)
};

} // namespace

void GridPainter::setTheme(const Theme& theme)
{
    m_theme = theme;
    if (m_picture)
        repaint();
}

const Device* GridPainter::deviceAt(std::size_t place) const
{
    return m_picture && place < m_plan.order.size() ? m_picture->devices[m_plan.order[place]].get() : nullptr;
}

std::optional<std::size_t> GridPainter::placeOf(const NodeId& node) const
{
    for (std::size_t place = 0; place < m_plan.order.size(); ++place)
        if (deviceAt(place)->node == node)
            return place;
    return std::nullopt;
}

QRect GridPainter::cell(std::size_t place) const
{
    const auto [x, y] = m_plan.cellAt(place);
    return {x, y, m_plan.cellWidth - m_plan.gap, m_plan.cellHeight - m_plan.gap};
}

bool GridPainter::isSamePlaces(const GridPlan& plan, const fleetview::Picture& picture) const
{
    return m_picture && plan.order == m_plan.order && plan.cellWidth == m_plan.cellWidth
        && plan.columns == m_plan.columns && plan.groups.size() == m_plan.groups.size()
        && std::equal(plan.groups.begin(), plan.groups.end(), m_plan.groups.begin(),
                      [](const auto& a, const auto& b) { return a.name == b.name && a.count == b.count; })
        && picture.devices.size() == m_picture->devices.size();
}

void GridPainter::show(fleetview::PicturePtr picture, const std::string& field, QSize viewport, qreal ratio)
{
    GridPlan plan = fleetview::planGrid(picture->devices, field, viewport.width(), viewport.height());
    const bool isSame = field == m_field && viewport == m_viewport && qFuzzyCompare(ratio, m_ratio)
        && isSamePlaces(plan, *picture);
    const fleetview::PicturePtr before = std::exchange(m_picture, std::move(picture));
    m_plan = std::move(plan);
    m_field = field;
    m_viewport = viewport;
    m_ratio = ratio;
    if (!isSame) {
        m_standings.clear();
        for (const std::uint32_t index : m_plan.order)
            m_standings.push_back(m_picture->devices[index]->standing);
        return repaint();
    }
    m_repainted = 0;
    QPainter painter(&m_image);
    for (std::size_t place = 0; place < m_plan.order.size(); ++place) {
        const std::uint32_t index = m_plan.order[place];
        if (m_picture->devices[index] == before->devices[index])
            continue;
        ++m_repainted;
        m_standings[place] = m_picture->devices[index]->standing;
        painter.fillRect(cell(place), m_theme.surface);
        if (hasSprites())
            paintCell(painter, place);
        else
            fillCell(place);
    }
    if (m_repainted > 0)
        paintHeadings(painter);
}

void GridPainter::makeSprites()
{
    const int size = m_plan.hasCards() ? 20 : m_plan.cellWidth - m_plan.gap;
    for (const Standing standing : fleetview::kAllStandings)
        m_sprites[static_cast<std::size_t>(standing)] = m_theme.glyph(standing, size, m_ratio);
}

void GridPainter::repaint()
{
    const QSize size(std::max(1, m_plan.width), std::max(m_plan.height, m_viewport.height()));
    m_image = QImage(size * m_ratio, QImage::Format_RGB32);
    m_image.setDevicePixelRatio(m_ratio);
    m_image.fill(m_theme.surface);
    m_repainted = m_plan.order.size();
    if (hasSprites())
        makeSprites();
    QPainter painter(&m_image);
    if (hasSprites())
        for (std::size_t place = 0; place < m_plan.order.size(); ++place)
            paintCell(painter, place);
    paintHeadings(painter);
    painter.end();
    if (!hasSprites())
        fillAll();
}

/// Of a small cell: bad states are hatched, hollow ones have a border.
QRgb GridPainter::pixel(Standing standing, int x, int y, int width, int height) const
{
    const bool isHollow = standing == Standing::Waiting || standing == Standing::Unknown;
    const bool isEdge = x == 0 || x == width - 1 || y == 0 || y == height - 1;
    if (isHollow && !isEdge)
        return m_theme.surface.rgb();
    const bool isStripe = (x + y) % 4 == 3;
    if (fleetview::isTrouble(standing) && isStripe)
        return m_theme.text.rgb();
    if (standing == Standing::Held && isStripe)
        return m_theme.surface.rgb();
    return (m_theme.isHighContrast ? m_theme.text : m_theme.fill(standing)).rgb();
}

void GridPainter::fillCell(std::size_t place)
{
    const Standing standing = m_standings[place];
    const QRect area = cell(place);
    const auto scaled = [this](int value) { return qRound(value * m_ratio); };
    const int left = scaled(area.left()), width = scaled(area.width());
    const int top = scaled(area.top()), height = scaled(area.height());
    for (int y = 0; y < height && top + y < m_image.height(); ++y) {
        auto* const line = reinterpret_cast<QRgb*>(m_image.scanLine(top + y));
        for (int x = 0; x < width && left + x < m_image.width(); ++x)
            line[left + x] = pixel(standing, x, y, width, height);
    }
}

/// Straight into the image, from a line of pixels for each standing: 100,000 rectangles by a painter take ten
/// times as long.
void GridPainter::fillAll()
{
    const auto scaled = [this](int value) { return qRound(value * m_ratio); };
    const int width = scaled(m_plan.cellWidth - m_plan.gap), height = scaled(m_plan.cellHeight - m_plan.gap);
    const auto pixels = static_cast<std::size_t>(width * height);
    std::vector<QRgb> tiles;
    tiles.reserve(fleetview::kStandings * pixels);
    for (const Standing standing : fleetview::kAllStandings)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                tiles.push_back(pixel(standing, x, y, width, height));
    std::vector<int> lefts;
    for (int i = 0; i < m_plan.columns; ++i)
        lefts.push_back(std::min(scaled(i * m_plan.cellWidth), m_image.width() - width));
    const auto stride = m_image.bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
    auto* const image = reinterpret_cast<QRgb*>(m_image.bits());
    for (const fleetview::GridGroup& group : m_plan.groups)
        for (std::size_t i = 0; i < group.count; ++i) {
            const auto at = static_cast<int>(i);
            const int top = scaled(group.top + m_plan.heading + at / m_plan.columns * m_plan.cellHeight);
            if (top + height > m_image.height())
                break;
            const Standing standing = m_standings[group.first + i];
            const QRgb* tile = tiles.data() + static_cast<std::size_t>(standing) * pixels;
            QRgb* line = image + top * stride + lefts[static_cast<std::size_t>(at % m_plan.columns)];
            for (int y = 0; y < height; ++y, line += stride, tile += width)
                std::copy_n(tile, width, line);
        }
}

void GridPainter::paintCell(QPainter& painter, std::size_t place) const
{
    const Device& device = *deviceAt(place);
    const QRect area = cell(place);
    if (m_plan.hasCards())
        paintCard(painter, device, area);
    else
        painter.drawPixmap(area.topLeft(), m_sprites[static_cast<std::size_t>(device.standing)]);
}

void GridPainter::paintCard(QPainter& painter, const Device& device, const QRect& area) const
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(m_theme.line);
    painter.setBrush(m_theme.window);
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
    const QRect inner = area.adjusted(10, 8, -10, -8);
    m_theme.paintGlyph(painter, device.standing, QRectF(inner.left(), inner.top(), 20, 20));
    QFont font = painter.font();
    font.setPointSizeF(10);
    font.setBold(true);
    painter.setFont(font);
    painter.setPen(m_theme.text);
    const QFontMetrics bold(font);
    painter.drawText(QRect(inner.left() + 28, inner.top(), inner.width() - 28, 20), Qt::AlignVCenter,
                     bold.elidedText(plain(device.name), Qt::ElideRight, inner.width() - 28));
    font.setBold(false);
    font.setPointSizeF(9);
    painter.setFont(font);
    painter.setPen(m_theme.muted);
    const trust::ReceiptEntry* const entry = device.decisiveEntry();
    QString words = standingWord(device.standing);
    if (entry != nullptr)
        words += QStringLiteral(" · ") + plain(trust::toString(entry->revision));
    const QFontMetrics metrics(font);
    painter.drawText(QRect(inner.left(), inner.top() + 24, inner.width(), 16), Qt::AlignVCenter,
                     metrics.elidedText(words, Qt::ElideRight, inner.width()));
    if (entry != nullptr)
        painter.drawText(QRect(inner.left(), inner.top() + 40, inner.width(), 16), Qt::AlignVCenter,
                         metrics.elidedText(plain(entry->uri.text()), Qt::ElideMiddle, inner.width()));
}

void GridPainter::paintHeadings(QPainter& painter) const
{
    QFont font = painter.font();
    font.setPointSizeF(10);
    for (const fleetview::GridGroup& group : m_plan.groups) {
        const QRect area(0, group.top, m_plan.width, m_plan.heading);
        painter.fillRect(area, m_theme.surface);
        const QString name = group.name.empty() ? withoutValue(m_field)
            : m_field == "state"                ? standingWord(*fleetview::standingNamed(group.name))
                                                : plain(group.name, 60);
        font.setBold(true);
        painter.setFont(font);
        painter.setPen(m_theme.text);
        painter.drawText(area, Qt::AlignVCenter | Qt::AlignLeft, name);
        const int wide = QFontMetrics(font).horizontalAdvance(name);
        font.setBold(false);
        painter.setFont(font);
        painter.setPen(m_theme.muted);
        QString counts = Words::tr("%1 of %2 healthy")
                             .arg(QLocale().toString(static_cast<qulonglong>(group.standings[0])),
                                  QLocale().toString(static_cast<qulonglong>(group.count)));
        std::size_t bad = 0;
        for (const Standing standing : fleetview::kAllStandings)
            bad += fleetview::isTrouble(standing) ? group.standings[static_cast<std::size_t>(standing)] : 0;
        if (bad > 0)
            counts += Words::tr(", %1 in trouble").arg(QLocale().toString(static_cast<qulonglong>(bad)));
        painter.drawText(area.adjusted(wide + 14, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, counts);
    }
}

void GridPainter::paint(QPainter& painter) const
{
    painter.fillRect(QRect(0, 0, m_plan.width, m_plan.height), m_theme.surface);
    paintHeadings(painter);
    for (std::size_t place = 0; place < m_plan.order.size(); ++place) {
        const Device& device = *deviceAt(place);
        const QRect area = cell(place);
        if (m_plan.hasCards())
            paintCard(painter, device, area);
        else if (hasSprites())
            m_theme.paintGlyph(painter, device.standing, area);
        else
            painter.fillRect(area, m_theme.fill(device.standing));
    }
}

} // namespace starling::window
