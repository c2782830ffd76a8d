// SPDX-License-Identifier: Apache-2.0
#include "words.h"

#include "feed.h"
#include "model/why_text.h"

#include <QLocale>

namespace starling::window {

using fleetview::Mood;
using fleetview::Standing;

namespace {

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(starling::window)
};

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

QString escaped(std::string_view text)
{
    return plain(text, 1'000).toHtmlEscaped();
}

QString line(const QString& label, const QString& text)
{
    return QStringLiteral(
               "<tr><td style='padding:3px 16px 3px 0'><b>%1</b></td><td style='padding:3px 0'>%2</td></tr>")
        .arg(label, text);
}

} // namespace

QString plain(std::string_view text, qsizetype most)
{
    QString shown = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
    for (QChar& c : shown)
        if (c.category() == QChar::Other_Control || c.category() == QChar::Other_Format
            || c.category() == QChar::Separator_Line || c.category() == QChar::Separator_Paragraph)
            c = QLatin1Char('?');
    if (shown.size() > most)
        shown = shown.left(most - 1) + QChar(0x2026);
    return shown;
}

QString plainLines(const std::string& text)
{
    QStringList lines;
    for (const QString& line : QString::fromStdString(text).split(QLatin1Char('\n')))
        lines += plain(line.toStdString(), 1'200);
    return lines.join(QLatin1Char('\n'));
}

QString readingWords(const Reading& reading)
{
    return Words::tr("Reading devices: %1 of %2").arg(number(reading.read), number(reading.of));
}

QString standingWord(Standing standing)
{
    return console::stateWord(standing);
}

QString moodWord(Mood mood)
{
    switch (mood) {
    case Mood::Empty:
        return Words::tr("No devices yet");
    case Mood::Idle:
        return Words::tr("Nothing to do");
    case Mood::Good:
        return Words::tr("All healthy");
    case Mood::OnTrack:
        return Words::tr("On track");
    case Mood::Slow:
        return Words::tr("Slow");
    case Mood::Failing:
        return Words::tr("Failing");
    }
    return {};
}

Standing moodGlyph(Mood mood)
{
    switch (mood) {
    case Mood::Empty:
    case Mood::Idle:
        return Standing::Unknown;
    case Mood::Good:
        return Standing::Healthy;
    case Mood::OnTrack:
        return Standing::Installing;
    case Mood::Slow:
        return Standing::Stalled;
    case Mood::Failing:
        return Standing::Failed;
    }
    return Standing::Unknown;
}

QString verdictOf(const fleetview::Picture& picture)
{
    const std::size_t held = picture.count(Standing::Held) + picture.count(Standing::Unknown);
    const std::size_t eligible = picture.devices.size() - held;
    const std::size_t healthy = picture.count(Standing::Healthy);
    if (picture.devices.empty())
        return Words::tr("Devices report once they are linked to this agent's fleet.");
    if (eligible == 0)
        return Words::tr("%1 of %1 devices have no release that is for them.").arg(number(held));
    QString text = Words::tr("%1 of %2 devices are healthy in the newest release")
                       .arg(number(healthy), number(eligible));
    const std::size_t bad = picture.count(Standing::Failed) + picture.count(Standing::RolledBack);
    const std::size_t underWay = picture.count(Standing::Waiting) + picture.count(Standing::Downloading)
        + picture.count(Standing::Installing);
    if (bad > 0)
        text += Words::tr(", %1 failed or rolled back").arg(number(bad));
    if (picture.count(Standing::Stalled) > 0)
        text += Words::tr(", %1 stalled").arg(number(picture.count(Standing::Stalled)));
    if (underWay > 0)
        text += Words::tr(", %1 under way").arg(number(underWay));
    return text + QLatin1Char('.');
}

QString needWords(const fleetview::Need& need)
{
    const QString release = releaseName(need.uri, need.revision);
    QString text = Words::tr("%1: %n device(s)", nullptr, static_cast<int>(need.devices.size()))
                       .arg(standingWord(need.standing));
    text.replace(QLatin1String("device(s)"),
                 need.devices.size() == 1 ? Words::tr("device") : Words::tr("devices"));
    text += QStringLiteral("  ·  ") + release;
    if (const auto code = errcOf(need.code))
        text += QStringLiteral("  ·  %1 (%2)")
                    .arg(console::codeText(*code), QString::fromStdString(codeName(*code)));
    return text;
}

QString phaseWord(trust::Phase phase)
{
    return console::phaseText(phase);
}

QString saysOf(const trust::ReceiptEntry& entry)
{
    QString text = phaseWord(entry.phase);
    if (const auto code = errcOf(entry.code))
        text += QStringLiteral(" · ") + console::codeText(*code) + QStringLiteral(" · ")
            + QString::fromStdString(codeName(*code));
    if (!entry.detail.empty())
        text += QStringLiteral(" · ") + plain(entry.detail);
    return text;
}

QString whyOf(const fleetview::Picture& picture, const fleetview::Device& device)
{
    const fleetview::Why why = fleetview::whyOf(picture, device);
    const auto shown = [](const QString& text) { return escaped(text.toStdString()); };
    QString html;
    for (const console::WhyText& text : console::whyTextOf(why, picture.at))
        html +=
            QStringLiteral("<p><b>%1</b> &nbsp; %2</p><table>%3%4%5</table>")
                .arg(shown(text.resource), shown(text.state), line(Words::tr("because"), shown(text.because)),
                     line(Words::tr("proof"), shown(text.proof)), line(Words::tr("next"), shown(text.next)));
    for (const QString& remark : console::whyRemarksOf(why))
        html += QStringLiteral("<p>%1</p>").arg(shown(Words::tr("Also: %1").arg(remark)));
    return html;
}

QString whyOf(const fleetview::Device& device, UtcTime now)
{
    QString rows = line(Words::tr("Stands"), standingWord(device.standing));
    if (const trust::ReceiptEntry* entry = device.decisiveEntry())
        rows +=
            line(Words::tr("Says"),
                 escaped((releaseName(entry->uri, entry->revision) + QStringLiteral(": ") + saysOf(*entry))
                             .toStdString()));
    rows += line(Words::tr("Proof"),
                 Words::tr("receipt %1, signed by the device and verified by the agent; %2")
                     .arg(device.receipt.sequence)
                     .arg(heardOf(device, now)));
    return QStringLiteral("<table>%1</table>").arg(rows);
}

QString spanOf(std::chrono::seconds span)
{
    return console::spanText(span);
}

QString heardOf(const fleetview::Device& device, UtcTime now)
{
    if (device.heardAt)
        return Words::tr("%1 ago").arg(spanOf(now - *device.heardAt));
    return Words::tr("before this console began");
}

QString releaseName(const ResourceUri& uri, const trust::Revision& revision)
{
    return plain(uri.text() + " " + trust::toString(revision));
}

QString fieldWord(const std::string& field)
{
    if (field == "state")
        return Words::tr("State");
    if (field == "version")
        return Words::tr("Version");
    QString word = plain(field, 40);
    if (!word.isEmpty())
        word[0] = word[0].toUpper();
    return word;
}

QString groupWord(const std::string& field, const std::string& value)
{
    if (value.empty())
        return withoutValue(field);
    const auto standing = field == "state" ? fleetview::standingNamed(value) : std::nullopt;
    return standing ? standingWord(*standing) : plain(value, 60);
}

QString withoutValue(const std::string& field)
{
    return field.empty() ? Words::tr("All devices") : Words::tr("without %1").arg(plain(field, 40));
}

} // namespace starling::window
