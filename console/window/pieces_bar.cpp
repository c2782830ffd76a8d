// SPDX-License-Identifier: Apache-2.0
#include "pieces_bar.h"

#include <QPainter>

#include <algorithm>
#include <bit>

namespace starling::window {

namespace {
constexpr int kHeight = 14; ///< guess: a line of text
}

PiecesBar::PiecesBar(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Pieces of the payload that have come"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void PiecesBar::setPieces(const Bytes& pieces)
{
    if (pieces == m_pieces)
        return;
    m_pieces = pieces;
    int count = 0;
    for (const std::byte byte : m_pieces)
        count += std::popcount(std::to_integer<std::uint8_t>(byte));
    setAccessibleDescription(tr("%n piece(s) have come", nullptr, count));
    update();
}

void PiecesBar::setTheme(const Theme& theme)
{
    m_theme = theme;
    update();
}

QSize PiecesBar::sizeHint() const
{
    return {200, kHeight};
}

void PiecesBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setPen(m_theme.line);
    painter.setBrush(m_theme.surface);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
    const int columns = width() - 2;
    if (m_pieces.empty() || columns <= 0)
        return;
    const std::size_t bits = m_pieces.size() * 8;
    // A column stands for the pieces that fall on it, and is as dark as many of them are there.
    for (int column = 0; column < columns; ++column) {
        const auto first = bits * static_cast<std::size_t>(column) / static_cast<std::size_t>(columns);
        const auto last = std::max(
            first + 1, bits * static_cast<std::size_t>(column + 1) / static_cast<std::size_t>(columns));
        std::size_t here = 0;
        for (std::size_t bit = first; bit < last; ++bit)
            here += std::to_integer<unsigned>(m_pieces[bit / 8] >> (7 - bit % 8)) & 1u;
        if (here == 0)
            continue;
        QColor color = m_theme.fill(fleetview::Standing::Installing);
        color.setAlphaF(0.35F + 0.65F * static_cast<float>(here) / static_cast<float>(last - first));
        painter.fillRect(column + 1, 1, 1, height() - 2, color);
    }
}

} // namespace starling::window
