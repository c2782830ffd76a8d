// SPDX-License-Identifier: Apache-2.0
/// How devices come into a fleet: `starling device request` and `admit`, `starling token create`.
#include "control/client.h"
#include "enrol/certificate.h"
#include "enrol/fingerprint.h"
#include "key_commands.h"
#include "node/config.h"
#include "node/disk.h"
#include "node/identity.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

#include <QJsonArray>
#include <QSysInfo>

namespace starling::cli {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

// --- device request

struct RequestOptions
{
    std::string file, root, name;
    std::string key = node::AgentConfig().key.string();
    std::vector<std::string> labels;
};

Result<Exit> requestAdmission(const CommandLine& line, const RequestOptions& options)
{
    auto trust = readRoot(options.root);
    if (!trust)
        return fail(std::move(trust.error()), "device request");
    trust::JoinRequest request;
    request.name = options.name.empty() ? QSysInfo::machineHostName().toStdString() : options.name;
    auto labels = parseLabels(options.labels);
    if (!labels)
        return tl::unexpected<Error>(labels.error());
    request.labels = std::move(*labels);
    // Before a key is made: what nobody could admit is not asked for.
    request.linkKey = LinkKey(std::array<std::byte, LinkKey::kSize>{std::byte{1}});
    if (auto usable = enrol::requireUsable(request.certificate(0)); !usable)
        return fail(Errc::Usage, "device request: " + usable.error().context);
    std::error_code error;
    const bool isNew = !fs::exists(fs::symlink_status(options.key, error));
    auto key = node::loadOrMakeDeviceKey(options.key);
    if (!key)
        return fail(std::move(key.error()), "device request");
    request.node = *NodeId::fromBytes(key->id().bytes());
    request.linkKey = crypto::LinkKeyPair::of(*key).publicKey();
    if (auto written =
            node::writeFile(options.file, request.seal(trust->fleet(), *key), node::FileMode::Public);
        !written)
        return fail(std::move(written.error()), "device request");
    const std::string words = enrol::fingerprintOf(request.node);
    if (line.json)
        printJson({{QStringLiteral("file"), toQString(options.file)},
                   {QStringLiteral("node"), toQString(request.node.hex())},
                   {QStringLiteral("name"), toQString(request.name)},
                   {QStringLiteral("words"), toQString(words)},
                   {QStringLiteral("fleet"), toQString(trust->fleet().hex())}});
    say(line,
        plain("Device      " + request.name + "  " + request.node.hex() + "\nKey         " + options.key
              + (isNew ? "  (made now; it never leaves this device)" : "")));
    say(line, "Words       " + words + "\n            whoever admits it must see the same");
    say(line,
        plain("Written     " + options.file + "  (admit it: starling device admit " + options.file
              + " --root root.envelope --key ADMITKEY)"));
    return Exit::Ok;
}

// --- device admit

constexpr unsigned kMaxDays = 3'650; ///< guess: longer than devices last

struct AdmitOptions
{
    std::string what, root, output;
    std::vector<std::string> keys;
    unsigned days = 0; ///< 0: for good
    bool yes = false;
    PassphraseSource passphrase;
};

/// Of the devices that wait at the agent, the one with these words or this NodeId.
Result<trust::JoinRequest> findPending(const CommandLine& line, const std::string& what, const FleetId& fleet)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(5s));
    if (!agent)
        return fail(std::move(agent.error()), what + " is no file, and devices that wait are at an agent");
    auto pending = agent->ask<control::PendingReply>(control::PendingRequest{}, line.timeout(10s));
    if (!pending)
        return tl::unexpected<Error>(pending.error());
    const std::string words = enrol::normalFingerprint(what);
    for (const control::PendingLine& device : pending->devices) {
        auto request = trust::openJoinRequest(device.request, fleet);
        if (request && (request->node.hex() == what || enrol::fingerprintOf(request->node) == words))
            return request;
    }
    return fail(Errc::NotFound, "no device waits at this agent under '" + what + "'");
}

/// When a certificate made now for so many days is over.
std::optional<std::uint64_t> endAfter(unsigned days)
{
    if (days == 0)
        return std::nullopt;
    const auto end =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + std::chrono::days(days);
    return static_cast<std::uint64_t>(end.time_since_epoch().count());
}

