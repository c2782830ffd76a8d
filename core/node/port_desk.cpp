// SPDX-License-Identifier: Apache-2.0
#include "node/port_desk.h"

#include "node/log.h"
#include "node/net_address.h"
#include "node/reach_desk.h"

#include <QNetworkDatagram>

namespace starling::node {

namespace {
/// RFC 6886 section 3.2.1: to every host of the network.
const Endpoint kNews = Endpoint::ipv4(224, 0, 0, 1, nat::kPortMapNewsPort);
} // namespace

PortDesk::PortDesk(Services services)
    : m_services(std::move(services))
{
}

void PortDesk::begin()
{
    m_isWanted = true;
    look();
}

void PortDesk::look()
{
    if (!m_isWanted)
        return;
    const std::optional<Endpoint> gateway = defaultGateway();
    const std::optional<Endpoint> own =
        gateway ? addressTowards(*gateway, m_services.listen()) : std::optional<Endpoint>();
    // Who has a public address needs no port of a router.
    const bool isNeeded = own && isPrivate(*own) && !own->isLoopback();
    if (m_mapper && isNeeded && m_mapper->config().gateway == *gateway && m_mapper->config().own == *own)
        return;
    leave();
    if (!isNeeded)
        return;
    m_mapper = std::make_unique<nat::PortMapper>(nat::PortMapper::Config{*gateway, *own}, m_services.random);
    open();
    act(m_mapper->start(m_services.timers.now()));
}

void PortDesk::leave()
{
    ++m_generation;
    const bool hadMapping = mapping().has_value();
    m_mapper.reset();
    m_socket.reset();
    m_news.reset();
    if (hadMapping)
        m_services.changed();
}

void PortDesk::open()
{
    m_socket = std::make_unique<QUdpSocket>();
    // From the address that is to be mapped: PCP compares (RFC 6887 section 8.2).
    if (!m_socket->bind(toQt(m_mapper->config().own)))
        qCWarning(lcNode, "no socket to ask the router from: %ls", qUtf16Printable(m_socket->errorString()));
    connect(m_socket.get(), &QUdpSocket::readyRead, this, [this] { receive(*m_socket, false); });
    m_news = std::make_unique<QUdpSocket>();
    // Others may listen, too. Without it, a router that was restarted is noticed later.
    if (m_news->bind(toQt(kNews), kNews.port, QUdpSocket::ShareAddress | QUdpSocket::ReuseAddressHint))
        connect(m_news.get(), &QUdpSocket::readyRead, this, [this] { receive(*m_news, true); });
}

void PortDesk::receive(QUdpSocket& socket, bool isNews)
{
    const std::uint64_t generation = m_generation;
    while (generation == m_generation && socket.hasPendingDatagrams()) {
        const QNetworkDatagram datagram =
            socket.receiveDatagram(static_cast<qint64>(nat::kMaxPortMapBytes) + 1);
        const QByteArray data = datagram.data();
        const nat::DatagramReceived received{
            nat::kMainSocket, fromQt(datagram.senderAddress(), static_cast<quint16>(datagram.senderPort())),
            std::as_bytes(std::span(data.constData(), static_cast<std::size_t>(data.size())))};
        if (!m_mapper)
            return;
        const Instant now = m_services.timers.now();
        act(isNews ? m_mapper->onNews(received, now) : m_mapper->handle(received, now));
    }
}

void PortDesk::stop(std::function<void()> done)
{
    m_isWanted = false;
    if (!m_mapper)
        return done();
    m_done = std::move(done);
    act(m_mapper->stop(m_services.timers.now()));
}

void PortDesk::act(const nat::PortMapper::Outputs& outputs)
{
    for (const nat::PortMapper::Output& output : outputs) {
        if (const auto* send = std::get_if<nat::SendDatagram>(&output)) {
            m_socket->writeDatagram(reinterpret_cast<const char*>(send->bytes.data()),
                                    static_cast<qint64>(send->bytes.size()), toQt(send->to), send->to.port);
        } else if (const auto* timer = std::get_if<nat::SchedulePortMap>(&output)) {
            m_services.timers.schedule(timer->delay, [this, value = timer->timer, generation = m_generation] {
                if (generation == m_generation)
                    act(m_mapper->handle(value, m_services.timers.now()));
            });
        } else if (const auto* ask = std::get_if<nat::AskUpnp>(&output)) {
            m_upnp.ask(*ask, [this, generation = m_generation](const Result<nat::PortMapping>& answer) {
                if (generation == m_generation)
                    act(m_mapper->handle(nat::UpnpAnswered{answer}, m_services.timers.now()));
            });
        } else if (std::holds_alternative<nat::PortMappingChanged>(output)) {
            if (const auto held = mapping())
                qCInfo(lcNode, "the router passes %ls on to this device (%s)",
                       qUtf16Printable(forLog(toString(held->external))), nameOf(held->method).data());
            else
                qCInfo(lcNode, "the router passes nothing on any more");
            m_services.changed();
        } else if (std::holds_alternative<nat::PortMapperEnded>(output)) {
            if (const auto done = std::exchange(m_done, {}))
                done();
        }
    }
}

std::optional<nat::PortMapping> PortDesk::mapping() const
{
    return m_mapper ? m_mapper->mapping() : std::nullopt;
}

nat::PortMapState PortDesk::state() const
{
    using Kind = nat::PortMapState::Kind;
    nat::PortMapState state;
    if (!m_isWanted)
        return state;
    state.kind = Kind::NotNeeded;
    if (!m_mapper)
        return state;
    state.mapping = m_mapper->mapping();
    state.kind = state.mapping ? Kind::Held : m_mapper->isAsking() ? Kind::Asking : Kind::None;
    state.trouble = m_mapper->trouble();
    state.restSeconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(m_mapper->rest(m_services.timers.now())).count());
    return state;
}

} // namespace starling::node
