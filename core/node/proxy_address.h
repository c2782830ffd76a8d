// SPDX-License-Identifier: Apache-2.0
/// The HTTP proxy that opens TCP connections to other agents (CONNECT), from the configuration or from the
/// variables that other programs follow, HTTPS_PROXY and NO_PROXY. Values only.
#pragma once

#include "node/source_choice.h"

#include <string>
#include <vector>

namespace starling::node {

struct ProxyAddress
{
    static constexpr std::size_t kMaxLogin = 512; ///< guess; RFC 7617 has no bound
    static constexpr std::size_t kMaxDirect = 64; ///< entries of NO_PROXY; guess

    std::string host; ///< a name, or an address; IPv6 without brackets
    std::uint16_t port = 0;
    std::string login = {}; ///< "user:password" for the proxy alone (RFC 7617); empty: none. Never shown
    std::vector<Subnet> direct = {}; ///< who is called without it
    bool isFor(const Endpoint& endpoint) const;
    bool operator==(const ProxyAddress&) const = default;
};
/// "http://gateway:3128", without the login.
std::string toString(const ProxyAddress& proxy);

/// "http://gateway:3128", "http://user:password@gateway:3128" (what has a meaning in addresses as %XX) or
/// "http://[2001:db8::1]:3128". ConfigInvalid otherwise, which says nothing of the login.
Result<ProxyAddress> parseProxy(std::string_view text);

/// What HTTPS_PROXY and NO_PROXY say. Of NO_PROXY addresses, networks (192.0.2.0/24) and * count: agents have
/// no names. Nothing if the first is empty; ConfigInvalid if it is not understood.
Result<std::optional<ProxyAddress>> proxyOf(std::string_view httpsProxy, std::string_view noProxy);
/// The same of this process's environment, whose lower-case names go first, as with other programs.
Result<std::optional<ProxyAddress>> environmentProxy();

} // namespace starling::node
