// SPDX-License-Identifier: Apache-2.0
/// The command line: how devices come into a fleet, by files and through an agent.
#include "cli_fixture.h"
#include "crypto/key_file.h"
#include "crypto/noise.h"
#include "fleet.h"
#include "node/identity.h"
#include "processes.h"
#include "trust/join.h"
#include "trust/trust_set.h"

#include <QJsonArray>

#include <sys/stat.h>

using namespace starling;
using namespace starling::cli_test;

namespace {

/// A fleet whose admit role wants two of three keys, in plain files admit-1.key to admit-3.key.
class TwoKeyFleet
{
public:
    explicit TwoKeyFleet(const Cli& cli)
    {
        trust::RootDocument root;
        const crypto::SecretKey rootKey = crypto::SecretKey::generate();
        root.root = {{rootKey.id()}, 1};
        root.admit.threshold = 2;
        for (int i = 1; i <= 3; ++i) {
            const crypto::SecretKey key = crypto::SecretKey::generate();
            root.admit.keys.insert(key.id());
            write(cli, s("admit-%1.key").arg(i), crypto::plainKey(key), node::FileMode::Private);
        }
        trust::Envelope envelope{trust::Kind::Root, root.serialize(), {}};
        envelope.sign(FleetId(), rootKey);
        write(cli, s("two.root"), envelope.serialize(), node::FileMode::Public);
    }

private:
    static void write(const Cli& cli, const QString& name, const Bytes& bytes, node::FileMode mode)
    {
        QVERIFY(node::writeFile(cli.file(name), bytes, mode).has_value());
    }
};

QString text(const support::CommandResult& result, const char* member)
{
    return json(result).value(QLatin1String(member)).toString();
}

} // namespace

