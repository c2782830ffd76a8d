// SPDX-License-Identifier: Apache-2.0
/// `starling why`: why a device stands where it does, as the window's Why tab says it.
#include "ask_agent.h"
#include "fleet_picture.h"
#include "model/why_text.h"

#include <QJsonArray>

namespace starling::cli {

namespace {

QJsonValue jsonAge(const std::optional<Duration>& age)
{
    return age
        ? QJsonValue(static_cast<qint64>(std::chrono::duration_cast<std::chrono::seconds>(*age).count()))
        : QJsonValue();
}

void putNamed(QJsonObject& object, const trust::Revision& revision, const char* epoch, const char* version)
{
    object.insert(QLatin1String(epoch), jsonNumber(revision.epoch));
    object.insert(QLatin1String(version), jsonNumber(revision.version));
}

QJsonObject reasonJson(const fleetview::Reason& reason, const console::WhyText& text)
{
    QJsonObject object{{QStringLiteral("uri"), toQString(reason.uri.text())},
                       {QStringLiteral("state"), toQString(fleetview::standingName(reason.standing))},
                       {QStringLiteral("cause"), toQString(fleetview::causeName(reason.cause))},
                       {QStringLiteral("because"), text.because},
                       {QStringLiteral("proof"), text.proof},
                       {QStringLiteral("next"), text.next}};
    putNamed(object, reason.newest, "newest_epoch", "newest_version");
    if (reason.entry) {
        putNamed(object, reason.entry->revision, "epoch", "version");
        object.insert(QStringLiteral("phase"), toQString(trust::phaseName(reason.entry->phase)));
        if (const auto code = errcOf(reason.entry->code))
            object.insert(QStringLiteral("code"), toQString(codeName(*code)));
    }
    return object;
}

void printWhy(const fleetview::Device& device, const fleetview::Why& why,
              const std::vector<console::WhyText>& texts, const QStringList& remarks)
{
    QJsonArray resources, others;
    for (std::size_t i = 0; i < why.reasons.size(); ++i)
        resources.append(reasonJson(why.reasons[i], texts[i]));
    for (const QString& remark : remarks)
        others.append(remark);
    printJson({{QStringLiteral("node"), toQString(device.node.hex())},
               {QStringLiteral("name"), toQString(device.name)},
               {QStringLiteral("state"), toQString(fleetview::standingName(why.standing))},
               {QStringLiteral("sequence"), jsonNumber(why.sequence)},
               {QStringLiteral("age_s"), jsonAge(why.age)},
               {QStringLiteral("resources"), resources},
               {QStringLiteral("remarks"), others}});
}

Result<Exit> why(const CommandLine& line, const std::string& named)
{
    const auto seen = pictureOfFleet(line);
    if (!seen)
        return tl::unexpected<Error>(seen.error());
    const fleetview::Picture& picture = *seen->picture;
    const auto device = fleetview::deviceNamed(picture, named);
    if (!device)
        return fail(Error(device.error()), "why");
    if (!seen->isObserver)
        remark(line, "Note: " + std::string(kNoObserver) + ".");
    const fleetview::Why why = fleetview::whyOf(picture, **device);
    const auto texts = console::whyTextOf(why, picture.at);
    const QStringList remarks = console::whyRemarksOf(why);
    if (line.json)
        printWhy(**device, why, texts, remarks);
    const auto words = [](const QString& text) { return plain(text.toStdString()); };
    say(line,
        plain((*device)->name) + "  " + (*device)->node.shortHex() + "  "
            + words(console::stateWord(why.standing)));
    for (const console::WhyText& text : texts) {
        say(line, words(text.resource) + "  " + words(text.state));
        say(line, "  because  " + words(text.because));
        say(line, "  proof    " + words(text.proof));
        say(line, "  next     " + words(text.next));
    }
    for (const QString& each : remarks)
        say(line, "also       " + words(each));
    return Exit::Ok;
}

} // namespace

void addWhyCommand(CLI::App& app, CommandLine& line)
{
    auto device = std::make_shared<std::string>();
    CLI::App* command = addCommand(app, line, "why", "Say why a device stands where it does",
                                   "  starling why gateway-7\n  starling why 5f0c21aa --json",
                                   [&line, device] { return why(line, *device); });
    command->add_option("DEVICE", *device, "Its name, its id, or the first digits of that")->required();
}

} // namespace starling::cli
