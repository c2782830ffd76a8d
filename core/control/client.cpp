// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"

#include <QDeadlineTimer>
#include <QFileInfo>
#include <QLocalSocket>

namespace starling::control {

namespace {

int milliseconds(Duration duration)
{
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

/// Events kept for a caller that does not ask for them.
constexpr std::size_t kMaxEvents = 4'096;
/// How soon somebody who presses cancel is heard.
constexpr qint64 kInterruptEvery = 100;

} // namespace

Client::Client(std::unique_ptr<QLocalSocket> socket)
    : m_socket(std::move(socket))
{
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::connect(const QString& path, Duration timeout)
{
    auto socket = std::make_unique<QLocalSocket>();
    // QLocalSocket looks for a relative name among the temporary files.
    socket->connectToServer(QFileInfo(path).absoluteFilePath());
    if (!socket->waitForConnected(milliseconds(timeout))) {
        std::string why = "no agent answers at " + path.toStdString();
        if (socket->error() == QLocalSocket::SocketAccessError)
            why += ": access denied; run as the agent's user or a member of its group";
        else
            why += ": is it running? Name its control socket with --agent";
        return fail(Errc::Unreachable, why);
    }
    return Client(std::move(socket));
}

Result<std::optional<Reply>> Client::receive(Duration timeout)
{
    const QDeadlineTimer deadline(milliseconds(timeout));
    for (;;) {
        if (const auto frame = m_frames.next()) {
            auto reply = decodeReply(*frame);
            if (!reply)
                return fail(std::move(reply.error()), "agent");
            return std::optional<Reply>(std::move(*reply));
        }
        if (m_isInterrupted && m_isInterrupted())
            return fail(Errc::Cancelled, "stopped on request");
        const qint64 patience =
            m_isInterrupted ? std::min(kInterruptEvery, deadline.remainingTime()) : deadline.remainingTime();
        if (m_socket->bytesAvailable() == 0 && !m_socket->waitForReadyRead(static_cast<int>(patience))) {
            if (m_socket->state() != QLocalSocket::ConnectedState && m_socket->bytesAvailable() == 0)
                return fail(Errc::Unreachable, "the agent closed the connection");
            if (deadline.hasExpired())
                return std::optional<Reply>();
        }
        const QByteArray bytes = m_socket->readAll();
        if (auto taken = m_frames.feed(
                std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
            !taken)
            return fail(std::move(taken.error()), "agent");
    }
}

Result<Reply> Client::call(const Request& request, Duration timeout)
{
    const Bytes bytes = encode(request);
    m_socket->write(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()));
    const QDeadlineTimer deadline(milliseconds(timeout));
    for (;;) {
        auto reply = receive(std::chrono::milliseconds(deadline.remainingTime()));
        if (!reply)
            return fail(std::move(reply.error()), "control");
        if (!*reply)
            return fail(Errc::Timeout, "the agent did not answer in time");
        if (Event* event = std::get_if<Event>(&**reply)) {
            if (m_events.size() < kMaxEvents)
                m_events.push_back(std::move(*event));
            continue;
        }
        if (ErrorReply* error = std::get_if<ErrorReply>(&**reply))
            return tl::unexpected<Error>(std::move(error->error));
        return std::move(**reply);
    }
}

Result<std::optional<Event>> Client::nextEvent(Duration timeout)
{
    if (!m_events.empty()) {
        Event event = std::move(m_events.front());
        m_events.pop_front();
        return std::optional<Event>(std::move(event));
    }
    auto reply = receive(timeout);
    if (!reply)
        return fail(std::move(reply.error()), "control");
    if (!*reply)
        return std::optional<Event>();
    if (Event* event = std::get_if<Event>(&**reply))
        return std::optional<Event>(std::move(*event));
    return fail(Errc::Malformed, "agent: a reply that nobody asked for");
}

} // namespace starling::control
