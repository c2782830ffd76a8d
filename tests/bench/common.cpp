// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include "fleet.h"
#include "node/disk.h"

#include <QDir>
#include <QFile>
#include <QStandardPaths>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace starling::bench {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPortionBytes = 1024 * 1024;

double secondsOf(const timeval& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

} // namespace

fs::path Bench::newDirectory(const std::string& name) const
{
    fs::path path = workspace / name;
    for (int i = 2; fs::exists(path); ++i)
        path = workspace / (name + "-" + std::to_string(i));
    fs::create_directories(path);
    return path;
}

QString Bench::program(const std::string& name) const
{
    return toQString(programs / name);
}

QString toQString(const fs::path& path)
{
    return QString::fromStdString(path.string());
}

double cpuSecondsOf(const std::vector<std::int64_t>& pids)
{
    double nanoseconds = 0;
    for (const std::int64_t pid : pids) {
        const QString tasks = QStringLiteral("/proc/%1/task").arg(pid);
        for (const QString& task : QDir(tasks).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
            QFile file(tasks + QLatin1Char('/') + task + QStringLiteral("/schedstat"));
            if (file.open(QIODevice::ReadOnly))
                nanoseconds += file.readAll().split(' ').first().toDouble();
        }
    }
    return nanoseconds / 1e9;
}

void pass(std::chrono::milliseconds time)
{
    support::waitUntil([] { return false; }, time);
}

QString installed(const char* program)
{
    const QString name = QString::fromLatin1(program);
    const QString found = QStandardPaths::findExecutable(name);
    return found.isEmpty()
        ? QStandardPaths::findExecutable(name, {QStringLiteral("/usr/sbin"), QStringLiteral("/sbin")})
        : found;
}

Status writeNoise(const fs::path& file, ByteCount size)
{
    const node::Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.isOpen())
        return tl::unexpected<Error>(node::diskError(errno, file));
    std::mt19937_64 random(20);
    std::vector<std::uint64_t> portion(kPortionBytes / sizeof(std::uint64_t));
    for (std::uint64_t left = size.value; left > 0;) {
        std::generate(portion.begin(), portion.end(), random);
        const ssize_t put = ::write(fd.get(), portion.data(), std::min<std::uint64_t>(left, kPortionBytes));
        if (put < 0)
            return tl::unexpected<Error>(node::diskError(errno, file));
        left -= static_cast<std::uint64_t>(put);
    }
    if (::fsync(fd.get()) != 0)
        return tl::unexpected<Error>(node::diskError(errno, file));
    return {};
}

void warm(const fs::path& file)
{
    const node::Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<char> portion(kPortionBytes);
    while (::read(fd.get(), portion.data(), portion.size()) > 0) { }
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Result<Run> runMeasured(const QString& program, const QStringList& arguments)
{
    std::vector<std::string> texts{program.toStdString()};
    for (const QString& argument : arguments)
        texts.push_back(argument.toStdString());
    std::vector<char*> argv;
    for (std::string& text : texts)
        argv.push_back(text.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const auto begin = std::chrono::steady_clock::now();
    const int spawned = ::posix_spawn(&child, texts[0].c_str(), &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (spawned != 0)
        return fail(Errc::Io, texts[0] + ": " + std::strerror(spawned));
    int status = 0;
    rusage usage{};
    while (::wait4(child, &status, 0, &usage) < 0 && errno == EINTR) { }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(Errc::Io,
                    texts[0] + " " + arguments.join(QLatin1Char(' ')).toStdString() + ": status "
                        + std::to_string(status));
    return Run{seconds.count(), secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime),
               static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
}

} // namespace starling::bench
