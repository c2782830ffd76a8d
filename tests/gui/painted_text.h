// SPDX-License-Identifier: Apache-2.0
/// Text that a widget paints by itself, which no property tells: heard by a paint engine that draws nothing.
#pragma once

#include <QPaintDevice>
#include <QPaintEngine>
#include <QPainter>
#include <QWidget>

#include <functional>

namespace starling::gui_test {

/// Something that was painted in one piece, and where.
struct PaintedText
{
    QString text;
    QRectF area;
};

class TextEngine final : public QPaintEngine
{
public:
    TextEngine()
        : QPaintEngine(AllFeatures)
    {
    }
    std::vector<PaintedText> heard;

    bool begin(QPaintDevice* /*device*/) override { return true; }
    bool end() override { return true; }
    Type type() const override { return User; }
    void updateState(const QPaintEngineState& /*state*/) override { }
    void drawPixmap(const QRectF& /*to*/, const QPixmap& /*pixmap*/, const QRectF& /*from*/) override { }
    void drawImage(const QRectF& /*to*/, const QImage& /*image*/, const QRectF& /*from*/,
                   Qt::ImageConversionFlags /*flags*/) override
    {
    }
    void drawTiledPixmap(const QRectF& /*to*/, const QPixmap& /*pixmap*/, const QPointF& /*from*/) override {
    }
    void drawPath(const QPainterPath& /*path*/) override { }
    void drawPolygon(const QPointF* /*points*/, int /*count*/, PolygonDrawMode /*mode*/) override { }
    void drawPolygon(const QPoint* /*points*/, int /*count*/, PolygonDrawMode /*mode*/) override { }
    void drawRects(const QRectF* /*rects*/, int /*count*/) override { }
    void drawRects(const QRect* /*rects*/, int /*count*/) override { }
    void drawLines(const QLineF* /*lines*/, int /*count*/) override { }
    void drawLines(const QLine* /*lines*/, int /*count*/) override { }
    void drawEllipse(const QRectF& /*area*/) override { }
    void drawEllipse(const QRect& /*area*/) override { }
    void drawPoints(const QPointF* /*points*/, int /*count*/) override { }
    void drawPoints(const QPoint* /*points*/, int /*count*/) override { }

    /// Pieces of one line come one after the other: another font, or another script.
    void drawTextItem(const QPointF& at, const QTextItem& item) override
    {
        const QRectF area = painter()->combinedTransform().mapRect(
            QRectF(at.x(), at.y() - item.ascent(), item.width(), item.ascent() + item.descent()));
        if (!heard.empty() && std::abs(heard.back().area.bottom() - area.bottom()) < 3
            && std::abs(heard.back().area.right() - area.left()) < 3) {
            heard.back().text += item.text();
            heard.back().area |= area;
            return;
        }
        heard.push_back({item.text(), area});
    }
};

class TextPaper final : public QPaintDevice
{
public:
    explicit TextPaper(QSize size)
        : m_size(size)
    {
    }
    QPaintEngine* paintEngine() const override { return &m_engine; }
    const std::vector<PaintedText>& heard() const { return m_engine.heard; }

protected:
    int metric(PaintDeviceMetric metric) const override
    {
        constexpr int kDpi = 96, kMillimetres = 254; // ten inches of them
        switch (metric) {
        case PdmWidth:
            return m_size.width();
        case PdmHeight:
            return m_size.height();
        case PdmWidthMM:
            return m_size.width() * kMillimetres / (10 * kDpi);
        case PdmHeightMM:
            return m_size.height() * kMillimetres / (10 * kDpi);
        case PdmDpiX:
        case PdmDpiY:
        case PdmPhysicalDpiX:
        case PdmPhysicalDpiY:
            return kDpi;
        case PdmNumColors:
            return 1 << 24;
        case PdmDepth:
            return 24;
        case PdmDevicePixelRatio:
            return 1;
        case PdmDevicePixelRatioScaled:
            return static_cast<int>(devicePixelRatioFScale());
        default:
            return 0;
        }
    }

private:
    QSize m_size;
    mutable TextEngine m_engine;
};

/// What the widget paints, without those on it.
inline std::vector<PaintedText> paintedBy(QWidget& widget)
{
    TextPaper paper(widget.size());
    widget.render(&paper, QPoint(), QRegion(), QWidget::RenderFlags());
    return paper.heard();
}

/// What `paint` paints.
inline std::vector<PaintedText> paintedBy(QSize size, const std::function<void(QPainter& painter)>& paint)
{
    TextPaper paper(size);
    QPainter painter(&paper);
    paint(painter);
    painter.end();
    return paper.heard();
}

} // namespace starling::gui_test
