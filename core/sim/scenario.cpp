// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include "base/ini_file.h"
#include "overlay/overlay.h"
#include "sim/scenario_words.h"

#include <algorithm>
#include <functional>

namespace starling::sim {

namespace {

/// One of two words.
template <class T> auto choiceOf(std::string_view firstWord, T first, std::string_view secondWord, T second)
{
    return [=](std::string_view text) -> Result<T> {
        if (text == firstWord)
            return first;
        if (text == secondWord)
            return second;
        return fail(Errc::ConfigInvalid,
                    "expected " + std::string(firstWord) + " or " + std::string(secondWord) + ", not '"
                        + std::string(text) + "'");
    };
}

Result<Latency> parseLatency(std::string_view text)
{
    const auto words = wordsOf(text);
    const std::size_t times = words.empty() ? 0 : words.size() - 1;
    Latency latency;
    if (times == 1 && words[0] == "fixed")
        latency.shape = Latency::Shape::Fixed;
    else if (times == 2 && words[0] == "lognormal")
        latency.shape = Latency::Shape::LogNormal;
    else if (times != 2 || words[0] != "uniform")
        return fail(Errc::ConfigInvalid,
                    "expected 'fixed TIME', 'uniform LEAST MOST' or 'lognormal LEAST MOST', not '"
                        + std::string(text) + "'");
    auto least = parseTime(words[1]);
    auto most = parseTime(words.back());
    if (!least || !most)
        return tl::unexpected(std::move(least ? most.error() : least.error()));
    latency.least = *least;
    latency.most = *most;
    if (latency.least > latency.most)
        return fail(Errc::ConfigInvalid, "the least latency is above the most");
    return latency;
}

Result<Expectation> parseWithin(Expectation::What what, const std::vector<std::string_view>& words)
{
    if (words.size() != 3 || words[1] != "within")
        return fail(Errc::ConfigInvalid, "expected 'SHARE within TIME'");
    auto share = parseShare(words[0]);
    auto within = parseTime(words[2]);
    if (!share || !within)
        return tl::unexpected(std::move(share ? within.error() : share.error()));
    return Expectation{what, *share, *within, {}, {}};
}

Result<Expectation> parseBoards(const std::vector<std::string_view>& words)
{
    if (words.size() < 3 || words.size() > 4 || words[0] != "equal" || words[1] != "within"
        || (words.size() == 4 && words[3] != "rounds"))
        return fail(Errc::ConfigInvalid, "expected 'equal within N rounds' or 'equal within TIME'");
    Expectation expectation{Expectation::What::BoardsEqual, {}, {}, {}, {}};
    if (words.size() == 3) {
        auto within = parseTime(words[2]);
        if (!within)
            return tl::unexpected(std::move(within.error()));
        expectation.within = *within;
        return expectation;
    }
    auto rounds = parseCount(words[2], 1'000);
    if (!rounds)
        return tl::unexpected(std::move(rounds.error()));
    // Rounds are up to a quarter longer than the interval (overlay.cpp, nextRound).
    expectation.within = *rounds * overlay::Config().antiEntropy * 5 / 4;
    return expectation;
}

Result<Expectation> parseBytes(std::string_view text)
{
    constexpr std::string_view kAtMost = "at most ";
    if (!text.starts_with(kAtMost))
        return fail(Errc::ConfigInvalid, "expected 'at most SIZE'");
    auto size = parseByteCount(text.substr(kAtMost.size()));
    if (!size)
        return tl::unexpected(std::move(size.error()));
    return Expectation{Expectation::What::Bytes, {}, {}, *size, {}};
}

Result<Expectation> parseExpectation(std::string_view key, std::string_view value)
{
    const auto words = wordsOf(value);
    if (key == "delivered")
        return parseWithin(Expectation::What::Delivered, words);
    if (key == "fetched")
        return parseWithin(Expectation::What::Fetched, words);
    if (key == "reported")
        return parseWithin(Expectation::What::Reported, words);
    if (key == "hinted")
        return parseWithin(Expectation::What::Hinted, words);
    if (key == "boards")
        return parseBoards(words);
    if (key == "bytes")
        return parseBytes(value);
    if (key != "forged")
        return fail(Errc::ConfigInvalid, "nothing is called '" + std::string(key) + "' in [expect]");
    if (value != "none")
        return fail(Errc::ConfigInvalid, "expected 'none'");
    return Expectation{Expectation::What::NoneForged, {}, {}, {}, {}};
}

using Setter = std::function<Status(Scenario&, std::string_view)>;

template <class T, class Parse> Setter into(T Scenario::*field, Parse parse)
{
    return [field, parse](Scenario& scenario, std::string_view text) -> Status {
        auto value = parse(text);
        if (!value)
            return tl::unexpected(std::move(value.error()));
        scenario.*field = *value;
        return {};
    };
}

template <class T, class Parse> Setter intoNetwork(T NetworkConfig::*field, Parse parse)
{
    return [field, parse](Scenario& scenario, std::string_view text) -> Status {
        auto value = parse(text);
        if (!value)
            return tl::unexpected(std::move(value.error()));
        scenario.network.*field = *value;
        return {};
    };
}

Setter count(std::uint32_t Scenario::*field, std::uint32_t most)
{
    return into(field, [most](std::string_view text) { return parseCount(text, most); });
}

const std::map<std::string, Setter>& settings()
{
    const auto yesNo = choiceOf("yes", true, "no", false);
    using S = Scenario;
    using L = ScenarioLimits;
    static const std::map<std::string, Setter> kSettings{
        {"run.duration", into(&S::duration, parseTime)},
        {"run.verification",
         into(&S::verification, choiceOf("each", S::Verification::Each, "shared", S::Verification::Shared))},
        {"fleet.nodes", count(&S::nodes, L::kMaxNodes)},
        {"fleet.degree", count(&S::degree, L::kMaxDegree)},
        {"fleet.membership", into(&S::hasMembership, yesNo)},
        {"fleet.bootstraps", count(&S::bootstraps, L::kMaxNodes)},
        {"fleet.links", into(&S::links, choiceOf("shipped", S::Links::Shipped, "model", S::Links::Model))},
        {"fleet.graph", into(&S::graph, choiceOf("random", S::Graph::Random, "nearest", S::Graph::Nearest))},
        {"fleet.certificates", into(&S::hasCertificates, yesNo)},
        {"fleet.receipts", into(&S::issuesReceipts, yesNo)},
        {"fleet.sums-above", count(&S::sumsAbove, L::kMaxNodes)},
        {"fleet.payload", into(&S::payload, parseTime)},
        {"fleet.forgers", count(&S::forgers, L::kMaxNodes)},
        {"fleet.liars", count(&S::liars, L::kMaxNodes)},
        {"fleet.replayers", count(&S::replayers, L::kMaxNodes)},
        {"fleet.flooders", count(&S::flooders, L::kMaxNodes)},
        {"fleet.swallowers", count(&S::swallowers, L::kMaxNodes)},
        {"fleet.hostility", count(&S::hostility, L::kMaxHostility)},
        {"network.latency", intoNetwork(&NetworkConfig::latency, parseLatency)},
        {"network.jitter", intoNetwork(&NetworkConfig::jitter, parseTime)},
        {"network.loss", intoNetwork(&NetworkConfig::loss, parseShare)},
        {"network.duplication", intoNetwork(&NetworkConfig::duplication, parseShare)},
    };
    return kSettings;
}

Status takeEntry(Scenario& scenario, const IniEntry& entry)
{
    if (entry.section == "timeline") {
        auto at = parseTime(entry.key);
        if (!at)
            return tl::unexpected(std::move(at.error()));
        return parseActions(*at, entry.value, scenario.timeline);
    }
    if (entry.section == "expect") {
        auto expectation = parseExpectation(entry.key, entry.value);
        if (!expectation)
            return fail(std::move(expectation.error()), entry.key);
        expectation->text = entry.key + " = " + entry.value;
        scenario.expectations.push_back(std::move(*expectation));
        return {};
    }
    const auto setting = settings().find(entry.section + "." + entry.key);
    if (setting == settings().end())
        return fail(Errc::ConfigInvalid, "no key '" + entry.key + "' in [" + entry.section + "]");
    auto set = setting->second(scenario, entry.value);
    return set ? Status() : fail(std::move(set.error()), entry.key);
}

} // namespace

Status validate(const Scenario& scenario)
{
    const auto refuse = [](const std::string& reason) { return fail(Errc::ConfigInvalid, reason); };
    if (scenario.nodes < 2)
        return refuse("a fleet has at least 2 nodes");
    if (scenario.degree == 0 || scenario.duration <= Duration{})
        return refuse("degree and duration are at least 1");
    if (scenario.duration > ScenarioLimits::kMaxDuration)
        return refuse("longer than a year");
    if (static_cast<std::uint64_t>(scenario.forgers) + scenario.liars + scenario.replayers + scenario.flooders
            + scenario.swallowers
        >= scenario.nodes)
        return refuse("nobody would be honest");
    if (scenario.bootstraps == 0 || scenario.bootstraps > scenario.nodes - scenario.hostile())
        return refuse("bootstraps are at least 1, and honest");
    if (scenario.hostile() > 0 && scenario.hostility == 0)
        return refuse("hostility is at least 1");
    std::uint64_t nodes = scenario.nodes;
    for (const Action& action : scenario.timeline)
        nodes += action.count;
    for (const Action& action : scenario.timeline)
        if (action.node && *action.node >= nodes)
            return refuse("'" + action.text + "': there is no such node");
    if (nodes > ScenarioLimits::kMaxNodes)
        return refuse("more than 1000000 nodes");
    if (!scenario.hasCertificates
        && (scenario.issuesReceipts || scenario.payload.count() > 0 || scenario.hostile() > 0))
        return refuse("receipts, payloads and hostile nodes need certificates = yes");
    const bool wantsReports =
        std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                    [](const Expectation& e) { return e.what == Expectation::What::Reported; });
    if (wantsReports && !scenario.issuesReceipts)
        return refuse("'reported' needs receipts = yes");
    const bool wantsHints =
        std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                    [](const Expectation& e) { return e.what == Expectation::What::Hinted; });
    if ((wantsHints && scenario.sumsAbove == 0) || (scenario.sumsAbove > 0 && !scenario.issuesReceipts))
        return refuse("'hinted' needs sums-above, and sums-above needs receipts = yes");
    if (!scenario.hasCertificates && scenario.links == Scenario::Links::Shipped)
        return refuse("links = shipped need certificates = yes");
    if (scenario.hasCertificates && nodes > ScenarioLimits::kMaxCertified)
        return refuse("keys for more than 100000 devices take too long to make; larger fleets need "
                      "certificates = no");
    const bool isShared =
        scenario.links == Scenario::Links::Model && scenario.verification == Scenario::Verification::Shared;
    if (scenario.hasCertificates && nodes > ScenarioLimits::kMaxUnshared && !isShared)
        return refuse("more than 4096 devices with certificates need links = model and verification = "
                      "shared");
    return {};
}

Result<Scenario> parseScenario(std::string_view text, std::string fileName)
{
    auto ini = parseIni(text, fileName);
    if (!ini)
        return tl::unexpected(std::move(ini.error()));
    std::vector<IniEntry> entries = ini->entries();
    std::sort(entries.begin(), entries.end(),
              [](const IniEntry& a, const IniEntry& b) { return a.line < b.line; });
    Scenario scenario;
    for (const IniEntry& entry : entries) {
        if (auto taken = takeEntry(scenario, entry); !taken)
            return fail(Errc::ConfigInvalid,
                        entry.file + ":" + std::to_string(entry.line) + ": " + taken.error().context);
        if (scenario.timeline.size() > ScenarioLimits::kMaxActions)
            return fail(Errc::ConfigInvalid, entry.file + ": more than 10000 actions");
    }
    std::stable_sort(scenario.timeline.begin(), scenario.timeline.end(),
                     [](const Action& a, const Action& b) { return a.at < b.at; });
    if (auto valid = validate(scenario); !valid)
        return fail(Errc::ConfigInvalid, fileName + ": " + valid.error().context);
    return scenario;
}

} // namespace starling::sim
