// SPDX-License-Identifier: Apache-2.0
/// UPnP through libminiupnpc, with a router of this test's own on loopback that answers whatever it likes.
#include "node/net_address.h"
#include "node/reach_desk.h"
#include "node/upnp_client.h"

#include <QtTest>

#include <arpa/inet.h>
#include <atomic>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace starling;
using namespace starling::node;
using namespace std::chrono_literals;

namespace {

const Endpoint kRouter = Endpoint::ipv4(127, 0, 0, 1, 0);

/// Answers each HTTP request with what a function makes of it, and closes the connection.
class Router
{
public:
    using Answer = std::function<std::string(const std::string& request)>;

    explicit Router(Answer answer)
        : m_answer(std::move(answer))
    {
        m_socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(m_socket, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(m_socket, 8) == 0
            && ::getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size) == 0)
            m_port = ntohs(address.sin_port);
        m_thread = std::thread([this] { serve(); });
    }
    ~Router()
    {
        ::shutdown(m_socket, SHUT_RDWR); // accept() returns
        m_thread.join();
        ::close(m_socket);
    }
    std::string url(const std::string& path = "/desc.xml") const
    {
        return "http://127.0.0.1:" + std::to_string(m_port) + path;
    }
    unsigned requests() const { return m_requests; }

private:
    void serve()
    {
        for (int fd = -1; (fd = ::accept(m_socket, nullptr, nullptr)) >= 0; ::close(fd)) {
            ++m_requests;
            std::string request(16 * 1024, '\0');
            std::size_t size = 0;
            // The library writes headers and body at once or one after the other.
            const auto isWhole = [&] {
                const auto head = request.find("\r\n\r\n");
                const auto length = request.find("Content-Length: ");
                const std::size_t body =
                    length < head ? static_cast<std::size_t>(std::atoi(&request[length + 16])) : 0;
                return head < size && size >= head + 4 + body;
            };
            for (ssize_t got = 1; got > 0 && size < request.size() && !isWhole();
                 size += got > 0 ? static_cast<std::size_t>(got) : 0)
                got = ::recv(fd, &request[size], request.size() - size, 0);
            request.resize(size);
            const std::string answer = m_answer(request);
            (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }
    Answer m_answer;
    int m_socket = -1;
    std::uint16_t m_port = 0;
    std::atomic<unsigned> m_requests = 0;
    std::thread m_thread;
};

std::string http(const std::string& body, const char* status = "200 OK")
{
    return std::string("HTTP/1.1 ") + status + "\r\nContent-Type: text/xml\r\nContent-Length: "
        + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

std::string description(const std::string& control = "/ctl", const char* service = "WANIPConnection:1")
{
    return http("<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>"
                "<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList>"
                "<service><serviceType>urn:schemas-upnp-org:service:"
                + std::string(service) + "</serviceType><serviceId>x</serviceId><controlURL>" + control
                + "</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service>"
                  "</serviceList></device></root>");
}

std::string done(const std::string& inner = {})
{
    return http("<?xml version=\"1.0\"?><s:Envelope><s:Body><u:R>" + inner + "</u:R></s:Body></s:Envelope>");
}

std::string address(const std::string& text)
{
    return done("<NewExternalIPAddress>" + text + "</NewExternalIPAddress>");
}

std::string refusal(int code)
{
    return http("<?xml version=\"1.0\"?><s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>"
                    + std::to_string(code)
                    + "</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>",
                "500 Internal Server Error");
}

nat::AskUpnp question(nat::AskUpnp::What what = nat::AskUpnp::What::Map)
{
    Endpoint own = kRouter;
    own.port = 7'891;
    return {what, kRouter, own, {7'891, 50'000}, 20min};
}

bool has(const std::string& request, const char* what)
{
    return request.find(what) != std::string::npos;
}

} // namespace

class TestUpnp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mapsUdpAndTcp()
    {
        std::atomic<unsigned> added = 0;
        Router router([&](const std::string& request) {
            if (request.starts_with("GET"))
                return description();
            if (has(request, "GetExternalIPAddress"))
                return address("203.0.113.9");
            added += has(request, "<NewLeaseDuration>1200<") && has(request, "<NewInternalPort>7891<");
            return done();
        });
        const auto mapping = askByUpnp(question(), router.url());
        QVERIFY2(mapping, mapping ? "" : toString(mapping.error()).c_str());
        QCOMPARE(toString(mapping->external), std::string("203.0.113.9:7891"));
        QVERIFY(mapping->hasTcp && mapping->lease == Duration(20min));
        QCOMPARE(added.load(), 2U);
    }

    void takesAnotherPortWhereThatOneIsTakenAndNoLeaseWhereTheRouterKnowsNone()
    {
        Router router([](const std::string& request) {
            if (request.starts_with("GET"))
                return description();
            if (has(request, "GetExternalIPAddress"))
                return address("203.0.113.9");
            if (has(request, "<NewExternalPort>7891<"))
                return refusal(718);
            if (has(request, "<NewProtocol>TCP<"))
                return refusal(606);
            return has(request, "<NewLeaseDuration>0<") ? done() : refusal(725);
        });
        const auto mapping = askByUpnp(question(), router.url());
        QVERIFY2(mapping, mapping ? "" : toString(mapping.error()).c_str());
        QCOMPARE(toString(mapping->external), std::string("203.0.113.9:50000"));
        QVERIFY(!mapping->hasTcp && mapping->lease == Duration(0));
    }

    void deletesBoth()
    {
        std::atomic<unsigned> deleted = 0;
        Router router([&](const std::string& request) {
            deleted += has(request, "DeletePortMapping") && has(request, "<NewExternalPort>50000<");
            return request.starts_with("GET") ? description() : done();
        });
        auto asked = question(nat::AskUpnp::What::Unmap);
        asked.outside = {50'000};
        QVERIFY(askByUpnp(asked, router.url()));
        QCOMPARE(deleted.load(), 2U);
    }

    void sendsNothingToWhereTheGatewayIsNot_data()
    {
        QTest::addColumn<QByteArray>("what");
        QTest::newRow("description elsewhere") << QByteArray("http://127.0.0.2:1/desc.xml");
        QTest::newRow("a name that begins alike") << QByteArray("http://127.0.0.1.example/desc.xml");
        QTest::newRow("somebody's login") << QByteArray("http://127.0.0.1@127.0.0.2/desc.xml");
        QTest::newRow("no URL") << QByteArray("file:///etc/passwd");
    }
    void sendsNothingToWhereTheGatewayIsNot()
    {
        QFETCH(QByteArray, what);
        const auto mapping = askByUpnp(question(), what.toStdString());
        QVERIFY(!mapping && mapping.error().code == Errc::NotFound);
    }

    void controlsNothingThatTheGatewayPointsTo()
    {
        Router victim([](const std::string&) { return done(); });
        Router router([&](const std::string&) {
            return description("http://127.0.0.2:" + victim.url().substr(17, 5) + "/ctl");
        });
        const auto mapping = askByUpnp(question(), router.url());
        QVERIFY(!mapping && mapping.error().code == Errc::NotFound);
        QCOMPARE(victim.requests(), 0U);
        QCOMPARE(router.requests(), 1U);
    }

    void takesNoForNo_data()
    {
        QTest::addColumn<QByteArray>("page");
        QTest::addColumn<QByteArray>("control");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, const std::string& page, const std::string& control,
                            Errc code) {
            QTest::newRow(name) << QByteArray::fromStdString(page) << QByteArray::fromStdString(control)
                                << static_cast<int>(code);
        };
        row("not found", http("", "404 Not Found"), {}, Errc::Unreachable);
        row("nothing", {}, {}, Errc::Unreachable);
        row("no XML", http("<<<<&&&&>>>>"), {}, Errc::NotFound);
        row("a printer", description("/ctl", "PrintBasic:1"), {}, Errc::NotFound);
        row("no address", description(), done(), Errc::Unreachable);
        row("an address of IPv6", description(), address("2001:db8::1"), Errc::Malformed);
        row("a word for an address", description(), address("elsewhere"), Errc::Malformed);
        row("not authorised", description(), refusal(606), Errc::Refused);
        row("no HTTP", description(), "hello", Errc::Unreachable);
        row("a length that is not kept", description(),
            "HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n<x/>", Errc::Unreachable);
        row("many elements", http(std::string(200'000, '<')), {}, Errc::NotFound);
    }
    void takesNoForNo()
    {
        QFETCH(QByteArray, page);
        QFETCH(QByteArray, control);
        QFETCH(int, code);
        Router router([&](const std::string& request) {
            return (request.starts_with("GET") ? page : control).toStdString();
        });
        const auto mapping = askByUpnp(question(), router.url());
        QVERIFY(!mapping);
        QVERIFY2(static_cast<int>(mapping.error().code) == code, toString(mapping.error()).c_str());
    }

    void answersOneQuestionAtATimeAndMayGoBeforeTheAnswer()
    {
        auto client = std::make_unique<UpnpClient>();
        unsigned answers = 0;
        client->ask(question(), [&](const Result<nat::PortMapping>&) { ++answers; });
        std::optional<Errc> second;
        client->ask(question(),
                    [&](const Result<nat::PortMapping>& answer) { second = answer.error().code; });
        QVERIFY(second == Errc::Busy);
        client.reset();
        QCoreApplication::sendPostedEvents();
        QCOMPARE(answers, 0U);
    }

    void tellsTheMappingUnlessTheDeviceIsSeenElsewhere()
    {
        const Endpoint own = Endpoint::ipv4(192, 168, 1, 20, 7'891);
        const Endpoint outside = Endpoint::ipv4(203, 0, 113, 9, 40'000);
        TimerQueue timers;
        SeededRandom random(1);
        NatDesk nat({timers, random, [](const Endpoint&, ByteView) {}});
        nat::PortMapState state{nat::PortMapState::Kind::Held,
                                nat::PortMapping{nat::PortMapMethod::Pcp, outside, true, 20min},
                                false,
                                600,
                                {}};
        ReachDesk desk({timers,
                        nat,
                        [](const link::Input&) {},
                        [&] { return std::vector<Endpoint>{own}; },
                        {},
                        [&] { return state.mapping; }});
        const auto see = [&](std::uint64_t link, const Endpoint& at) {
            desk.take(link::Output(link::AddressSeen{link::LinkId{link}, at}));
        };
        using List = std::vector<Endpoint>;
        QVERIFY(desk.candidates() == (List{outside, own}));
        QVERIFY(desk.judged(state).isTold);
        // A symmetric NAT: the same address, and two ports.
        see(1, Endpoint::ipv4(203, 0, 113, 9, 5'001));
        see(2, Endpoint::ipv4(203, 0, 113, 9, 5'002));
        QVERIFY(desk.candidates() == (List{outside, own}));
        link::LinkInfo relayed;
        relayed.kind = link::LinkInfo::Kind::Relayed;
        relayed.punches = 3;
        QVERIFY(desk.whyNotBetter(relayed).find("203.0.113.9:40000") != std::string::npos);
        // A private address, where nobody saw us.
        state.mapping->external = Endpoint::ipv4(100, 64, 0, 7, 40'000);
        QVERIFY(desk.candidates() == List{own});
        QVERIFY(!desk.judged(state).isTold
                && desk.judged(state).trouble.find("another NAT") != std::string::npos);
        QVERIFY(desk.whyNotBetter(relayed).find("another port for each") != std::string::npos);
        // A public one, where nobody saw us.
        state.mapping->external = Endpoint::ipv4(198, 51, 100, 1, 80);
        QVERIFY(desk.candidates() == List{own});
        QVERIFY(desk.judged(state).trouble.find("another address") != std::string::npos);
    }

    void readsTheKernelsRoutes()
    {
        const std::string head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n";
        const std::string inside = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\n";
        const std::string wifi = "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
        const std::string cable = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        QVERIFY(!gatewayIn(""));
        QVERIFY(!gatewayIn(head + inside));
        QVERIFY(gatewayIn(head + wifi + inside) == Endpoint::ipv4(192, 168, 2, 1, 0));
        QVERIFY(gatewayIn(head + wifi + cable) == Endpoint::ipv4(192, 168, 1, 1, 0));
        QVERIFY(!gatewayIn(head + "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\n"));
        QVERIFY(!gatewayIn("eth0\t00000000\t0101A8C0X\t0003\t0\t0\t100\t00000000\neth0\t00000000\n\xff"));
    }
};

QTEST_GUILESS_MAIN(TestUpnp)
#include "tst_upnp.moc"
