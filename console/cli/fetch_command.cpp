// SPDX-License-Identifier: Apache-2.0
/// `starling device fetch`: asks a fleet that is told in sums for some of its signed receipts. And what other
/// commands say of sums.
#include "fetch_command.h"
#include "ask_agent.h"
#include "model/intake.h"

#include <charconv>

namespace starling::cli {

namespace {

struct FetchOptions
{
    std::string uri, version, phase, device;
    std::optional<std::string> site;
    std::uint32_t limit = 256; ///< guess: what one batch of receipts carries
};

bool readNumber(std::string_view text, std::uint64_t& number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number <= trust::Revision::kMaxVersion;
}

/// "241" or "1:2"
Result<trust::Revision> revisionOf(std::string_view text)
{
    trust::Revision revision;
    const auto colon = text.find(':');
    const bool hasEpoch = colon != std::string_view::npos;
    if ((hasEpoch && !readNumber(text.substr(0, colon), revision.epoch))
        || !readNumber(hasEpoch ? text.substr(colon + 1) : text, revision.version))
        return fail(Errc::Usage, "--of: a version is wanted, like 241 or 1:2");
    return revision;
}

Result<trust::ReceiptAsk> askOf(const FetchOptions& options)
{
    trust::ReceiptAsk ask{1, options.limit};
    if (!options.uri.empty()) {
        auto uri = ResourceUri::parse(options.uri);
        if (!uri)
            return tl::unexpected(std::move(uri.error()));
        ask.uri = std::move(*uri);
    }
    if (!options.version.empty()) {
        const auto revision = revisionOf(options.version);
        if (!revision)
            return tl::unexpected<Error>(revision.error());
        ask.revision = *revision;
    }
    if (!options.phase.empty()) {
        ask.phase = trust::phaseNamed(options.phase);
        if (!ask.phase)
            return fail(Errc::Usage, "--phase: no phase is called '" + options.phase + "'");
    }
    if (!options.device.empty()) {
        const auto device = NodeId::fromHex(options.device);
        if (!device)
            return fail(Errc::Usage, "--device: an id has 64 hexadecimal digits");
        ask.device = *device;
    }
    ask.site = options.site;
    return ask;
}

Result<Exit> fetch(const CommandLine& line, const FetchOptions& options)
{
    auto ask = askOf(options);
    if (!ask)
        return fail(std::move(ask.error()), "device fetch");
    const auto reply = askAgent<control::FetchReply>(line, control::FetchRequest{std::move(*ask)});
    if (!reply)
        return fail(Error(reply.error()), "device fetch");
    if (line.json)
        printJson({{QStringLiteral("limit"), static_cast<qint64>(options.limit)},
                   {QStringLiteral("valid_s"), jsonNumber(reply->validSeconds)}});
    say(line,
        "Asked. Devices answer within seconds, at most " + std::to_string(options.limit)
            + " of those that were not heard since they changed: starling device list");
    return Exit::Ok;
}

} // namespace

std::optional<fleetview::Hints> hintsFor(const CommandLine& line)
{
    const auto reply = askAgent<control::HintsReply>(line, control::HintsRequest{});
    return reply ? console::hintsOf(*reply) : std::nullopt;
}

void addFetchCommand(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<FetchOptions>();
    CLI::App* command = addCommand(group, line, "fetch",
                                   "Ask a fleet that is told in sums for signed receipts of some devices",
                                   "  starling device fetch --uri fw/gateway --of 241 --phase failed\n"
                                   "  starling device fetch --site Rotterdam --limit 50",
                                   [&line, options] { return fetch(line, *options); });
    command->add_option("--uri", options->uri, "Of devices that tell of this resource");
    command->add_option("--of", options->version, "In this version of it, as 241 or 1:2");
    command->add_option("--phase", options->phase,
                        "In this phase: healthy, failed, rolled-back, downloading …");
    command->add_option("--site", options->site, "Of devices with this label 'site'; '' for those without");
    command->add_option("--device", options->device, "Of one device: its id, 64 hexadecimal digits");
    command->add_option("--limit", options->limit, "How many may answer")
        ->check(CLI::Range(1u, trust::ReceiptAsk::kMaxLimit));
}

} // namespace starling::cli
