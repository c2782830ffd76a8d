// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <QSettings>

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

} // namespace starling::window
