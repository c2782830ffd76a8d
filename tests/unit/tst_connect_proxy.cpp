// SPDX-License-Identifier: Apache-2.0
#include "nat/connect_proxy.h"

#include <QtTest>

using namespace starling;
using namespace starling::nat;

class TestConnectProxy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void asksForAnAddressAndAPort()
    {
        QCOMPARE(connectRequest(Endpoint::ipv4(192, 0, 2, 7, 7'891)),
                 std::string("CONNECT 192.0.2.7:7891 HTTP/1.1\r\nHost: 192.0.2.7:7891\r\n\r\n"));
        QVERIFY(connectRequest(Endpoint{{0x20, 1, 0xd, 0xb8}, 443})
                    .starts_with("CONNECT [2001:db8:0:0:0:0:0:0]:443 HTTP/1.1\r\n"));
        // RFC 7617 section 2.
        QVERIFY(connectRequest(Endpoint::ipv4(192, 0, 2, 7, 7'891), "Aladdin:open sesame")
                    .ends_with("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"));
        for (const auto& [login, encoded] : {std::pair("a:", "YTo="), {"a:b", "YTpi"}, {"a:bc", "YTpiYw=="}})
            QVERIFY(
                connectRequest(Endpoint(), login).ends_with(std::string("Basic ") + encoded + "\r\n\r\n"));
    }

    void takesWhatOpensTheWay_data()
    {
        QTest::addColumn<QByteArray>("reply");
        QTest::newRow("tinyproxy") << QByteArray(
            "HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n");
        QTest::newRow("no reason") << QByteArray("HTTP/1.1 200\r\n\r\n");
        QTest::newRow("another 2xx") << QByteArray("HTTP/1.1 204 \r\nA: b\r\n\r\n");
        QTest::newRow("after an interim one") << QByteArray(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    }
    void takesWhatOpensTheWay()
    {
        QFETCH(const QByteArray, reply);
        const std::string after = "\x04\xa2\x82 and so on";
        const std::string whole = reply.toStdString() + after;
        for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
            ConnectReply parser;
            bool isOpen = false;
            std::size_t at = 0;
            while (!isOpen) {
                QVERIFY(at < whole.size());
                const auto pushed = parser.push(viewOf(std::string_view(whole).substr(at, piece)));
                QVERIFY(pushed.has_value());
                isOpen = *pushed;
                at += std::min(piece, whole.size() - at);
            }
            QCOMPARE(toText(parser.rest()) + whole.substr(at), after);
        }
    }

    void saysWhyThereIsNoWay_data()
    {
        QTest::addColumn<QByteArray>("reply");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("words");
        const auto row = [](const char* name, const QByteArray& reply, Errc code, const char* words) {
            QTest::newRow(name) << reply << static_cast<int>(code) << QString::fromLatin1(words);
        };
        row("403", "HTTP/1.1 403 Forbidden\r\n\r\n<html>", Errc::Refused, "403: it forbids");
        row("407", "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
            Errc::Refused, "407: it wants a login");
        row("405", "HTTP/1.1 405 No\r\n\r\n", Errc::Refused, "CONNECT");
        row("502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", Errc::Unreachable, "502");
        row("302", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", Errc::Refused, "302");
        row("SSH", "SSH-2.0-OpenSSH_9.2\r\n", Errc::Malformed, "HTTP");
        row("one wrong byte", "X", Errc::Malformed, "HTTP");
        row("no status", "HTTP/1.1 \r\n\r\n", Errc::Malformed, "status");
        row("letters", "HTTP/1.1 2oo OK\r\n\r\n", Errc::Malformed, "status");
        row("four digits", "HTTP/1.1 2000 OK\r\n\r\n", Errc::Malformed, "status");
        row("a sign", "HTTP/1.1 +20 OK\r\n\r\n", Errc::Malformed, "status");
        row("no version", "HTTP/1.x 200 OK\r\n\r\n", Errc::Malformed, "status");
        row("no end", "HTTP/1.1 200 OK\r\nA: " + QByteArray(ConnectReply::kMaxBytes, 'a'), Errc::TooLarge,
            "end");
        row("interim ones without an end", QByteArray("HTTP/1.1 100 Continue\r\n\r\n").repeated(500),
            Errc::TooLarge, "interim");
    }
    void saysWhyThereIsNoWay()
    {
        QFETCH(const QByteArray, reply);
        QFETCH(const int, code);
        QFETCH(const QString, words);
        ConnectReply parser;
        const auto pushed =
            parser.push(viewOf(std::string_view(reply.constData(), std::size_t(reply.size()))));
        QVERIFY(!pushed);
        QCOMPARE(static_cast<int>(pushed.error().code), code);
        QVERIFY2(QString::fromStdString(pushed.error().context).contains(words),
                 pushed.error().context.c_str());
    }

    void saysWhatIsWrongWithALogin()
    {
        const auto told = [](std::string_view headers, bool hasLogin) {
            ConnectReply parser(hasLogin);
            const auto pushed = parser.push(viewOf("HTTP/1.1 407 No\r\n" + std::string(headers) + "\r\n"));
            return pushed ? std::string() : pushed.error().context;
        };
        QVERIFY(told("Proxy-Authenticate: Basic realm=\"a\"\r\n", false).find("set proxy =")
                != std::string::npos);
        QVERIFY(
            told("proxy-authenticate: NTLM\r\nPROXY-AUTHENTICATE: BASIC\r\n", true).find("correct proxy =")
            != std::string::npos);
        QVERIFY(told("Proxy-Authenticate: Negotiate\r\n", true).find("another method") != std::string::npos);
        QVERIFY(told("", true).find("correct proxy =") != std::string::npos);
    }

    void boundsWhatItKeeps()
    {
        ConnectReply parser;
        std::size_t said = 0;
        for (auto pushed = parser.push(viewOf("HTTP/1.1 200 OK\r\n")); pushed && said < 1'000'000;
             said += 100)
            pushed = parser.push(Bytes(100, std::byte{'a'}));
        QVERIFY(said <= ConnectReply::kMaxBytes + 200);
    }
};

QTEST_GUILESS_MAIN(TestConnectProxy)
#include "tst_connect_proxy.moc"
