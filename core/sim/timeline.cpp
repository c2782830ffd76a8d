// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario_words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace starling::sim {

namespace {

/// A decimal number at the beginning of `text`, and what follows it.
struct Quantity
{
    double number = 0;
    std::string_view unit;
};

std::optional<Quantity> quantityOf(std::string_view text)
{
    Quantity quantity;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), quantity.number, std::chars_format::fixed);
    // Not infinite, not NaN, not negative.
    if (error != std::errc() || !(quantity.number >= 0 && quantity.number <= 1e18))
        return std::nullopt;
    quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
    return quantity;
}

tl::unexpected<Error> notA(const char* what, std::string_view text)
{
    return fail(Errc::ConfigInvalid, "not a " + std::string(what) + ": '" + std::string(text) + "'");
}

using Words = std::vector<std::string_view>;

Status takeShare(Action& action, const Words& words, std::size_t place)
{
    auto share = parseShare(words[place]);
    if (!share)
        return tl::unexpected(std::move(share.error()));
    action.share = *share;
    return {};
}

Status takeClock(Action& action, const Words& words)
{
    if (auto share = takeShare(action, words, 1); !share)
        return share;
    const bool isBack = words[2].starts_with('-');
    auto span = parseTime(words[2].substr(isBack ? 1 : 0));
    if (!span)
        return tl::unexpected(std::move(span.error()));
    action.span = isBack ? -*span : *span;
    return {};
}

/// The words after the first one.
Status takeWords(Action& action, const Words& words)
{
    using What = Action::What;
    const std::size_t count = words.size();
    switch (action.what) {
    case What::Publish:
        if (count == 3 && words[1] == "node") {
            auto node = parseCount(words[2], ScenarioLimits::kMaxNodes);
            if (!node)
                return tl::unexpected(std::move(node.error()));
            action.node = *node;
            return {};
        }
        return count == 1 ? Status() : fail(Errc::ConfigInvalid, "expected 'publish' or 'publish node N'");
    case What::Heal:
        return count == 1 ? Status() : fail(Errc::ConfigInvalid, "expected 'heal'");
    case What::Restart:
        action.share = {Share::kWhole};
        if (count == 1)
            return {};
        return count == 2 ? takeShare(action, words, 1)
                          : fail(Errc::ConfigInvalid, "expected 'restart [SHARE]'");
    case What::Partition:
    case What::Crash:
        return count == 2 ? takeShare(action, words, 1)
                          : fail(Errc::ConfigInvalid, "expected '" + std::string(words[0]) + " SHARE'");
    case What::Join: {
        auto nodes = parseCount(count == 2 ? words[1] : "", ScenarioLimits::kMaxNodes);
        if (!nodes)
            return fail(Errc::ConfigInvalid, "expected 'join COUNT'");
        action.count = *nodes;
        return {};
    }
    case What::Clock:
        return count == 3 ? takeClock(action, words)
                          : fail(Errc::ConfigInvalid, "expected 'clock SHARE [-]TIME'");
    case What::Churn: {
        if (count == 2 && words[1] == "off")
            return {};
        auto span = parseTime(count == 2 ? words[1] : "");
        if (!span || span->count() == 0)
            return fail(Errc::ConfigInvalid, "expected 'churn TIME' or 'churn off'");
        action.span = *span;
        return {};
    }
    }
    return {};
}

std::optional<Action::What> actionNamed(std::string_view name)
{
    using What = Action::What;
    static constexpr std::array<std::pair<std::string_view, What>, 8> kNames{{
        {"publish", What::Publish},
        {"partition", What::Partition},
        {"heal", What::Heal},
        {"crash", What::Crash},
        {"restart", What::Restart},
        {"join", What::Join},
        {"clock", What::Clock},
        {"churn", What::Churn},
    }};
    for (const auto& [known, what] : kNames)
        if (known == name)
            return what;
    return std::nullopt;
}

} // namespace

std::vector<std::string_view> wordsOf(std::string_view text)
{
    std::vector<std::string_view> words;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        if (text.empty())
            return words;
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

Result<Duration> parseTime(std::string_view text)
{
    static constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
        {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
    if (const auto quantity = quantityOf(text))
        for (const auto& [unit, nanoseconds] : kUnits) {
            if (quantity->unit != unit)
                continue;
            const double time = quantity->number * nanoseconds;
            if (time > static_cast<double>(ScenarioLimits::kMaxDuration.count()))
                return fail(Errc::ConfigInvalid, "longer than a year: '" + std::string(text) + "'");
            return Duration(static_cast<Duration::rep>(time));
        }
    return notA("time (250ms, 10s, 5m, 1h)", text);
}

Result<Share> parseShare(std::string_view text)
{
    const auto quantity = quantityOf(text);
    if (!quantity || quantity->unit != "%" || quantity->number > 100)
        return notA("share (0% to 100%)", text);
    return Share{static_cast<std::uint32_t>(quantity->number * (Share::kWhole / 100) + 0.5)};
}

Result<std::uint32_t> parseCount(std::string_view text, std::uint32_t most)
{
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most)
        return fail(Errc::ConfigInvalid,
                    "not a number of at most " + std::to_string(most) + ": '" + std::string(text) + "'");
    return value;
}

Status parseActions(Duration at, std::string_view text, std::vector<Action>& to)
{
    while (true) {
        const std::size_t end = std::min(text.find(','), text.size());
        const Words words = wordsOf(text.substr(0, end));
        const auto what = words.empty() ? std::nullopt : actionNamed(words[0]);
        if (!what)
            return fail(Errc::ConfigInvalid,
                        "not an action: '" + std::string(words.empty() ? "" : words[0])
                            + "'; there are publish, partition, heal, crash, restart, join, clock and churn");
        Action action;
        action.what = *what;
        action.at = at;
        if (auto taken = takeWords(action, words); !taken)
            return taken;
        for (const std::string_view word : words)
            action.text.append(action.text.empty() ? "" : " ").append(word);
        to.push_back(std::move(action));
        if (end == text.size())
            return {};
        text.remove_prefix(end + 1);
    }
}

} // namespace starling::sim
