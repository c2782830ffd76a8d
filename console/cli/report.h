// SPDX-License-Identifier: Apache-2.0
/// How errors and values are shown to people and scripts.
#pragma once

#include "command_line.h"
#include "control/messages.h"
#include "release/torrent_file.h"

namespace starling::cli {

/// What failed, why, and what to do next, on standard error; with --json as {"error":{code,name,message}} on
/// standard output, too.
void reportError(const CommandLine& line, const Error& error);

/// That JSON alone: for errors that were told to people already.
void printErrorJson(const Error& error);

/// A line for people on standard output, unless --json or --quiet.
void say(const CommandLine& line, const std::string& text);
/// A remark on standard error, unless --quiet.
void remark(const CommandLine& line, const std::string& text);

/// Text of others (names, details) made harmless for a terminal: control and direction characters become '?'.
std::string plain(std::string_view text);

QString toQString(std::string_view text);
/// A 64-bit number: exact as a JSON number up to 2^53.
QJsonValue jsonNumber(std::uint64_t value);

/// A point in time, in seconds since 1970, as ISO 8601 in UTC.
std::string timeText(std::uint64_t seconds);

QJsonObject jsonOf(const release::TorrentFile& torrent);
QJsonObject jsonOf(const control::UpdateLine& line);
QJsonObject jsonOf(const control::DeviceLine& device);
QJsonObject jsonOf(const control::StatusReply& status);
QJsonObject jsonOf(const control::Event& event);
QJsonObject jsonOf(const nat::PortMapState& state);

} // namespace starling::cli
