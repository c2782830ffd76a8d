// SPDX-License-Identifier: Apache-2.0
#include "update/policy.h"

#include <QTest>

using namespace starling;

namespace {

using Labels = std::map<std::string, std::string>;

release::UpdateInfo updateRequiring(Labels requirements)
{
    return {.uri = ResourceUri::parse("fw/gateway").value(),
            .revision = {0, 1},
            .label = {},
            .created = {},
            .requirements = std::move(requirements),
            .deploy = {}};
}

} // namespace

class TestPolicy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesAReleaseWithoutRequirements()
    {
        QVERIFY(update::requireCompatible(updateRequiring({}), {}).has_value());
        QVERIFY(update::requireCompatible(updateRequiring({}), {{"board", "rev-c"}}).has_value());
    }

    void takesADeviceThatHasEveryLabel()
    {
        const auto update = updateRequiring({{"arch", "arm64"}, {"board", "rev-c"}});
        QVERIFY(update::requireCompatible(update, {{"arch", "arm64"}, {"board", "rev-c"}, {"site", "north"}})
                    .has_value());
    }

    void namesTheLabelThatIsMissing()
    {
        const auto update = updateRequiring({{"arch", "arm64"}, {"board", "rev-c"}});
        const auto judged = update::requireCompatible(update, {{"arch", "arm64"}});
        QVERIFY(!judged);
        QCOMPARE(judged.error().code, Errc::Incompatible);
        QVERIFY(judged.error().context.find("board=rev-c") != std::string::npos);
        QVERIFY(judged.error().context.find("no label board") != std::string::npos);
    }

    void namesTheLabelThatDiffers()
    {
        const auto judged =
            update::requireCompatible(updateRequiring({{"arch", "arm64"}}), {{"arch", "amd64"}});
        QVERIFY(!judged);
        QCOMPARE(judged.error().code, Errc::Incompatible);
        QVERIFY(judged.error().context.find("arch=arm64") != std::string::npos);
        QVERIFY(judged.error().context.find("arch=amd64") != std::string::npos);
    }

    void comparesWholeValues()
    {
        const auto update = updateRequiring({{"board", "rev-c"}});
        for (const char* own : {"", "rev", "rev-c2", "Rev-c", "rev-c "})
            QVERIFY2(!update::requireCompatible(update, {{"board", own}}), own);
        QVERIFY(!update::requireCompatible(updateRequiring({{"board", ""}}), {}));
        QVERIFY(update::requireCompatible(updateRequiring({{"board", ""}}), {{"board", ""}}).has_value());
    }
};

QTEST_GUILESS_MAIN(TestPolicy)
#include "tst_policy.moc"
