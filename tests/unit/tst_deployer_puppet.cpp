// SPDX-License-Identifier: Apache-2.0
/// The real Puppet, which must be installed.
#include "deploy_fixture.h"

using namespace starling;
using namespace starling::deploy;

class TestDeployerPuppet : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void appliesAManifestWithAndWithoutChanges();
    void findsModulesInThePayload();
    void reportsAFailingManifest();
    void reportsAManifestWithASyntaxError();
    void reportsMissingPuppet();
    void runsThePuppetReleasesCheckAsAScript();
};

void TestDeployerPuppet::appliesAManifestWithAndWithoutChanges()
{
    const Device device;
    device.write("site.pp",
                 "file { \"${facts['starling_root']}/motd\":\n  ensure => file,\n"
                 "  content => \"${facts['starling_uri']} ${facts['starling_version']}\\n\",\n}\n");
    Step step = device.step("site.pp");
    step.method = release::Method::Puppet;
    const Outcome changed = run(step);
    QVERIFY2(!changed.error, describe(changed).constData());
    QCOMPARE(changed.exitCode, 2);
    QCOMPARE(device.read("root/motd"), QByteArray("fw/gateway/rootfs 17\n"));
    const Outcome unchanged = run(step);
    QVERIFY2(!unchanged.error, describe(unchanged).constData());
    QCOMPARE(unchanged.exitCode, 0);
    QCOMPARE(QDir(device.path("root")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot),
             QStringList{QStringLiteral("motd")});
}

void TestDeployerPuppet::findsModulesInThePayload()
{
    const Device device;
    QVERIFY(QDir(device.path("payload")).mkpath(QStringLiteral("modules/gateway/manifests")));
    device.write("modules/gateway/manifests/init.pp",
                 "class gateway { file { \"${facts['starling_root']}/module\": content => 'x' } }\n");
    device.write("site.pp", "include gateway\n");
    Step step = device.step("site.pp");
    step.method = release::Method::Puppet;
    const Outcome outcome = run(step);
    QVERIFY2(!outcome.error, describe(outcome).constData());
    QCOMPARE(device.read("root/module"), QByteArray("x"));
}

void TestDeployerPuppet::reportsAFailingManifest()
{
    const Device device;
    device.write("site.pp", "exec { '/bin/false': }\n");
    Step step = device.step("site.pp");
    step.method = release::Method::Puppet;
    const Outcome outcome = run(step);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployFailed);
    QCOMPARE(outcome.exitCode, 4);
    QVERIFY2(outcome.output.find("/bin/false") != std::string::npos, outcome.output.c_str());
}

void TestDeployerPuppet::reportsAManifestWithASyntaxError()
{
    const Device device;
    device.write("site.pp", "file { '/unclosed\n");
    Step step = device.step("site.pp");
    step.method = release::Method::Puppet;
    const Outcome outcome = run(step);
    QVERIFY(outcome.error);
    QCOMPARE(outcome.error->code, Errc::DeployFailed);
    QCOMPARE(outcome.exitCode, 1);
}

void TestDeployerPuppet::reportsMissingPuppet()
{
    const Device device;
    device.write("site.pp", "notice('x')\n");
    Step step = device.step("site.pp");
    step.method = release::Method::Puppet;
    for (const char* name : {"puppet-that-is-not-installed", "/nowhere/puppet", "bin/puppet"}) {
        Config config;
        config.puppet = name;
        const Outcome outcome = run(step, config);
        QVERIFY(outcome.error);
        QCOMPARE(outcome.error->code, Errc::DeployMissing);
        QVERIFY(outcome.error->context.find(name) != std::string::npos);
    }
}

void TestDeployerPuppet::runsThePuppetReleasesCheckAsAScript()
{
    const Device device;
    device.write("check.sh", "#!/bin/sh\nexit 2\n");
    Step step = device.step("check.sh", StepKind::Check);
    step.method = release::Method::Puppet;
    const Outcome outcome = run(step);
    QVERIFY(outcome.error); // 2 is success for `puppet apply` alone
    QCOMPARE(outcome.error->code, Errc::HealthFailed);
}

QTEST_GUILESS_MAIN(TestDeployerPuppet)

#include "tst_deployer_puppet.moc"
