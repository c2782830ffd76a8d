// SPDX-License-Identifier: Apache-2.0
/// How the window looks: colours by role, and how each standing is painted (shape, colour, hatch), in a
/// light, a dark and a high-contrast theme. Status colours are from Okabe and Ito's palette (console
/// specification); text is never painted in them, so that its contrast does not depend on them.
#pragma once

#include "fleetview/standing.h"

#include <QColor>
#include <QIcon>
#include <QPalette>

class QPainter;

namespace starling::window {

enum class Look : std::uint8_t { System, Light, Dark, HighContrast };
QString lookName(Look look); ///< "system", "light", "dark", "contrast": kept, and for --theme
std::optional<Look> lookNamed(const QString& name);

struct Theme
{
    bool isDark = false, isHighContrast = false;
    QColor window, surface, raised, line, text, muted, accent, onAccent, soft;

    /// System is light or dark as `system` is.
    static Theme of(Look look, const QPalette& system);
    QPalette palette() const;
    QString styleSheet() const;

    QColor fill(fleetview::Standing standing) const;
    /// Around shapes whose fill has too little contrast with the background (below 3:1).
    QColor outline(fleetview::Standing standing) const;
    /// The standing's shape, centred in `area`.
    void paintGlyph(QPainter& painter, fleetview::Standing standing, const QRectF& area) const;
    QPixmap glyph(fleetview::Standing standing, int size, qreal ratio) const;
    /// The same where it is selected: a status does not change its colour by being chosen.
    QIcon glyphIcon(fleetview::Standing standing, int size) const;
    /// An icon of resources/icons, in the colour of text, and of the accent where it is chosen.
    QIcon icon(const QString& name) const;
};

/// WCAG 2.1 contrast ratio, 1 to 21.
double contrast(const QColor& one, const QColor& other);

} // namespace starling::window
