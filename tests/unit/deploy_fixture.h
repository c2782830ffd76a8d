// SPDX-License-Identifier: Apache-2.0
/// A device for tests of deployment: a payload directory, a device root, and a step run to its end.
#pragma once

#include "deploy/deployer.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

namespace starling::deploy {

constexpr int kPatienceMs = 70'000;

/// For messages: the error and all that was printed.
inline QByteArray describe(const Outcome& outcome)
{
    return QByteArray::fromStdString((outcome.error ? toString(*outcome.error) : "success") + "\n"
                                     + outcome.output);
}

/// A payload directory and a device root.
struct Device
{
    Device()
    {
        QDir(directory.path()).mkpath(QStringLiteral("payload/modules"));
        QDir(directory.path()).mkpath(QStringLiteral("root"));
    }
    QString path(const char* name) const { return directory.filePath(QString::fromUtf8(name)); }
    QString payload(const char* name) const { return path("payload/") + QString::fromUtf8(name); }

    void write(const char* name, const QByteArray& text) const
    {
        QFile file(payload(name));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(text), text.size());
    }
    QByteArray read(const char* name) const
    {
        QFile file(path(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    /// The process group that a script wrote there as `$$`.
    int group(const char* name = "root/group") const { return read(name).trimmed().toInt(); }

    Step step(const char* script, StepKind kind = StepKind::Install) const
    {
        return {kind,
                release::Method::Script,
                script,
                path("payload").toStdString(),
                path("root").toStdString(),
                ResourceUri::parse("fw/gateway/rootfs").value(),
                trust::Revision{3, 17},
                std::chrono::seconds(60)};
    }

    QTemporaryDir directory;
};

inline Outcome run(const Step& step, Config config = {})
{
    Deployer deployer(std::move(config));
    std::optional<Outcome> outcome;
    QObject::connect(&deployer, &Deployer::finished, &deployer, [&](const Outcome& value) {
        QVERIFY(!deployer.isRunning());
        outcome = value;
    });
    deployer.start(step);
    if (outcome) // would be an answer before start() returned
        return {Error{Errc::Usage, "answered too early"}, 0, {}};
    if (!QTest::qWaitFor([&] { return outcome.has_value(); }, kPatienceMs))
        return {Error{Errc::Timeout, "no answer"}, 0, {}};
    return *outcome;
}

inline Outcome runScript(const Device& device, const QByteArray& script, StepKind kind = StepKind::Install)
{
    device.write("run.sh", script);
    return run(device.step("run.sh", kind));
}

} // namespace starling::deploy
