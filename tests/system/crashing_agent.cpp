// SPDX-License-Identifier: Apache-2.0
/// The agent with a saboteur. `crash.plan` beside the configuration file has one line for each thing that is
/// to happen once, in any order: ACTION PHASE EVENT before|after VERSION, where PHASE is what the step leads
/// away from, EVENT a name of the table ("begin" and "resume" for those that are in none) and before|after
/// the writing of the record.
///
///     kill     removes the plan, then ends this process by SIGKILL, as a power loss would
///     full     from now on every write to a file fails; the file `crash.reached` says that it happened
///     room     writes succeed again
///     stall    threads that begin from now on do nothing, so that no payload is found right or wrong;
///     `crash.reached`
///              says so
///     damage   flips a byte of the payload on disk
#include "agent/agent.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <dlfcn.h>
#include <fstream>
#include <pthread.h>
#include <string_view>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace starling;
using node::StepMoment;

std::atomic<bool> stallsThreads = false;

struct Line
{
    std::string action, phase, event, moment;
    std::uint64_t version = 0;
};

class Saboteur
{
public:
    explicit Saboteur(fs::path directory)
        : m_directory(std::move(directory))
    {
        std::ifstream in(m_directory / "crash.plan");
        for (Line line; in >> line.action >> line.phase >> line.event >> line.moment >> line.version;)
            m_lines.push_back(line);
    }

    void onStep(const update::Step& step, StepMoment moment)
    {
        // What begins has not been interrupted yet; what is resumed counts that it was.
        const std::string_view event = step.event == update::Event::Resume && step.record.attempts == 0
            ? "begin"
            : update::eventName(step.event);
        const std::string_view when = moment == StepMoment::BeforeWrite ? "before" : "after";
        const auto found = std::find_if(m_lines.begin(), m_lines.end(), [&](const Line& line) {
            return line.phase == trust::phaseName(step.from) && line.event == event && line.moment == when
                && line.version == step.record.revision.version;
        });
        if (found == m_lines.end())
            return;
        const std::string action = found->action;
        m_lines.erase(found);
        act(action, step);
    }

private:
    void act(const std::string& action, const update::Step& step)
    {
        if (action == "kill") {
            fs::remove(m_directory / "crash.plan");
            ::kill(::getpid(), SIGKILL);
        } else if (action == "full") {
            announce();
            limitFileSize(0);
        } else if (action == "room") {
            limitFileSize(RLIM_INFINITY);
        } else if (action == "stall") {
            stallsThreads = true;
            announce();
        } else if (action == "damage") {
            damage(m_directory / "state" / "payloads" / step.record.infoHash.hex() / "data");
        }
    }

    void announce() const { std::ofstream(m_directory / "crash.reached") << "\n"; }

    /// A limit of 0 fails every write to a file; the signal that comes with it is ignored (main).
    static void limitFileSize(rlim_t bytes)
    {
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = std::min(bytes, limit.rlim_max);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }

    static void damage(const fs::path& data)
    {
        for (const auto& entry : fs::recursive_directory_iterator(data)) {
            if (entry.path().filename() != "part-b")
                continue;
            std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
            const int first = file.get();
            file.seekp(0);
            file.put(static_cast<char>(first ^ 1));
        }
    }

    fs::path m_directory;
    std::vector<Line> m_lines;
};

} // namespace

/// In the place of the library's: how long hashing takes is not for a test to guess.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument)
{
    static const auto create =
        reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
    if (!stallsThreads)
        return create(thread, attributes, run, argument);
    const auto wait = [](void*) -> void* {
        for (;;)
            ::pause();
    };
    return create(thread, attributes, wait, nullptr);
}

int main(int argc, char** argv)
{
    std::signal(SIGXFSZ, SIG_IGN);
    const auto option = std::find(argv, argv + argc, std::string_view("--config"));
    const fs::path config = option + 1 < argv + argc ? option[1] : "";
    Saboteur saboteur(config.parent_path());
    update::Limits limits;
    limits.maxVerifyAttempts = 2;
    limits.retryMin = std::chrono::milliseconds(100);
    limits.retryMax = std::chrono::milliseconds(400);
    return agent::runAgent(
        argc, argv, [&](const update::Step& step, StepMoment moment) { saboteur.onStep(step, moment); },
        limits);
}
