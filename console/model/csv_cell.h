// SPDX-License-Identifier: Apache-2.0
/// Text of others in a file of comma-separated values.
#pragma once

#include <QByteArray>
#include <QString>

namespace starling::console {

/// RFC 4180, quoted; a leading =, +, -, @ or blank would be a formula where the file is opened.
inline QByteArray csvCell(QString value)
{
    if (!value.isEmpty() && QStringLiteral("=+-@\t\r").contains(value[0]))
        value.prepend(QLatin1Char('\''));
    value.replace(QLatin1Char('"'), QLatin1String("\"\""));
    return '"' + value.toUtf8() + '"';
}

} // namespace starling::console
