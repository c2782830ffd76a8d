// SPDX-License-Identifier: Apache-2.0
/// `starling audit list|verify`: what this user signed, pushed, admitted and made.
#include "note.h"
#include "report.h"

#include <QDateTime>
#include <QJsonArray>

namespace starling::cli {

namespace {

struct AuditOptions
{
    std::string file, act, head;
};

console::AuditLog logOf(const AuditOptions& options)
{
    return options.file.empty() ? console::AuditLog() : console::AuditLog(options.file);
}

std::string timeOf(const console::AuditEntry& entry)
{
    return QDateTime::fromSecsSinceEpoch(entry.at.time_since_epoch().count(), Qt::UTC)
        .toString(QStringLiteral("yyyy-MM-dd HH:mm:ss"))
        .toStdString();
}

Result<Exit> list(const CommandLine& line, const AuditOptions& options)
{
    const auto trail = logOf(options).read();
    if (!trail)
        return tl::unexpected<Error>(trail.error());
    QJsonArray entries;
    std::size_t shown = 0;
    for (const console::AuditLine& each : trail->lines) {
        const console::AuditEntry& entry = each.entry;
        if (!options.act.empty() && entry.act != options.act)
            continue;
        ++shown;
        entries.append(console::jsonOf(each));
        say(line,
            plain(timeOf(entry) + "  " + entry.who + "  " + entry.act
                  + (entry.outcome == "ok" ? "" : " (" + entry.outcome + ")") + "  " + entry.scope
                  + (entry.detail.empty() ? "" : "  " + entry.detail)));
    }
    if (line.json)
        printJson({{QStringLiteral("entries"), entries},
                   {QStringLiteral("file"), toQString(logOf(options).file().string())},
                   {QStringLiteral("bad_lines"), jsonNumber(trail->badLines)}});
    if (!trail->isGood())
        remark(line, "Note: " + plain(console::verdictOf(*trail)) + " (starling audit verify)");
    if (shown == 0)
        say(line, "No entry.");
    return shown == 0 ? Exit::NothingToDo : Exit::Ok;
}

Result<Exit> verify(const CommandLine& line, const AuditOptions& options)
{
    const auto head = Digest::fromHex(options.head);
    if (!options.head.empty() && !head)
        return fail(Errc::Usage, plain("--head: '" + options.head + "' has not 64 hexadecimal digits"));
    const auto trail = logOf(options).read();
    if (!trail)
        return tl::unexpected<Error>(trail.error());
    const bool hasHead = !head
        || std::any_of(trail->lines.begin(), trail->lines.end(),
                       [&](const console::AuditLine& each) { return each.hash == *head; });
    QJsonArray bad;
    for (const console::BadAuditLine& each : trail->bad) {
        bad.append(QJsonObject{{QStringLiteral("line"), jsonNumber(each.line)},
                               {QStringLiteral("code"), toQString(codeName(each.error.code))},
                               {QStringLiteral("message"), toQString(each.error.context)}});
        say(line, "Bad line    " + std::to_string(each.line) + ": " + plain(each.error.context));
    }
    if (line.json)
        printJson({{QStringLiteral("good"), trail->isGood() && hasHead},
                   {QStringLiteral("entries"), jsonNumber(trail->lines.size())},
                   {QStringLiteral("head"), toQString(trail->head.hex())},
                   {QStringLiteral("bad"), bad},
                   {QStringLiteral("bad_lines"), jsonNumber(trail->badLines)}});
    say(line, (trail->isGood() ? "Good        " : "Bad         ") + plain(console::verdictOf(*trail)));
    if (!hasHead)
        say(line,
            "Missing     no line has the hash " + options.head
                + ": the end was taken off, or all was made anew");
    say(line, "Head        " + trail->head.hex());
    return trail->isGood() && hasHead ? Exit::Ok : Exit::BadSignature;
}

} // namespace

void note(const CommandLine& line, console::Act act, const std::string& scope, const std::string& detail,
          std::optional<Errc> failure)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (const auto checked = console::AuditLog().checkClock(now); !checked)
        remark(line, plain("Note: " + toString(checked.error())));
    if (const auto noted = console::AuditLog().record(act, scope, detail, failure); !noted)
        remark(line, plain("Note: not in the audit log: " + toString(noted.error())));
}

void addAuditCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.add_subcommand("audit", "What you have signed, pushed, admitted and made")
                          ->require_subcommand(1)
                          ->fallthrough();
    auto options = std::make_shared<AuditOptions>();
    CLI::App* listing = addCommand(*group, line, "list", "List the entries of the audit log",
                                   "  starling audit list\n  starling audit list --act release-pushed --json",
                                   [&line, options] { return list(line, *options); });
    listing->add_option("--file", options->file, "Another log than your own");
    listing->add_option("--act", options->act, "Only entries of this act, as release-signed");
    CLI::App* verifying =
        addCommand(*group, line, "verify", "Verify that each entry follows the one before",
                   "  starling audit verify\n  starling audit verify --head 9f3c…64 digits…",
                   [&line, options] { return verify(line, *options); });
    verifying->add_option("--file", options->file, "Another log than your own");
    verifying->add_option("--head", options->head,
                          "The hash that an earlier verification showed: it must be in the log still");
}

} // namespace starling::cli
