// SPDX-License-Identifier: Apache-2.0
#include "publish_page.h"

#include "admin/keys.h"
#include "admin/release_work.h"
#include "admin/signing.h"
#include "control/client.h"
#include "error_card.h"
#include "node/disk.h"
#include "publish_send.h"
#include "publish_sign.h"
#include "words.h"

#include <QDir>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QStandardPaths>

namespace starling::window {

using TrustPtr = std::shared_ptr<const trust::TrustSet>;
using TorrentPtr = std::shared_ptr<release::TorrentFile>;

namespace {

constexpr std::chrono::milliseconds kPollEvery{100};
constexpr std::size_t kMaxPathBytes = 4'096; ///< PATH_MAX of Linux
constexpr auto kPatience = std::chrono::seconds(3); ///< guess: a local agent answers in milliseconds

/// What the agent trusts, and from which root on: the fleet's directory has the first.
Result<TrustPtr> trustAt(const QString& socket, const QString& directory)
{
    auto agent = control::Client::connect(socket, kPatience);
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    const auto reply = agent->ask<control::TrustReply>(control::TrustRequest{}, kPatience);
    if (!reply)
        return tl::unexpected<Error>(reply.error());
    const std::filesystem::path anchor = directory.isEmpty()
        ? std::filesystem::path()
        : std::filesystem::path(directory.toStdString()) / "root.envelope";
    auto trust = console::trustOf(*reply, anchor);
    if (!trust)
        return tl::unexpected<Error>(trust.error());
    return TrustPtr(std::make_shared<const trust::TrustSet>(std::move(*trust)));
}

/// Signed files stay, so that the command line can verify and push them, too.
QString placeOf(const release::UpdateInfo& update, const std::string& hash)
{
    const QDir directory(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)
                         + QStringLiteral("/releases"));
    directory.mkpath(QStringLiteral("."));
    QString name = QString::fromStdString(update.uri.text());
    name.replace(QLatin1Char('/'), QLatin1Char('-'));
    const QString version =
        QString::fromStdString(trust::toString(update.revision)).replace(QLatin1Char(':'), QLatin1Char('-'));
    return directory.filePath(
        QStringLiteral("%1-%2-%3.torrent").arg(name, version, QString::fromStdString(hash.substr(0, 8))));
}

/// Beside a release that others still have to sign: where its payload is.
QString payloadNote(const QString& place)
{
    return place + QStringLiteral(".payload");
}

} // namespace

PublishPage::PublishPage(QString socket, QWidget* parent)
    : Page(parent)
    , m_socket(std::move(socket))
{
    qRegisterMetaType<Error>();
    QVBoxLayout* const layout = column(this, 24, 12);
    layout->addWidget(m_steps = label({}, "subtitle"));
    layout->addWidget(m_error = new ErrorCard);
    layout->addWidget(m_stack = named(new QStackedWidget, tr("Steps of a release")), 1);
    m_form = new PublishForm;
    m_sign = new PublishSign;
    m_send = new PublishSend;
    auto* const scrolling = named(new QScrollArea, tr("What to publish"));
    scrolling->setWidgetResizable(true);
    scrolling->setFocusPolicy(Qt::NoFocus);
    scrolling->setWidget(m_form);
    m_form->setObjectName(QStringLiteral("page"));
    for (QWidget* const step : std::initializer_list<QWidget*>{scrolling, makeHashing(), m_sign, m_send})
        m_stack->addWidget(step);
    connect(m_form, &PublishForm::ready, this, &PublishPage::hash);
    connect(m_form, &PublishForm::failed, this, &PublishPage::fail);
    connect(m_sign, &PublishSign::failed, this, &PublishPage::fail);
    connect(m_sign, &PublishSign::backWanted, this, [this] { goTo(Choose); });
    connect(m_sign, &PublishSign::signedWell, this, &PublishPage::keepSigned);
    connect(m_sign, &PublishSign::othersAsked, this, &PublishPage::keepPartly);
    connect(m_send, &PublishSend::failed, this, &PublishPage::fail);
    connect(m_send, &PublishSend::devicesWanted, this, &PublishPage::devicesWanted);
    connect(m_send, &PublishSend::pushed, this, [this] { m_error->hide(); });
    connect(m_send, &PublishSend::anotherWanted, this, [this] {
        m_form->startAnew();
        goTo(Choose);
    });
    connect(&m_poll, &QTimer::timeout, this, [this] {
        if (m_hashing.total() > 0)
            m_progress->setValue(static_cast<int>(m_hashing.done() * 100 / m_hashing.total()));
        m_progress->setFormat(m_hashing.progressText());
    });
    goTo(Choose);
}

