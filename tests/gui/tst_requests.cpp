// SPDX-License-Identifier: Apache-2.0
/// Two of three keys, and two people: one in the window, the other on the command line, with a file between
/// them; keys that are rotated and revoked; and files that somebody gave. No agent answers, and none is
/// needed before something is pushed.
#include "admin/key_change.h"
#include "admin/release_work.h"
#include "admin/root_pushing.h"
#include "admin/signing.h"
#include "command.h"
#include "gui_console.h"
#include "key_change_dialog.h"
#include "node/disk.h"
#include "passphrase_field.h"
#include "profile.h"
#include "publish_sign.h"
#include "release_dialog.h"
#include "release_samples.h"
#include "request_dialog.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDropEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QSettings>
#include <QSignalSpy>
#include <QTemporaryDir>

using namespace starling;
using namespace starling::gui_test;
using window::KeyChangeDialog;
using window::KeyStep;
using window::RequestDialog;
namespace signers = release::samples;

namespace {

constexpr int kSlow = 30'000; ///< ms: a key that is opened on a busy machine

QString s(const char* text)
{
    return QString::fromUtf8(text);
}

support::CommandResult runStarling(const QStringList& arguments)
{
    return support::runCommand(s("setsid"),
                               QStringList{s("--wait"), s(STARLING_BINARY_DIR "/bin/starling")} + arguments);
}

/// The one that is seen, below `root`.
template <class Widget> Widget* seen(const QWidget& root, const char* name)
{
    for (Widget* widget : root.findChildren<Widget*>())
        if (widget->isVisible() && widget->accessibleName() == s(name))
            return widget;
    return nullptr;
}

bool shows(const QWidget& root, const char* text)
{
    for (const QLabel* label : root.findChildren<QLabel*>())
        if (label->isVisible() && label->text().contains(s(text)))
            return true;
    return false;
}

void press(const QWidget& root, const char* name)
{
    auto* const button = seen<QPushButton>(root, name);
    QVERIFY2(button != nullptr && button->isEnabled(), name);
    QTest::mouseClick(button, Qt::LeftButton);
}

} // namespace

class TestRequests : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void asksOthersByFileAndTakesTheirSignatures();
    void signsForOthersWhatItShows();
    void opensADroppedRequest();
    void refusesWhatItCannotShow();
    void rotatesAKeyUntilTheRootIsSigned();
    void revokesAKeyOnlyOnceItIsTyped();
    void changesKeysOnTheCommandLine();
    void looksAtAFileThatSomebodyGave();
    void comparesAPayloadWithWhatWasSigned();

private:
    void drop(Console& console, const QString& file) const;
    QString at(const QString& name) const { return m_directory->filePath(name); }
    std::filesystem::path file(const QString& name) const { return at(name).toStdString(); }
    trust::TrustSet trust() const { return *console::readRoot(file(s("root.envelope"))); }
    release::TorrentFile release() const
    {
        return signers::single(50'000, signers::update("fw/pair/gateway", 2));
    }
    QStringList secret() const { return {s("--passphrase-file"), at(s("secret"))}; }

    QTemporaryDir m_settings;
    std::unique_ptr<QTemporaryDir> m_directory; ///< of the fleet
};

void TestRequests::initTestCase()
{
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
    qputenv("XDG_DATA_HOME", m_settings.path().toUtf8()); // of the audit log, and of releases
    QCoreApplication::setOrganizationName(s("starling"));
    QCoreApplication::setApplicationName(s("starling-console-test"));
    QVERIFY(crypto::initialize());
    window::loadResources();
}

void TestRequests::init()
{
    m_directory = std::make_unique<QTemporaryDir>();
    QVERIFY(QDir(m_directory->path()).mkpath(s("keys")) && QDir(m_directory->path()).mkpath(s("usb")));
    const auto root = signers::signRoot(signers::rootDocument(), {}, {1, 2});
    QVERIFY(node::writeFile(file(s("root.envelope")), root, node::FileMode::Public));
    QVERIFY(node::writeFile(file(s("secret")), viewOf("horse\n"), node::FileMode::Private));
    for (const auto& [name, number] : std::map<const char*, unsigned char>{{"keys/root-1.key", 1},
                                                                           {"keys/root-2.key", 2},
                                                                           {"keys/release-1.key", 21},
                                                                           {"usb/release-2.key", 22}})
        QVERIFY(console::writeSealedKey(file(s(name)), signers::key(number), crypto::SecretText("horse"),
                                        crypto::KdfCost::Interactive));
    window::Profile{m_directory->path(), at(s("nobody.sock")), {}}.save();
}