class TestCliEnrol : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(crypto::initialize().has_value());
        m_cli = std::make_unique<Cli>();
        m_cli->write(s("secret"), "correct horse\n", node::FileMode::Private);
        ENDED(m_cli->run("fleet init fleet --scope fw --cost interactive --passphrase-file secret"), 0);
        ENDED(m_cli->run("fleet init other --lab --cost interactive --passphrase-file secret"), 0);
    }

    void init()
    {
        for (const char* name : {"d.key", "d.join", "d.admit", "e.admit"})
            QFile::remove(m_cli->path(s(name)));
    }

    // --- request

    void aRequestMakesTheDevicesKeyOnce()
    {
        const auto made = request("--name gateway-7 --label site=Bergen --json");
        ENDED(made, 0);
        QCOMPARE(text(made, "name"), s("gateway-7"));
        QVERIFY(text(made, "words").count(QLatin1Char('-')) == 7);
        struct stat info
        {
        };
        QVERIFY(::stat(m_cli->file(s("d.key")).c_str(), &info) == 0 && (info.st_mode & 07777) == 0600);
        const QByteArray key = m_cli->read(s("d.key"));
        const auto again = request("--name renamed --json");
        ENDED(again, 0);
        QCOMPARE(m_cli->read(s("d.key")), key);
        QCOMPARE(text(again, "words"), text(made, "words"));
        // Without a name it is the host's.
        ENDED(request(""), 0);
    }

    void refusesToAskForWhatNobodyCanAdmit()
    {
        ENDED(m_cli->run("device request d.join --root fleet/root.envelope --key d.key --label nonsense"), 2);
        ENDED(m_cli->run({s("device"), s("request"), s("d.join"), s("--root"), s("fleet/root.envelope"),
                          s("--key"), s("d.key"), s("--name"), s("\x1b[31mred")}),
              2);
        ENDED(m_cli->run({s("device"), s("request"), s("d.join"), s("--root"), s("fleet/root.envelope"),
                          s("--key"), s("d.key"), s("--name"), QString(65, QLatin1Char('x'))}),
              2);
        QStringList many{s("device"), s("request"), s("d.join"), s("--root"), s("fleet/root.envelope"),
                         s("--key"),  s("d.key")};
        for (int i = 0; i < 12; ++i)
            many += {s("--label"), s("label%1=").arg(i) + QString(60, QLatin1Char('x'))};
        ENDED(m_cli->run(many), 2);
        ENDED(m_cli->run("device request d.join --root missing --key d.key"), 1);
        QVERIFY(!m_cli->exists(s("d.key")) && !m_cli->exists(s("d.join")));
    }

    void refusesAKeyThatOthersMayRead()
    {
        ENDED(request("--name d"), 0);
        QVERIFY(::chmod(m_cli->file(s("d.key")).c_str(), 0644) == 0);
        const auto refused = request("--name d --json");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("key-unreadable"));
    }

    // --- admit

    void admitsForSomeTime()
    {
        TwoKeyFleet fleet(*m_cli);
        ENDED(m_cli->run("device request d.join --root two.root --key d.key --name d"), 0);
        const QString begin = s("device admit d.join --root two.root --yes --json --key ");
        for (const char* days : {"0", "3651", "-1", "a"})
            ENDED(m_cli->run((begin + s("admit-1.key --days ") + s(days)).toUtf8().constData()), 2);
        QVERIFY(!m_cli->exists(s("d.admit")));
        const auto first = m_cli->run((begin + s("admit-1.key --days 30")).toUtf8().constData());
        ENDED(first, 4);
        const double end = json(first).value(QLatin1String("not_after")).toDouble();
        const double days = (end - double(QDateTime::currentSecsSinceEpoch())) / 86'400;
        QVERIFY2(days > 29.9 && days <= 30, QByteArray::number(days).constData());
        // Whoever signs second signs the same end; for good is another certificate.
        ENDED(m_cli->run((begin + s("admit-2.key")).toUtf8().constData()), 1);
        const auto second = m_cli->run((begin + s("admit-2.key --days 90")).toUtf8().constData());
        ENDED(second, 0);
        QCOMPARE(json(second).value(QLatin1String("not_after")).toDouble(), end);
        const auto envelope = trust::Envelope::parse(viewOf(m_cli->read(s("d.admit")).toStdString()));
        const auto trust = trust::TrustSet::fromAnchor(viewOf(m_cli->read(s("two.root")).toStdString()));
        const auto certificate = trust->verifyAdmit(*envelope);
        QVERIFY(certificate.has_value());
        QCOMPARE(double((*certificate)->notAfter.value()), end);
    }

    void admitsByARequestFile()
    {
        const auto made = request("--name gateway-7 --label site=Bergen --json");
        const auto admitted = admit("d.join --key fleet/keys/admit-2.key --yes --json");
        ENDED(admitted, 0);
        QCOMPARE(text(admitted, "words"), text(made, "words"));
        QCOMPARE(text(admitted, "file"), s("d.admit"));
        QVERIFY(json(admitted).value(QLatin1String("threshold_reached")).toBool());
        const auto envelope = trust::Envelope::parse(viewOf(m_cli->read(s("d.admit")).toStdString()));
        QVERIFY(envelope.has_value());
        const auto trust =
            trust::TrustSet::fromAnchor(viewOf(m_cli->read(s("fleet/root.envelope")).toStdString()));
        const auto certificate = trust->verifyAdmit(*envelope);
        QVERIFY(certificate.has_value());
        QCOMPARE((*certificate)->name, std::string("gateway-7"));
        QCOMPARE((*certificate)->labels.at("site"), std::string("Bergen"));
        QCOMPARE(QString::fromStdString((*certificate)->node.hex()), text(made, "node"));
    }

    void showsNameLabelsAndWordsBeforeItSigns()
    {
        const auto made = request("--name gateway-7 --label site=Bergen --json");
        const auto shown = admit("d.join --key fleet/keys/admit-1.key --yes");
        ENDED(shown, 0);
        for (const QString& word : {s("gateway-7"), s("site = Bergen"), text(made, "words")})
            QVERIFY2(QString::fromUtf8(shown.output).contains(word), shown.output.constData());
        // Nobody there to compare: nothing is signed.
        QFile::remove(m_cli->path(s("d.admit")));
        const auto unasked = admit("d.join --key fleet/keys/admit-1.key");
        ENDED(unasked, 2);
        QVERIFY(unasked.errors.contains("--yes"));
        QVERIFY(!m_cli->exists(s("d.admit")));
    }

    void refusesOtherKeysFleetsAndDamage()
    {
        ENDED(request("--name d"), 0);
        ENDED(admit("d.join --key fleet/keys/release-1.key --yes"), 6);
        ENDED(admit("d.join --key other/keys/admit.key --yes"), 6);
        ENDED(m_cli->run("device admit d.join --root other/root.envelope --key other/keys/admit.key "
                         "--passphrase-file secret --yes"),
              6);
        QByteArray damaged = m_cli->read(s("d.join"));
        damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
        m_cli->write(s("d.join"), damaged);
        QVERIFY(admit("d.join --key fleet/keys/admit-1.key --yes").exitCode != 0);
        m_cli->write(s("d.join"), "garbage");
        ENDED(admit("d.join --key fleet/keys/admit-1.key --yes"), 1);
        QVERIFY(!m_cli->exists(s("d.admit")));
    }

    void signaturesAccumulateUpToTheThreshold()
    {
        const TwoKeyFleet fleet(*m_cli);
        ENDED(m_cli->run("device request d.join --root two.root --key d.key --name d"), 0);
        const auto one = m_cli->run("device admit d.join --root two.root --key admit-1.key --yes --json");
        ENDED(one, 4);
        QVERIFY(!json(one).value(QLatin1String("threshold_reached")).toBool(true));
        ENDED(m_cli->run("device admit d.join --root two.root --key admit-1.key --yes"), 4); // the same again
        const auto two = m_cli->run("device admit d.join --root two.root --key admit-3.key --yes --json");
        ENDED(two, 0);
        QVERIFY(json(two).value(QLatin1String("threshold_reached")).toBool());
        ENDED(m_cli->run(
                  "device admit d.join --root two.root --key admit-1.key --key admit-2.key --yes -o e.admit"),
              0);
    }

    void leavesAnotherCertificateAlone()
    {
        ENDED(request("--name d"), 0);
        m_cli->write(s("d.admit"), "precious");
        const auto refused = admit("d.join --key fleet/keys/admit-1.key --yes --json");
        ENDED(refused, 1);
        QCOMPARE(errorName(refused), s("already-exists"));
        QCOMPARE(m_cli->read(s("d.admit")), QByteArray("precious"));
    }

    // --- Through an agent

    void aDeviceWithATokenIsListedAdmittedAndRuns()
    {
        QTemporaryDir directory;
        auto fleet = support::Fleet::create({.directory = directory.path().toStdString(),
                                             .programs = STARLING_BINARY_DIR "/bin",
                                             .agents = 2});
        QVERIFY2(fleet.has_value(), fleet ? "" : toString(fleet.error()).c_str());
        QVERIFY((*fleet)->enrolByFile(0).has_value());
        QVERIFY((*fleet)->start(0).has_value());
        const auto agent = [&](std::size_t i) {
            return QStringList{s("--json"), s("--agent"),
                               QString::fromStdString((*fleet)->socket(i).string())};
        };
        const auto token = m_cli->run(agent(0) + QStringList{s("token"), s("create"), s("--hours"), s("1")});
        ENDED(token, 0);
        QVERIFY(text(token, "token").startsWith(s("starling1-")));
        const auto isForConsole = [](const auto& ended) {
            return json(ended).value(QLatin1String("console")).toBool();
        };
        const auto another = m_cli->run(agent(0) + QStringList{s("token"), s("create"), s("--console")});
        ENDED(another, 0);
        QVERIFY(isForConsole(another) && !isForConsole(token));
        ENDED(m_cli->run(agent(0) + QStringList{s("token"), s("create"), s("--hours"), s("25")}), 2);
        ENDED(m_cli->run(agent(0) + QStringList{s("token"), s("create"), s("--address"), s("nonsense")}), 2);

        // The joining agent says what it waits for, and the other one who waits.
        const auto home = (*fleet)->home(1);
        for (const char* file : {"device.key", "device.admit", "root.envelope"})
            QVERIFY(std::filesystem::remove(home / file));
        QVERIFY(node::writeFile(home / "join.token", viewOf(text(token, "token").toStdString()),
                                node::FileMode::Private));
        QVERIFY((*fleet)->configure(1,
                                    {{"enrolment.token_file", (home / "join.token").string()},
                                     {"enrolment.name",
                                      "gateway-\xe2\x80\xae"
                                      "7"}}));
        QVERIFY((*fleet)->start(1).has_value());
        const auto status = m_cli->run(agent(1) + QStringList{s("status")});
        ENDED(status, 0);
        QCOMPARE(text(status, "mode"), s("joining"));
        const QString words = text(status, "waiting").section(s("words "), 1);
        QCOMPARE(words.count(QLatin1Char('-')), qsizetype{7});
        ENDED(m_cli->run(agent(1) + QStringList{s("updates")}), 5);
        QJsonObject pending;
        QTRY_VERIFY_WITH_TIMEOUT(
            (pending = firstWaiting(agent(0))).value(QLatin1String("words")).toString() == words, 90'000);
        QVERIFY(pending.value(QLatin1String("token_good")).toBool());
        // Case 33: a mark that turns the direction of text is shown, and does nothing.
        const auto list = m_cli->run(
            {s("--agent"), QString::fromStdString((*fleet)->socket(0).string()), s("device"), s("list")});
        QCOMPARE(json(m_cli->run(agent(0) + QStringList{s("device"), s("list")}))
                     .value(QLatin1String("left_out"))
                     .toInt(-1),
                 0);
        QVERIFY2(list.output.contains("gateway-?7") && list.output.contains("token good"),
                 list.output.constData());

        const QStringList admit{s("device"),
                                s("admit"),
                                QString(words).replace(QLatin1Char('-'), QLatin1Char(' ')).toUpper(),
                                s("--root"),
                                QString::fromStdString((*fleet)->root().string()),
                                s("--key"),
                                QString::fromStdString((*fleet)->key("admit").string()),
                                s("--passphrase-file"),
                                QString::fromStdString((*fleet)->passphrase().string()),
                                s("--yes")};
        QStringList nobody = admit;
        nobody[2] = s("acorn acorn");
        const auto unknown = m_cli->run(agent(0) + nobody);
        ENDED(unknown, 1);
        QCOMPARE(errorName(unknown), s("not-found"));
        const auto admitted = m_cli->run(agent(0) + admit);
        ENDED(admitted, 0);
        QVERIFY(json(admitted).value(QLatin1String("file")).isNull());
        QTRY_VERIFY_WITH_TIMEOUT(text(m_cli->run(agent(1) + QStringList{s("status")}), "mode") == s("deploy"),
                                 90'000);
        QVERIFY(std::filesystem::exists(home / "device.admit")
                && std::filesystem::exists(home / "root.envelope"));
        QVERIFY(text(m_cli->run(agent(1) + QStringList{s("status")}), "waiting").isEmpty());
        // Both are of one fleet now: whichever of them may observe is told of the other.
        const auto devices = [&] {
            return json(m_cli->run(agent(1) + QStringList{s("device"), s("list")}))
                .value(QLatin1String("devices"))
                .toArray()
                .size();
        };
        QTRY_COMPARE_WITH_TIMEOUT(devices(), qsizetype{1}, 90'000); // of itself it knows
        const auto alone = m_cli->run(
            {s("--agent"), QString::fromStdString((*fleet)->socket(1).string()), s("device"), s("list")});
        QVERIFY2(alone.errors.contains("fleet observe"), alone.errors.constData());
        const auto observed = (*fleet)->observe(1);
        QVERIFY2(observed.has_value(), observed ? "" : toString(observed.error()).c_str());
        QTRY_COMPARE_WITH_TIMEOUT(devices(), qsizetype{2}, 90'000);
        QVERIFY(
            json(m_cli->run(agent(1) + QStringList{s("status")})).value(QLatin1String("observer")).toBool());
        // Neighbours are STUN servers to each other.
        const auto checked = m_cli->run(agent(0) + QStringList{s("net"), s("check")});
        ENDED(checked, 0);
        QCOMPARE(text(checked, "mapping"), s("none"));
        QVERIFY(text(checked, "mapped").startsWith(s("127.0.0.1:")));
        const auto spoken = m_cli->run(
            {s("--agent"), QString::fromStdString((*fleet)->socket(0).string()), s("net"), s("check")});
        ENDED(spoken, 0);
        QVERIFY2(spoken.output.contains("Network     ") && spoken.output.contains("Seen as     127.0.0.1:"),
                 spoken.output.constData());
        // A list that cannot be kept is not spread, or nobody would know what was signed.
        const QString joined = text(m_cli->run(agent(1) + QStringList{s("status")}), "node");
        const auto deny = [&](const QString& file) {
            return m_cli->run(
                agent(0)
                + QStringList{s("device"), s("deny"), joined, s("--key"),
                              QString::fromStdString((*fleet)->key("admit").string()), s("--passphrase-file"),
                              QString::fromStdString((*fleet)->passphrase().string()), s("-o"), file});
        };
        ENDED(deny(s("no-such-folder/denied")), 1);
        ENDED(deny(s("denied")), 0); // so it had not been
        QVERIFY(!m_cli->read(s("denied")).isEmpty());
        ENDED(deny(s("denied-again")), 3);
        // The other one does not; whoever waits for the fleet there is told before anything is pushed.
        const auto torrent =
            (*fleet)->makeRelease(m_cli->file(s("secret")), "fw/site", 1, {s("--deploy"), s("none")});
        QVERIFY2(torrent.has_value(), torrent ? "" : toString(torrent.error()).c_str());
        ENDED(m_cli->run(agent(0)
                         + QStringList{s("push"), QString::fromStdString(torrent->string()), s("--payload"),
                                       s("secret"), s("--wait"), s("2")}),
              2);
        QVERIFY(json(m_cli->run(agent(0) + QStringList{s("updates")}))
                    .value(QLatin1String("updates"))
                    .toArray()
                    .isEmpty());
    }

    // The device asks the gate; the administrator is at the observer; both are linked to the middle alone.
    void aDeviceIsAdmittedAtAnObserverThatIsFarFromItsGate()
    {
        constexpr std::size_t kObserver = 0, kMiddle = 1, kGate = 2, kNewcomer = 3;
        QTemporaryDir directory;
        const auto any = Endpoint::ipv4(127, 0, 0, 1, 0);
        Endpoint both{{}, any.port}, six = both;
        six.address[15] = 1;
        const std::vector<Endpoint> at{any, both, six, any};
        auto fleet = support::Fleet::create(
            {.directory = directory.path().toStdString(),
             .programs = STARLING_BINARY_DIR "/bin",
             .agents = at.size(),
             .listen =
                 [&](std::size_t i) {
                     Endpoint where = at[i];
                     where.port = support::freePorts(1)[0];
                     return where;
                 },
             // Who cannot send to the other's address finds no other way.
             .overrides = {{"network.proxy", "http://127.0.0.1:1"}, {"nat.relay", "false"}}});
        QVERIFY2(fleet.has_value(), fleet ? "" : toString(fleet.error()).c_str());
        six.port = (*fleet)->endpoint(kMiddle).port;
        QVERIFY((*fleet)->configure(kGate, {{"agent.neighbours", toString(six)}}));
        for (const std::size_t i : {kObserver, kMiddle, kGate}) {
            const auto started = (*fleet)->start(i);
            QVERIFY2(started.has_value(), started ? "" : toString(started.error()).c_str());
        }
        const auto agent = [&](std::size_t i) {
            return QStringList{s("--json"), s("--agent"),
                               QString::fromStdString((*fleet)->socket(i).string())};
        };
        const auto linked = [&](std::size_t i) {
            std::set<std::string> nodes;
            const auto status = (*fleet)->ask<control::StatusReply>(i, control::StatusRequest{});
            for (const control::LinkLine& link : status ? status->links : std::vector<control::LinkLine>())
                if (link.isUp)
                    nodes.insert(link.node.hex());
            return nodes;
        };
        const std::set<std::string> middleAlone{(*fleet)->node(kMiddle).hex()};
        QTRY_VERIFY_WITH_TIMEOUT(linked(kObserver) == middleAlone && linked(kGate) == middleAlone, 90'000);

        const auto home = (*fleet)->home(kNewcomer);
        for (const char* file : {"device.key", "device.admit"})
            QVERIFY(std::filesystem::remove(home / file));
        const auto gateKey = crypto::openPlainKey(*node::readKeyFile((*fleet)->home(kGate) / "device.key"));
        QVERIFY(gateKey.has_value());
        const LinkKey link = crypto::LinkKeyPair::of(*gateKey).publicKey();
        Endpoint gate = six;
        gate.port = (*fleet)->endpoint(kGate).port;
        Endpoint newcomer = six;
        newcomer.port = support::freePorts(1)[0];
        QVERIFY((*fleet)->configure(kNewcomer,
                                    {{"enrolment.contact", toString(gate) + "#" + link.hex()},
                                     {"enrolment.name", "gateway-9"},
                                     {"agent.listen", toString(newcomer)},
                                     {"agent.neighbours", toString(gate)}}));
        QVERIFY((*fleet)->start(kNewcomer).has_value());
        const QString words =
            text(m_cli->run(agent(kNewcomer) + QStringList{s("status")}), "waiting").section(s("words "), 1);
        QJsonObject pending;
        QTRY_VERIFY_WITH_TIMEOUT(
            (pending = firstWaiting(agent(kObserver))).value(QLatin1String("words")).toString() == words,
            90'000);
        QCOMPARE(pending.value(QLatin1String("gate")).toString(),
                 QString::fromStdString((*fleet)->node(kGate).hex()));
        QVERIFY(pending.value(QLatin1String("endpoint")).isNull());
        const auto list =
            m_cli->run({s("--agent"), QString::fromStdString((*fleet)->socket(kObserver).string()),
                        s("device"), s("list")});
        QVERIFY2(list.output.contains("gateway-9") && list.output.contains(" at "), list.output.constData());
        ENDED(m_cli->run(agent(kObserver)
                         + QStringList{s("device"), s("admit"), words, s("--root"),
                                       QString::fromStdString((*fleet)->root().string()), s("--key"),
                                       QString::fromStdString((*fleet)->key("admit").string()),
                                       s("--passphrase-file"),
                                       QString::fromStdString((*fleet)->passphrase().string()), s("--yes")}),
              0);
        QTRY_VERIFY_WITH_TIMEOUT(
            text(m_cli->run(agent(kNewcomer) + QStringList{s("status")}), "mode") == s("deploy"), 90'000);
        QTRY_VERIFY_WITH_TIMEOUT(linked(kNewcomer).contains((*fleet)->node(kGate).hex()), 90'000);
        // Its receipt comes by itself.
        const QString joined = text(m_cli->run(agent(kNewcomer) + QStringList{s("status")}), "node");
        QCOMPARE(joined.size(), qsizetype{64});
        QTRY_VERIFY_WITH_TIMEOUT(m_cli->run(agent(kObserver) + QStringList{s("device"), s("list")})
                                     .output.contains(joined.toLatin1()),
                                 90'000);
        // They were never linked but through the middle, which introduces them to each other meanwhile.
        const auto peers = m_cli->run(agent(kObserver) + QStringList{s("peers")});
        const QJsonArray lines = json(peers).value(QLatin1String("peers")).toArray();
        QVERIFY(!lines.isEmpty());
        for (const QJsonValue& line : lines)
            QVERIFY2((line[QLatin1String("node")] == QString::fromStdString((*fleet)->node(kMiddle).hex()))
                         != (line[QLatin1String("link")] == s("relayed")),
                     peers.output.constData());
        QVERIFY(json(m_cli->run(agent(kObserver) + QStringList{s("device"), s("list")}))
                    .value(QLatin1String("pending"))
                    .toArray()
                    .isEmpty());
    }

    void withoutAnAgentNobodyWaits()
    {
        const auto refused = m_cli->run("--json --agent nowhere.sock device admit acorn-tiger --root "
                                        "fleet/root.envelope --key fleet/keys/admit-1.key --yes");
        ENDED(refused, 7);
        ENDED(m_cli->run("--agent nowhere.sock token create"), 7);
    }

private:
    support::CommandResult request(const char* options) const
    {
        return m_cli->run(
            (QByteArray("device request d.join --root fleet/root.envelope --key d.key ") + options)
                .constData());
    }
    /// As the agent that `agent` names lists it.
    QJsonObject firstWaiting(const QStringList& agent) const
    {
        return json(m_cli->run(agent + QStringList{s("device"), s("list")}))
            .value(QLatin1String("pending"))
            .toArray()
            .at(0)
            .toObject();
    }
    support::CommandResult admit(const char* options) const
    {
        return m_cli->run(
            (QByteArray("device admit --root fleet/root.envelope --passphrase-file secret ") + options)
                .constData());
    }

    std::unique_ptr<Cli> m_cli;
};

QTEST_GUILESS_MAIN(TestCliEnrol)
#include "tst_cli_enrol.moc"
