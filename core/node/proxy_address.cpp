// SPDX-License-Identifier: Apache-2.0
#include "node/proxy_address.h"

#include "node/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace starling::node {

namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kMaxName = 253; // RFC 1035 section 2.3.4, as text

/// RFC 3986 section 2.1. Nothing if there is what cannot be in a header, or no number after a %.
std::optional<std::string> decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = static_cast<unsigned char>(text[i]);
        if (text[i] == '%') {
            const std::string_view digits = text.substr(i + 1, 2);
            const auto [end, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
            if (digits.size() != 2 || error != std::errc() || end != digits.data() + digits.size())
                return std::nullopt;
            i += 2;
        }
        if (value < 0x20 || value == 0x7f)
            return std::nullopt;
        out += static_cast<char>(value);
    }
    return out;
}

/// "user:password" as RFC 7617 has it: no colon in the user's name.
std::optional<std::string> loginOf(std::string_view userInfo)
{
    const auto colon = userInfo.find(':');
    const auto user = decoded(userInfo.substr(0, colon));
    const auto password = decoded(colon == userInfo.npos ? std::string_view() : userInfo.substr(colon + 1));
    if (!user || !password || user->empty() || user->find(':') != user->npos
        || user->size() + password->size() > ProxyAddress::kMaxLogin)
        return std::nullopt;
    return *user + ":" + *password;
}

Result<ProxyAddress> parseHost(std::string_view rest)
{
    const auto wrong = [&](const char* what) {
        return fail(Errc::ConfigInvalid,
                    std::string(what) + ", like http://gateway:3128, not '" + std::string(kScheme)
                        + std::string(rest) + "'");
    };
    if (rest.ends_with('/'))
        rest.remove_suffix(1);
    if (rest.starts_with('[')) {
        const auto address = parseEndpoint(rest);
        if (!address || address->port == 0)
            return wrong("an address and a port are wanted");
        return ProxyAddress{std::string(rest.substr(1, rest.find(']') - 1)), address->port};
    }
    const auto colon = rest.find(':');
    const std::string_view host = rest.substr(0, colon);
    const std::string_view digits = colon == rest.npos ? std::string_view() : rest.substr(colon + 1);
    const bool isName =
        !host.empty() && host.size() <= kMaxName && std::all_of(host.begin(), host.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
                || c == '-';
        });
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (!isName || digits.empty() || error != std::errc() || end != digits.data() + digits.size() || port == 0
        || port > UINT16_MAX)
        return wrong("a name or an address, and a port are wanted");
    return ProxyAddress{std::string(host), static_cast<std::uint16_t>(port)};
}

/// An address or a network; nothing if it is neither, as names are.
std::optional<Subnet> subnetOf(std::string_view text)
{
    const auto slash = text.find('/');
    std::string host(text.substr(0, slash));
    const bool isIpv6 = host.find(':') != host.npos && !host.starts_with('[');
    const auto endpoint = parseEndpoint(isIpv6 ? "[" + host + "]:1" : host + ":1");
    if (!endpoint)
        return std::nullopt;
    const unsigned before = endpoint->isIpv4() ? 96 : 0;
    unsigned bits = 128 - before;
    if (slash != text.npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()
            || bits > 128 - before)
            return std::nullopt;
    }
    return Subnet{*endpoint, before + bits};
}

std::string variable(const char* lower, const char* upper)
{
    for (const char* name : {lower, upper})
        if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
            return value;
    return {};
}

} // namespace

bool ProxyAddress::isFor(const Endpoint& endpoint) const
{
    return std::none_of(direct.begin(), direct.end(),
                        [&](const Subnet& subnet) { return subnet.contains(endpoint); });
}

std::string toString(const ProxyAddress& proxy)
{
    const bool isIpv6 = proxy.host.find(':') != std::string::npos;
    return "http://" + (isIpv6 ? "[" + proxy.host + "]" : proxy.host) + ":" + std::to_string(proxy.port);
}

Result<ProxyAddress> parseProxy(std::string_view text)
{
    const auto at = text.rfind('@'); // what is before it is shown nowhere, whatever is wrong
    if (!text.starts_with(kScheme))
        return fail(Errc::ConfigInvalid,
                    "an HTTP proxy is wanted, like http://gateway:3128"
                        + (at == text.npos ? ", not '" + std::string(text) + "'" : std::string()));
    if (at == text.npos)
        return parseHost(text.substr(kScheme.size()));
    const auto login = loginOf(text.substr(kScheme.size(), at - kScheme.size()));
    if (!login)
        return fail(Errc::ConfigInvalid,
                    "a login at the proxy is USER:PASSWORD, of at most "
                        + std::to_string(ProxyAddress::kMaxLogin)
                        + " bytes; what has a meaning in addresses is written as %XX");
    auto proxy = parseHost(text.substr(at + 1));
    if (proxy)
        proxy->login = *login;
    return proxy;
}

Result<std::optional<ProxyAddress>> proxyOf(std::string_view httpsProxy, std::string_view noProxy)
{
    if (httpsProxy.empty())
        return std::optional<ProxyAddress>();
    auto proxy = parseProxy(httpsProxy);
    if (!proxy)
        return fail(Errc::ConfigInvalid,
                    "HTTPS_PROXY: " + proxy.error().context + "; proxy = none in [network] does without");
    while (!noProxy.empty() && proxy->direct.size() < ProxyAddress::kMaxDirect) {
        const auto comma = noProxy.find(',');
        std::string_view item = noProxy.substr(0, comma);
        noProxy = comma == noProxy.npos ? std::string_view() : noProxy.substr(comma + 1);
        while (item.starts_with(' '))
            item.remove_prefix(1);
        while (item.ends_with(' '))
            item.remove_suffix(1);
        if (item == "*")
            return std::optional<ProxyAddress>();
        if (const auto subnet = subnetOf(item))
            proxy->direct.push_back(*subnet);
    }
    return std::optional(std::move(*proxy));
}

Result<std::optional<ProxyAddress>> environmentProxy()
{
    return proxyOf(variable("https_proxy", "HTTPS_PROXY"), variable("no_proxy", "NO_PROXY"));
}

} // namespace starling::node
