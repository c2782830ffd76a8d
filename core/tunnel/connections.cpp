// SPDX-License-Identifier: Apache-2.0
#include "tunnel/connections.h"

#include <algorithm>

namespace starling::tunnel {

namespace {

using Type = UtpHeader::Type;

constexpr std::uint16_t plus(std::uint16_t value, int change)
{
    return static_cast<std::uint16_t>(value + change); // numbers of uTP go round
}

constexpr bool isLater(std::uint16_t number, std::uint16_t than)
{
    return plus(number, -than) < 0x8000 && number != than;
}

/// Of the last packet that was sent: what only acknowledges carries the number of the next one.
std::uint16_t lastSent(const UtpHeader& header)
{
    return header.type == Type::State ? plus(header.number, -1) : header.number;
}

Bytes reset(std::uint16_t connection, std::uint16_t number, std::uint16_t acknowledged)
{
    return serialize(UtpHeader{Type::Reset, connection, number, acknowledged});
}

} // namespace

bool Connections::note(Side from, const UtpHeader& header)
{
    const auto ends = [from](Connection& connection) {
        return from == Side::Swarm ? std::pair(&connection.swarm, &connection.link)
                                   : std::pair(&connection.link, &connection.swarm);
    };
    const std::uint16_t to = header.type == Type::Syn ? plus(header.connection, 1) : header.connection;
    const auto known = std::find_if(m_all.begin(), m_all.end(), [&](Connection& connection) {
        return ends(connection).second->id == to;
    });
    if (known == m_all.end()) {
        if (header.type != Type::Syn)
            return false;
        if (m_all.size() == kMax)
            m_all.erase(m_all.begin());
        const auto [own, other] = ends(m_all.emplace_back());
        *own = {header.connection, header.number, true};
        other->id = to;
        return true;
    }
    if (header.type == Type::Reset) {
        m_all.erase(known);
        return true;
    }
    End& own = *ends(*known).first;
    if (!own.isHeard || isLater(lastSent(header), own.number))
        own.number = lastSent(header);
    own.isHeard = true;
    return true;
}

std::vector<Bytes> Connections::end(Side towards)
{
    std::vector<Bytes> resets;
    for (const Connection& connection : m_all) {
        const End& told = towards == Side::Swarm ? connection.swarm : connection.link;
        const End& gone = towards == Side::Swarm ? connection.link : connection.swarm;
        if (told.isHeard) // otherwise it has no connection
            resets.push_back(reset(told.id, gone.number, told.number));
    }
    m_all.clear();
    return resets;
}

std::vector<Bytes> resetsFor(const UtpHeader& header)
{
    if (header.type == Type::Reset)
        return {};
    const std::uint16_t number = header.acknowledged, acknowledged = lastSent(header);
    if (header.type == Type::Syn)
        return {reset(header.connection, number, acknowledged)};
    return {reset(plus(header.connection, -1), number, acknowledged),
            reset(plus(header.connection, 1), number, acknowledged)};
}

std::vector<Bytes> resetsFor(ByteView datagram)
{
    const auto parsed = parseDatagram(datagram);
    const auto* numbered = parsed ? std::get_if<Numbered>(&*parsed) : nullptr;
    if (numbered == nullptr)
        return {};
    const auto carried = parseCarried(numbered->carried);
    const auto header = carried ? headerOf(*carried) : std::nullopt;
    return header ? resetsFor(*header) : std::vector<Bytes>();
}

} // namespace starling::tunnel
