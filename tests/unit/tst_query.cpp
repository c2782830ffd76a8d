// SPDX-License-Identifier: Apache-2.0
#include "fleetview/completion.h"
#include "fleetview/query.h"
#include "fleetview_samples.h"

#include <QtTest>

using namespace starling;
using namespace starling::fleetview;
using namespace starling::samples;

namespace {

Device sample()
{
    Device device;
    device.node = nodeOf(7);
    device.name = "gw-7";
    device.labels = {{"site", "Berlin 03"}, {"model", "gw2"}, {"state", "label"}};
    device.receipt.entries = {entryOf(trust::Phase::Healthy, 9, "fw/base"),
                              entryOf(trust::Phase::Failed, 10, "fw/gateway", 404)};
    device.standing = Standing::Failed;
    return device;
}

} // namespace

class TestQuery : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void matchesWhatItSays_data();
    void matchesWhatItSays();
    void refusesWithThePlace_data();
    void refusesWithThePlace();
    void writesItselfSoThatItReadsTheSame_data();
    void writesItselfSoThatItReadsTheSame();
    void limitsDepthPartsAndBytes();
    void quotesWhatIsNoWord();
    void completesTheLastWord_data();
    void completesTheLastWord();
    void offersOnlySoMany();
};

void TestQuery::matchesWhatItSays_data()
{
    QTest::addColumn<QString>("query");
    QTest::addColumn<bool>("isMatch");
    const auto row = [](const char* query, bool isMatch) {
        QTest::newRow(query) << QString::fromLatin1(query) << isMatch;
    };
    row("  ", true);
    row("gw-7", true);
    row("W-7", true);
    row("gw-8", false);
    row("name=gw-7", true);
    row("name=gw", false);
    row("name=gw*", true);
    row("name=*w*7", true);
    row("name=*8*", false);
    row("name!=gw-7", false);
    row("site~berlin", true);
    row("site=\"Berlin 03\"", true);
    row("site!~berlin", false);
    row("label.site~03", true);
    row("label.state=label", true);
    row("state=failed", true);
    row("state=healthy or state=failed", true);
    row("state=healthy and state=failed", false);
    row("not state=healthy model=gw2", true);
    row("not (state=healthy or model=gw2)", false);
    row("model=gw3 or model=gw2 and name=gw-8", false);
    row("(model=gw3 or model=gw2) and name=gw-7", true);
    row("version<10", true); // of fw/base
    row("version<9", false);
    row("version>=10", true);
    row("version>0:10", false);
    row("version=10", true);
    row("phase=failed uri=fw/gateway", true);
    row("code=STAR-DEPLOY-004", true);
    row("code=STAR-DEPLOY-001", false);
    row("colour=red", false);
    row("colour!=red", true);
}

void TestQuery::matchesWhatItSays()
{
    QFETCH(QString, query);
    const auto parsed = Query::parse(query.toStdString());
    QVERIFY2(parsed, parsed ? "" : parsed.error().context.c_str());
    QTEST(parsed->matches(sample()), "isMatch");
}

void TestQuery::refusesWithThePlace_data()
{
    QTest::addColumn<QString>("query");
    QTest::addColumn<QString>("why");
    const auto row = [](const char* query, const char* why) {
        QTest::newRow(query) << QString::fromLatin1(query) << QString::fromLatin1(why);
    };
    row("state=", "query, at 7: a value is missing at the end");
    row("state=green", "query, at 7: there is no state 'green'");
    row("=3", "query, at 1: a value was expected");
    row("\"site\"=x", "query, at 1: the name of a field was expected before the operator");
    row("version<two", "query, at 9: a number was expected, as in version<2");
    row("(name=a", "query, at 8: a ')' is missing");
    row("name=a)", "query, at 7: a ')' without its '('");
    row("name=\"a", "query, at 6: the closing \" is missing");
    row("a and", "query, at 6: a value is missing at the end");
    row("a or or=3 =", "query, at 11: a value was expected");
    row("! a", "query, at 1: a value was expected");
}

