// SPDX-License-Identifier: Apache-2.0
/// Property: what was accepted is valid, in the order of time, and reads the same again.
#include "base/assert.h"
#include "fuzz.h"
#include "sim/scenario.h"

#include <algorithm>

using namespace starling::sim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto scenario = parseScenario(text, "f");
    if (!scenario) {
        STARLING_ASSERT(scenario.error().code == starling::Errc::ConfigInvalid);
        return 0;
    }
    STARLING_ASSERT(validate(*scenario));
    STARLING_ASSERT(std::is_sorted(scenario->timeline.begin(), scenario->timeline.end(),
                                   [](const Action& a, const Action& b) { return a.at < b.at; }));
    for (const Action& action : scenario->timeline)
        STARLING_ASSERT(action.at >= starling::Duration{} && action.at <= ScenarioLimits::kMaxDuration
                        && action.share.millionths <= Share::kWhole);
    STARLING_ASSERT(*parseScenario(text, "f") == *scenario);
    return 0;
}

std::vector<starling::Bytes> seeds()
{
    return {starling::toBytes(
                "# comment\n[run]\nduration = 10m\nverification = each\n[fleet]\nnodes = 50\npayload = 2s\n"
                "forgers = 1\n[network]\nlatency = lognormal 10ms 50ms\nloss = 0.5%\n"),
            starling::toBytes(
                "[timeline]\n10s = publish node 0, partition 30%\n1m = heal, crash 20%\n90s = restart 50%\n"
                "1.5m = join 5\n2m = clock 10% -1h, churn 20s\n3m = churn off\n"),
            starling::toBytes("[expect]\ndelivered = 99.9% within 60s\nfetched = 5% within 5m\n"
                              "boards = equal within 2 rounds\nforged = none\nbytes = at most 2 MiB\n")};
}
