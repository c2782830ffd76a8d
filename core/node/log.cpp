// SPDX-License-Identifier: Apache-2.0
#include "node/log.h"

namespace starling::node {

Q_LOGGING_CATEGORY(lcNode, "starling.node", QtInfoMsg)
Q_LOGGING_CATEGORY(lcOverlay, "starling.overlay", QtInfoMsg)
Q_LOGGING_CATEGORY(lcSwarm, "starling.swarm", QtInfoMsg)
Q_LOGGING_CATEGORY(lcUpdate, "starling.update", QtInfoMsg)

QString forLog(const Error& error)
{
    return forLog(toString(error));
}

QString forLog(std::string_view text)
{
    QString line = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
    // What a peer or a script wrote must not start lines of its own, or move the cursor.
    for (QChar& c : line)
        if (c.category() == QChar::Other_Control || c.category() == QChar::Other_Format)
            c = QChar::ReplacementCharacter;
    return line;
}

QString forLog(const update::Record& record)
{
    return forLog(record.uri.text() + " " + trust::toString(record.revision));
}

} // namespace starling::node
