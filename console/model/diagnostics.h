// SPDX-License-Identifier: Apache-2.0
/// What somebody who helps has to know of this console, its agent and the fleet, as files that may be sent:
/// no names and labels of devices, no addresses, no home directory, of keys the short ids alone. Pure but for
/// Qt's values: what the machine says is given.
#pragma once

#include "control/messages.h"
#include "fleetview/fleet.h"

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <vector>

namespace starling::console {

/// What the machine and the profile say.
struct DiagnosticSurroundings
{
    QString version, qtVersion, qtBuiltWith, system, platform; ///< of the console and what it runs on
    QStringList libraries; ///< "libsodium 1.0.18", of each that is linked besides
    QString home; ///< its directory, which is written as ~
    QString socket, fleetDirectory, auditLog; ///< paths; empty: none
    QString auditVerdict;
    UtcTime now; ///< by this machine's clock
    std::vector<KeyId> keys; ///< whose files are here
};

struct DiagnosticFile
{
    QString name;
    QByteArray contents;
};

/// `status` and `picture` are null where no agent answers; `trouble` says why then.
std::vector<DiagnosticFile> diagnosticsOf(const DiagnosticSurroundings& surroundings,
                                          const control::StatusReply* status,
                                          const fleetview::Picture* picture, const QString& trouble);

} // namespace starling::console
