// SPDX-License-Identifier: Apache-2.0
#include "node/config.h"

#include "nat/discovery.h"
#include "node/disk.h"
#include "node/net_address.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace starling::node {

namespace {

constexpr std::size_t kMaxConfigBytes = 64 * 1024;
constexpr std::size_t kMaxNeighbors = 64; ///< guess; membership beyond it is the overlay's to find

using Setter = std::function<Status(AgentConfig&, const std::string&)>;

std::vector<std::string> splitList(const std::string& text)
{
    std::vector<std::string> items;
    std::string item;
    for (const char c : text + ",") {
        if (c == ',' || c == ' ' || c == '\t') {
            if (!item.empty())
                items.push_back(std::exchange(item, {}));
        } else {
            item += c;
        }
    }
    return items;
}

Setter path(std::filesystem::path AgentConfig::*member)
{
    return [member](AgentConfig& config, const std::string& value) -> Status {
        if (!value.starts_with('/'))
            return fail(Errc::ConfigInvalid, "an absolute path is wanted, not '" + value + "'");
        config.*member = value;
        return {};
    };
}

Setter optionalPath(std::filesystem::path AgentConfig::*member)
{
    return [member](AgentConfig& config, const std::string& value) -> Status {
        if (!value.empty())
            return path(member)(config, value);
        (config.*member).clear();
        return {};
    };
}

Setter rate(BytesPerSecond AgentConfig::*member)
{
    return [member](AgentConfig& config, const std::string& value) -> Status {
        auto parsed = parseRate(value);
        if (!parsed)
            return tl::unexpected<Error>(parsed.error());
        config.*member = *parsed;
        return {};
    };
}

template <class Enum> Setter choice(Enum AgentConfig::*member, std::map<std::string, Enum> choices)
{
    return [member, choices](AgentConfig& config, const std::string& value) -> Status {
        const auto found = choices.find(value);
        if (found == choices.end()) {
            std::string known;
            for (const auto& [name, ignored] : choices)
                known += (known.empty() ? "" : ", ") + name;
            return fail(Errc::ConfigInvalid, "'" + value + "' is none of: " + known);
        }
        config.*member = found->second;
        return {};
    };
}

Status setListen(AgentConfig& config, const std::string& value)
{
    auto endpoint = parseEndpoint(value);
    if (!endpoint)
        return tl::unexpected<Error>(endpoint.error());
    config.listen = *endpoint;
    return {};
}

/// `what`, of which there may be `most`.
Status setEndpoints(std::vector<Endpoint>& endpoints, const std::string& value, const std::string& what,
                    std::size_t most)
{
    endpoints.clear();
    for (const std::string& item : splitList(value)) {
        auto endpoint = parseEndpoint(item);
        if (!endpoint)
            return tl::unexpected<Error>(endpoint.error());
        if (endpoint->port == 0)
            return fail(Errc::ConfigInvalid, "a " + what + " needs a port: '" + item + "'");
        endpoints.push_back(*endpoint);
    }
    if (endpoints.size() > most)
        return fail(Errc::ConfigInvalid, "more than " + std::to_string(most) + " " + what + "s");
    return {};
}

Status setNeighbors(AgentConfig& config, const std::string& value)
{
    return setEndpoints(config.neighbors, value, "neighbour", kMaxNeighbors);
}

Status setStunServers(AgentConfig& config, const std::string& value)
{
    return setEndpoints(config.stunServers, value, "STUN server", nat::Discovery::kMaxServers);
}

Status setProxy(AgentConfig& config, const std::string& value)
{
    config.proxy.reset();
    config.isProxyChosen = true;
    if (value.empty() || value == "none")
        return {};
    auto proxy = parseProxy(value);
    if (!proxy)
        return tl::unexpected<Error>(proxy.error());
    config.proxy = std::move(*proxy);
    return {};
}

Status setLabels(AgentConfig& config, const std::string& value)
{
    config.labels.clear();
    for (const std::string& item : splitList(value)) {
        const auto equals = item.find('=');
        if (equals == 0 || equals == std::string::npos)
            return fail(Errc::ConfigInvalid, "labels are name=value pairs, not '" + item + "'");
        config.labels[item.substr(0, equals)] = item.substr(equals + 1);
    }
    return {};
}

Status setPort(AgentConfig& config, const std::string& value)
{
    unsigned port = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error != std::errc() || end != value.data() + value.size() || port > UINT16_MAX)
        return fail(Errc::ConfigInvalid, "a port is 0 to 65535, not '" + value + "'");
    config.swarmPort = static_cast<std::uint16_t>(port);
    return {};
}

