// SPDX-License-Identifier: Apache-2.0
#include "node/config.h"
#include "node/disk.h"

#include <QTemporaryDir>
#include <QTest>

namespace fs = std::filesystem;
using namespace starling;
using namespace starling::node;

namespace {

Result<AgentConfig> interpret(std::string_view text)
{
    auto ini = parseIni(text, "agent.conf");
    if (!ini)
        return tl::unexpected<Error>(ini.error());
    return interpretConfig(*ini);
}

int code(Errc errc)
{
    return static_cast<int>(errc);
}

} // namespace

class TestConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anEmptyFileGivesTheDefaults()
    {
        const auto config = interpret("");
        QVERIFY(config.has_value());
        QCOMPARE(config->state.string(), std::string("/var/lib/starling"));
        QCOMPARE(toString(config->listen), std::string("0.0.0.0:7891"));
        QVERIFY(config->admission == swarm::Admission::Members && config->deploy == DeployMode::Deploy);
        QVERIFY(config->quota == gibibytes(8) && config->uploadLimit.value == 0);
    }

    void knowsPortMappingAndTheFleetsDht()
    {
        QVERIFY(interpret("")->portMapping == PortMapMode::Off && interpret("")->dht == swarm::Dht::Off);
        QVERIFY(interpret("[nat]\nport_mapping = auto\n")->portMapping == PortMapMode::Auto);
        QVERIFY(!interpret("[nat]\nport_mapping = yes\n"));
        QVERIFY(interpret("[agent]\nswarm = open\n[swarm]\ndht = fleet\n")->dht == swarm::Dht::Fleet);
        QVERIFY(!interpret("[agent]\nswarm = open\n[swarm]\ndht = public\n"));
        const auto members = interpret("[swarm]\ndht = fleet\n");
        QVERIFY(!members && members.error().context.find("swarm = open") != std::string::npos);
    }

    void refusesContactsThatAreNone()
    {
        for (const char* contact :
             {"192.0.2.9:7001", "192.0.2.9:7001#", "192.0.2.9:7001#01", "#0102",
              "gateway:7001#0102030405060708091011121314151617181920212223242526272829303132",
              "192.0.2.9:0#0102030405060708091011121314151617181920212223242526272829303132"})
            QVERIFY2(!interpret("[enrolment]\ncontact = " + std::string(contact) + "\n"), contact);
        const auto none = interpret("[enrolment]\ncontact =\ntoken_file =\nadmit_key =\n");
        QVERIFY(none && !none->contact && none->tokenFile.empty() && none->admitKey.empty());
        QVERIFY(!interpret("[enrolment]\ntoken_file = relative\n"));
    }

    void readsEveryKey()
    {
        const auto config = interpret("[agent]\n"
                                      "state = /srv/state\n"
                                      "control = /run/x.sock\n"
                                      "listen = 192.0.2.7:7001\n"
                                      "neighbours = 192.0.2.8:7001, [2001:db8::7]:7002\n"
                                      "labels = site=Bergen, arch=arm64\n"
                                      "swarm = open\n"
                                      "deploy = none\n"
                                      "[trust]\n"
                                      "root = /a/root\n"
                                      "key = /a/key\n"
                                      "certificate = /a/admit\n"
                                      "[observer]\n"
                                      "sums_above = 5000\n"
                                      "[network]\n"
                                      "proxy = http://gateway.example:3128/\n"
                                      "[enrolment]\n"
                                      "token_file = /a/token\n"
                                      "contact = 192.0.2.9:7001#"
                                      "0102030405060708091011121314151617181920212223242526272829303132\n"
                                      "name = gateway 7\n"
                                      "admit_key = /a/admit.key\n"
                                      "[swarm]\n"
                                      "port = 6881\n"
                                      "upload_limit = 1 MiB/s\n"
                                      "download_limit = 8 Mbit/s\n"
                                      "quota = 64 MiB\n"
                                      "[deploy]\n"
                                      "root = /device\n"
                                      "puppet = /opt/puppet\n");
        QVERIFY2(config.has_value(), config ? "" : toString(config.error()).c_str());
        QCOMPARE(config->state.string() + " " + config->control.string(),
                 std::string("/srv/state /run/x.sock"));
        QVERIFY(config->listen == Endpoint::ipv4(192, 0, 2, 7, 7001));
        QCOMPARE(config->neighbors.size(), std::size_t{2});
        QVERIFY(config->neighbors[0] == Endpoint::ipv4(192, 0, 2, 8, 7001));
        QCOMPARE(toString(config->neighbors[1]), std::string("[2001:db8:0:0:0:0:0:7]:7002"));
        QVERIFY(config->labels
                == (std::map<std::string, std::string>{{"site", "Bergen"}, {"arch", "arm64"}}));
        QVERIFY(config->admission == swarm::Admission::Open && config->deploy == DeployMode::None);
        QCOMPARE(config->root.string() + " " + config->key.string() + " " + config->certificate.string(),
                 std::string("/a/root /a/key /a/admit"));
        QCOMPARE(config->tokenFile.string() + " " + config->admitKey.string() + " " + config->deviceName,
                 std::string("/a/token /a/admit.key gateway 7"));
        QVERIFY(config->sumsAbove == 5'000u);
        QVERIFY(config->proxy == (ProxyAddress{"gateway.example", 3'128}));
        QVERIFY(config->contact && config->contact->endpoint == Endpoint::ipv4(192, 0, 2, 9, 7001));
        QVERIFY(config->contact->linkKey.hex().starts_with("01020304"));
        QCOMPARE(config->swarmPort, std::uint16_t{6881});
        QCOMPARE(config->uploadLimit.value, std::uint64_t{1024 * 1024});
        QCOMPARE(config->downloadLimit.value, std::uint64_t{1'000'000});
        QVERIFY(config->quota == mebibytes(64));
        QCOMPARE(config->deviceRoot.string() + " " + config->puppet, std::string("/device /opt/puppet"));
    }

    void readsProxies()
    {
        for (const char* text :
             {"http://192.0.2.7:8080", "http://a-b.example:1", "http://[2001:db8::1]:3128"}) {
            const auto proxy = parseProxy(text);
            QVERIFY2(proxy, text);
            QCOMPARE(toString(*proxy), std::string(text));
        }
        for (const char* text :
             {"gateway:3128", "https://gateway:3128", "http://gateway", "http://:3128", "http://gateway:0",
              "http://gateway:65536", "http://gateway:31x", "http://gateway:3128/path",
              "http://me:secret@gateway", "http://:secret@gateway:3128", "http://me:%0d%0aX@gateway:3128",
              "http://me:%4@gateway:3128", "https://me:secret@gateway:3128", "http://[2001:db8::1]",
              "http://2001:db8::1:3128", "http://a b:1", "http://gateway\r\nX: y:1"})
            QVERIFY2(!parseProxy(text), text);
        QVERIFY(!parseProxy("http://" + std::string(254, 'a') + ":1"));
        for (const char* none : {"[network]\nproxy =\n", "[network]\nproxy = none\n"})
            QVERIFY(!interpret(none)->proxy && interpret(none)->isProxyChosen);
        QVERIFY(!interpret("[agent]\n")->isProxyChosen);
    }

    void keepsALoginToItself()
    {
        const auto proxy = parseProxy("http://me%40home:se%3acret%20@gateway:3128");
        QVERIFY2(proxy, proxy ? "" : toString(proxy.error()).c_str());
        QCOMPARE(proxy->login, std::string("me@home:se:cret "));
        QCOMPARE(toString(*proxy), std::string("http://gateway:3128"));
        QCOMPARE(parseProxy("http://me@gateway:3128")->login, std::string("me:"));
        for (const char* wrong : {"http://me:hunter2@gateway", "http://me:hunter2%@gateway:1",
                                  "ftp://me:hunter2@gateway:1", "http://me:hunter2@gateway:1/path"}) {
            const auto refused = parseProxy(wrong);
            QVERIFY(!refused);
            QVERIFY2(refused.error().context.find("hunter2") == std::string::npos,
                     refused.error().context.c_str());
        }
        QVERIFY(!parseProxy("http://me:" + std::string(600, 'a') + "@gateway:3128"));
    }

    void takesTheProxyOfTheEnvironment()
    {
        const auto proxy = proxyOf("http://me:secret@gateway:3128",
                                   "localhost,.example, 10.0.0.0/8 ,192.0.2.7,2001:db8::/32,10.0.0.0/33");
        QVERIFY(proxy && *proxy);
        QCOMPARE((*proxy)->login, std::string("me:secret"));
        QCOMPARE((*proxy)->direct.size(), std::size_t(3));
        QVERIFY(!(*proxy)->isFor(Endpoint::ipv4(10, 9, 8, 7, 1)));
        QVERIFY(!(*proxy)->isFor(Endpoint::ipv4(192, 0, 2, 7, 9)));
        QVERIFY(!(*proxy)->isFor(Endpoint{{0x20, 1, 0xd, 0xb8, 9}, 443}));
        QVERIFY((*proxy)->isFor(Endpoint::ipv4(192, 0, 2, 8, 9)));
        QVERIFY((*proxy)->isFor(Endpoint{{0x20, 1, 0xd, 0xb9}, 443}));
        QVERIFY(!*proxyOf("", "*"));
        QVERIFY(!*proxyOf("http://gateway:3128", "a, *"));
        const auto wrong = proxyOf("https://me:hunter2@gateway:3128", "");
        QVERIFY(!wrong);
        QVERIFY(wrong.error().context.starts_with("HTTPS_PROXY: "));
        QVERIFY(wrong.error().context.find("hunter2") == std::string::npos);
    }

    void theShippedFileIsGood()
    {
        const auto config = readConfig(STARLING_SOURCE_DIR "/resources/config/agent.conf");
        QVERIFY2(config.has_value(), config ? "" : toString(config.error()).c_str());
    }

    void refusesByFileAndLine_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("wanted");
        const auto row = [](const char* text, const char* wanted) {
            QTest::newRow(QByteArray(text).simplified().constData())
                << QByteArray(text) << QByteArray(wanted);
        };
        row("[agent]\nstate = /a\nstat = /b\n", "agent.conf:3: unknown key 'stat' in section [agent]");
        row("[agents]\nstate = /a\n", "agent.conf:2: unknown key 'state' in section [agents]");
        row("[Agent]\nstate = /a\n", "unknown key 'state' in section [Agent]");
        row("[trust]\nstate = /a\n", "agent.conf:2: unknown key 'state' in section [trust]");
        row("[agent]\nstate = relative/path\n", "agent.conf:2: state: an absolute path is wanted");
        row("[agent]\nstate =\n", "absolute path");
        row("[agent]\ncontrol = agent.sock\n", "absolute path");
        row("[trust]\nkey = ./key\n", "absolute path");
        row("[deploy]\nroot = here\n", "absolute path");
        row("[observer]\nsums_above = -1\n", "agent.conf:2: sums_above: a number of devices is wanted");
        row("[observer]\nsums_above = 99999999999999999999\n", "agent.conf:2: sums_above:");
        row("[deploy]\npuppet =\n", "agent.conf:2: puppet:");
        row("[agent]\nlisten = gateway:7891\n", "agent.conf:2: listen:");
        row("[agent]\nlisten = 127.0.0.1\n", "listen:");
        row("[agent]\nlisten = 127.0.0.1:\n", "listen:");
        row("[agent]\nlisten = :7891\n", "listen:");
        row("[agent]\nlisten = 127.0.0.1:65536\n", "listen:");
        row("[agent]\nlisten = 127.0.0.1:-1\n", "listen:");
        row("[agent]\nlisten = 2001:db8::7:7891\n", "[2001:db8::7]:7891");
        row("[agent]\nlisten = [127.0.0.1]:7891\n", "listen:");
        row("[agent]\nneighbours = 127.0.0.1:7001, 127.0.0.1:0\n", "a neighbour needs a port");
        row("[agent]\nneighbours = 127.0.0.1:7001 and 127.0.0.1:7002\n", "'and'");
        row("[agent]\nlabels = site\n", "labels are name=value pairs, not 'site'");
        row("[agent]\nlabels = =x\n", "labels are name=value pairs");
        row("[agent]\nswarm = closed\n", "'closed' is none of: members, open");
        row("[agent]\nnetwork = man\n", "'man' is none of: lan, wan");
        row("[agent]\ndeploy = yes\n", "'yes' is none of: none, on");
        row("[swarm]\nport = 65536\n", "a port is 0 to 65535");
        row("[swarm]\nport = -1\n", "a port is 0 to 65535");
        row("[swarm]\nport = http\n", "a port is 0 to 65535");
        row("[swarm]\nupload_limit = fast\n", "agent.conf:2: upload_limit:");
        row("[swarm]\ndownload_limit = -1\n", "download_limit:");
        row("[swarm]\nquota = much\n", "quota:");
        row("state = /a\n", "agent.conf:1");
    }

    void refusesByFileAndLine()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, wanted);
        const auto config = interpret(text.toStdString());
        QVERIFY(!config);
        QCOMPARE(code(config.error().code), code(Errc::ConfigInvalid));
        QVERIFY2(config.error().context.find(wanted.toStdString()) != std::string::npos,
                 config.error().context.c_str());
    }

    void takesSixtyFourNeighboursAndNoMore()
    {
        std::string line = "[agent]\nneighbours = ";
        for (int i = 1; i <= 64; ++i)
            line += "127.0.0.1:" + std::to_string(7'000 + i) + " ";
        QVERIFY(interpret(line + "\n").has_value());
        QCOMPARE(code(interpret(line + "127.0.0.1:9000\n").error().code), code(Errc::ConfigInvalid));
    }

    void dropInsFollowInTheOrderOfTheirNames()
    {
        write("agent.conf", "[agent]\nstate = /first\nlisten = 127.0.0.1:1\n");
        write("conf.d/20-second.conf", "[agent]\nstate = /third\n");
        write("conf.d/10-first.conf", "[agent]\nstate = /second\nswarm = open\n");
        write("conf.d/30-ignored.conf.bak", "[agent]\nstate = /never\n");
        const auto config = readConfig(file("agent.conf"));
        QVERIFY2(config.has_value(), config ? "" : toString(config.error()).c_str());
        QCOMPARE(config->state.string(), std::string("/third"));
        QVERIFY(config->admission == swarm::Admission::Open);
        QVERIFY(config->listen == Endpoint::ipv4(127, 0, 0, 1, 1));
    }

    void aBadDropInIsNamed()
    {
        write("agent.conf", "[agent]\nstate = /first\n");
        write("conf.d/10-bad.conf", "\n\n[agent]\nwrong = 1\n");
        const auto config = readConfig(file("agent.conf"));
        QCOMPARE(code(config.error().code), code(Errc::ConfigInvalid));
        QVERIFY(config.error().context.find((file("conf.d/10-bad.conf").string() + ":4:").c_str())
                != std::string::npos);
    }

    void aMissingFileIsNotFound()
    {
        const auto config = readConfig(file("nothing.conf"));
        QCOMPARE(code(config.error().code), code(Errc::NotFound));
        QVERIFY(config.error().context.find("nothing.conf") != std::string::npos);
    }

    void aFileInThePlaceOfTheDropInsIsAnError()
    {
        write("agent.conf", "[agent]\nstate = /first\n");
        write("conf.d", "no directory");
        QCOMPARE(code(readConfig(file("agent.conf")).error().code), code(Errc::Io));
    }

    void aHugeFileIsTooLarge()
    {
        write("agent.conf", std::string(65 * 1024, '\n'));
        QCOMPARE(code(readConfig(file("agent.conf")).error().code), code(Errc::TooLarge));
    }

    void init() { m_directory = std::make_unique<QTemporaryDir>(); }
    void cleanup() { m_directory.reset(); }

private:
    fs::path file(const std::string& name) const
    {
        return fs::path(m_directory->path().toStdString()) / name;
    }
    void write(const std::string& name, const std::string& text)
    {
        fs::create_directories(file(name).parent_path());
        QVERIFY(writeFile(file(name), viewOf(text), FileMode::Public).has_value());
    }
    std::unique_ptr<QTemporaryDir> m_directory;
};

QTEST_GUILESS_MAIN(TestConfig)
#include "tst_config.moc"
