// SPDX-License-Identifier: Apache-2.0
/// Applies the rules of architecture_rules.h to the source tree, and each rule to samples that it must catch.
#include "architecture_rules.h"

#include <QDir>
#include <QDirIterator>
#include <QtTest>
#include <algorithm>

using namespace starling::architecture;

namespace {

constexpr qint64 kMaxTextBytes = 1024 * 1024;
constexpr std::size_t kShownSizes = 10;

using Rule = Findings (*)(const File&);

QByteArray joined(const Findings& findings)
{
    QByteArray text;
    for (const std::string& finding : findings)
        text += "\n    " + QByteArray::fromStdString(finding);
    return text;
}

} // namespace

class TestArchitecture : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();

    // The tree
    void includesOnlyTheLibrariesOfTheRoom();
    void includesOnlyRoomsBelow();
    void readsNoClockAndNoRandomnessOutsideTheShell();
    void usesNoBannedConstruct();
    void guardsHeadersAndKeepsThemFreeOfUsingNamespace();
    void startsEveryFileWithTheLicence();
    void keepsFilesShort();
    void namesNoPlaceOfOneMachine();
    void listsEverySourceInTheBuild();
    void usesEveryHeader();

    // The rules
    void catchesBadSamples_data();
    void catchesBadSamples();
    void letsGoodSamplesPass_data();
    void letsGoodSamplesPass();
    void catchesOrphans();
    void blanksCommentsAndLiterals();

private:
    void verifyTree(Rule rule) const;

    std::vector<File> m_tree;
};

Q_DECLARE_METATYPE(Rule)