/// The certificate to add signatures to: the one in `file`, if it grants the same, or a new one. Whoever
/// signs second does so on another day, and signs the end that the first one named.
Result<trust::Envelope> certificateFor(const trust::JoinRequest& request, const trust::RootDocument& root,
                                       const std::string& file, unsigned days)
{
    auto envelope = enrol::grant(request, root, endAfter(days));
    std::error_code error;
    if (!envelope || file.empty() || !fs::exists(file, error))
        return envelope;
    auto bytes = node::readFile(file, trust::kMaxRootBytes);
    if (!bytes)
        return tl::unexpected<Error>(bytes.error());
    auto held = trust::Envelope::parse(*bytes);
    const auto parsed = held ? trust::Certificate::parse(held->payload) : fail(Errc::Malformed, file);
    if (parsed && parsed->notAfter.has_value() == (days != 0))
        envelope = enrol::grant(request, root, parsed->notAfter);
    if (!held || held->kind != trust::Kind::Admit || !envelope || held->payload != envelope->payload)
        return fail(Errc::AlreadyExists,
                    file + " is not the certificate of this device with these words: name another with -o");
    return held;
}

void describe(const CommandLine& line, const trust::JoinRequest& request)
{
    say(line, plain("Device      " + request.name + "  " + request.node.hex()));
    for (const auto& [name, value] : request.labels)
        say(line, plain("Label       " + name + " = " + value));
    say(line, "Words       " + enrol::fingerprintOf(request.node));
    if (request.renews)
        say(line, "Renews      a certificate that ends " + timeText(*request.renews));
}

Status signCertificate(const AdmitOptions& options, const trust::TrustSet& trust,
                       trust::Envelope& certificate)
{
    for (const std::string& file : options.keys) {
        auto key = openKey(file, options.passphrase);
        if (!key)
            return tl::unexpected<Error>(key.error());
        if (!trust.root().admit.keys.contains(key->id()))
            return fail(Errc::WrongScope,
                        "key " + key->id().shortHex() + " may not admit devices; nothing was written");
        certificate.sign(trust.fleet(), *key);
    }
    return {};
}

Status handOver(const CommandLine& line, const Bytes& certificate)
{
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(5s));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    auto taken = agent->ask<control::AdmitReply>(control::AdmitRequest{certificate}, line.timeout(10s));
    if (!taken)
        return tl::unexpected<Error>(taken.error());
    return {};
}

Result<Exit> admitDevice(const CommandLine& line, const AdmitOptions& options)
{
    auto trust = readRoot(options.root);
    if (!trust)
        return fail(std::move(trust.error()), "device admit");
    std::error_code error;
    const bool isFile = fs::is_regular_file(options.what, error);
    auto request = [&]() -> Result<trust::JoinRequest> {
        if (!isFile)
            return findPending(line, options.what, trust->fleet());
        auto bytes = node::readFile(options.what, trust::kMaxJoinBytes);
        if (!bytes)
            return tl::unexpected<Error>(bytes.error());
        return trust::openJoinRequest(*bytes, trust->fleet());
    }();
    if (!request)
        return fail(std::move(request.error()), "device admit");
    const std::string output = options.output.empty() && isFile
        ? fs::path(options.what).replace_extension(".admit").string()
        : options.output;
    auto certificate = certificateFor(*request, trust->root(), output, options.days);
    if (!certificate)
        return fail(std::move(certificate.error()), "device admit");
    describe(line, *request);
    const auto end = trust::Certificate::parse(certificate->payload)->notAfter;
    if (end)
        say(line, "Ends        " + timeText(*end) + "; the device must be admitted anew before");
    if (!options.yes) {
        const auto isSame = confirm("Does the device show the same words? Then it is admitted.");
        if (!isSame)
            return fail(isSame.error(), "device admit");
        if (!*isSame)
            return fail(Errc::Cancelled, "nothing was signed");
    }
    if (auto done = signCertificate(options, *trust, *certificate); !done)
        return fail(std::move(done.error()), "device admit");
    const Bytes bytes = certificate->serialize();
    const auto admitted = trust->verifyAdmit(*certificate);
    if (!admitted && admitted.error().code != Errc::BelowThreshold)
        return fail(admitted.error(), "device admit");
    if (!output.empty())
        if (auto written = node::writeFile(output, bytes, node::FileMode::Public); !written)
            return fail(std::move(written.error()), "device admit");
    std::string with;
    for (const auto& [key, signature] : certificate->signatures)
        with += (with.empty() ? "key " : ", key ") + key.hex();
    note(line, console::Act::DeviceAdmitted, request->name + " " + request->node.hex(), with);
    if (!isFile && admitted)
        if (auto handed = handOver(line, bytes); !handed)
            return fail(std::move(handed.error()), "device admit");
    if (line.json)
        printJson({{QStringLiteral("node"), toQString(request->node.hex())},
                   {QStringLiteral("name"), toQString(request->name)},
                   {QStringLiteral("words"), toQString(enrol::fingerprintOf(request->node))},
                   {QStringLiteral("file"), output.empty() ? QJsonValue() : QJsonValue(toQString(output))},
                   {QStringLiteral("not_after"), end ? jsonNumber(*end) : QJsonValue()},
                   {QStringLiteral("threshold_reached"), admitted.has_value()}});
    say(line,
        plain("Signed      with " + std::to_string(certificate->signatures.size()) + " of "
              + std::to_string(trust->root().admit.threshold) + " signature(s) that are needed"
              + (output.empty() ? "" : ", in " + output)
              + (!isFile && admitted ? "; the device gets it when it asks next" : "")));
    if (!admitted && output.empty())
        return fail(Errc::BelowThreshold,
                    "device admit: others must sign, too; collect signatures with -o FILE");
    return admitted ? Exit::Ok : Exit::Partial;
}

