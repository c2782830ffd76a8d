// SPDX-License-Identifier: Apache-2.0
#include "trust/floors.h"
#include "trust_fixture.h"

#include <QTest>

using namespace starling;
using namespace starling::trust;
using fixture::filled;
using fixture::uri;

class TestFloors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void acceptsAnythingWhereThereIsNoFloor();
    void refusesAnOlderVersionAndSaysBoth();
    void takesTheSameContentAgainForADuplicate();
    void refusesAnotherContentForTheSameVersion();
    void comparesEpochsFirst();
    void keepsFloorsOfUrisApart();
};

void TestFloors::acceptsAnythingWhereThereIsNoFloor()
{
    const Floors floors;
    QVERIFY(floors.standing(uri("fw/a"), {0, 1}, filled<InfoHash>(1)) == Standing::Newer);
    QVERIFY(floors.find(uri("fw/a")) == nullptr);
    ACCEPTED(floors.admit(uri("fw/a"), {0, 1}, filled<InfoHash>(1)));
}

void TestFloors::refusesAnOlderVersionAndSaysBoth()
{
    Floors floors;
    floors.raise(uri("fw/a"), {{0, 5}, filled<InfoHash>(5)});
    QVERIFY(floors.standing(uri("fw/a"), {0, 4}, filled<InfoHash>(4)) == Standing::Older);
    const auto status = floors.admit(uri("fw/a"), {0, 4}, filled<InfoHash>(4));
    REFUSED(status, Errc::Rollback);
    QCOMPARE(status.error().context, std::string("fw/a version 4 is not above 5"));
    ACCEPTED(floors.admit(uri("fw/a"), {0, 6}, filled<InfoHash>(4)));
    QVERIFY(floors.find(uri("fw/a"))->revision == (Revision{0, 5}));
}

void TestFloors::takesTheSameContentAgainForADuplicate()
{
    Floors floors;
    floors.raise(uri("fw/a"), {{0, 5}, filled<InfoHash>(5)});
    QVERIFY(floors.standing(uri("fw/a"), {0, 5}, filled<InfoHash>(5)) == Standing::Held);
    ACCEPTED(floors.admit(uri("fw/a"), {0, 5}, filled<InfoHash>(5)));
}

void TestFloors::refusesAnotherContentForTheSameVersion()
{
    Floors floors;
    floors.raise(uri("fw/a"), {{0, 7}, filled<InfoHash>(1)});
    QVERIFY(floors.standing(uri("fw/a"), {0, 7}, filled<InfoHash>(2)) == Standing::Conflicting);
    REFUSED(floors.admit(uri("fw/a"), {0, 7}, filled<InfoHash>(2)), Errc::Equivocation);
}

void TestFloors::comparesEpochsFirst()
{
    Floors floors;
    floors.raise(uri("fw/a"), {{0, Revision::kMaxVersion}, filled<InfoHash>(1)});
    QVERIFY(floors.standing(uri("fw/a"), {1, 1}, filled<InfoHash>(2)) == Standing::Newer);
    floors.raise(uri("fw/a"), {{1, 1}, filled<InfoHash>(2)});
    REFUSED(floors.admit(uri("fw/a"), {0, Revision::kMaxVersion}, filled<InfoHash>(1)), Errc::Rollback);
}

void TestFloors::keepsFloorsOfUrisApart()
{
    Floors floors;
    floors.raise(uri("fw/a"), {{0, 5}, filled<InfoHash>(5)});
    ACCEPTED(floors.admit(uri("fw/b"), {0, 1}, filled<InfoHash>(1)));
    ACCEPTED(floors.admit(uri("fw"), {0, 1}, filled<InfoHash>(1)));
    floors.raise(uri("fw/b"), {{0, 1}, filled<InfoHash>(1)});
    QCOMPARE(floors.all().size(), std::size_t(2));
}

QTEST_GUILESS_MAIN(TestFloors)
#include "tst_floors.moc"
