// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"
#include "control/server.h"
#include "control_samples.h"

#include <QDeadlineTimer>
#include <QEventLoop>
#include <QLocalSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <future>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace starling;
using namespace starling::control;
using namespace std::chrono_literals;

namespace {

int code(Errc errc)
{
    return static_cast<int>(errc);
}

/// Answers at once with a number that counts up, or later when `isDeferring`.
class Service : public Server::Handler
{
public:
    std::optional<Reply> handle(ConnectionId from, Request request) override
    {
        asked.emplace_back(from, std::move(request));
        if (isDeferring)
            return std::nullopt;
        return answer.value_or(PushReply{PushReply::Answer::Continue, asked.size()});
    }
    void closed(ConnectionId connection) override { gone.push_back(connection); }

    bool isDeferring = false;
    std::optional<Reply> answer;
    std::vector<std::pair<ConnectionId, Request>> asked;
    std::vector<ConnectionId> gone;
};

/// A client of which each byte can be said.
class Raw
{
public:
    explicit Raw(const QString& path) { socket.connectToServer(path); }
    void write(ByteView bytes)
    {
        socket.write(reinterpret_cast<const char*>(bytes.data()), static_cast<qint64>(bytes.size()));
        socket.flush();
    }
    void write(const Request& request) { write(encode(request)); }
    /// What has arrived so far.
    const std::vector<Reply>& replies()
    {
        const QByteArray bytes = socket.readAll();
        if (!m_frames.feed(
                std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())))))
            return m_replies;
        while (const auto frame = m_frames.next())
            if (auto reply = decodeReply(*frame))
                m_replies.push_back(std::move(*reply));
        return m_replies;
    }
    bool isClosed() const { return socket.state() == QLocalSocket::UnconnectedState; }
    QLocalSocket socket;

private:
    FrameReader m_frames;
    std::vector<Reply> m_replies;
};

std::uint64_t number(const Reply& reply)
{
    const auto* push = std::get_if<PushReply>(&reply);
    return push == nullptr ? 0 : push->receivedBytes;
}

Errc errorOf(const Reply& reply)
{
    const auto* error = std::get_if<ErrorReply>(&reply);
    return error == nullptr ? Errc::Usage : error->error.code;
}

sockaddr_un addressOf(const QString& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const QByteArray name = path.toLocal8Bit();
    std::copy(name.begin(), name.end(), address.sun_path);
    return address;
}

/// A connection without Qt; -1 while the queue of those not yet accepted is full.
int connectQuickly(const QString& path)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const sockaddr_un address = addressOf(path);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    ::close(fd);
    return -1;
}

} // namespace

