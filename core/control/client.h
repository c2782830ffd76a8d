// SPDX-License-Identifier: Apache-2.0
/// The other side of the control socket: asks one thing at a time and waits. For programs that have nothing
/// else to do meanwhile (the command line, the demo, tests).
#pragma once

#include "base/time.h"
#include "control/codec.h"

#include <QString>
#include <deque>
#include <functional>
#include <memory>

class QLocalSocket;

namespace starling::control {

class Client
{
public:
    /// Fails with Unreachable, saying what to do if the agent does not run or access is denied.
    static Result<Client> connect(const QString& path, Duration timeout = std::chrono::seconds(5));
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// The reply to `request`; an ErrorReply becomes the error. Events that come in between wait for
    /// nextEvent(). Fails with Timeout, or Unreachable when the agent goes away.
    Result<Reply> call(const Request& request, Duration timeout = std::chrono::seconds(10));
    /// As call(), for a reply of one type.
    template <class T> Result<T> ask(const Request& request, Duration timeout = std::chrono::seconds(10))
    {
        auto reply = call(request, timeout);
        if (!reply)
            return fail(std::move(reply.error()), "agent");
        if (T* value = std::get_if<T>(&*reply))
            return std::move(*value);
        return fail(Errc::Malformed, "agent: a reply of another type");
    }
    /// After a WatchRequest: the next event, or nothing within `timeout`.
    Result<std::optional<Event>> nextEvent(Duration timeout);
    /// From now on `wanted` is asked ten times a second while this waits; once it says yes, waiting fails
    /// with Cancelled, and the connection is of no more use.
    void interruptBy(std::function<bool()> wanted) { m_isInterrupted = std::move(wanted); }

private:
    explicit Client(std::unique_ptr<QLocalSocket> socket);
    Result<std::optional<Reply>> receive(Duration timeout);
    std::unique_ptr<QLocalSocket> m_socket;
    FrameReader m_frames;
    std::function<bool()> m_isInterrupted;
    std::deque<Event> m_events;
};

} // namespace starling::control
