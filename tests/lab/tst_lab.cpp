// SPDX-License-Identifier: Apache-2.0
/// Behaviour discovery through real NATs and firewalls: those of Linux, in network namespaces.
#include "internet.h"
#include "stun_driver.h"

#include <QTest>

#include <map>
#include <poll.h>

using namespace starling;
using namespace starling::lab;
using namespace std::chrono_literals;

namespace {

using Said = std::map<std::string, std::string>;

Said parseLines(const QByteArray& output)
{
    Said said;
    for (const QByteArray& line : output.split('\n'))
        if (const auto space = line.indexOf(' '); space > 0)
            said[line.left(space).toStdString()] = line.mid(space + 1).toStdString();
    return said;
}

QString q(const std::string& text)
{
    return QString::fromStdString(text);
}

const QString kProgram = q(STARLING_BINARY_DIR "/tests/starling-lab-stun");

const char* nameOf(Edge edge)
{
    switch (edge) {
    case Edge::OpenNat:
        return "open NAT";
    case Edge::AddressFilteringNat:
        return "NAT that filters by address";
    case Edge::PortFilteringNat:
        return "NAT that filters by address and port";
    case Edge::HairpinNat:
        return "NAT with hairpin";
    case Edge::SymmetricNat:
        return "symmetric NAT";
    case Edge::CountingNat:
        return "symmetric NAT that counts";
    case Edge::Firewall:
        return "firewall";
    }
    return "";
}

bool isSymmetric(Edge edge)
{
    return edge == Edge::SymmetricNat || edge == Edge::CountingNat;
}

struct Expected
{
    const char *mapping, *filtering, *prospect;
};

Expected expectedOf(Edge edge)
{
    switch (edge) {
    case Edge::OpenNat:
        return {"endpoint-independent", "endpoint-independent", "reachable"};
    case Edge::AddressFilteringNat:
        return {"endpoint-independent", "address-dependent", "punched"};
    case Edge::PortFilteringNat:
    case Edge::HairpinNat:
        return {"endpoint-independent", "address-and-port-dependent", "punched"};
    case Edge::SymmetricNat:
        return {"address-and-port-dependent", "address-and-port-dependent", "relayed"};
    case Edge::CountingNat:
        return {"address-and-port-dependent", "address-and-port-dependent", "predicted"};
    case Edge::Firewall:
        return {"none", "address-and-port-dependent", "firewalled"};
    }
    return {};
}

/// A STUN server on a public host.
struct Server
{
    Internet::Host host;
    std::unique_ptr<QProcess> process;
    std::string primary;

    ~Server()
    {
        if (!process)
            return;
        process->kill();
        process->waitForFinished();
    }
};

} // namespace