QWidget* PublishPage::makeHashing()
{
    QWidget* const page = named(new QWidget, tr("Hashing"));
    QVBoxLayout* const layout = column(page, 0, 14);
    QWidget* const box = card(tr("Hashing the payload"));
    auto* const inner = static_cast<QVBoxLayout*>(box->layout());
    inner->addWidget(label(tr("Hashing the payload"), "verdict"));
    inner->addWidget(label(tr("Every byte is read once; the signature will cover all of them."), "subtitle"));
    inner->addWidget(m_progress = named(new QProgressBar, tr("Hashed so far")));
    auto* const row = new QHBoxLayout;
    row->addStretch();
    row->addWidget(m_cancel = named(new QPushButton(tr("Cancel")), tr("Cancel hashing")));
    inner->addLayout(row);
    layout->addWidget(box);
    layout->addStretch();
    connect(m_cancel, &QPushButton::clicked, this, [this] { m_hashing.cancel(); });
    return page;
}

void PublishPage::goTo(Step step)
{
    static const std::array kNames{QT_TR_NOOP("Choose"), QT_TR_NOOP("Hash"), QT_TR_NOOP("Sign"),
                                   QT_TR_NOOP("Push")};
    m_stack->setCurrentIndex(step);
    m_error->hide();
    QStringList names;
    for (int i = 0; i < static_cast<int>(kNames.size()); ++i)
        names += (i == step      ? QStringLiteral("● ")
                      : i < step ? QStringLiteral("✓ ")
                                 : QStringLiteral("○ "))
            + tr(kNames[static_cast<std::size_t>(i)]);
    m_steps->setText(names.join(QStringLiteral("     ")));
    m_steps->setAccessibleName(
        tr("Step %1 of 4: %2").arg(step + 1).arg(tr(kNames[static_cast<std::size_t>(step)])));
    if (step != Sign)
        m_sign->forget();
}

bool PublishPage::isBusy() const
{
    return m_stack->currentIndex() != Choose;
}

bool PublishPage::isSending() const
{
    return m_send->isSending();
}

void PublishPage::fail(const QString& what, const Error& error)
{
    m_error->tell(what, error);
}

void PublishPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    m_form->setPicture(snapshot->picture);
    m_send->show(snapshot);
}

void PublishPage::setSocket(const QString& socket)
{
    m_socket = socket;
    m_trust.reset();
}

void PublishPage::setPayload(const QString& path)
{
    if (!isBusy()) {
        m_error->hide();
        m_form->setPayload(path);
    }
}

void PublishPage::enter()
{
    if (!m_trust)
        askTrust();
    if (!isBusy())
        m_form->focusPayload();
}

void PublishPage::askTrust()
{
    m_asking.start<TrustPtr>([socket = m_socket, directory = m_fleetDirectory](
                                 Job::Ticket&) { return trustAt(socket, directory); },
                             [this](Result<TrustPtr> trust) {
                                 if (!trust) // it is asked again before anything is signed
                                     return fail(tr("The agent does not say what the fleet trusts."),
                                                 trust.error());
                                 m_trust = std::move(*trust);
                                 m_form->setTrust(m_trust);
                             });
}

