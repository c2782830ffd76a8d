// SPDX-License-Identifier: Apache-2.0
/// A console that reads the devices of an agent that observes them: the agent is a real one, in this process,
/// with signed receipts in its store, and is asked over its socket. By the wall clock, since two threads
/// work.
#include "agent/control_service.h"
#include "console_bench.h"
#include "crypto/key_file.h"
#include "feed.h"
#include "model/device_reader.h"
#include "receipt_samples.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QTemporaryDir>

#include <cstdio>

namespace starling::bench {

namespace {

namespace made = release::samples;
namespace fs = std::filesystem;

constexpr unsigned char kSelf = 50;

double secondsSince(const QElapsedTimer& begin)
{
    return static_cast<double>(begin.nsecsElapsed()) / 1e9;
}

Result<node::AgentConfig> configure(const fs::path& home)
{
    const trust::Subscription subscription{made::nodeOf(kSelf), {}, 1, 4'000'000'000, 0};
    trust::Envelope entitled{trust::Kind::Subscription, subscription.serialize(), {}};
    entitled.sign(made::trustSet().fleet(), made::key(41));
    node::AgentConfig config;
    config.state = home / "state";
    config.listen = Endpoint::ipv4(127, 0, 0, 1, 0);
    config.key = home / "device.key";
    config.certificate = home / "device.admit";
    config.root = home / "root.envelope";
    config.subscription = home / "observer.subscription";
    config.deviceRoot = home / "root";
    fs::create_directory(config.deviceRoot);
    const std::array files{std::pair(config.key, crypto::plainKey(made::key(kSelf))),
                           std::pair(config.certificate, made::envelopeOf(made::certificateNotice(kSelf))),
                           std::pair(config.root, made::trustSet().chain().front()),
                           std::pair(config.subscription, entitled.serialize())};
    for (const auto& [file, bytes] : files)
        if (auto written = node::writeFile(file, bytes, node::FileMode::Private); !written)
            return tl::unexpected<Error>(written.error());
    return config;
}

/// Runs `work`, which blocks, in a thread of its own, while this one's agent answers.
void beside(const std::function<void()>& work)
{
    const std::unique_ptr<QThread> thread(QThread::create(work));
    QEventLoop loop;
    QObject::connect(thread.get(), &QThread::finished, &loop, &QEventLoop::quit);
    thread->start();
    loop.exec();
    thread->wait();
}

struct Asked
{
    std::uint64_t devices = 0;
    double longest = 0; ///< of the answers, in seconds
    control::DevicesReply last;
    Status outcome;
};

/// All pages, and nothing done with them.
Asked readAll(const QString& socket)
{
    Asked asked;
    beside([&] {
        auto agent = control::Client::connect(socket);
        console::DeviceReader reader;
        while (agent && asked.outcome && !reader.isUpToDate()) {
            QElapsedTimer begin;
            begin.start();
            auto page = reader.next(*agent, std::chrono::seconds(30));
            asked.longest = std::max(asked.longest, secondsSince(begin));
            asked.outcome = page ? Status() : Status(tl::unexpected<Error>(page.error()));
            asked.devices += page ? page->reply.devices.size() : 0;
            if (page)
                asked.last = std::move(page->reply);
        }
    });
    return asked;
}

/// Asks as somebody who knows all but what came last.
double askForOne(const QString& socket, control::DevicesMark known, int runs, std::size_t& told)
{
    std::vector<double> times;
    --known.change;
    beside([&] {
        auto agent = control::Client::connect(socket);
        for (int i = 0; agent && i < runs; ++i) {
            QElapsedTimer begin;
            begin.start();
            const auto reply = agent->ask<control::DevicesReply>(
                control::DevicesRequest{known, console::DeviceReader::kPage});
            times.push_back(secondsSince(begin));
            told += reply ? reply->devices.size() : 0;
        }
    });
    return times.empty() ? 0 : middleOf(std::move(times));
}

/// Until the window's feed has shown all of them.
double feedAll(const QString& socket, std::size_t devices)
{
    QElapsedTimer begin;
    begin.start();
    QEventLoop loop;
    window::Feed feed(socket);
    QObject::connect(&feed, &window::Feed::snapshotTaken, &loop, [&](const window::SnapshotPtr& snapshot) {
        if (!snapshot->reading && snapshot->picture->devices.size() == devices)
            loop.quit();
    });
    QObject::connect(&feed, &window::Feed::lost, &loop, [](const QString& why) {
        std::fprintf(stderr, "starling-bench-console: %s\n", why.toUtf8().constData());
    });
    feed.begin();
    loop.exec();
    return secondsSince(begin);
}

} // namespace

void measureReading(const ConsoleBench& bench, Report& report)
{
    const QTemporaryDir home;
    const auto skip = [&](const Error& error) { report.skip("console-read", toString(error)); };
    const auto config = configure(home.path().toStdString());
    if (!config)
        return skip(config.error());
    if (auto stored = made::storeReceiptsOfMany(config->state, 0, bench.devices); !stored)
        return skip(stored.error());
    auto node = node::Node::start({*config, {}, {}});
    if (!node)
        return skip(node.error());
    const QString socket = home.filePath(QStringLiteral("agent.sock"));
    agent::ControlService service(**node, socket);
    if (auto listening = service.listen(); !listening)
        return skip(listening.error());
    while ((*node)->desk().count() <= bench.devices) // its own receipt, which would come in between
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);

    const auto seconds = [&](const char* of, double value, double goal) {
        report.add({"console-read", of, value, "s", "", {}, Holds::AtMost, goal});
    };
    QElapsedTimer begin;
    begin.start();
    const Asked first = readAll(socket);
    const double whole = secondsSince(begin);
    if (!first.outcome || first.devices != bench.devices + 1)
        return skip(first.outcome ? Error{Errc::Malformed, "devices are missing"} : first.outcome.error());
    // Guesses: what somebody waits for a fleet for, and what other work of the agent's can wait for.
    seconds("all devices, the first time, when the agent verifies them", whole, 60);
    seconds("an answer of that, the slowest", first.longest, 0.2);
    seconds("all devices in the window's feed", feedAll(socket, bench.devices + 1), 20);
    std::size_t told = 0;
    const int runs = 21;
    const double one = askForOne(socket, first.last.mark, runs, told);
    if (told != static_cast<std::size_t>(runs))
        return skip({Errc::Malformed, "not one device each"});
    report.add({"console-read",
                "an answer where one device has changed",
                one * 1'000,
                "ms",
                "",
                {},
                Holds::AtMost,
                5});
}

} // namespace starling::bench
