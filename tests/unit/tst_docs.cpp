// SPDX-License-Identifier: Apache-2.0
/// What is documented by hand is held against the code: error codes, commands and their options,
/// configuration keys with their defaults.
#include "node/config.h"

#include <QProcess>
#include <QRegularExpression>
#include <QTest>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace starling;

namespace {

std::string read(const std::string& path)
{
    std::ifstream file(std::string(STARLING_SOURCE_DIR "/") + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

QRegularExpression regularExpression(const std::string& pattern)
{
    return QRegularExpression(QString::fromStdString(pattern));
}

std::string replaceAll(const std::string& text, const std::string& pattern, const char* by)
{
    return QString::fromStdString(text)
        .replace(regularExpression(pattern), QString::fromLatin1(by))
        .toStdString();
}

bool matches(const std::string& text, const std::string& pattern)
{
    return regularExpression(pattern).match(QString::fromStdString(text)).hasMatch();
}

/// A man page as a reader sees its words: "\-" is "-", font changes are gone, macros stay.
std::string readManPage(const std::string& name)
{
    return replaceAll(read("installers/man/" + name), "\\\\f[A-Z]|\"|\\\\(?=-)", "");
}

/// Every first group of `pattern` in `text`.
std::set<std::string> findAll(const std::string& text, const std::string& pattern)
{
    std::set<std::string> found;
    const QString subject = QString::fromStdString(text);
    for (auto match = regularExpression(pattern).globalMatch(subject); match.hasNext();)
        found.insert(match.next().captured(1).toStdString());
    return found;
}

bool hasWord(const std::string& text, const std::string& word)
{
    const std::string plain = QRegularExpression::escape(QString::fromStdString(word)).toStdString();
    return matches(text, "(^|[^A-Za-z0-9_-])" + plain + "($|[^A-Za-z0-9_-])");
}

std::string commandSources()
{
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(STARLING_SOURCE_DIR "/console/cli"))
        if (entry.path().extension() == ".cpp")
            text += read("console/cli/" + entry.path().filename().string());
    return text;
}

/// "--label", "-q", …: of every command, and those of all commands.
std::set<std::string> commandOptions()
{
    std::set<std::string> options{"--help", "--help-all"};
    for (const std::string& names : findAll(commandSources(), "add_(?:option|flag)\\(\\s*\"(-[^\"]*)\""))
        for (const std::string& name : findAll(names, "(-[^,]+)"))
            options.insert(name);
    return options;
}

std::set<std::string> configurationKeys()
{
    return findAll(read("core/node/config.cpp"), "\\{\"([a-z]+\\.[a-z_]+)\",");
}

std::string sectionOf(const std::string& key)
{
    return key.substr(0, key.find('.'));
}

std::string nameOf(const std::string& key)
{
    return key.substr(key.find('.') + 1);
}

} // namespace

class TestDocs : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void explainsEveryErrorCode();
    void explainsNoErrorCodeThatIsNotThere();
    void describesEveryCommandInTheManPage();
    void describesEveryOptionInTheManPage();
    void completesEveryCommandAndOption();
    void describesEveryExitStatus();
    void describesEveryMemberOfTheJson();
    void documentsEveryConfigurationKey();
    void defaultConfigurationSaysTheDefaults();
    void commandsOfTheTreeSayHowTheyAreUsed();
};

void TestDocs::explainsEveryErrorCode()
{
    const std::string page = read("resources/docs/errors.md");
    unsigned codes = 0;
    for (std::uint16_t value = 0; value < 1'000; ++value) {
        const auto code = errcOf(value);
        if (!code)
            continue;
        ++codes;
        const std::string row = "| " + codeName(*code) + " | " + std::string(shortName(*code)) + " | "
            + std::string(describe(*code)) + " | ";
        QVERIFY2(page.find(row) != std::string::npos,
                 ("errors.md has no row that begins with: " + row).c_str());
    }
    QVERIFY(codes > 40);
}

