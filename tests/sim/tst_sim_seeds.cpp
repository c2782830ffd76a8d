// SPDX-License-Identifier: Apache-2.0
/// Loss, churn, a partition that heals and hostile nodes: four minutes and a whole hour of them with model
/// links by 20 seeds, or 2,000 with --long; a tenth as many with shipped links.
#include "sim_fixture.h"

using namespace starling;
using namespace starling::sim;

namespace {

std::uint64_t seedCount = 20;

} // namespace

class TestSimSeeds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QVERIFY(crypto::initialize().has_value()); }

    void holdsForEverySeed() { trySeeds("seeds", seedCount); }
    void shippedLinksHoldForSomeSeeds() { trySeeds("field", seedCount / 10); }
    void anHourHoldsForEverySeed() { trySeeds("hour", seedCount); }

private:
    static void trySeeds(const std::string& name, std::uint64_t seeds)
    {
        const Scenario scenario = scenarioNamed(name);
        std::string all;
        for (std::uint64_t seed = 1; seed <= seeds; ++seed)
            if (const std::string found = failures(outcomeOf(scenario, seed), name, seed); !found.empty())
                all += "\n" + found;
        QVERIFY2(all.empty(), all.c_str());
    }
};

int main(int argc, char** argv)
{
    // Qt Test knows no --long.
    std::vector<char*> arguments;
    for (int i = 0; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--long")
            seedCount = 2'000;
        else
            arguments.push_back(argv[i]);
    }
    TestSimSeeds test;
    return QTest::qExec(&test, static_cast<int>(arguments.size()), arguments.data());
}

#include "tst_sim_seeds.moc"