// --- token create

struct TokenOptions
{
    std::string address;
    unsigned hours = 24;
    bool isForConsole = false;
};

Result<Exit> createToken(const CommandLine& line, const TokenOptions& options)
{
    control::TokenRequest request;
    request.validSeconds = options.hours * std::uint64_t{3'600};
    request.isForConsole = options.isForConsole;
    if (!options.address.empty()) {
        auto address = node::parseEndpoint(options.address);
        if (!address)
            return fail(Errc::Usage, "--address: " + address.error().context);
        request.address = *address;
    }
    auto agent = control::Client::connect(toQString(line.agent), line.timeout(5s));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    auto reply = agent->ask<control::TokenReply>(request, line.timeout(10s));
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    if (options.isForConsole && !reply->isForConsole)
        return fail(Errc::UnsupportedFormat,
                    "--console: the agent is of an older version, whose tokens are for any device");
    const std::string whom = options.isForConsole ? "one device or console" : "one device";
    note(line, console::Act::TokenIssued, whom, "agent " + line.agent);
    if (line.json)
        printJson({{QStringLiteral("token"), toQString(reply->token)},
                   {QStringLiteral("expires"), jsonNumber(reply->expires)},
                   {QStringLiteral("console"), reply->isForConsole}});
    say(line, plain(reply->token));
    remark(line,
           "For " + whom + ", which can join with it within " + std::to_string(options.hours)
               + " h: put this line into the file that its 'token_file' names.");
    return Exit::Ok;
}

} // namespace

void addDeviceCommands(CLI::App& app, CommandLine& line)
{
    CLI::App* group = app.get_subcommand("device");
    auto request = std::make_shared<RequestOptions>();
    CLI::App* requesting =
        addCommand(*group, line, "request", "On a device: make its key, and a request to be admitted",
                   "  starling device request gateway-7.join --root root.envelope --name gateway-7",
                   [&line, request] { return requestAdmission(line, *request); });
    requesting->add_option("FILE", request->file, "The request to write")->required();
    requesting->add_option("--root", request->root, "The fleet's root.envelope")->required();
    requesting->add_option("--key", request->key, "The device's key; made if it is not there")
        ->capture_default_str();
    requesting->add_option("--name", request->name, "The device's name (default: the host's)");
    requesting->add_option("--label", request->labels, "name=value labels for its certificate");

    auto admit = std::make_shared<AdmitOptions>();
    CLI::App* admitting =
        addCommand(*group, line, "admit", "Sign the certificate that a device asks for",
                   "  starling device admit gateway-7.join --root harbour/root.envelope --key "
                   "harbour/keys/admit-1.key\n"
                   "  starling device admit otter-amber-… --root harbour/root.envelope --key "
                   "harbour/keys/admit-1.key",
                   [&line, admit] { return admitDevice(line, *admit); });
    admitting
        ->add_option("DEVICE", admit->what,
                     "A request file; or the words or NodeId of a device that waits at the agent")
        ->required();
    admitting->add_option("--root", admit->root, "The fleet's root.envelope")->required();
    admitting->add_option("--key", admit->keys, "Admit key file; may be given several times")->required();
    admitting->add_option("-o,--output", admit->output,
                          "The certificate to write, or to add signatures to (default: FILE with .admit)");
    admitting->add_option("--days", admit->days, "How long the certificate is good (default: for good)")
        ->check(CLI::Range(1u, kMaxDays));
    admitting->add_flag("--yes", admit->yes, "Do not ask: the words were compared");
    admit->passphrase.addToOpening(*admitting);

    CLI::App* tokens = app.add_subcommand("token", "Join tokens: lines that let one device in each")
                           ->require_subcommand(1)
                           ->fallthrough();
    auto token = std::make_shared<TokenOptions>();
    CLI::App* creating = addCommand(*tokens, line, "create", "Have the agent issue a join token",
                                    "  starling token create --address 192.0.2.7:7891 --hours 2",
                                    [&line, token] { return createToken(line, *token); });
    creating->add_option("--address", token->address,
                         "Where devices reach this agent (default: where it listens)");
    creating->add_option("--hours", token->hours, "How long it is good")
        ->check(CLI::Range(1u, 24u))
        ->capture_default_str();
    creating->add_flag("--console", token->isForConsole,
                       "An agent with an admit key lets in a console for it, too (role=console), which is "
                       "neither updated nor counted");
}

} // namespace starling::cli