void TestQuery::refusesWithThePlace()
{
    QFETCH(QString, query);
    const auto parsed = Query::parse(query.toStdString());
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().code, Errc::Usage);
    QTEST(QString::fromStdString(parsed.error().context), "why");
}

void TestQuery::writesItselfSoThatItReadsTheSame_data()
{
    QTest::addColumn<QString>("query");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* query, const char* text) {
        QTest::newRow(query) << QString::fromLatin1(query) << QString::fromLatin1(text);
    };
    row("a b", "a and b");
    row("((a) or (b c))", "a or b and c");
    row("a (b or c)", "a and (b or c)");
    row("a (b c)", "a and (b and c)");
    row("not not a", "not not a");
    row("not(a b)", "not (a and b)");
    row("site = \"or\"", "site=\"or\"");
}

void TestQuery::writesItselfSoThatItReadsTheSame()
{
    QFETCH(QString, query);
    const auto parsed = Query::parse(query.toStdString());
    QVERIFY(parsed);
    QTEST(QString::fromStdString(parsed->text()), "text");
    const auto again = Query::parse(parsed->text());
    QVERIFY(again && *again == *parsed);
}

void TestQuery::limitsDepthPartsAndBytes()
{
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "a" + std::string(depth, ')');
    };
    QVERIFY(Query::parse(nested(Query::kMaxDepth - 1)));
    QVERIFY(!Query::parse(nested(Query::kMaxDepth)));
    std::string many = "a";
    for (std::size_t i = 1; i < Query::kMaxItems / 2; ++i)
        many += " a";
    QVERIFY(Query::parse(many)); // each but the first is joined by one more item
    QVERIFY(!Query::parse(many + " a a"));
    QVERIFY(!Query::parse(std::string(Query::kMaxBytes + 1, 'a')));
}

void TestQuery::quotesWhatIsNoWord()
{
    for (const char* value : {"", "a b", "and", "a=b", "\"", "\\", "x)"}) {
        const auto parsed = Query::parse("name=" + quoted(value));
        QVERIFY(parsed);
        Device device;
        device.name = value;
        QVERIFY2(parsed->matches(device), value);
    }
    QCOMPARE(quoted("gw-7"), std::string("gw-7"));
}

void TestQuery::completesTheLastWord_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("offered");
    const auto row = [](const char* typed, const char* offered) {
        QTest::newRow(typed) << QString::fromLatin1(typed) << QString::fromLatin1(offered);
    };
    row("", "");
    row("si", "site=");
    row("S", "state=|site=");
    row("name=a and (n", "name=a and (name=");
    row("site=", "site=\"Berlin 03\"|site=lab");
    row("site=b", "site=\"Berlin 03\"");
    row("site=\"Ber", "site=\"Berlin 03\"");
    row("not site!=la", "not site!=lab");
    row("site=lab", ""); // nothing to add
    row("phase=roll", "phase=rolling-back|phase=rolled-back");
    row("state=\"x s", ""); // within quotes a space begins no word
    row("colour=", "");
}

void TestQuery::completesTheLastWord()
{
    QFETCH(QString, typed);
    QFETCH(QString, offered);
    const std::vector<Facet> facets{{"state", {{"healthy", 3}, {"failed", 1}}, 0},
                                    {"site", {{"Berlin 03", 2}, {"lab", 1}, {"", 1}}, 0}};
    QStringList texts;
    for (const std::string& text : completionsOf(facets, typed.toStdString())) {
        texts += QString::fromStdString(text);
        const bool isField = text.ends_with('=');
        QVERIFY2(isField || Query::parse(text), text.c_str());
    }
    QCOMPARE(texts.join(QLatin1Char('|')), offered);
}

void TestQuery::offersOnlySoMany()
{
    Facet facet{"site", {}, 0};
    for (int i = 0; i < 40; ++i)
        facet.values.push_back({"s" + std::to_string(i), 1});
    QCOMPARE(completionsOf({facet}, "site=s").size(), kMaxCompletions);
}

QTEST_GUILESS_MAIN(TestQuery)
#include "tst_query.moc"
