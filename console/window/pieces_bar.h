// SPDX-License-Identifier: Apache-2.0
/// Which pieces of a payload have come, as a bar from its first byte to its last.
#pragma once

#include "base/bytes.h"
#include "theme.h"

#include <QWidget>

namespace starling::window {

class PiecesBar : public QWidget
{
    Q_OBJECT
public:
    explicit PiecesBar(QWidget* parent = nullptr);
    /// A bitfield, first piece in the top bit (BEP 3); bits beyond the last piece are zero. Of the pieces
    /// themselves only so many are known as there are bytes here.
    void setPieces(const Bytes& pieces);
    void setTheme(const Theme& theme);
    QSize sizeHint() const override;

private:
    void paintEvent(QPaintEvent* event) override;
    Bytes m_pieces;
    Theme m_theme;
};

} // namespace starling::window