class TestControlServer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        m_path = m_directory->filePath(QStringLiteral("agent.sock"));
        m_service = std::make_unique<Service>();
        m_server = serve({});
        QVERIFY(m_server != nullptr);
    }

    void cleanup()
    {
        m_server.reset();
        m_service.reset();
        m_directory.reset();
    }

    void onlyUserAndGroupMayOpenTheSocket()
    {
        struct stat info
        {
        };
        QCOMPARE(::lstat(m_path.toLocal8Bit().constData(), &info), 0);
        QVERIFY(S_ISSOCK(info.st_mode));
        QCOMPARE(info.st_mode & 07777, mode_t{0660});
    }

    void anotherUserIsKeptOutByTheMode()
    {
        if (::geteuid() != 0)
            QSKIP("only root can become another user");
        // Everybody may enter the directory: what is tested is the socket's own mode.
        QCOMPARE(::chmod(m_directory->path().toLocal8Bit().constData(), 0755), 0);
        const auto connectAs = [&](uid_t user, gid_t group) {
            const pid_t child = ::fork();
            if (child == 0) {
                const bool isOther =
                    ::setgroups(0, nullptr) == 0 && ::setgid(group) == 0 && ::setuid(user) == 0;
                const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                const sockaddr_un address = addressOf(m_path);
                const int failure =
                    ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                    : errno;
                ::_exit(isOther ? failure : 255);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            return WEXITSTATUS(status);
        };
        QCOMPARE(connectAs(65'534, 65'534), EACCES);
        QCOMPARE(connectAs(65'534, ::getegid()), 0); // a member of the group
    }

    void answersInOrder()
    {
        Raw client(m_path);
        Bytes together;
        for (int i = 0; i < 5; ++i)
            append(together, encode(Request(StatusRequest{})));
        client.write(together);
        QTRY_COMPARE(client.replies().size(), std::size_t{5});
        for (std::size_t i = 0; i < 5; ++i)
            QCOMPARE(number(client.replies()[i]), i + 1);
    }

    void aDeferredReplyHoldsBackWhatFollows()
    {
        m_service->isDeferring = true;
        Raw client(m_path);
        client.write(PushEnd{});
        client.write(StatusRequest{});
        QTRY_COMPARE(m_service->asked.size(), std::size_t{1});
        Raw other(m_path);
        other.write(UpdatesRequest{});
        // The other connection is served meanwhile, the second request of the first is not read.
        QTRY_COMPARE(m_service->asked.size(), std::size_t{2});
        QVERIFY(std::holds_alternative<UpdatesRequest>(m_service->asked[1].second));
        m_server->reply(m_service->asked[0].first, PushReply{PushReply::Answer::Published, 77});
        QTRY_COMPARE(m_service->asked.size(), std::size_t{3});
        QVERIFY(std::holds_alternative<StatusRequest>(m_service->asked[2].second));
        QTRY_COMPARE(client.replies().size(), std::size_t{1});
        QCOMPARE(number(client.replies()[0]), std::uint64_t{77});
        // A second answer to the same question goes nowhere.
        m_server->reply(m_service->asked[1].first, WatchReply{});
        m_server->reply(m_service->asked[1].first, WatchReply{});
        QTRY_COMPARE(other.replies().size(), std::size_t{1});
    }

    void aReplyToAClientThatWentAwayGoesNowhere()
    {
        m_service->isDeferring = true;
        {
            Raw client(m_path);
            client.write(PushEnd{});
            QTRY_COMPARE(m_service->asked.size(), std::size_t{1});
        }
        QTRY_COMPARE(m_service->gone.size(), std::size_t{1});
        QVERIFY(m_service->gone[0] == m_service->asked[0].first);
        m_server->reply(m_service->asked[0].first, WatchReply{});
        verifyAlive();
    }

    void eventsReachThoseWhoWatchAndNobodyElse()
    {
        Raw watcher(m_path), other(m_path);
        watcher.write(WatchRequest{});
        other.write(StatusRequest{});
        QTRY_COMPARE(watcher.replies().size(), std::size_t{1});
        QTRY_COMPARE(other.replies().size(), std::size_t{1});
        QVERIFY(std::holds_alternative<WatchReply>(watcher.replies()[0]));
        m_server->publish(samples::event());
        m_server->publish(samples::event());
        QTRY_COMPARE(watcher.replies().size(), std::size_t{3});
        QVERIFY(std::holds_alternative<Event>(watcher.replies()[2]));
        QCOMPARE(other.replies().size(), std::size_t{1});
    }

    void eventsComeWhileAReplyIsOwed()
    {
        Raw watcher(m_path);
        watcher.write(WatchRequest{});
        QTRY_COMPARE(watcher.replies().size(), std::size_t{1});
        m_service->isDeferring = true;
        watcher.write(StatusRequest{});
        QTRY_COMPARE(m_service->asked.size(), std::size_t{1});
        m_server->publish(samples::event());
        QTRY_COMPARE(watcher.replies().size(), std::size_t{2});
        QVERIFY(std::holds_alternative<Event>(watcher.replies()[1]));
    }

    void garbageIsRefusedAndTheConnectionEnds_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("errc");
        QTest::newRow("a frame of 1 GiB") << QByteArray::fromHex("40000000") << code(Errc::TooLarge);
        QTest::newRow("text") << QByteArray("GET / HTTP/1.1\r\n\r\n") << code(Errc::TooLarge);
        QTest::newRow("an empty frame") << QByteArray::fromHex("00000000") << code(Errc::Truncated);
        QTest::newRow("no bencoding")
            << QByteArray::fromHex("00000004010078787878").left(8) << code(Errc::NotBencode);
        QTest::newRow("another version")
            << QByteArray::fromHex("00000004020064").append('e') << code(Errc::UnsupportedFormat);
        QTest::newRow("an unknown type")
            << QByteArray::fromHex("00000004016364").append('e') << code(Errc::UnsupportedFormat);
    }

    void garbageIsRefusedAndTheConnectionEnds()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, errc);
        Raw client(m_path);
        client.write(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
        QTRY_COMPARE(client.replies().size(), std::size_t{1});
        QCOMPARE(code(errorOf(client.replies()[0])), errc);
        QTRY_VERIFY(client.isClosed());
        QVERIFY(m_service->asked.empty());
        QTRY_COMPARE(m_service->gone.size(), std::size_t{1});
        verifyAlive();
    }

    void aGibibyteThatIsReallySentIsNotKept()
    {
        Raw client(m_path);
        const QByteArray announcement = QByteArray::fromHex("40000000");
        client.write(std::as_bytes(std::span(announcement.constData(), 4u)));
        const Bytes portion(1024 * 1024);
        // The server hangs up long before the end.
        int portions = 0;
        QTRY_VERIFY((!client.isClosed() && portions < 1'024 ? (client.write(portion), ++portions) : 0,
                     client.isClosed()));
        QVERIFY(portions < 64);
        verifyAlive();
    }

    void servesOnWithTenThousandConnections()
    {
        Raw before(m_path);
        before.write(StatusRequest{});
        QTRY_COMPARE(before.replies().size(), std::size_t{1});
        std::deque<int> open;
        int made = 0;
        const auto more = [&] {
            for (int fd = 0; made < 10'000 && fd >= 0; ++made) {
                fd = connectQuickly(m_path);
                if (fd < 0)
                    break;
                open.push_back(fd);
                if (open.size() > 400) {
                    ::close(open.front());
                    open.pop_front();
                }
            }
            return made == 10'000;
        };
        QEventLoop loop;
        QTimer turn;
        const QDeadlineTimer deadline(150s);
        connect(&turn, &QTimer::timeout, &loop, [&] {
            if (more() || deadline.hasExpired())
                loop.quit();
        });
        turn.start(0ms); // between any two events of the server
        loop.exec();
        QCOMPARE(made, 10'000);
        before.write(StatusRequest{});
        QTRY_COMPARE(before.replies().size(), std::size_t{2});
        for (const int fd : open)
            ::close(fd);
        // Places become free as the server notices: until then it is Busy.
        std::unique_ptr<Raw> later;
        const auto isServed = [&] {
            if (later && !later->replies().empty() && number(later->replies()[0]) > 0)
                return true;
            if (!later || !later->replies().empty() || later->isClosed()) {
                later = std::make_unique<Raw>(m_path);
                later->write(StatusRequest{});
            }
            return false;
        };
        QTRY_VERIFY_WITH_TIMEOUT(isServed(), 60'000);
    }

    void oneMoreThanTheLimitIsToldSo()
    {
        restart({.path = m_path, .maxConnections = 2});
        Raw first(m_path), second(m_path);
        first.write(StatusRequest{});
        second.write(StatusRequest{});
        QTRY_COMPARE(m_service->asked.size(), std::size_t{2});
        Raw third(m_path);
        QTRY_COMPARE(third.replies().size(), std::size_t{1});
        QCOMPARE(code(errorOf(third.replies()[0])), code(Errc::Busy));
        third.write(StatusRequest{});
        QTRY_VERIFY(third.isClosed());
        // A place becomes free when somebody leaves.
        first.socket.disconnectFromServer();
        QTRY_COMPARE(m_service->gone.size(), std::size_t{1});
        Raw fourth(m_path);
        fourth.write(StatusRequest{});
        QTRY_COMPARE(fourth.replies().size(), std::size_t{1});
        QVERIFY(number(fourth.replies()[0]) > 0);
    }

    void whoIsTurnedAwayIsToldWhyThoughItAskedAtOnce()
    {
        restart({.path = m_path, .maxConnections = 1});
        Raw first(m_path);
        first.write(StatusRequest{});
        QTRY_COMPARE(first.replies().size(), std::size_t{1});
        for (int i = 0; i < 20; ++i) {
            Raw next(m_path);
            next.write(StatusRequest{});
            QTRY_COMPARE(next.replies().size(), std::size_t{1});
            QCOMPARE(code(errorOf(next.replies()[0])), code(Errc::Busy));
        }
        QCOMPARE(m_service->asked.size(), std::size_t{1});
    }

    void aReaderThatDoesNotReadIsCutOff()
    {
        restart({.path = m_path, .maxQueuedBytes = 256 * 1024});
        const int deaf = connectQuickly(m_path);
        QVERIFY(deaf >= 0);
        const Bytes watch = encode(Request(WatchRequest{}));
        QCOMPARE(::write(deaf, watch.data(), watch.size()), static_cast<ssize_t>(watch.size()));
        Event event = samples::event();
        event.text = std::string(4'000, 'x');
        int published = 0;
        QTRY_VERIFY((published++, m_server->publish(event), m_server->publish(event),
                     !m_service->gone.empty() || published > 5'000));
        QCOMPARE(m_service->gone.size(), std::size_t{1});
        ::close(deaf);
        verifyAlive();
    }

    void anAnswerTooLargeForAFrameBecomesAnError()
    {
        m_service->answer = UpdatesReply{std::vector<UpdateLine>(30'000, samples::updateLine())};
        Raw client(m_path);
        client.write(UpdatesRequest{});
        QTRY_COMPARE(client.replies().size(), std::size_t{1});
        QCOMPARE(code(errorOf(client.replies()[0])), code(Errc::TooLarge));
        QVERIFY(!client.isClosed());
    }

    void aStaleSocketIsReplaced()
    {
        m_server.reset();
        // What a killed agent leaves behind: a socket file on which nobody listens.
        const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_un address = addressOf(m_path);
        QCOMPARE(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::close(dead);
        QVERIFY(QFileInfo::exists(m_path));
        m_server = serve({});
        QVERIFY(m_server != nullptr);
        verifyAlive();
    }

    void aSocketThatAnswersIsNot()
    {
        Service other;
        Server second({.path = m_path}, other);
        const auto listening = second.listen();
        QVERIFY(!listening);
        QCOMPARE(code(listening.error().code), code(Errc::AlreadyExists));
        verifyAlive();
    }

    void aFileThatIsNoSocketIsNotDeleted()
    {
        const QString path = m_directory->filePath(QStringLiteral("precious"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("data") == 4);
        file.close();
        Service other;
        Server second({.path = path}, other);
        const auto listening = second.listen();
        QCOMPARE(code(listening.error().code), code(Errc::AlreadyExists));
        QCOMPARE(QFileInfo(path).size(), qint64{4});
    }

    void sayWhyWhenTheSocketCannotBeMade()
    {
        Service other;
        Server nowhere({.path = m_directory->filePath(QStringLiteral("missing/agent.sock"))}, other);
        const auto missing = nowhere.listen();
        QCOMPARE(code(missing.error().code), code(Errc::Io));
        QVERIFY(missing.error().context.find("missing/agent.sock") != std::string::npos);
        Server endless({.path = m_directory->filePath(QString(200, QLatin1Char('x')))}, other);
        QCOMPARE(code(endless.listen().error().code), code(Errc::Io));
    }

    void leavesNoSocketBehind()
    {
        m_server.reset();
        QVERIFY(!QFileInfo::exists(m_path));
    }

    // --- The client that people use

    void aClientGetsReplyErrorAndEvents()
    {
        m_service->answer = samples::status();
        auto done = std::async(std::launch::async, [path = m_path]() -> std::string {
            auto client = Client::connect(path);
            if (!client)
                return toString(client.error());
            const auto status = client->ask<StatusReply>(StatusRequest{});
            if (!status || status->name != "device-2")
                return "no status";
            const auto other = client->ask<UpdatesReply>(StatusRequest{});
            if (other || other.error().code != Errc::Malformed)
                return "a reply of another type";
            if (!client->ask<WatchReply>(WatchRequest{}))
                return "not watching";
            const auto event = client->nextEvent(60s);
            if (!event || !*event || (*event)->text != "no answer on port 80")
                return "no event";
            const auto nothing = client->nextEvent(1ms);
            return nothing && !*nothing ? "good" : "something";
        });
        QTRY_VERIFY((m_server->publish(samples::event()), done.wait_for(0s) == std::future_status::ready));
        // Events are published until the client ends, so "nothing" may be one more of them.
        const std::string ended = done.get();
        QVERIFY2(ended == "good" || ended == "something", ended.c_str());
    }

    void aClientHearsOfErrorsTimeoutsAndTheEnd()
    {
        m_service->answer = ErrorReply{{Errc::Rollback, "version 1 is not above 2"}};
        auto done = std::async(std::launch::async, [this]() -> std::vector<int> {
            auto client = Client::connect(m_path);
            if (!client)
                return {};
            std::vector<int> codes;
            codes.push_back(code(client->call(StatusRequest{}).error().code));
            m_service->isDeferring = true; // set between two requests of the only client
            codes.push_back(code(client->call(StatusRequest{}, 50ms).error().code));
            m_isToEnd = true;
            codes.push_back(code(client->call(StatusRequest{}).error().code));
            return codes;
        });
        const auto look = [&] {
            if (m_isToEnd.exchange(false))
                m_server.reset();
            return done.wait_for(0s) == std::future_status::ready;
        };
        QTRY_VERIFY(look());
        QCOMPARE(done.get(),
                 std::vector<int>({code(Errc::Rollback), code(Errc::Timeout), code(Errc::Unreachable)}));
    }

    void aClientWithoutAgentIsToldWhatToDo()
    {
        const auto client = Client::connect(m_directory->filePath(QStringLiteral("nobody.sock")));
        QVERIFY(!client);
        QCOMPARE(code(client.error().code), code(Errc::Unreachable));
        QVERIFY(client.error().context.find("--agent") != std::string::npos);
    }

private:
    std::unique_ptr<Server> serve(ServerConfig config)
    {
        config.path = m_path;
        auto server = std::make_unique<Server>(config, *m_service);
        return server->listen() ? std::move(server) : nullptr;
    }

    void restart(const ServerConfig& config)
    {
        m_server.reset();
        m_server = serve(config);
        QVERIFY(m_server != nullptr);
    }

    void verifyAlive()
    {
        m_service->isDeferring = false;
        Raw client(m_path);
        client.write(StatusRequest{});
        QTRY_COMPARE(client.replies().size(), std::size_t{1});
        QVERIFY(number(client.replies()[0]) > 0);
    }

    std::unique_ptr<QTemporaryDir> m_directory;
    QString m_path;
    std::unique_ptr<Service> m_service;
    std::unique_ptr<Server> m_server;
    std::atomic<bool> m_isToEnd = false;
};

QTEST_GUILESS_MAIN(TestControlServer)
#include "tst_control_server.moc"