Status setQuota(AgentConfig& config, const std::string& value)
{
    auto size = parseByteCount(value);
    if (!size)
        return tl::unexpected<Error>(size.error());
    config.quota = *size;
    return {};
}

Status setContact(AgentConfig& config, const std::string& value)
{
    config.contact.reset();
    if (value.empty())
        return {};
    auto contact = parseJoinContact(value);
    if (!contact)
        return tl::unexpected<Error>(contact.error());
    config.contact = *contact;
    return {};
}

Status setDeviceName(AgentConfig& config, const std::string& value)
{
    config.deviceName = value;
    return {};
}

Status setSumsAbove(AgentConfig& config, const std::string& value)
{
    config.sumsAbove.reset();
    if (value.empty())
        return {};
    std::uint64_t devices = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), devices);
    if (error != std::errc() || end != value.data() + value.size())
        return fail(Errc::ConfigInvalid, "a number of devices is wanted, like 10000, or 0 for never");
    config.sumsAbove = devices;
    return {};
}

Status setPuppet(AgentConfig& config, const std::string& value)
{
    if (value.empty())
        return fail(Errc::ConfigInvalid, "a program is wanted, like puppet or /opt/puppetlabs/bin/puppet");
    config.puppet = value;
    return {};
}

const std::map<std::string, Setter>& setters()
{
    using swarm::Admission;
    static const std::map<std::string, Setter> kSetters{
        {"agent.state", path(&AgentConfig::state)},
        {"agent.control", path(&AgentConfig::control)},
        {"agent.listen", setListen},
        {"agent.neighbours", setNeighbors},
        {"nat.stun", setStunServers},
        {"nat.rendezvous", choice(&AgentConfig::rendezvous, {{"true", true}, {"false", false}})},
        {"nat.relay", choice(&AgentConfig::relay, {{"true", true}, {"false", false}})},
        {"nat.port_mapping",
         choice(&AgentConfig::portMapping, {{"auto", PortMapMode::Auto}, {"off", PortMapMode::Off}})},
        {"network.proxy", setProxy},
        {"agent.network",
         choice(&AgentConfig::network, {{"wan", NetworkProfile::Wan}, {"lan", NetworkProfile::Lan}})},
        {"agent.labels", setLabels},
        {"trust.root", path(&AgentConfig::root)},
        {"trust.key", path(&AgentConfig::key)},
        {"trust.certificate", path(&AgentConfig::certificate)},
        {"enrolment.token_file", optionalPath(&AgentConfig::tokenFile)},
        {"enrolment.contact", setContact},
        {"enrolment.name", setDeviceName},
        {"enrolment.admit_key", optionalPath(&AgentConfig::admitKey)},
        {"trust.subscription", path(&AgentConfig::subscription)},
        {"observer.sums_above", setSumsAbove},
        {"agent.swarm",
         choice(&AgentConfig::admission, {{"members", Admission::Members}, {"open", Admission::Open}})},
        {"swarm.port", setPort},
        {"swarm.dht", choice(&AgentConfig::dht, {{"off", swarm::Dht::Off}, {"fleet", swarm::Dht::Fleet}})},
        {"swarm.upload_limit", rate(&AgentConfig::uploadLimit)},
        {"swarm.download_limit", rate(&AgentConfig::downloadLimit)},
        {"swarm.quota", setQuota},
        {"agent.deploy",
         choice(&AgentConfig::deploy, {{"on", DeployMode::Deploy}, {"none", DeployMode::None}})},
        {"deploy.root", path(&AgentConfig::deviceRoot)},
        {"deploy.puppet", setPuppet},
    };
    return kSetters;
}

} // namespace

