// SPDX-License-Identifier: Apache-2.0
/// Widths for words that are longer in another language.
#pragma once

#include "words.h"

#include <QHeaderView>
#include <QTableView>

namespace starling::window {

/// Columns of `table` that are too narrow for their headings become as wide as those.
inline void fitHeadings(QTableView* table)
{
    QHeaderView* const header = table->horizontalHeader();
    header->ensurePolished(); // the theme says in which font
    for (int column = 0; column < header->count(); ++column)
        if (header->sectionSize(column) < header->sectionSizeHint(column))
            table->setColumnWidth(column, header->sectionSizeHint(column));
}

/// px that the widest word for a standing takes beside its glyph, with room around both.
inline int standingWidth(const QWidget& widget)
{
    constexpr int kGlyphAndRoom = 48; // a glyph of 16, and what a table leaves around
    int widest = 0;
    for (const fleetview::Standing standing : fleetview::kAllStandings)
        widest = std::max(widest, widget.fontMetrics().horizontalAdvance(standingWord(standing)));
    return widest + kGlyphAndRoom;
}

} // namespace starling::window