void TestDocs::explainsNoErrorCodeThatIsNotThere()
{
    std::set<std::string> known;
    for (std::uint16_t value = 0; value < 1'000; ++value)
        if (const auto code = errcOf(value))
            known.insert(codeName(*code));
    for (const char* page :
         {"resources/docs/errors.md", "resources/docs/json.md", "README.md", "SECURITY.md"})
        for (const std::string& code : findAll(read(page), "(STAR-[A-Z]+-[0-9]+)"))
            QVERIFY2(known.contains(code), (std::string(page) + " speaks of " + code).c_str());
}

void TestDocs::describesEveryCommandInTheManPage()
{
    const std::string page = readManPage("starling.1");
    const std::string sources = commandSources();
    std::set<std::string> commands = findAll(sources, "addCommand\\(\\s*[*a-z]+,\\s*line,\\s*\"([a-z]+)\"");
    commands.merge(findAll(sources, "add_subcommand\\(\\s*\"([a-z]+)\""));
    QVERIFY(commands.size() >= 15);
    for (const std::string& command : commands)
        QVERIFY2(matches(page, "\n\\.BI? ([a-z]+ )?" + command + "\\b"),
                 ("starling.1 has no paragraph on " + command).c_str());
}

void TestDocs::describesEveryOptionInTheManPage()
{
    const std::string page = readManPage("starling.1");
    const auto options = commandOptions();
    QVERIFY(options.size() >= 30);
    for (const std::string& option : options)
        QVERIFY2(hasWord(page, option), ("starling.1 does not mention " + option).c_str());
    const std::string agentPage = readManPage("starling-agent.8");
    for (const std::string& option :
         findAll(read("agent/agent.cpp"), "(?:add_option|add_flag|set_version_flag)\\(\"(--[^\"]*)\""))
        QVERIFY2(hasWord(agentPage, option), ("starling-agent.8 does not mention " + option).c_str());
}

void TestDocs::completesEveryCommandAndOption()
{
    const std::string completion = read("installers/completion/starling");
    std::set<std::string> words =
        findAll(commandSources(), "(?:addCommand\\([*a-z]+, line, |add_subcommand\\()\"([a-z]+)\"");
    for (const std::string& option : commandOptions())
        if (option.starts_with("--"))
            words.insert(option);
    for (const std::string& word : words)
        QVERIFY2(hasWord(completion, word), ("bash completion does not know " + word).c_str());
}

void TestDocs::describesEveryExitStatus()
{
    const std::string manPage = readManPage("starling.1");
    const std::string schema = read("resources/docs/json.md");
    const auto statuses = findAll(read("console/cli/command_line.h"), " [A-Z][A-Za-z]+ = ([0-9]+),");
    QVERIFY(statuses.size() >= 9);
    for (const std::string& status : statuses) {
        QVERIFY2(manPage.find("\n.B " + status + "\n") != std::string::npos,
                 ("starling.1: exit status " + status).c_str());
        QVERIFY2(schema.find("\n| " + status + " | ") != std::string::npos,
                 ("json.md: exit status " + status).c_str());
    }
}

void TestDocs::describesEveryMemberOfTheJson()
{
    const std::string schema = read("resources/docs/json.md");
    const auto members = findAll(commandSources(), "\\bQStringLiteral\\(\"([a-z_]+)\"\\)");
    QVERIFY(members.size() >= 50);
    for (const std::string& member : members)
        QVERIFY2(matches(schema, "[`.\"]" + member + "(\\[\\])?[`\"]"),
                 ("json.md does not describe " + member).c_str());
}

void TestDocs::documentsEveryConfigurationKey()
{
    const std::string manPage = readManPage("agent.conf.5");
    const std::string file = read("resources/config/agent.conf");
    const auto keys = configurationKeys();
    QVERIFY(keys.size() >= 16);
    for (const std::string& key : keys) {
        const std::string heading = "\n.SH [" + sectionOf(key) + "]\n";
        const std::size_t begin = manPage.find(heading);
        QVERIFY2(begin != std::string::npos, ("agent.conf.5 has no section " + sectionOf(key)).c_str());
        const std::string section = manPage.substr(begin, manPage.find("\n.SH ", begin + 1) - begin);
        QVERIFY2(matches(section, "\n\\.BR [^\n]*\\b" + nameOf(key) + "\\b"),
                 ("agent.conf.5 does not describe " + key).c_str());
        const std::size_t place = file.find("\n[" + sectionOf(key) + "]\n");
        QVERIFY2(place != std::string::npos, ("agent.conf has no section " + sectionOf(key)).c_str());
        const std::string part = file.substr(place, file.find("\n[", place + 1) - place);
        QVERIFY2(part.find("\n#" + nameOf(key) + " =") != std::string::npos,
                 ("agent.conf does not show " + key).c_str());
    }
}

void TestDocs::defaultConfigurationSaysTheDefaults()
{
    const std::string file = replaceAll(read("resources/config/agent.conf"), "\n#([a-z_]+ =)", "\n\\1");
    const auto ini = parseIni(file, "agent.conf");
    QVERIFY2(ini.has_value(), ini ? "" : toString(ini.error()).c_str());
    QCOMPARE(ini->entries().size(), configurationKeys().size());
    const auto read = node::interpretConfig(*ini);
    QVERIFY2(read.has_value(), read ? "" : toString(read.error()).c_str());
    const node::AgentConfig defaults;
    QCOMPARE(read->state, defaults.state);
    QCOMPARE(read->control, defaults.control);
    QCOMPARE(toString(read->listen), toString(defaults.listen));
    QVERIFY(read->neighbors.empty() && defaults.neighbors.empty());
    QCOMPARE(read->labels, defaults.labels);
    QCOMPARE(read->root, defaults.root);
    QCOMPARE(read->key, defaults.key);
    QCOMPARE(read->certificate, defaults.certificate);
    QCOMPARE(read->tokenFile, defaults.tokenFile);
    QVERIFY(!read->contact && !defaults.contact);
    QCOMPARE(read->deviceName, defaults.deviceName);
    QCOMPARE(read->admitKey, defaults.admitKey);
    QCOMPARE(read->subscription, defaults.subscription);
    QVERIFY(read->sumsAbove == defaults.sumsAbove);
    QCOMPARE(read->stunServers.size(), defaults.stunServers.size());
    QVERIFY(read->admission == defaults.admission);
    QCOMPARE(read->swarmPort, defaults.swarmPort);
    QCOMPARE(read->uploadLimit.value, defaults.uploadLimit.value);
    QCOMPARE(read->downloadLimit.value, defaults.downloadLimit.value);
    QCOMPARE(read->quota.value, defaults.quota.value);
    QVERIFY(read->deploy == defaults.deploy);
    QCOMPARE(read->deviceRoot, defaults.deviceRoot);
    QCOMPARE(read->puppet, defaults.puppet);
}

/// The others are run by these, by the tests and by CI; nothing else runs them unless a person does.
void TestDocs::commandsOfTheTreeSayHowTheyAreUsed()
{
    for (const char* command : {"check", "demo", "tests/bench/run", "tests/lab/run", "tests/lab/figure2"}) {
        QProcess process;
        process.start(QStringLiteral(STARLING_SOURCE_DIR "/") + QString::fromLatin1(command),
                      {QStringLiteral("--help")});
        QVERIFY2(process.waitForFinished() && process.exitStatus() == QProcess::NormalExit, command);
        QCOMPARE(process.readAllStandardError(), QByteArray());
        QCOMPARE(process.exitCode(), 0);
        QVERIFY2(process.readAllStandardOutput().contains(QByteArray("Usage: ")), command);
    }
}

QTEST_GUILESS_MAIN(TestDocs)
#include "tst_docs.moc"