Result<Endpoint> parseEndpoint(std::string_view text)
{
    const auto colon = text.rfind(':');
    std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    // RFC 3986 section 3.2.2: without the brackets nobody can tell the port from the address.
    const bool isBracketed = host.starts_with('[') && host.ends_with(']');
    if (isBracketed)
        host = host.substr(1, host.size() - 2);
    const std::string_view portText =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(portText.data(), portText.data() + portText.size(), port);
    QHostAddress address;
    if (portText.empty() || error != std::errc() || end != portText.data() + portText.size()
        || port > UINT16_MAX || isBracketed != (host.find(':') != std::string_view::npos)
        || !address.setAddress(QString::fromUtf8(host.data(), static_cast<qsizetype>(host.size()))))
        return fail(Errc::ConfigInvalid,
                    "an address is wanted, like 192.0.2.7:7891 or [2001:db8::7]:7891, not '"
                        + std::string(text) + "'");
    return fromQt(address, static_cast<quint16>(port));
}

Result<JoinContact> parseJoinContact(std::string_view text)
{
    const auto hash = text.find('#');
    const auto key = LinkKey::fromHex(hash == text.npos ? std::string_view() : text.substr(hash + 1));
    auto endpoint = parseEndpoint(text.substr(0, hash));
    if (!key || !endpoint || endpoint->port == 0)
        return fail(Errc::ConfigInvalid,
                    "an address and a link key are wanted, like 192.0.2.7:7891#<64 hexadecimal digits>, not '"
                        + std::string(text) + "'");
    return JoinContact{*endpoint, *key};
}

Result<AgentConfig> interpretConfig(const IniFile& ini)
{
    AgentConfig config;
    for (const IniEntry& entry : ini.entries()) {
        const std::string where = entry.file + ":" + std::to_string(entry.line) + ": ";
        const auto setter = setters().find(entry.section + "." + entry.key);
        if (setter == setters().end())
            return fail(Errc::ConfigInvalid,
                        where + "unknown key '" + entry.key + "' in section [" + entry.section + "]");
        if (auto set = setter->second(config, entry.value); !set)
            return fail(Errc::ConfigInvalid, where + entry.key + ": " + set.error().context);
    }
    if (config.dht == swarm::Dht::Fleet && config.admission != swarm::Admission::Open)
        return fail(Errc::ConfigInvalid,
                    "dht = fleet in [swarm] is for foreign clients: it needs swarm = open in [agent]");
    return config;
}

Result<AgentConfig> readConfig(const std::filesystem::path& file)
{
    std::vector<std::filesystem::path> files{file};
    const auto dropIns = file.parent_path() / "conf.d";
    std::error_code error;
    for (std::filesystem::directory_iterator at(dropIns, error), end; !error && at != end;
         at.increment(error))
        if (at->path().extension() == ".conf")
            files.push_back(at->path());
    if (error && error != std::errc::no_such_file_or_directory)
        return fail(Errc::Io, "configuration: " + dropIns.string() + ": " + error.message());
    std::sort(files.begin() + 1, files.end());
    IniFile merged;
    for (const auto& each : files) {
        auto bytes = readFile(each, kMaxConfigBytes);
        if (!bytes)
            return fail(std::move(bytes.error()), "configuration");
        auto ini = parseIni(toText(*bytes), each.string());
        if (!ini)
            return fail(std::move(ini.error()), "configuration");
        merged.merge(*ini);
    }
    auto config = interpretConfig(merged);
    if (!config)
        return fail(std::move(config.error()), "configuration");
    if (config->isProxyChosen)
        return config;
    auto proxy = environmentProxy();
    if (!proxy)
        return fail(std::move(proxy.error()), "configuration");
    config->proxy = std::move(*proxy);
    return config;
}

} // namespace starling::node
