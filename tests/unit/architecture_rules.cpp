// SPDX-License-Identifier: Apache-2.0
#include "architecture_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>

namespace starling::architecture {

namespace {

constexpr std::size_t kMaxSourceLines = 600;
constexpr std::size_t kMaxHeaderLines = 250;

/// What each room may include besides itself; architecture's picture of the layers in words.
const std::map<std::string_view, std::set<std::string_view>> kBelow{
    {"base", {}},
    {"bencode", {"base"}},
    {"crypto", {"base"}},
    {"nat", {"base"}},
    {"tunnel", {"base"}},
    {"trust", {"base", "bencode", "crypto"}},
    {"release", {"base", "bencode", "crypto", "trust"}},
    {"link", {"base", "crypto"}},
    {"enrol", {"base", "bencode", "crypto", "trust", "link"}},
    {"overlay", {"base", "crypto"}},
    {"board", {"base", "bencode", "crypto", "trust", "release", "link", "overlay"}},
    {"update", {"base", "bencode", "crypto", "trust", "release"}},
    {"fleetview", {"base", "bencode", "crypto", "trust"}},
    {"deploy", {"base", "bencode", "crypto", "trust", "release"}},
    {"store", {"base", "bencode", "crypto", "trust", "release", "update"}},
    {"swarm", {"base", "bencode", "crypto", "trust", "release"}},
    {"control", {"base", "bencode", "crypto", "nat", "trust", "release"}},
    {"node",
     {"base", "bencode", "crypto", "nat", "trust", "release", "link", "enrol", "overlay", "board", "update",
      "deploy", "store", "swarm", "tunnel"}},
    {"sim", {"base", "bencode", "crypto", "trust", "release", "link", "overlay", "board", "update"}},
};

/// Rooms without I/O: values in, values out.
const std::set<std::string_view> kPureRooms{"base",  "bencode", "crypto",    "nat",   "tunnel",
                                            "trust", "release", "link",      "enrol", "overlay",
                                            "board", "update",  "fleetview", "sim"};

bool isHeader(std::string_view path)
{
    return path.ends_with(".h");
}

bool isSource(std::string_view path)
{
    return path.ends_with(".cpp");
}

bool isCpp(std::string_view path)
{
    return isHeader(path) || isSource(path);
}

bool isCMake(std::string_view path)
{
    return path.ends_with("CMakeLists.txt") || path.ends_with(".cmake");
}

bool isTest(std::string_view path)
{
    return path.starts_with("tests/");
}

bool isProduct(std::string_view path)
{
    return path.starts_with("core/") || path.starts_with("agent/") || path.starts_with("console/");
}

/// "trust" for "core/trust/root.h", empty outside core.
std::string_view roomOf(std::string_view path)
{
    if (!path.starts_with("core/"))
        return {};
    path.remove_prefix(5);
    return path.substr(0, path.find('/') == path.npos ? 0 : path.find('/'));
}

std::string_view folderOf(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view nameOf(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

std::string at(const File& file, std::size_t position, const std::string& reason)
{
    const auto lines =
        std::count(file.text.begin(), file.text.begin() + static_cast<std::ptrdiff_t>(position), '\n');
    return file.path + ":" + std::to_string(lines + 1) + ": " + reason;
}

bool isWordPart(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool isBlank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Whether `word` stands at `position` as a word of its own; punctuation has no borders.
bool standsAt(std::string_view text, std::size_t position, std::string_view word)
{
    if (text.substr(position, word.size()) != word)
        return false;
    if (isWordPart(word.front()) && position > 0 && isWordPart(text[position - 1]))
        return false;
    const std::size_t end = position + word.size();
    return !isWordPart(word.back()) || end >= text.size() || !isWordPart(text[end]);
}

/// Positions of `tokens` one after the other, with any white space between them.
std::vector<std::size_t> occurrences(std::string_view code, const std::vector<std::string_view>& tokens)
{
    std::vector<std::size_t> positions;
    for (std::size_t start = code.find(tokens.front()); start != code.npos;
         start = code.find(tokens.front(), start + 1)) {
        std::size_t position = start;
        const bool isMatch = std::all_of(tokens.begin(), tokens.end(), [&](std::string_view token) {
            while (position < code.size() && position != start && isBlank(code[position]))
                ++position;
            const bool stands = position < code.size() && standsAt(code, position, token);
            position += token.size();
            return stands;
        });
        if (isMatch)
            positions.push_back(start);
    }
    return positions;
}

struct Ban
{
    std::vector<std::string_view> tokens;
    std::string_view instead;
};

Findings bansFound(const File& file, const std::vector<Ban>& bans)
{
    const std::string code = codeOf(file.text);
    Findings findings;
    for (const Ban& ban : bans)
        for (const std::size_t position : occurrences(code, ban.tokens)) {
            std::string name;
            for (const std::string_view token : ban.tokens)
                name.append(!name.empty() && isWordPart(name.back()) && isWordPart(token.front()) ? " " : "")
                    .append(token);
            findings.push_back(at(file, position, name + ": " + std::string(ban.instead)));
        }
    return findings;
}

struct Include
{
    std::string name;
    std::size_t position = 0;
};

/// Names between the quotes or angle brackets of #include lines. The code tells which lines are none
/// (comments), the text what they say (a quoted name is a literal).
std::vector<Include> includesOf(const File& file)
{
    const std::string code = codeOf(file.text);
    std::vector<Include> includes;
    for (const std::size_t position : occurrences(code, {"#", "include"})) {
        const std::size_t lineEnd = std::min(file.text.find('\n', position), file.text.size());
        const std::size_t open = file.text.find_first_of("\"<", position);
        if (open >= lineEnd)
            continue;
        const std::size_t close = file.text.find_first_of("\">", open + 1);
        if (close < lineEnd)
            includes.push_back({file.text.substr(open + 1, close - open - 1), position});
    }
    return includes;
}

bool isQt(std::string_view include)
{
    return include.size() > 1 && include[0] == 'Q'
            && std::isupper(static_cast<unsigned char>(include[1])) != 0
        ? true
        : include.starts_with("Qt");
}

bool isWidgets(std::string_view include)
{
    static const std::set<std::string_view> kNames{
        "QWidget",     "QApplication", "QMainWindow", "QDialog",
        "QMessageBox", "QFileDialog",  "QPushButton", "QLabel",
        "QTreeView",   "QTableView",   "QMenu",       "QSystemTrayIcon",
        "QLayout",     "QVBoxLayout",  "QHBoxLayout", "QStyledItemDelegate"};
    return include.starts_with("QtWidgets") || kNames.contains(include);
}

/// I/O, threads and the operating system, by the C++ library or POSIX.
bool isSystem(std::string_view include)
{
    static const std::set<std::string_view> kNames{
        "filesystem", "fstream",  "iostream", "thread",   "mutex",   "shared_mutex", "condition_variable",
        "future",     "csignal",  "signal.h", "unistd.h", "fcntl.h", "poll.h",       "dirent.h",
        "netdb.h",    "pthread.h"};
    return kNames.contains(include) || include.starts_with("sys/") || include.starts_with("netinet/")
        || include.starts_with("arpa/") || include.starts_with("net/") || include.starts_with("linux/");
}

/// The end of the literal or comment that starts at `start`, or `start` if none does.
std::size_t skippedTo(std::string_view text, std::size_t start)
{
    const std::string_view rest = text.substr(start);
    const auto until = [&](std::string_view end, std::size_t from) {
        const std::size_t found = text.find(end, start + from);
        return found == text.npos ? text.size() : found + end.size();
    };
    if (rest.starts_with("//"))
        return std::min(text.find('\n', start), text.size());
    if (rest.starts_with("/*"))
        return until("*/", 2);
    if (rest.starts_with("R\"") && (start == 0 || !isWordPart(text[start - 1]))) {
        const std::string_view delimiter = rest.substr(2, std::min(rest.find('('), rest.size()) - 2);
        return until(")" + std::string(delimiter) + "\"", 2);
    }
    if (rest.front() != '"' && rest.front() != '\'')
        return start;
    if (rest.front() == '\'') { // 16'384 is a number
        std::size_t word = start;
        while (word > 0 && (isWordPart(text[word - 1]) || text[word - 1] == '\''))
            --word;
        if (word < start && std::isdigit(static_cast<unsigned char>(text[word])) != 0)
            return start;
    }
    for (std::size_t i = start + 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == rest.front() || text[i] == '\n')
            return i + 1;
    }
    return text.size();
}

} // namespace

std::string codeOf(std::string_view text)
{
    std::string code(text);
    for (std::size_t i = 0; i < code.size();) {
        const std::size_t end = skippedTo(text, i);
        if (end == i) {
            ++i;
            continue;
        }
        for (; i < end; ++i)
            if (code[i] != '\n')
                code[i] = ' ';
    }
    return code;
}

Findings foreignIncludes(const File& file)
{
    Findings findings;
    if (isCMake(file.path) && !file.path.starts_with("console/") && !isTest(file.path)
        && file.path != "CMakeLists.txt" && file.text.find("Qt6::Widgets") != std::string::npos)
        findings.push_back(at(file, file.text.find("Qt6::Widgets"), "Widgets belong to the console"));
    if (!isCpp(file.path))
        return findings;

    const std::string_view room = roomOf(file.path);
    const bool isPure = kPureRooms.contains(room);
    for (const Include& include : includesOf(file)) {
        const std::string_view name = include.name;
        const auto refuseIf = [&](bool isWrong, const char* rule) {
            if (isWrong)
                findings.push_back(at(file, include.position, include.name + ": " + rule));
        };
        refuseIf(isPure && isQt(name), "this room has no Qt");
        refuseIf(isPure && isSystem(name), "this room has no files, sockets, threads or signals");
        refuseIf(!file.path.starts_with("console/") && !isTest(file.path) && isWidgets(name),
                 "Widgets belong to the console");
        if (isTest(file.path))
            continue;
        refuseIf(room != "crypto" && (name.starts_with("sodium") || name.starts_with("openssl/")),
                 "only crypto knows libsodium and OpenSSL");
        refuseIf(room != "store" && name.starts_with("sqlite3"), "only store knows SQLite");
        refuseIf(file.path != "core/node/upnp_client.cpp" && name.starts_with("miniupnpc/"),
                 "only node/upnp_client.cpp knows libminiupnpc");
        // swarm's inner headers that know libtorrent say so in their names, and stay inside.
        const bool mayKnowLibtorrent =
            room == "swarm" && (isSource(file.path) || file.path.ends_with("_lt.h"));
        refuseIf(!mayKnowLibtorrent && (name.starts_with("libtorrent/") || name.ends_with("_lt.h")),
                 "only swarm's .cpp files and inner headers know libtorrent");
    }
    return findings;
}

Findings upwardIncludes(const File& file)
{
    Findings findings;
    const std::string_view room = roomOf(file.path);
    if (!isCpp(file.path) || room.empty())
        return findings;
    const auto below = kBelow.find(room);
    if (below == kBelow.end())
        return {file.path + ":1: the room is not in the order of layers"};
    for (const Include& include : includesOf(file)) {
        const std::string_view other = std::string_view(include.name).substr(0, include.name.find('/'));
        const bool isOutside = include.name.starts_with("../") || include.name.starts_with("agent/")
            || include.name.starts_with("console/");
        if (isOutside || (kBelow.contains(other) && other != room && !below->second.contains(other)))
            findings.push_back(
                at(file, include.position, include.name + " is not below " + std::string(room)));
    }
    return findings;
}

Findings hiddenInputs(const File& file)
{
    if (!isCpp(file.path) || !file.path.starts_with("core/") || roomOf(file.path) == "node")
        return {};
    static const std::vector<Ban> kBans{
        {{"steady_clock", "::", "now"}, "time is given"},
        {{"system_clock", "::", "now"}, "time is given"},
        {{"high_resolution_clock", "::", "now"}, "time is given"},
        {{"QDateTime", "::", "currentDateTime"}, "time is given"},
        {{"QDateTime", "::", "currentDateTimeUtc"}, "time is given"},
        {{"QDateTime", "::", "currentSecsSinceEpoch"}, "time is given"},
        {{"QDateTime", "::", "currentMSecsSinceEpoch"}, "time is given"},
        {{"QDate", "::", "currentDate"}, "time is given"},
        {{"QTime", "::", "currentTime"}, "time is given"},
        {{"clock_gettime", "("}, "time is given"},
        {{"gettimeofday", "("}, "time is given"},
        {{"time", "(", "nullptr", ")"}, "time is given"},
        {{"QRandomGenerator"}, "randomness is a RandomSource"},
        {{"std", "::", "random_device"}, "randomness is a RandomSource"},
        {{"rand", "("}, "randomness is a RandomSource"},
    };
    return bansFound(file, kBans);
}

Findings bannedConstructs(const File& file)
{
    if (!isCpp(file.path) || !isProduct(file.path))
        return {};
    static const std::vector<Ban> kBans{
        {{"QTimer", "::", "singleShot"}, "a timer is a member that can be stopped"},
        {{"QThread", "::", "sleep"}, "nothing sleeps"},
        {{"QThread", "::", "msleep"}, "nothing sleeps"},
        {{"QThread", "::", "usleep"}, "nothing sleeps"},
        {{"this_thread", "::", "sleep_for"}, "nothing sleeps"},
        {{"this_thread", "::", "sleep_until"}, "nothing sleeps"},
        {{"processEvents"}, "one event loop"},
        {{"throw"}, "errors are values"},
        {{"catch", "(", "...", ")"}, "catch what is known, at the door of the library that throws it"},
    };
    return bansFound(file, kBans);
}

Findings headerFaults(const File& file)
{
    if (!isHeader(file.path))
        return {};
    Findings findings = bansFound(file, {{{"using", "namespace"}, "not in a header"}});
    if (occurrences(codeOf(file.text), {"#", "pragma", "once"}).empty())
        findings.push_back(file.path + ":1: no #pragma once");
    return findings;
}

Findings missingLicence(const File& file)
{
    const bool isBuild = isCMake(file.path);
    if (!isBuild && !isCpp(file.path))
        return {};
    const std::string line = std::string(isBuild ? "#" : "//") + " SPDX-License-Identifier: Apache-2.0\n";
    if (file.text.starts_with(line))
        return {};
    return {file.path + ":1: the first line is not the licence's"};
}

Findings overlong(const File& file)
{
    if (!isCpp(file.path))
        return {};
    const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
    const std::size_t limit = isHeader(file.path) ? kMaxHeaderLines : kMaxSourceLines;
    if (lines <= limit)
        return {};
    return {file.path + ":" + std::to_string(lines) + ": more than " + std::to_string(limit) + " lines"};
}

Findings machinePaths(const File& file)
{
    // Written in two pieces, so that this file passes its own rule.
    static const std::array<std::string, 2> kPaths{std::string("/tmp") + "/", std::string("/work") + "/"};
    Findings findings;
    for (const std::string& path : kPaths)
        for (std::size_t found = file.text.find(path); found != std::string::npos;
             found = file.text.find(path, found + 1))
            findings.push_back(at(file, found, path + " is a place of one machine"));
    return findings;
}

Findings unlistedSources(const std::vector<File>& tree)
{
    // Tests are listed without suffix: starling_test(tst_base …).
    static constexpr std::string_view kSuffix = ".cpp";
    Findings findings;
    for (const File& file : tree) {
        if (!isSource(file.path))
            continue;
        const std::string_view name = nameOf(file.path);
        const std::string_view stem = name.substr(0, name.size() - kSuffix.size());
        const bool isListed = std::any_of(tree.begin(), tree.end(), [&](const File& build) {
            if (nameOf(build.path) != "CMakeLists.txt")
                return false;
            const std::string folder(folderOf(build.path));
            if (!folder.empty() && !file.path.starts_with(folder + "/"))
                return false;
            return !occurrences(build.text, {name}).empty()
                || (isTest(file.path) && !occurrences(build.text, {"(", stem}).empty());
        });
        if (!isListed)
            findings.push_back(file.path + ":1: no CMakeLists.txt lists it");
    }
    return findings;
}

Findings unusedHeaders(const std::vector<File>& tree)
{
    std::set<std::string> included; // by last component and by all longer endings
    for (const File& file : tree)
        if (isCpp(file.path))
            for (const Include& include : includesOf(file))
                included.insert(include.name);
    Findings findings;
    for (const File& file : tree) {
        if (!isHeader(file.path))
            continue;
        const std::string path = "/" + file.path;
        if (std::none_of(included.begin(), included.end(),
                         [&](const std::string& name) { return path.ends_with("/" + name); }))
            findings.push_back(file.path + ":1: nobody includes it");
    }
    return findings;
}

} // namespace starling::architecture
