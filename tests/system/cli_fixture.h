// SPDX-License-Identifier: Apache-2.0
/// The command line as people and scripts run it, in a directory of its own.
#pragma once

#include "command.h"
#include "node/disk.h"
#include "patience.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

namespace starling::cli_test {

inline QString s(const char* text)
{
    return QString::fromUtf8(text);
}

class Cli
{
public:
    QString path(const QString& name = {}) const { return m_directory.filePath(name); }
    std::filesystem::path file(const QString& name) const { return path(name).toStdString(); }

    /// Runs `starling ARGUMENTS` there, without a terminal to ask on: what needs a passphrase says so instead
    /// of waiting.
    support::CommandResult run(const QStringList& arguments) const
    {
        return support::runCommand(s("setsid"), QStringList{s("--wait"), program()} + arguments,
                                   std::chrono::minutes(2), path());
    }
    /// The same as words separated by spaces.
    support::CommandResult run(const char* line) const
    {
        return run(s(line).split(QLatin1Char(' '), Qt::SkipEmptyParts));
    }
    /// A line of shell in which $starling is the program.
    support::CommandResult shell(const char* line) const
    {
        return support::runCommand(s("setsid"),
                                   {s("--wait"), s("bash"), s("-c"), s("starling=$0; ") + s(line), program()},
                                   std::chrono::minutes(2), path());
    }
    static QString program() { return s(STARLING_BINARY_DIR "/bin/starling"); }

    void write(const QString& name, const QByteArray& contents,
               node::FileMode mode = node::FileMode::Public) const
    {
        QVERIFY(QDir(path()).mkpath(QFileInfo(path(name)).path()));
        QVERIFY(node::writeFile(
                    file(name),
                    viewOf(std::string_view(contents.constData(), static_cast<std::size_t>(contents.size()))),
                    mode)
                    .has_value());
    }
    QByteArray read(const QString& name) const
    {
        QFile opened(path(name));
        return opened.open(QIODevice::ReadOnly) ? opened.readAll() : QByteArray();
    }
    bool exists(const QString& name) const { return QFileInfo::exists(path(name)); }
    /// Everything in `directory`, hidden files too.
    QStringList names(const QString& directory = {}) const
    {
        return QDir(path(directory))
            .entryList(QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden | QDir::System, QDir::Name);
    }

private:
    QTemporaryDir m_directory;
};

/// The one line of JSON that --json promises; empty if it is anything else.
inline QJsonObject json(const support::CommandResult& result)
{
    if (result.output.count('\n') != 1 || !result.output.endsWith('\n'))
        return {};
    const QJsonObject object = QJsonDocument::fromJson(result.output).object();
    return object.value(QLatin1String("schema")) == QLatin1String("starling/1") ? object : QJsonObject();
}

inline QString errorName(const support::CommandResult& result)
{
    return json(result).value(QLatin1String("error")).toObject().value(QLatin1String("name")).toString();
}

} // namespace starling::cli_test

/// That `result` ended with `code`; shows what it said otherwise.
#define ENDED(result, code)                                                                                  \
    QVERIFY2((result).exitCode == (code),                                                                    \
             (QByteArray::number((result).exitCode) + ": " + (result).output + (result).errors).constData())