void TestRequests::asksOthersByFileAndTakesTheirSignatures()
{
    window::PublishSign step;
    step.resize(1'000, 700);
    step.show();
    QSignalSpy isDone(&step, &window::PublishSign::signedWell);
    QSignalSpy failed(&step, &window::PublishSign::failed);
    step.begin(release(), std::make_shared<trust::TrustSet>(trust()), m_directory->path());
    QVERIFY(shows(step, "0 of 2 signatures of scope:fw/pair, missing: 2 of "));
    QTest::keyClicks(seen<window::PassphraseField>(step, "Passphrase of the key"), s("horse"));
    press(step, "Sign the manifest");
    QTRY_VERIFY_WITH_TIMEOUT(shows(step, "1 of 2 signatures"), kSlow);
    QCOMPARE(isDone.count(), 0);
    QCOMPARE(seen<QComboBox>(step, "Key")->count(), 0); // the one that is here has signed
    press(step, "Write a signing request for others");
    auto* const dialog = step.findChild<QFileDialog*>();
    QVERIFY(dialog != nullptr);
    dialog->findChild<QLineEdit*>(s("fileNameEdit"))->setText(at(s("a.request")));
    static_cast<QDialog*>(dialog)->accept();
    QTRY_VERIFY(shows(step, "request written"));
    keepPicture(step, s("publish-request"));

    // The other one, on a machine without a network.
    const auto shown =
        runStarling({s("request"), s("show"), at(s("a.request")), s("--root"), at(s("root.envelope"))});
    QCOMPARE(shown.exitCode, 4);
    QVERIFY2(shown.output.contains("fw/pair/gateway") && shown.output.contains("1 of 2 signatures"),
             shown.output.constData());
    const auto unasked =
        runStarling(QStringList{s("request"), s("sign"), at(s("a.request")), s("--root"),
                                at(s("root.envelope")), s("--key"), at(s("usb/release-2.key"))}
                    + secret());
    QCOMPARE(unasked.exitCode, 2); // nobody was there to say yes
    const auto signedBy =
        runStarling(QStringList{s("request"), s("sign"), at(s("a.request")), s("--root"),
                                at(s("root.envelope")), s("--key"), at(s("usb/release-2.key")), s("--yes")}
                    + secret());
    QVERIFY2(signedBy.exitCode == 0, signedBy.errors.constData());

    press(step, "Take signatures from a request");
    QFileDialog* reading = nullptr;
    for (auto* const each : step.findChildren<QFileDialog*>())
        if (each->isVisible())
            reading = each;
    QVERIFY(reading != nullptr);
    reading->findChild<QLineEdit*>(s("fileNameEdit"))->setText(at(s("a.request")));
    static_cast<QDialog*>(reading)->accept();
    QTRY_COMPARE(isDone.count(), 1);
    QVERIFY(failed.isEmpty());
    QVERIFY(release::verifyRelease(step.torrent(), trust()));
}

void TestRequests::signsForOthersWhatItShows()
{
    QVERIFY(node::writeFile(file(s("fw.torrent")), release().serialize(), node::FileMode::Public));
    const auto made = runStarling({s("--json"), s("request"), s("make"), at(s("fw.torrent")), s("--root"),
                                   at(s("root.envelope")), s("-o"), at(s("fw.request"))});
    QVERIFY2(made.exitCode == 4 && made.output.contains("\"threshold_reached\":false"),
             made.errors.constData());
    const auto refused =
        runStarling({s("release"), s("verify"), at(s("fw.torrent")), s("--root"), at(s("root.envelope"))});
    QCOMPARE(refused.exitCode, 6); // nobody has signed yet

    RequestDialog dialog(at(s("fw.request")), m_directory->path(), at(s("nobody.sock")));
    dialog.show();
    auto* const content = seen<QPlainTextEdit>(dialog, "What is signed");
    QVERIFY(content->toPlainText().contains(s("fw/pair/gateway"))
            && content->toPlainText().contains(QString::fromStdString(release().infoHash.hex())));
    QVERIFY(shows(dialog, "Sign fw/pair/gateway") && shows(dialog, "0 of 2 signatures of scope:fw/pair"));
    keepPicture(dialog, s("request"));
    auto* const passphrase = seen<window::PassphraseField>(dialog, "Passphrase of the key");
    QTest::keyClicks(passphrase, s("mule"));
    QTest::keyClick(passphrase, Qt::Key_Return); // signs nothing by itself
    QVERIFY(console::readRequest(file(s("fw.request")))->signatures.empty());
    QTest::keyClicks(passphrase, s("mule"));
    press(dialog, "Sign the request and save it");
    QTRY_VERIFY_WITH_TIMEOUT(shows(dialog, "STAR-LOCAL-008"), kSlow);
    QVERIFY(console::readRequest(file(s("fw.request")))->signatures.empty());
    QTest::keyClicks(passphrase, s("horse"));
    press(dialog, "Sign the request and save it");
    QTRY_VERIFY_WITH_TIMEOUT(shows(dialog, "1 of 2 signatures"), kSlow);
    QCOMPARE(console::readRequest(file(s("fw.request")))->signatures.size(), std::size_t{1});

    const QStringList merge{s("request"),        s("merge"),  at(s("fw.torrent")),
                            at(s("fw.request")), s("--root"), at(s("root.envelope"))};
    QCOMPARE(runStarling(merge).exitCode, 4);
    const auto below =
        runStarling({s("release"), s("verify"), at(s("fw.torrent")), s("--root"), at(s("root.envelope"))});
    QVERIFY(below.exitCode != 0 && below.errors.contains("STAR-TRUST-005"));
    QVERIFY(
        runStarling(QStringList{s("request"), s("sign"), at(s("fw.request")), s("--root"),
                                at(s("root.envelope")), s("--key"), at(s("usb/release-2.key")), s("--yes")}
                    + secret())
            .exitCode
        == 0);
    QCOMPARE(runStarling(merge).exitCode, 0);
    QVERIFY(release::verifyRelease(*console::readRelease(file(s("fw.torrent"))), trust()));
}

void TestRequests::opensADroppedRequest()
{
    QVERIFY(console::writeRequest(file(s("fw.request")),
                                  release::SigningRequest::of(trust().fleet(), release())));
    Console console(at(s("nobody.sock")));
    drop(console, at(s("fw.request")));
    auto* const dialog = console.main.findChild<RequestDialog*>();
    QVERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(shows(*dialog, "Sign fw/pair/gateway"));
    // Locked, it forgets what was typed in the dialog, too.
    auto* const passphrase = seen<window::PassphraseField>(*dialog, "Passphrase of the key");
    QTest::keyClicks(passphrase, s("half a secr"));
    for (QAction* const action : console.main.actions())
        if (action->shortcut() == QKeySequence(Qt::CTRL | Qt::Key_L))
            action->trigger();
    QVERIFY(passphrase->text().isEmpty());
    QVERIFY(console.shows("Locked: what was typed of passphrases is wiped"));
    keepPicture(console.main, s("locked"));
}

void TestRequests::drop(Console& console, const QString& file) const
{
    QMimeData dropped;
    dropped.setUrls({QUrl::fromLocalFile(file)});
    QDragEnterEvent enter({400, 300}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&console.main, &enter);
    QDropEvent event({400, 300}, Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&console.main, &event);
}

void TestRequests::looksAtAFileThatSomebodyGave()
{
    const auto write = [this](const release::TorrentFile& torrent) {
        return node::writeFile(file(s("fw.torrent")), torrent.serialize(), node::FileMode::Public)
            .has_value();
    };
    release::TorrentFile torrent = release();
    QVERIFY(write(torrent));
    Console console(at(s("nobody.sock")));
    drop(console, at(s("fw.torrent")));
    auto* const dialog = console.main.findChild<window::ReleaseDialog*>();
    QVERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(console.shows("Devices of this fleet refuse it.") && console.shows("Nobody has signed it."));
    QCOMPARE(console.error(), QString::fromStdString(codeName(Errc::Unsigned)));
    keepPicture(*dialog, s("release-file-refused"));
    QVERIFY(
        seen<QPlainTextEdit>(*dialog, "What the file says")->toPlainText().contains(s("fw/pair/gateway")));
    dialog->close();

    const auto refusal = [&](const char* says) {
        if (!write(torrent))
            return s("not written");
        window::ReleaseDialog look(at(s("fw.torrent")), m_directory->path(), nullptr, window::Theme());
        look.show();
        if (!shows(look, says))
            return s("says something else");
        const auto* const card = look.findChild<window::ErrorCard*>();
        return card->isVisible() ? card->code() : QString();
    };
    torrent.sign(trust().fleet(), signers::key(11)); // of another role
    QCOMPARE(refusal("is of this fleet, and does not sign for this resource."),
             QString::fromStdString(codeName(Errc::WrongScope)));
    auto other = signers::single(50'000, signers::update("fw/pair/gateway", 3));
    other.sign(trust().fleet(), signers::key(22));
    torrent.signatures = other.signatures;
    QCOMPARE(refusal("signed something else: the file was changed after it."),
             QString::fromStdString(codeName(Errc::BadSignature)));
    torrent.signatures.clear();
    torrent.sign(trust().fleet(), signers::key(77));
    QCOMPARE(refusal("is none of a fleet that is known here."),
             QString::fromStdString(codeName(Errc::UnknownKey)));
    torrent.signatures.clear();
    torrent.sign(trust().fleet(), signers::key(21));
    QCOMPARE(refusal("1 of 2 signatures of scope:fw/pair"),
             QString::fromStdString(codeName(Errc::BelowThreshold)));
    torrent.sign(trust().fleet(), signers::key(22));
    QCOMPARE(refusal("Its signatures hold: devices let it pass"), QString());

    // What devices have already is told by receipts.
    fleetview::Fleet fleet(samples::kBegin);
    fleet.take({samples::reportOf(1, {samples::entryOf(trust::Phase::Healthy, 3, "fw/pair/gateway")})}, {},
               samples::kBegin);
    window::ReleaseDialog late(at(s("fw.torrent")), m_directory->path(),
                               snapshotOf(fleet.picture(samples::kBegin)),
                               window::Theme::of(window::Look::Light, QPalette()));
    late.show();
    QVERIFY(shows(late, "But devices know version 3"));
    keepPicture(late, s("release-file"));
    window::ReleaseDialog nowhere(at(s("fw.torrent")), {}, nullptr, window::Theme());
    nowhere.show();
    QVERIFY(shows(nowhere, "Nothing was verified: no fleet is known here"));
    QVERIFY(node::writeFile(file(s("fw.torrent")), viewOf("d4:infode"), node::FileMode::Public));
    window::ReleaseDialog broken(at(s("fw.torrent")), m_directory->path(), nullptr, window::Theme());
    broken.show();
    QVERIFY(shows(broken, "This is no release file."));
    QVERIFY(!seen<QPushButton>(broken, "Compare a payload with what was signed")->isEnabled());
}

void TestRequests::comparesAPayloadWithWhatWasSigned()
{
    QVERIFY(node::writeFile(file(s("fw.torrent")), release().serialize(), node::FileMode::Public));
    Bytes payload = signers::pattern(50'000);
    QVERIFY(node::writeFile(file(s("rootfs.img")), payload, node::FileMode::Public));
    window::ReleaseDialog look(at(s("fw.torrent")), m_directory->path(), nullptr, window::Theme());
    look.show();
    press(look, "Compare a payload with what was signed");
    auto* const choice = look.findChild<QFileDialog*>();
    QVERIFY(choice != nullptr);
    choice->findChild<QLineEdit*>(s("fileNameEdit"))->setText(at(s("rootfs.img")));
    static_cast<QDialog*>(choice)->accept();
    QTRY_VERIFY_WITH_TIMEOUT(shows(look, "The payload is what was signed, byte for byte."), kSlow);
    payload[40'000] ^= std::byte{1};
    QVERIFY(node::writeFile(file(s("rootfs.img")), payload, node::FileMode::Public));
    look.compareWith(at(s("rootfs.img")));
    const auto* const card = look.findChild<window::ErrorCard*>();
    QTRY_COMPARE_WITH_TIMEOUT(card->code(), QString::fromStdString(codeName(Errc::PayloadMismatch)), kSlow);
    QVERIFY(shows(look, "This is not the payload that was signed."));
}

void TestRequests::refusesWhatItCannotShow()
{
    auto request = release::SigningRequest::of(FleetId(), release());
    QVERIFY(console::writeRequest(file(s("fw.request")), request));
    RequestDialog foreign(at(s("fw.request")), m_directory->path(), {});
    foreign.show();
    QVERIFY(shows(foreign, "STAR-TRUST-013") && shows(foreign, "cannot be signed"));
    QVERIFY(!seen<QPushButton>(foreign, "Sign the request and save it")->isEnabled());
    QVERIFY(node::writeFile(file(s("torn.request")), viewOf("d5:fleet"), node::FileMode::Public));
    QVERIFY(!RequestDialog::isRequest(at(s("torn.request"))));
    RequestDialog torn(at(s("torn.request")), m_directory->path(), {});
    torn.show();
    QVERIFY(shows(torn, "STAR-FORM-")
            && !seen<QPushButton>(torn, "Sign the request and save it")->isEnabled());
}

void TestRequests::rotatesAKeyUntilTheRootIsSigned()
{
    KeyChangeDialog change(KeyStep::Rotate, signers::key(21).id(), m_directory->path(), {}, {1, 1, 1});
    change.show();
    QTRY_VERIFY_WITH_TIMEOUT(shows(change, "3 of 3 devices trust it now"), kSlow);
    QVERIFY(shows(change, "scope:fw, scope:fw/pair"));
    auto* const successor = seen<QComboBox>(change, "Successor");
    successor->setCurrentIndex(successor->findText(s("One that is elsewhere, by its id")));
    QTest::keyClicks(seen<QLineEdit>(change, "Id of the successor"), s("4f1c"));
    QSignalSpy drafted(&change, &KeyChangeDialog::drafted);
    press(change, "Draft the root and go on to signing it");
    QVERIFY(drafted.isEmpty() && shows(change, "STAR-USE-001"));
    keepPicture(change, s("key-rotate"));
    seen<QLineEdit>(change, "Id of the successor")
        ->setText(QString::fromStdString(signers::key(24).id().hex()));
    press(change, "Draft the root and go on to signing it");
    QCOMPARE(drafted.count(), 1);
    const QString request = drafted[0][0].toString();
    QCOMPARE(request, at(s("root-2.request")));

    RequestDialog dialog(request, m_directory->path(), at(s("nobody.sock")));
    dialog.show();
    QVERIFY(seen<QPlainTextEdit>(dialog, "What is signed")
                ->toPlainText()
                .contains(s("scope:fw/pair: key ") + QString::fromStdString(signers::key(24).id().hex())
                          + s(" joins")));
    QVERIFY(shows(dialog, "0 of 2 signatures of root"));
    for (const char* standing : {"1 of 2 signatures of root", "2 of 2 signatures of root"}) {
        QTest::keyClicks(seen<window::PassphraseField>(dialog, "Passphrase of the key"), s("horse"));
        press(dialog, "Sign the request and save it");
        QTRY_VERIFY_WITH_TIMEOUT(shows(dialog, standing), kSlow);
    }
    keepPicture(dialog, s("request-root"));
    // Nobody is there to push it to; it is kept, and the next signature is verified by it.
    press(dialog, "Go on with enough signatures");
    QTRY_VERIFY_WITH_TIMEOUT(shows(dialog, "STAR-NET-001"), kSlow);
    QCOMPARE(trust().root().number, std::uint64_t{2});
    QVERIFY(trust().root().scopes[0].role.keys.contains(signers::key(24).id()));
}

void TestRequests::revokesAKeyOnlyOnceItIsTyped()
{
    const std::vector<std::uint64_t> devices(100, 1);
    KeyChangeDialog change(KeyStep::Revoke, signers::key(21).id(), m_directory->path(), {}, devices);
    change.show();
    QTRY_VERIFY_WITH_TIMEOUT(shows(change, "100 of 100 devices trust it now"), kSlow);
    auto* const draft = seen<QPushButton>(change, "Draft the root and go on to signing it");
    auto* const typed = seen<QLineEdit>(change, "Type to confirm");
    QVERIFY(typed != nullptr && !draft->isEnabled());
    const QString wanted = QString::fromStdString(signers::key(21).id().shortHex()) + s(" for 10");
    QTest::keyClicks(typed, wanted);
    QVERIFY(!draft->isEnabled());
    QTest::keyClicks(typed, s("0"));
    QVERIFY(draft->isEnabled());
    seen<QCheckBox>(change, "Raise the epoch of its scopes")->setChecked(true);
    auto* const successor = seen<QComboBox>(change, "Successor");
    successor->setCurrentIndex(successor->findText(s("Make a key here")));
    QTest::keyClicks(seen<window::PassphraseField>(change, "Passphrase for the new key"), s("mule"));
    QTest::keyClicks(seen<window::PassphraseField>(change, "Passphrase again"), s("mules"));
    QSignalSpy drafted(&change, &KeyChangeDialog::drafted);
    draft->click();
    QVERIFY(drafted.isEmpty() && shows(change, "type the same passphrase twice"));
    seen<window::PassphraseField>(change, "Passphrase again")->setText(s("mule"));
    keepPicture(change, s("key-revoke"));
    draft->click();
    QTRY_COMPARE_WITH_TIMEOUT(drafted.count(), 1, kSlow);
    const auto made = console::inspectKeyFile(file(s("keys/release-2.key")));
    QVERIFY(made && made->header.isSealed);
    const auto request = console::readRequest(file(s("root-2.request")));
    const auto root = trust::RootDocument::parse(request->payload);
    QVERIFY(root && root->scopes[0].epoch == 1 && root->scopes[0].role.keys.contains(made->header.id)
            && !root->scopes[0].role.keys.contains(signers::key(21).id()));
}

void TestRequests::changesKeysOnTheCommandLine()
{
    const QString old = QString::fromStdString(signers::key(21).id().hex()).left(8);
    const QStringList fleet{s("--fleet"), m_directory->path()};
    const auto preview =
        runStarling(QStringList{s("--json"), s("key"), s("revoke"), old, s("--preview")} + fleet);
    QVERIFY2(preview.exitCode == 0 && preview.output.contains("\"roles\":[\"scope:fw\",\"scope:fw/pair\"]"),
             preview.errors.constData());
    QVERIFY(!QFile::exists(at(s("root-2.request"))));
    const QStringList signers{s("--key"), at(s("keys/root-1.key")), s("--key"), at(s("keys/root-2.key"))};
    const auto rotated = runStarling(QStringList{s("key"), s("rotate"), old, s("--new"),
                                                 QString::fromStdString(signers::key(24).id().hex())}
                                     + fleet + signers + secret());
    QVERIFY2(rotated.exitCode == 0 && QFile::exists(at(s("root-2.envelope"))), rotated.errors.constData());
    // Nobody tells that devices know the successor, so the old key stays.
    const auto early = runStarling(QStringList{s("key"), s("retire"), old} + fleet + signers + secret());
    QVERIFY2(early.exitCode == 5 && early.errors.contains("0 of 0 devices"), early.errors.constData());
    const auto one =
        runStarling(QStringList{s("key"), s("retire"), old, s("--yes"), s("--key"), at(s("keys/root-1.key"))}
                    + fleet + secret());
    QVERIFY2(one.exitCode == 4 && one.output.contains("1 of 2 signatures of root"), one.errors.constData());
    const auto other =
        runStarling(QStringList{s("request"), s("sign"), at(s("root-3.request")), s("--root"),
                                at(s("root.envelope")), s("--key"), at(s("keys/root-2.key")), s("--yes")}
                    + secret());
    QVERIFY2(other.exitCode == 0 && other.output.contains("leaves"), other.errors.constData());
    const auto unasked = runStarling(QStringList{s("key"), s("revoke"), old} + fleet + secret());
    QVERIFY(unasked.exitCode == 2 && unasked.errors.contains("--yes"));
}

QTEST_MAIN(TestRequests)
#include "tst_requests.moc"
