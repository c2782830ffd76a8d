// SPDX-License-Identifier: Apache-2.0
#include "resources.h"

#include <QtCore/qglobal.h>

// Outside of any namespace, as Q_INIT_RESOURCE wants it.
static void initializeIcons()
{
    Q_INIT_RESOURCE(icons);
    Q_INIT_RESOURCE(map);
}

namespace starling::window {

void loadResources()
{
    initializeIcons();
}

} // namespace starling::window