void TestArchitecture::initTestCase()
{
    const QDir top(QStringLiteral(STARLING_SOURCE_DIR));
    QDirIterator iterator(top.path(), QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
    while (iterator.hasNext()) {
        const QString path = top.relativeFilePath(iterator.next());
        // Build trees, version control, editors' folders.
        if (path.startsWith(u"build") || (path.startsWith(u'.') && !path.startsWith(u".ci/")))
            continue;
        QFile file(iterator.filePath());
        if (file.size() > kMaxTextBytes || !file.open(QIODevice::ReadOnly))
            continue;
        const QByteArray text = file.readAll();
        if (!text.contains('\0'))
            m_tree.push_back({path.toStdString(), text.toStdString()});
    }
    std::sort(m_tree.begin(), m_tree.end(), [](const File& a, const File& b) { return a.path < b.path; });
    QVERIFY(m_tree.size() > 100);
}

void TestArchitecture::verifyTree(Rule rule) const
{
    Findings findings;
    for (const File& file : m_tree) {
        Findings some = rule(file);
        findings.insert(findings.end(), some.begin(), some.end());
    }
    QVERIFY2(findings.empty(), joined(findings).constData());
}

void TestArchitecture::includesOnlyTheLibrariesOfTheRoom()
{
    verifyTree(foreignIncludes);
}

void TestArchitecture::includesOnlyRoomsBelow()
{
    verifyTree(upwardIncludes);
}

void TestArchitecture::readsNoClockAndNoRandomnessOutsideTheShell()
{
    verifyTree(hiddenInputs);
}

void TestArchitecture::usesNoBannedConstruct()
{
    verifyTree(bannedConstructs);
}

void TestArchitecture::guardsHeadersAndKeepsThemFreeOfUsingNamespace()
{
    verifyTree(headerFaults);
}

void TestArchitecture::startsEveryFileWithTheLicence()
{
    verifyTree(missingLicence);
}

void TestArchitecture::keepsFilesShort()
{
    std::vector<std::pair<qsizetype, QByteArray>> sizes;
    qsizetype total = 0;
    for (const File& file : m_tree) {
        const auto path = QByteArray::fromStdString(file.path);
        if (!path.endsWith(".cpp") && !path.endsWith(".h"))
            continue;
        const auto lines = static_cast<qsizetype>(std::count(file.text.begin(), file.text.end(), '\n'));
        sizes.emplace_back(lines, path);
        total += lines;
    }
    std::sort(sizes.rbegin(), sizes.rend());
    qInfo("%lld lines of C++ in %zu files; the longest:", static_cast<long long>(total), sizes.size());
    for (std::size_t i = 0; i < std::min(kShownSizes, sizes.size()); ++i)
        qInfo("%6lld  %s", static_cast<long long>(sizes[i].first), sizes[i].second.constData());
    verifyTree(overlong);
}

void TestArchitecture::namesNoPlaceOfOneMachine()
{
    verifyTree(machinePaths);
}

void TestArchitecture::listsEverySourceInTheBuild()
{
    const Findings findings = unlistedSources(m_tree);
    QVERIFY2(findings.empty(), joined(findings).constData());
}

void TestArchitecture::usesEveryHeader()
{
    const Findings findings = unusedHeaders(m_tree);
    QVERIFY2(findings.empty(), joined(findings).constData());
}

namespace {

void addColumns()
{
    QTest::addColumn<Rule>("rule");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("text");
}

void addRow(const char* name, Rule rule, const char* path, const QByteArray& text)
{
    QTest::newRow(name) << rule << QByteArray(path) << text;
}

File sample()
{
    const QByteArray path = *static_cast<QByteArray*>(QTest::qData("path", qMetaTypeId<QByteArray>()));
    const QByteArray text = *static_cast<QByteArray*>(QTest::qData("text", qMetaTypeId<QByteArray>()));
    return {path.toStdString(), text.toStdString()};
}

} // namespace

void TestArchitecture::catchesBadSamples_data()
{
    addColumns();
    const Rule includes = foreignIncludes;
    addRow("Qt in a pure room", includes, "core/trust/a.cpp", "#include <QString>\n");
    addRow("Qt module in a pure room", includes, "core/link/a.h", "#include <QtCore/qglobal.h>\n");
    addRow("libtorrent in a pure room", includes, "core/release/a.cpp", "#include <libtorrent/sha1.hpp>\n");
    addRow("libtorrent in swarm's header", includes, "core/swarm/a.h", "#include <libtorrent/fwd.hpp>\n");
    addRow("swarm's inner header in its outer one", includes, "core/swarm/swarm.h",
           "#include \"swarm/params_lt.h\"\n");
    addRow("swarm's inner header outside", includes, "core/node/a.cpp", "#include \"swarm/params_lt.h\"\n");
    addRow("libtorrent in the agent", includes, "agent/main.cpp", "#  include <libtorrent/fwd.hpp>\n");
    addRow("files in a pure room", includes, "core/update/a.cpp", "#include <filesystem>\n");
    addRow("streams in a pure room", includes, "core/base/a.cpp", "#include <fstream>\n");
    addRow("threads in a pure room", includes, "core/overlay/a.cpp", "#include <mutex>\n");
    addRow("POSIX in a pure room", includes, "core/crypto/a.cpp", "#include <sys/stat.h>\n");
    addRow("sodium outside crypto", includes, "core/trust/a.cpp", "#include <sodium.h>\n");
    addRow("OpenSSL outside crypto", includes, "core/node/a.cpp", "#include <openssl/evp.h>\n");
    addRow("SQLite outside store", includes, "core/node/a.cpp", "#include <sqlite3.h>\n");
    addRow("Widgets below the console", includes, "core/node/a.cpp", "#include <QMessageBox>\n");
    addRow("Widgets linked below the console", includes, "agent/CMakeLists.txt", "LINKS Qt6::Widgets)\n");

    const Rule layers = upwardIncludes;
    addRow("upward", layers, "core/trust/a.cpp", "#include \"release/board.h\"\n");
    addRow("sideways", layers, "core/link/a.cpp", "#include \"overlay/overlay.h\"\n");
    addRow("deploy knows no update", layers, "core/deploy/a.h", "#include \"update/life_cycle.h\"\n");
    addRow("node knows no control", layers, "core/node/a.h", "#include \"control/codec.h\"\n");
    addRow("around the folder", layers, "core/base/a.h", "#include \"../trust/root.h\"\n");
    addRow("unknown room", layers, "core/misc/a.h", "");

    const Rule inputs = hiddenInputs;
    addRow("steady clock", inputs, "core/link/a.cpp", "auto t = std::chrono::steady_clock::now();\n");
    addRow("system clock", inputs, "core/store/a.cpp", "auto t = system_clock :: now();\n");
    addRow("Qt's clock", inputs, "core/deploy/a.cpp", "QDateTime::currentDateTimeUtc();\n");
    addRow("Qt's randomness", inputs, "core/swarm/a.cpp", "QRandomGenerator::global()->generate();\n");
    addRow("random device", inputs, "core/base/a.cpp", "std::random_device device;\n");
    addRow("rand", inputs, "core/base/a.cpp", "int x = rand();\n");

    const Rule constructs = bannedConstructs;
    addRow("single shot", constructs, "core/node/a.cpp", "QTimer::singleShot(0, f);\n");
    addRow("sleep", constructs, "agent/a.cpp", "QThread::msleep(5);\n");
    addRow("nested events", constructs, "console/a.cpp", "QCoreApplication::processEvents();\n");
    addRow("throw", constructs, "core/node/a.cpp", "if (x)\n    throw Error();\n");
    addRow("catch all", constructs, "agent/a.cpp", "} catch ( ... ) {\n");

    addRow("using namespace", headerFaults, "tests/unit/a.h", "#pragma once\nusing namespace std;\n");
    addRow("no guard", headerFaults, "core/base/a.h", "// #pragma once\nint x;\n");
    addRow("no licence", missingLicence, "core/base/a.h", "#pragma once\n");
    addRow("other licence", missingLicence, "a.cpp", "// SPDX-License-Identifier: MIT\n");
    addRow("licence in line 2", missingLicence, "CMakeLists.txt",
           "\n# SPDX-License-Identifier: Apache-2.0\n");
    addRow("long source", overlong, "core/base/a.cpp", QByteArray(601, '\n'));
    addRow("long header", overlong, "core/base/a.h", QByteArray(251, '\n'));
    addRow("temporary place", machinePaths, "demo", QByteArray("cd /tmp") + "/x\n");
    addRow("work place", machinePaths, "README.md", QByteArray("see /work") + "/main\n");
}

void TestArchitecture::catchesBadSamples()
{
    QFETCH(Rule, rule);
    QCOMPARE(rule(sample()).size(), std::size_t{1});
}

void TestArchitecture::letsGoodSamplesPass_data()
{
    addColumns();
    const Rule includes = foreignIncludes;
    addRow("values in a pure room", includes, "core/trust/a.cpp",
           "#include <vector>\n#include \"base/bytes.h\"\n");
    addRow("Qt in the shell", includes, "core/node/a.cpp", "#include <QObject>\n");
    addRow("sodium in crypto", includes, "core/crypto/a.cpp", "#include <sodium.h>\n");
    addRow("SQLite in store", includes, "core/store/a.cpp", "#include <sqlite3.h>\n");
    addRow("libtorrent in swarm", includes, "core/swarm/a.cpp", "#include <libtorrent/session.hpp>\n");
    addRow("libtorrent in swarm's inner header", includes, "core/swarm/a_lt.h",
           "#include <libtorrent/fwd.hpp>\n");
    addRow("libtorrent in a test", includes, "tests/interop/a.cpp", "#include <libtorrent/session.hpp>\n");
    addRow("include in a comment", includes, "core/trust/a.cpp",
           "// #include <QString>\n/*\n#include <mutex>\n*/\n");
    addRow("downward", upwardIncludes, "core/release/a.cpp", "#include \"trust/root.h\"\n");
    addRow("own room", upwardIncludes, "core/link/a.cpp", "#include \"link/frame.h\"\n");
    addRow("a clock in node", hiddenInputs, "core/node/a.cpp", "steady_clock::now();\n");
    addRow("other words", hiddenInputs, "core/base/a.cpp",
           "int operand(int); auto x = operand(1); strand(2);\n");
    addRow("a word in a comment", bannedConstructs, "core/base/a.cpp", "// never throw, never catch (...)\n");
    addRow("a word in a string", bannedConstructs, "core/base/a.cpp",
           "auto s = \"throw\"; auto r = R\"x(throw\")x\";\n");
    addRow("a word in a name", bannedConstructs, "core/base/a.cpp", "int rethrow; int throwAway;\n");
    addRow("a throwing test", bannedConstructs, "tests/unit/a.cpp", "throw 1;\n");
    addRow("using in a source", headerFaults, "core/base/a.cpp", "using namespace starling;\n");
    addRow("longest source", overlong, "core/base/a.cpp", QByteArray(600, '\n'));
    addRow("no code", missingLicence, "README.md", "# Starling\n");
}

void TestArchitecture::letsGoodSamplesPass()
{
    QFETCH(Rule, rule);
    const Findings findings = rule(sample());
    QVERIFY2(findings.empty(), joined(findings).constData());
}

void TestArchitecture::catchesOrphans()
{
    const std::vector<File> tree{
        {"core/base/CMakeLists.txt", "starling_room(base SOURCES listed.cpp)\n"},
        {"tests/unit/CMakeLists.txt", "starling_test(tst_listed LINKS starling::base)\n"},
        {"core/base/listed.cpp", "#include \"base/used.h\"\n// #include \"base/unused.h\"\n"},
        {"core/base/used.h", ""},
        {"core/base/unused.h", ""},
        {"core/base/sted.cpp", ""}, // the end of a listed name
        {"core/trust/listed.cpp", ""}, // listed, but in another room
        {"tests/unit/tst_listed.cpp", ""},
        {"tests/unit/tst_list.cpp", ""}, // the start of a listed name
    };
    QCOMPARE(unlistedSources(tree),
             (Findings{"core/base/sted.cpp:1: no CMakeLists.txt lists it",
                       "core/trust/listed.cpp:1: no CMakeLists.txt lists it",
                       "tests/unit/tst_list.cpp:1: no CMakeLists.txt lists it"}));
    QCOMPARE(unusedHeaders(tree), Findings{"core/base/unused.h:1: nobody includes it"});
}

void TestArchitecture::blanksCommentsAndLiterals()
{
    QCOMPARE(codeOf("a // b\nc /* d\ne */ f"), std::string("a     \nc     \n     f"));
    QCOMPARE(codeOf("x = \"a\\\"b\" + 'c' + '\\'' + 16'384 + y;"),
             std::string("x =        +     +      + 16'384 + y;"));
    QCOMPARE(codeOf("R\"-(a)\" // \"b)-\" z"), std::string("                 z"));
}

QTEST_GUILESS_MAIN(TestArchitecture)

#include "tst_architecture.moc"
