// SPDX-License-Identifier: Apache-2.0
/// The machines of core/nat as a program, for the tests that need them in another network or beside another
/// program:
///
///     starling-lab-stun serve ADDRESS:0 [SECOND:0]              until standard input ends
///     starling-lab-stun discover LOCAL:0 SERVER:PORT…
///     starling-lab-stun lifetime LOCAL:0 SERVER:PORT LONGEST-MS PRECISION-MS
///
/// Results are lines of "name value" on standard output.
#include "stun_driver.h"

#include <cstdio>
#include <string>
#include <unistd.h>

using namespace starling;

namespace {

void say(const char* name, std::string_view value)
{
    std::printf("%s %.*s\n", name, static_cast<int>(value.size()), value.data());
}

int failed(const Error& error)
{
    std::fprintf(stderr, "%s\n", toString(error).c_str());
    return 1;
}

int serve(const std::vector<Endpoint>& endpoints)
{
    const auto second = endpoints.size() > 1 ? std::optional(endpoints[1]) : std::nullopt;
    const auto served =
        lab::serveStun(endpoints[0], second, STDIN_FILENO, [](const nat::StunServer::Config& config) {
            say("primary", toString(*config.primary));
            if (config.alternate)
                say("alternate", toString(*config.alternate));
            say("ready", "yes");
            std::fflush(stdout);
        });
    return served ? 0 : failed(served.error());
}

int discover(const std::vector<Endpoint>& endpoints)
{
    const auto found = lab::discover(endpoints[0], {endpoints.begin() + 1, endpoints.end()});
    if (!found)
        return failed(found.error());
    const nat::Prospect prospect = nat::prospectOf(*found);
    say("mapping", nameOf(found->mapping));
    say("filtering", nameOf(found->filtering));
    say("mapped", found->mapped ? toString(*found->mapped) : "none");
    say("port", found->keepsPort ? "kept" : "changed");
    say("answered", std::to_string(found->answered.size()));
    say("prospect", nameOf(prospect));
    say("meaning", meaningOf(prospect));
    return 0;
}

int lifetime(const std::vector<Endpoint>& endpoints, const std::string& longest, const std::string& precision)
{
    using std::chrono::milliseconds;
    nat::LifetimeProbe::Config config;
    config.server = endpoints[1];
    config.longest = milliseconds(std::atol(longest.c_str()));
    config.precision = milliseconds(std::max(std::atol(precision.c_str()), 1L));
    const auto found = lab::measureLifetime(endpoints[0], config);
    if (!found)
        return failed(found.error());
    const auto shown = [](Duration duration) {
        return std::to_string(std::chrono::duration_cast<milliseconds>(duration).count());
    };
    say("held", shown(found->held));
    say("lost", found->lost ? shown(*found->lost) : "never");
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const std::string command = arguments.empty() ? std::string() : arguments[0];
    const std::size_t endpointCount = command == "lifetime" ? 2 : arguments.size() - 1;
    std::vector<Endpoint> endpoints;
    for (std::size_t i = 1; i < arguments.size() && i <= endpointCount; ++i) {
        const auto endpoint = lab::endpointOf(arguments[i]);
        if (!endpoint)
            return failed(endpoint.error());
        endpoints.push_back(*endpoint);
    }
    if (command == "serve" && (endpoints.size() == 1 || endpoints.size() == 2))
        return serve(endpoints);
    if (command == "discover" && endpoints.size() > 1)
        return discover(endpoints);
    if (command == "lifetime" && arguments.size() == 5)
        return lifetime(endpoints, arguments[3], arguments[4]);
    std::fprintf(stderr, "see the top of %s\n", "tests/lab/stun_main.cpp");
    return 2;
}