class TestLab : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!enterLab().empty())
            QSKIP(enterLab().c_str());
        auto internet = Internet::create();
        QVERIFY2(internet, internet ? "" : internet.error().context.c_str());
        m_internet = std::move(*internet);
        serve(m_one, "one", 2);
        serve(m_two, "two", 1);
        serve(m_three, "three", 1);
    }

    void findsTheBehaviourOfEveryEdge_data()
    {
        QTest::addColumn<int>("kind");
        for (const Edge edge : kEdges)
            QTest::newRow(nameOf(edge)) << static_cast<int>(edge);
    }
    void findsTheBehaviourOfEveryEdge()
    {
        QFETCH(int, kind);
        const auto edge = static_cast<Edge>(kind);
        Internet::Site site;
        Internet::Host host;
        addSite(edge, site, host);
        if (QTest::currentTestFailed())
            return;
        const Said said = discover(host, {m_one.primary});
        const Expected expected = expectedOf(edge);
        QCOMPARE(said.at("mapping"), std::string(expected.mapping));
        QCOMPARE(said.at("filtering"), std::string(expected.filtering));
        QCOMPARE(said.at("prospect"), std::string(expected.prospect));
        const auto mapped = endpointOf(said.at("mapped"));
        QVERIFY(mapped);
        QVERIFY(mapped->address == (edge == Edge::Firewall ? host.addresses[0] : site.outside).address);
        QCOMPARE(said.at("port"), std::string(isSymmetric(edge) ? "changed" : "kept"));
        // The same by servers that have one address each, as far as they can tell.
        const Said compared = discover(host, {m_two.primary, m_three.primary});
        QCOMPARE(compared.at("mapping"),
                 std::string(isSymmetric(edge) ? "endpoint-dependent" : expected.mapping));
        QCOMPARE(compared.at("filtering"), std::string("unknown"));
    }

    void findsAnOpenHostOpen()
    {
        auto host = m_internet->addPublicHost("open", 1);
        QVERIFY(host);
        const Said said = discover(*host, {m_one.primary});
        QCOMPARE(said.at("prospect"), std::string("open"));
        QCOMPARE(said.at("mapping"), std::string("none"));
    }

    void findsThatUdpDoesNotGetOut()
    {
        Internet::Site site;
        Internet::Host host;
        addSite(Edge::Firewall, site, host);
        if (QTest::currentTestFailed())
            return;
        QVERIFY(site.edge->nft("insert rule ip edge forward meta l4proto udp drop\n"));
        QCOMPARE(discover(host, {m_one.primary}).at("prospect"), std::string("blocked"));
    }

    void letsThoseMeetWhoSendAtTheSameTime_data()
    {
        QTest::addColumn<int>("kind");
        for (const Edge edge : kEdges)
            if (!isSymmetric(edge)) // nobody knows its port before it has sent
                QTest::newRow(nameOf(edge)) << static_cast<int>(edge);
    }
    void letsThoseMeetWhoSendAtTheSameTime()
    {
        QFETCH(int, kind);
        const auto edge = static_cast<Edge>(kind);
        Internet::Site site;
        Internet::Host host;
        addSite(edge, site, host);
        auto other = m_internet->addPublicHost("other", 1);
        if (QTest::currentTestFailed())
            return;
        QVERIFY(other);
        std::optional<UdpSocket> inner, outer;
        open(host, inner);
        open(*other, outer);
        if (QTest::currentTestFailed())
            return;
        // What comes too early is dropped, and does not spoil the port for what goes out then.
        Endpoint mapped = edge == Edge::Firewall ? host.addresses[0] : site.outside;
        mapped.port = inner->local().port;
        outer->send(mapped, toBytes(std::string_view("early")));
        QVERIFY(!received(*inner, 200));
        inner->send(outer->local(), toBytes(std::string_view("there")));
        const auto there = received(*outer, 30'000);
        QVERIFY(there);
        QCOMPARE(toString(there->first), toString(mapped));
        outer->send(mapped, toBytes(std::string_view("back")));
        auto back = received(*inner, 30'000);
        // On its way it may have waited for a neighbour's address, until it was not early any more.
        if (back && toText(back->second) == "early")
            back = received(*inner, 30'000);
        QVERIFY(back);
        QCOMPARE(toText(back->second), std::string("back"));
    }

    void measuresTheLifetimeOfABinding()
    {
        Internet::Site site;
        Internet::Host host;
        addSite(Edge::PortFilteringNat, site, host);
        if (QTest::currentTestFailed())
            return;
        for (const char* key : {"udp_timeout", "udp_timeout_stream"})
            if (const auto set = site.edge->set(std::string("net.netfilter.nf_conntrack_") + key, "6"); !set)
                QSKIP(("the timeouts of connections cannot be set here: " + set.error().context).c_str());
        const auto output =
            host.network->run(kProgram,
                              {QStringLiteral("lifetime"), q(toString(host.addresses[0])), q(m_one.primary),
                               QStringLiteral("8000"), QStringLiteral("4000")});
        QVERIFY2(output, output ? "" : output.error().context.c_str());
        const Said said = parseLines(*output);
        // 8 s of silence end it, 4 s do not.
        QCOMPARE(said.at("held"), std::string("4000"));
        QCOMPARE(said.at("lost"), std::string("8000"));
    }

    void touchesNoNetworkButItsOwn()
    {
        auto output =
            m_one.host.network->run(QStringLiteral("ip"), {QStringLiteral("-brief"), QStringLiteral("link")});
        QVERIFY(output);
        QCOMPARE(output->count('\n'), 2); // loopback and "out"
        QVERIFY(output->contains("out@"));
        // This process itself is in a network with nothing but loopback.
        QProcess here;
        here.start(QStringLiteral("/bin/cat"), {QStringLiteral("/proc/self/net/dev")});
        QVERIFY(here.waitForFinished());
        QCOMPARE(here.readAllStandardOutput().count(':'), 1);
    }

private:
    void serve(Server& server, const std::string& name, unsigned addresses)
    {
        auto host = m_internet->addPublicHost(name, addresses);
        QVERIFY2(host, host ? "" : host.error().context.c_str());
        server.host = std::move(*host);
        QStringList arguments{QStringLiteral("serve")};
        for (const Endpoint& address : server.host.addresses)
            arguments << q(toString(address));
        auto process = server.host.network->start(kProgram, arguments);
        QVERIFY2(process, process ? "" : process.error().context.c_str());
        server.process = std::move(*process);
        QByteArray output;
        while (!output.contains("ready")) {
            QVERIFY2(server.process->waitForReadyRead(60'000),
                     server.process->readAllStandardError().constData());
            output += server.process->readAllStandardOutput();
        }
        server.primary = parseLines(output).at("primary");
    }

    void addSite(Edge edge, Internet::Site& site, Internet::Host& host)
    {
        auto madeSite = m_internet->addSite(nameOf(edge), edge);
        QVERIFY2(madeSite, madeSite ? "" : madeSite.error().context.c_str());
        site = std::move(*madeSite);
        auto madeHost = m_internet->addHost(site, std::string("behind ") + nameOf(edge));
        QVERIFY2(madeHost, madeHost ? "" : madeHost.error().context.c_str());
        host = std::move(*madeHost);
    }

    static void open(const Internet::Host& host, std::optional<UdpSocket>& socket)
    {
        const auto opened = host.network->inside([&]() -> Status {
            auto bound = UdpSocket::bind(host.addresses[0]);
            if (!bound)
                return tl::unexpected<Error>(bound.error());
            socket.emplace(std::move(*bound));
            return {};
        });
        QVERIFY2(opened, opened ? "" : opened.error().context.c_str());
    }

    static std::optional<std::pair<Endpoint, Bytes>> received(const UdpSocket& socket, int milliseconds)
    {
        pollfd polled{socket.descriptor(), POLLIN, 0};
        ::poll(&polled, 1, milliseconds);
        return socket.receive();
    }

    static Said discover(const Internet::Host& host, const std::vector<std::string>& servers)
    {
        QStringList arguments{QStringLiteral("discover"), q(toString(host.addresses[0]))};
        for (const std::string& server : servers)
            arguments << q(server);
        const auto output = host.network->run(kProgram, arguments);
        if (!output) {
            qWarning("%s", output.error().context.c_str());
            return {{"mapping", ""}, {"filtering", ""}, {"prospect", ""}, {"mapped", ""}, {"port", ""}};
        }
        return parseLines(*output);
    }

    std::unique_ptr<Internet> m_internet;
    Server m_one; ///< with two addresses
    Server m_two, m_three;
};

int main(int argc, char** argv)
{
    enterLab(); // before there are threads
    QCoreApplication application(argc, argv);
    TestLab test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_lab.moc"
