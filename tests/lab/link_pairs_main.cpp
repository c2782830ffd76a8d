// SPDX-License-Identifier: Apache-2.0
/// Prints for each pair of places how they are linked, and how long it took: medians of some plays.
///
///     starling-lab-pairs [PAIR…] [--repeat N] [--json]
#include "link_pairs.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

using namespace starling;
using namespace starling::lab;

namespace {

constexpr int kSkipped = 77; // as ctest's SKIP_RETURN_CODE

double medianOf(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The most frequent one.
std::string usualOf(std::vector<std::string> values)
{
    std::sort(values.begin(), values.end());
    std::string usual;
    std::ptrdiff_t most = 0;
    for (const std::string& value : values)
        if (const auto count = std::count(values.begin(), values.end(), value); count > most) {
            most = count;
            usual = value;
        }
    return usual;
}

Result<QJsonObject> measure(const Pair& pair, unsigned repeat)
{
    LinkPairs pairs; // each in an internet of its own, which holds only so many sites
    std::vector<double> link, settled;
    std::vector<std::string> first, kind;
    for (unsigned i = 0; i < repeat; ++i) {
        const auto outcome = pairs.play(pair);
        if (!outcome)
            return tl::unexpected<Error>(outcome.error());
        if (!outcome->carriesMessages)
            return fail(Errc::Timeout, nameOf(pair) + ": messages did not arrive");
        link.push_back(outcome->linkMs);
        settled.push_back(outcome->settledMs);
        first.push_back(outcome->first);
        kind.push_back(outcome->kind);
    }
    return QJsonObject{{QStringLiteral("pair"), QString::fromStdString(nameOf(pair))},
                       {QStringLiteral("first"), QString::fromStdString(usualOf(first))},
                       {QStringLiteral("link"), QString::fromStdString(usualOf(kind))},
                       {QStringLiteral("time_to_link_ms"), medianOf(link)},
                       {QStringLiteral("time_to_best_ms"), medianOf(settled)},
                       {QStringLiteral("plays"), static_cast<int>(repeat)}};
}

int run(const std::vector<Pair>& wanted, unsigned repeat, bool asJson)
{
    if (!asJson)
        std::printf("%-14s %-9s %-9s %12s %12s\n", "pair", "at first", "then", "up after", "best after");
    QJsonArray all;
    for (const Pair& pair : wanted) {
        const auto measured = measure(pair, repeat);
        if (!measured) {
            std::fprintf(stderr, "%s\n", toString(measured.error()).c_str());
            return 1;
        }
        const auto text = [&](const char* key) {
            return (*measured)[QLatin1String(key)].toString().toStdString();
        };
        const auto number = [&](const char* key) { return (*measured)[QLatin1String(key)].toDouble(); };
        if (!asJson)
            std::printf("%-14s %-9s %-9s %9.0f ms %9.0f ms\n", nameOf(pair).c_str(), text("first").c_str(),
                        text("link").c_str(), number("time_to_link_ms"), number("time_to_best_ms"));
        std::fflush(stdout);
        all.append(*measured);
    }
    if (asJson)
        std::printf("%s\n", QJsonDocument(all).toJson().constData());
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    const QCoreApplication application(argc, argv);
    CLI::App app("Links pairs of nodes through NATs and firewalls, in network namespaces");
    std::vector<std::string> names;
    unsigned repeat = 5;
    bool asJson = false;
    app.add_option("pair", names,
                   "FROM:TO of " + placeNames()
                       + "; TO may be same, or samecarrier behind cgn and cgnsym; default: all");
    app.add_option("--repeat", repeat, "plays of each, of which the median counts")->check(CLI::Range(1, 20));
    app.add_flag("--json", asJson, "print JSON");
    CLI11_PARSE(app, argc, argv);
    std::vector<Pair> wanted;
    for (const std::string& name : names) {
        const auto pair = pairNamed(name);
        if (!pair) {
            std::fprintf(stderr, "no such pair: %s\n", name.c_str());
            return 2;
        }
        wanted.push_back(*pair);
    }
    if (!enterLab().empty()) {
        std::fprintf(stderr, "skipped: %s\n", enterLab().c_str());
        return kSkipped;
    }
    return run(wanted.empty() ? allPairs() : wanted, repeat, asJson);
}
