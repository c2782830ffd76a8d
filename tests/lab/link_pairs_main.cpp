// SPDX-License-Identifier: Apache-2.0
/// Prints for each pair of places how they are linked, by which way payload goes, and how long it takes:
/// medians of some plays.
///
///     starling-lab-pairs [PAIR…] [--repeat N] [--links-only] [--size MIB] [--rate MBIT] [--json]
#include "link_pairs.h"
#include "payload_pair.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>

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

struct Options
{
    unsigned repeat = 5;
    bool asJson = false, linksOnly = false;
    PayloadPlan payload;
};

Status measureLinks(const Pair& pair, const Options& options, QJsonObject& line)
{
    LinkPairs pairs; // each in an internet of its own, which holds only so many sites
    std::vector<double> link, settled;
    std::vector<std::string> first, kind;
    for (unsigned i = 0; i < options.repeat; ++i) {
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
    line[QStringLiteral("first")] = QString::fromStdString(usualOf(first));
    line[QStringLiteral("link")] = QString::fromStdString(usualOf(kind));
    line[QStringLiteral("time_to_link_ms")] = medianOf(link);
    line[QStringLiteral("time_to_best_ms")] = medianOf(settled);
    return {};
}

Status measurePayload(const Pair& pair, const Options& options, QJsonObject& line)
{
    const auto agents = PayloadPair::create(options.payload, pair);
    if (!agents)
        return tl::unexpected<Error>(agents.error());
    std::vector<double> firstByte, megabits, plain;
    std::vector<std::string> path;
    for (unsigned i = 0; i < options.repeat; ++i) {
        const auto outcome = (*agents)->play();
        if (!outcome)
            return fail(Error(outcome.error()), nameOf(pair));
        firstByte.push_back(outcome->firstByteMs);
        megabits.push_back(outcome->megabits);
        path.push_back(outcome->path);
        // In turns: what else the machine does is done to both.
        const auto alone = (*agents)->playPlain();
        if (alone)
            plain.push_back(*alone);
        else if (alone.error().code != Errc::Usage)
            return fail(Error(alone.error()), nameOf(pair));
    }
    line[QStringLiteral("payload_path")] = QString::fromStdString(usualOf(path));
    line[QStringLiteral("time_to_first_byte_ms")] = medianOf(firstByte);
    line[QStringLiteral("payload_mbit")] = medianOf(megabits);
    if (plain.empty())
        return {};
    line[QStringLiteral("plain_tcp_mbit")] = medianOf(plain);
    line[QStringLiteral("ratio")] = medianOf(megabits) / medianOf(plain);
    return {};
}

void print(const QJsonObject& line, bool withPayload)
{
    const auto text = [&](const char* key) { return line[QLatin1String(key)].toString().toStdString(); };
    const auto number = [&](const char* key) { return line[QLatin1String(key)].toDouble(); };
    std::printf("%-18s %-9s %-9s %9.0f ms %9.0f ms", text("pair").c_str(), text("first").c_str(),
                text("link").c_str(), number("time_to_link_ms"), number("time_to_best_ms"));
    if (withPayload)
        std::printf("   %-9s %9.0f ms %7.0f Mbit/s", text("payload_path").c_str(),
                    number("time_to_first_byte_ms"), number("payload_mbit"));
    if (withPayload && line.contains(QStringLiteral("ratio")))
        std::printf("   plain TCP %4.0f, ratio %.2f", number("plain_tcp_mbit"), number("ratio"));
    std::printf("\n");
    std::fflush(stdout);
}

int run(const std::vector<Pair>& wanted, const Options& options)
{
    if (!options.asJson)
        std::printf("%-18s %-9s %-9s %12s %12s%s\n", "pair", "at first", "then", "up after", "best after",
                    options.linksOnly ? "" : "   payload    first byte     throughput");
    QJsonArray all;
    for (const Pair& pair : wanted) {
        QJsonObject line{{QStringLiteral("pair"), QString::fromStdString(nameOf(pair))},
                         {QStringLiteral("plays"), static_cast<int>(options.repeat)}};
        auto measured = measureLinks(pair, options, line);
        if (measured && !options.linksOnly)
            measured = measurePayload(pair, options, line);
        if (!measured) {
            std::fprintf(stderr, "%s\n", toString(measured.error()).c_str());
            return 1;
        }
        if (!options.asJson)
            print(line, !options.linksOnly);
        all.append(line);
    }
    if (options.asJson)
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
    Options options;
    app.add_option("pair", names,
                   "FROM:TO of " + placeNames()
                       + "; TO may be same, or samecarrier behind cgn and cgnsym; default: all");
    app.add_option("--repeat", options.repeat, "plays of each, of which the median counts")
        ->check(CLI::Range(1, 20));
    app.add_flag("--json", options.asJson, "print JSON");
    app.add_flag("--links-only", options.linksOnly, "no payload");
    app.add_option("--size", options.payload.mebibytes, "of each payload, in MiB")
        ->check(CLI::Range(1, 4'096));
    app.add_option("--rate", options.payload.megabits,
                   "of the lines of payload, in Mbit/s; 0: as fast as it goes");
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
    const QTemporaryDir workspace;
    options.payload.directory = workspace.path().toStdString();
    options.payload.programs =
        std::filesystem::path(QCoreApplication::applicationDirPath().toStdString()).parent_path() / "bin";
    return run(wanted.empty() ? allPairs() : wanted, options);
}
