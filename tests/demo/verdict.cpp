// SPDX-License-Identifier: Apache-2.0
#include "verdict.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <array>
#include <cstdio>

namespace starling::demo {

bool AgentResult::isGood(std::uint64_t wantedVersion) const
{
    return phase == trust::Phase::Healthy && version == wantedVersion && !installedSha256.empty()
        && installedSha256 == signedSha256 && refusedRollback && refusedSignature && floorsUnchanged;
}

bool Outcome::isGood() const
{
    std::uint64_t fromPeers = 0;
    for (const AgentResult& agent : agents)
        fromPeers += agent.bytesFromPeers;
    // With two agents there is nobody but the one that was pushed to.
    const bool havePeersServed = fromPeers > 0 || agents.size() == 2;
    return havePeersServed && firewall.empty()
        && std::all_of(agents.begin(), agents.end(),
                       [this](const AgentResult& agent) { return agent.isGood(version); });
}

std::string table(const Outcome& outcome)
{
    std::string text = "agent      receipt     version  installed = signed (SHA-256)  from agent 1  from "
                       "others  rollback  forgery  floors\n";
    std::array<char, 240> line{};
    for (std::size_t i = 0; i < outcome.agents.size(); ++i) {
        const AgentResult& agent = outcome.agents[i];
        const std::string hash = agent.installedSha256.substr(0, 16)
            + (agent.installedSha256 == agent.signedSha256 ? "… yes" : "… NO");
        std::snprintf(
            line.data(), line.size(), "agent %-4zu %-11s %-8llu %-31s  %12s  %11s  %-8s  %-7s  %s\n", i + 1,
            std::string(trust::phaseName(agent.phase)).c_str(),
            static_cast<unsigned long long>(agent.version), hash.c_str(),
            i == 0 ? "pushed" : toString(ByteCount{agent.bytesFromOrigin}).c_str(),
            toString(ByteCount{agent.bytesFromPeers}).c_str(), agent.refusedRollback ? "refused" : "MISSED",
            agent.refusedSignature ? "refused" : "MISSED", agent.floorsUnchanged ? "unchanged" : "CHANGED");
        text += line.data();
    }
    text += "\nbytes from each peer, both releases:\n";
    for (std::size_t i = 0; i < outcome.agents.size(); ++i) {
        text += "agent " + std::to_string(i + 1) + "   ";
        for (const auto& [peer, bytes] : outcome.agents[i].bytesFrom)
            if (bytes > 0)
                text += "  " + peer + " " + toString(ByteCount{bytes});
        text += "\n";
    }
    if (!outcome.firewall.empty())
        text += "\nfirewall: " + outcome.firewall + "\n";
    return text;
}

std::string jsonLine(const Outcome& outcome)
{
    qint64 healthy = 0;
    std::uint64_t fromOrigin = 0, fromPeers = 0;
    bool rollback = true, signature = true;
    for (const AgentResult& agent : outcome.agents) {
        healthy += agent.phase == trust::Phase::Healthy && agent.version == outcome.version
                && agent.installedSha256 == agent.signedSha256
            ? 1
            : 0;
        fromOrigin += agent.bytesFromOrigin;
        fromPeers += agent.bytesFromPeers;
        rollback = rollback && agent.refusedRollback;
        signature = signature && agent.refusedSignature;
    }
    QJsonArray refused;
    if (rollback)
        refused.append(QStringLiteral("rollback"));
    if (signature)
        refused.append(QStringLiteral("signature"));
    const QJsonObject object{{QStringLiteral("agents"), static_cast<qint64>(outcome.agents.size())},
                             {QStringLiteral("healthy"), healthy},
                             {QStringLiteral("version"), static_cast<qint64>(outcome.version)},
                             {QStringLiteral("refused"), refused},
                             {QStringLiteral("network"),
                              outcome.isFigure2 ? QStringLiteral("figure2") : QStringLiteral("loopback")},
                             {QStringLiteral("bytes_from_origin"), static_cast<qint64>(fromOrigin)},
                             {QStringLiteral("bytes_from_peers"), static_cast<qint64>(fromPeers)},
                             {QStringLiteral("seconds"), outcome.seconds}};
    return QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString();
}

} // namespace starling::demo