void PublishPage::hash()
{
    m_error->hide();
    const auto draft = m_form->draft();
    if (!draft)
        return fail(tr("This cannot be published yet."), draft.error());
    m_payload = QString::fromStdString(draft->payload.string());
    goTo(Hash);
    m_progress->setValue(0);
    m_poll.start(kPollEvery);
    using Hashed = std::pair<TorrentPtr, TrustPtr>;
    m_hashing.start<Hashed>(
        [draft = *draft, socket = m_socket,
         directory = m_fleetDirectory](Job::Ticket& ticket) -> Result<Hashed> {
            // Asked anew: keys may have changed since this page was opened.
            auto trust = trustAt(socket, directory);
            if (!trust)
                return tl::unexpected<Error>(trust.error());
            // What was filled in may be from before the agent had said at all what the fleet trusts.
            release::UpdateInfo update = draft.update;
            const trust::Scope* const scope = (*trust)->root().scopeFor(update.uri);
            if (scope == nullptr)
                return starling::fail(Errc::WrongScope,
                                      "the fleet's root lets nobody sign " + update.uri.text());
            update.revision.epoch = scope->epoch;
            auto maker = console::ReleaseMaker::open(draft.payload, std::move(update));
            if (!maker)
                return tl::unexpected<Error>(maker.error());
            ticket.expect(maker->payloadBytes());
            auto torrent = maker->hash([&ticket](std::uint64_t done) { return ticket.tell(done); });
            if (!torrent)
                return tl::unexpected<Error>(torrent.error());
            return Hashed{std::make_shared<release::TorrentFile>(std::move(*torrent)), std::move(*trust)};
        },
        [this](Result<Hashed> hashed) {
            m_poll.stop();
            if (!hashed) {
                goTo(Choose);
                if (hashed.error().code != Errc::Cancelled)
                    fail(tr("It was not hashed."), hashed.error());
                return;
            }
            m_trust = hashed->second;
            m_form->setTrust(m_trust);
            goTo(Sign);
            m_sign->begin(std::move(*hashed->first), m_trust, m_fleetDirectory);
        });
}

void PublishPage::keepSigned()
{
    const release::TorrentFile& torrent = m_sign->torrent();
    const QString place = placeOf(torrent.info.update, torrent.infoHash.hex());
    if (auto kept = node::writeFile(place.toStdString(), torrent.serialize(), node::FileMode::Public); !kept)
        return fail(tr("The signed release was not kept, and not pushed."), kept.error());
    begin(torrent, place);
}

void PublishPage::begin(const release::TorrentFile& torrent, const QString& place)
{
    goTo(Push);
    if (m_snapshot)
        m_send->show(m_snapshot);
    m_send->begin(std::make_shared<const release::TorrentFile>(torrent), m_payload, m_socket, place);
}

void PublishPage::keepPartly()
{
    const release::TorrentFile& torrent = m_sign->torrent();
    const QString place = placeOf(torrent.info.update, torrent.infoHash.hex());
    auto kept = node::writeFile(place.toStdString(), torrent.serialize(), node::FileMode::Public);
    if (kept)
        kept = node::writeFile(payloadNote(place).toStdString(), viewOf(m_payload.toStdString()),
                               node::FileMode::Public);
    if (!kept)
        fail(tr("The release was not kept here: merge the signatures into a file of your own."),
             kept.error());
}

void PublishPage::resume(const release::SigningRequest& request)
{
    if (m_stack->currentIndex() == Sign && m_sign->isAbout(request))
        return m_sign->merge(request);
    if (m_stack->currentIndex() == Hash || m_send->isSending())
        return fail(tr("Another release is on its way."),
                    Error{Errc::Busy, "open the request again afterwards"});
    const auto info = release::ReleaseInfo::parse(request.payload);
    const auto trust = console::readRoot((m_fleetDirectory + QStringLiteral("/root.envelope")).toStdString());
    if (!info || !trust)
        return fail(tr("This release cannot be pushed."), info ? trust.error() : info.error());
    const QString place = placeOf(info->update, request.payloadHash().hex());
    const auto merged = console::mergeInto(place.toStdString(), request, *trust);
    const auto torrent = merged ? console::readRelease(place.toStdString())
                                : Result<release::TorrentFile>(tl::unexpected(merged.error()));
    const auto verified = torrent ? release::verifyRelease(*torrent, *trust)
                                  : Result<release::VerifiedRelease>(tl::unexpected(torrent.error()));
    const auto payload = node::readFile(payloadNote(place).toStdString(), kMaxPathBytes);
    if (!verified || !payload)
        return fail(tr("This release was not made here: merge the request into the file of whoever made it."),
                    verified ? payload.error() : verified.error());
    m_payload = QString::fromStdString(toText(*payload));
    begin(*torrent, place);
}

} // namespace starling::window
