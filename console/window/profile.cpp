// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <QDir>
#include <QRegularExpression>
#include <QSettings>
#include <QStandardPaths>

namespace starling::window {

Profile Profile::load()
{
    const QSettings settings;
    return {settings.value(QStringLiteral("fleet/directory")).toString(),
            settings.value(QStringLiteral("fleet/socket")).toString(),
            settings.value(QStringLiteral("fleet/agent-config")).toString()};
}

void Profile::save() const
{
    QSettings settings;
    settings.setValue(QStringLiteral("fleet/directory"), directory);
    settings.setValue(QStringLiteral("fleet/socket"), socket);
    settings.setValue(QStringLiteral("fleet/agent-config"), agentConfig);
}

Result<ProfileLock> ProfileLock::take()
{
    const QDir directory(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation));
    if (!directory.mkpath(QStringLiteral(".")))
        return fail(Errc::Io, "the console's folder " + directory.path().toStdString() + " cannot be made");
    auto file = std::make_unique<QLockFile>(directory.filePath(QStringLiteral("console.lock")));
    file->setStaleLockTime(0); // a console may be open for weeks
    if (file->tryLock())
        return ProfileLock(std::move(file));
    if (file->error() != QLockFile::LockFailedError)
        return fail(Errc::Io,
                    "the console's folder " + directory.path().toStdString() + " cannot be written");
    qint64 process = 0;
    QString host, program;
    file->getLockInfo(&process, &host, &program);
    return fail(Errc::StateLocked,
                "another console uses this profile: process " + std::to_string(process) + " on "
                    + host.toStdString());
}

bool isProfileName(const QString& name)
{
    static const QRegularExpression allowed(
        QRegularExpression::anchoredPattern(QStringLiteral("[A-Za-z0-9._-]{1,32}")));
    return allowed.match(name).hasMatch();
}

} // namespace starling::window
