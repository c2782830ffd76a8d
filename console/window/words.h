// SPDX-License-Identifier: Apache-2.0
/// What the window says, made from values: translated, and with text of others as plain text.
#pragma once

#include "fleetview/fleet.h"

#include <QCoreApplication>
#include <QString>

namespace starling::window {

struct Reading;

/// Text of others, shown literally: control and direction characters become '?', at most `most` characters.
QString plain(std::string_view text, qsizetype most = 200);
/// The same, line by line as it stands.
QString plainLines(const std::string& text);
QString standingWord(fleetview::Standing standing); ///< "Healthy", …
QString moodWord(fleetview::Mood mood); ///< "On track", …
/// The glyph that a mood is shown with.
fleetview::Standing moodGlyph(fleetview::Mood mood);
/// How it goes, in a sentence with numbers.
QString verdictOf(const fleetview::Picture& picture);
QString readingWords(const Reading& reading); ///< "Reading devices: 4,096 of 100,000"
QString needWords(const fleetview::Need& need);
QString phaseWord(trust::Phase phase);
/// Phase, code and detail of what a device says.
QString saysOf(const trust::ReceiptEntry& entry);
/// In short, for a card: where a device stands and what it says. Everything of others escaped.
QString whyOf(const fleetview::Device& device, UtcTime now);
/// Why a device of `picture` stands where it does: as rich text, everything of others escaped.
QString whyOf(const fleetview::Picture& picture, const fleetview::Device& device);
/// "12 s", "3 min", "5 h", "2 d".
QString spanOf(std::chrono::seconds span);
/// When a receipt came: "40 s ago", or that it was there before this console.
QString heardOf(const fleetview::Device& device, UtcTime now);
QString releaseName(const ResourceUri& uri, const trust::Revision& revision);
QString fieldWord(const std::string& field); ///< of a facet
/// The value of a field that devices are grouped by, as a person reads it.
QString groupWord(const std::string& field, const std::string& value);
/// As shown for an empty value of a field.
QString withoutValue(const std::string& field);

} // namespace starling::window
